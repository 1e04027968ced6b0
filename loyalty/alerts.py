"""The queue of alerts: what looks like misuse, with its receipts, until a person has decided."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import Session

from core.audit import record_event
from core.errors import Conflict, NotFound, Refused
from core.keyset import Ask, Page, read_page
from customers.card_changes import block_card
from customers.models import Card
from loyalty.models import Alert
from loyalty.watching import monday_of
from sales.models import Receipt, Store, Till

ALERT_SORTS: Final = ("raised_at", "kind", "store_code", "receipts")
STATES: Final = ("open", "confirmed", "dismissed")
KINDS: Final = ("velocity", "own_card", "cashier_card", "blind_returns")
WEEKS: Final = 4
Decision = Literal["confirmed", "dismissed"]


class NoSuchAlert(NotFound):
    """There is no such alert, or it is another store's."""


class AlreadyDecided(Conflict):
    """Somebody has decided about this alert."""


class ReasonMissing(Refused):
    """Whoever dismisses an alert, or blocks a card, says why."""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert; `day` is the business date, or the Monday of the week, that it is about."""

    alert_id: int
    kind: str
    store_id: int
    store_code: str
    store_name: str
    timezone: str
    day: date
    operator_code: str | None
    card_number: str | None
    receipts: int
    state: str
    raised_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None

    @property
    def weekly(self) -> bool:
        """Whether it is about a week, beginning with `day`."""
        return self.kind == "blind_returns"


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A receipt that an alert is about."""

    business_date: date
    receipt_id: UUID
    store_code: str
    till_code: str
    receipt_number: str
    type: str
    operator_code: str | None
    closed_at: datetime
    payable_amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class BlindReturns:
    """How many returns without a receipt a cashier took in a week, and what was paid out for them."""

    store_code: str
    store_name: str
    operator_code: str | None
    monday: date
    count: int
    amount: int
    currency: str


def list_alerts(session: Session, ask: Ask, *, store_id: int | None = None) -> Page[AlertRow]:
    """
    Return a page of the alerts, of one store if given.

    Filters: state, kind. Words are a card number or an operator's code.
    """
    statement = _alerts(store_id)
    for name, column in (("state", Alert.state), ("kind", Alert.kind)):
        if value := ask.filters.get(name):
            statement = statement.where(column == value)
    if ask.words:
        statement = statement.where(or_(Alert.card_number == ask.words, Alert.operator_code == ask.words))
    page = read_page(session, statement, ask=ask, sorts=ALERT_SORTS, key="alert_id", filled=ALERT_SORTS)
    return Page(tuple(AlertRow(*row[:15]) for row in page.rows), page.following, page.previous)


def open_alerts(session: Session, *, store_id: int | None = None) -> dict[str, int]:
    """Return how many alerts wait, by kind."""
    statement = select(Alert.kind, func.count()).where(Alert.state == "open").group_by(Alert.kind)
    if store_id is not None:
        statement = statement.where(Alert.store_id == store_id)
    found = {row[0]: row[1] for row in session.execute(statement)}
    return {kind: found[kind] for kind in KINDS if kind in found}


def alerts_of_card(session: Session, *, card_number: str, store_id: int | None = None) -> list[AlertRow]:
    """Return the alerts about a card, the newest first."""
    statement = _alerts(store_id).where(Alert.card_number == card_number).order_by(Alert.raised_at.desc())
    return [AlertRow(*row[:15]) for row in session.execute(statement.limit(20))]


def read_alert(session: Session, *, alert_id: int, store_id: int | None = None) -> AlertRow:
    """Return one alert; raises `NoSuchAlert`, also for another store's when `store_id` is given."""
    row = session.execute(_alerts(store_id).where(Alert.alert_id == alert_id)).one_or_none()
    if row is None:
        raise NoSuchAlert("There is no such alert")
    return AlertRow(*row[:15])


def evidence(session: Session, alert: AlertRow) -> list[EvidenceRow]:
    """Return the receipts that an alert is about, in the order in which they were closed; at most 100."""
    last = alert.day + timedelta(days=6 if alert.day == monday_of(alert.day) else 0)
    if alert.kind in {"velocity", "own_card"}:
        last = alert.day
    statement: Select[*tuple[Any, ...]] = (
        select(
            Receipt.business_date,
            Receipt.receipt_id,
            Store.store_code,
            Till.till_code,
            Receipt.receipt_number,
            Receipt.type,
            Receipt.operator_code,
            Receipt.closed_at,
            Receipt.payable_amount,
            Receipt.currency,
        )
        .join(Store, Store.store_id == Receipt.store_id)
        .join(Till, Till.till_id == Receipt.till_id)
        .where(Receipt.business_date.between(alert.day, last), Receipt.mode == "live")
        .order_by(Receipt.closed_at, Receipt.receipt_number)
        .limit(100)
    )
    if alert.kind == "blind_returns":
        statement = statement.where(
            Receipt.store_id == alert.store_id,
            Receipt.operator_code == alert.operator_code,
            Receipt.type == "return",
            Receipt.original_receipt_number.is_(None),
        )
        return [EvidenceRow(*row) for row in session.execute(statement)]
    account = select(Card.account_id).where(Card.card_number == alert.card_number).scalar_subquery()
    statement = statement.where(
        Receipt.account_id == account, Receipt.card_number == alert.card_number, Receipt.type == "sale"
    )
    if alert.operator_code is not None:
        statement = statement.where(
            Receipt.store_id == alert.store_id, Receipt.operator_code == alert.operator_code
        )
    return [EvidenceRow(*row) for row in session.execute(statement)]


def decide(
    session: Session,
    *,
    alert_id: int,
    decision: Decision,
    reason: str,
    now: datetime,
    actor: str,
    store_id: int | None = None,
    block: bool = False,
) -> None:
    """
    Decide about an open alert: it was misuse, or nothing was wrong; with `block` its card is blocked too.

    Nothing else happens to anybody. Raises `NoSuchAlert`, `AlreadyDecided`, `ReasonMissing`, or
    what `block_card` does.
    """
    reason = reason.strip()
    if not reason and (decision == "dismissed" or block):
        raise ReasonMissing("Say why")
    alert = read_alert(session, alert_id=alert_id, store_id=store_id)
    decided = session.execute(
        update(Alert)
        .where(Alert.alert_id == alert_id, Alert.state == "open")
        .values(state=decision, decided_by=actor, decided_at=now, reason=reason or None)
        .returning(Alert.alert_id)
    ).one_or_none()
    if decided is None:
        raise AlreadyDecided("Somebody has decided about this already")
    if block:
        if alert.card_number is None:
            raise NoSuchAlert("This alert is about no card")
        block_card(session, card_number=alert.card_number, reason=reason, now=now, actor=actor)
    record_event(
        session,
        now=now,
        actor=actor,
        action=f"alert.{'confirm' if decision == 'confirmed' else 'dismiss'}",
        subject_kind="alert",
        subject_id=str(alert_id),
        detail={
            "kind": alert.kind,
            "card_number": alert.card_number,
            "operator": alert.operator_code,
            "reason": reason,
            "blocked": block,
        },
    )


def blind_returns(session: Session, *, today: date, store_id: int | None = None) -> list[BlindReturns]:
    """Return how many returns without a receipt each cashier took in each of the last four weeks, newest first."""
    monday = func.date_trunc("week", Receipt.business_date).label("monday")
    statement = (
        select(
            Store.store_code,
            Store.name,
            Receipt.operator_code,
            monday,
            func.count().label("count"),
            func.sum(Receipt.payable_amount),
            Receipt.currency,
        )
        .join(Store, Store.store_id == Receipt.store_id)
        .where(
            Receipt.type == "return",
            Receipt.original_receipt_number.is_(None),
            Receipt.mode == "live",
            Receipt.business_date >= monday_of(today) - timedelta(weeks=WEEKS - 1),
            Receipt.business_date <= today,
        )
        .group_by(Store.store_code, Store.name, Receipt.operator_code, monday, Receipt.currency)
        .order_by(monday.desc(), func.count().desc(), Store.store_code, Receipt.operator_code)
        .limit(100)
    )
    if store_id is not None:
        statement = statement.where(Receipt.store_id == store_id)
    return [
        BlindReturns(store_code, name, operator, start.date(), count, int(amount), currency)
        for store_code, name, operator, start, count, amount, currency in session.execute(statement)
    ]


def _alerts(store_id: int | None) -> Select[*tuple[Any, ...]]:
    statement: Select[*tuple[Any, ...]] = select(
        Alert.alert_id,
        Alert.kind,
        Alert.store_id,
        Store.store_code,
        Store.name.label("store_name"),
        Store.timezone,
        Alert.day,
        Alert.operator_code,
        Alert.card_number,
        Alert.receipts,
        Alert.state,
        Alert.raised_at,
        Alert.decided_by,
        Alert.decided_at,
        Alert.reason,
    ).join(Store, Store.store_id == Alert.store_id)
    return statement if store_id is None else statement.where(Alert.store_id == store_id)

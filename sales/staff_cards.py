"""Staff cards: which card is whose who works at the tills of a store."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.audit import record_event
from core.errors import Conflict, NotFound, Refused
from customers.cardnumbers import normalise_card_number
from customers.models import Card
from customers.queries import CardNotFound
from sales.models import StaffCard, Store

LONGEST = 80


class BadStaffCard(Refused):
    """A staff card needs the operator's code and a name."""


class NoSuchStaffCard(NotFound):
    """There is no such staff card, or it is another store's."""


class AlreadyStaffCard(Conflict):
    """The card is bound to an operator already."""


class NoSuchStore(NotFound):
    """There is no such store."""


@dataclass(frozen=True, slots=True)
class StaffCardRow:
    """A card bound to an operator of a store, now or until `ended_at`."""

    staff_card_id: int
    card_number: str
    store_code: str
    store_name: str
    operator_code: str
    name: str
    registered_at: datetime
    registered_by: str
    ended_at: datetime | None


def register_staff_card(
    session: Session,
    *,
    card_number: str,
    store_code: str,
    operator_code: str,
    name: str,
    now: datetime,
    actor: str,
) -> None:
    """
    Bind a card to an operator: from `now` on it earns nothing on baskets that they ring themselves.

    All cards of the member count as theirs, and cards that replace it. Raises
    `BadCardNumber`, `CardNotFound`, `NoSuchStore`, `BadStaffCard` or `AlreadyStaffCard`.
    """
    number = normalise_card_number(card_number)
    operator_code, name = operator_code.strip(), name.strip()
    if not 0 < len(operator_code) <= LONGEST or not 0 < len(name) <= LONGEST:
        raise BadStaffCard("A staff card needs the operator's code and a name")
    store_id = session.scalar(select(Store.store_id).where(Store.store_code == store_code))
    if store_id is None:
        raise NoSuchStore(f"there is no store {store_code!r}")
    if session.scalar(select(Card.card_number).where(Card.card_number == number)) is None:
        raise CardNotFound(f"the card number {number} was never seen")
    try:
        with session.begin_nested():
            session.execute(
                insert(StaffCard).values(
                    card_number=number,
                    store_id=store_id,
                    operator_code=operator_code,
                    name=name,
                    registered_at=now,
                    registered_by=actor,
                )
            )
    except IntegrityError as taken:
        raise AlreadyStaffCard(f"card {number} is bound to an operator already") from taken
    detail = {"store": store_code, "operator": operator_code, "name": name}
    _record(session, "staff_card.register", number, detail, now=now, actor=actor)


def end_staff_card(
    session: Session, *, staff_card_id: int, now: datetime, actor: str, store_id: int | None = None
) -> None:
    """
    Take a binding away, in `store_id` if given; a second time changes nothing.

    Raises `NoSuchStaffCard`.
    """
    found = session.execute(
        select(StaffCard.card_number, StaffCard.store_id).where(StaffCard.staff_card_id == staff_card_id)
    ).one_or_none()
    if found is None or store_id not in {None, found.store_id}:
        raise NoSuchStaffCard("There is no such staff card")
    ended = session.execute(
        update(StaffCard)
        .where(StaffCard.staff_card_id == staff_card_id, StaffCard.ended_at.is_(None))
        .values(ended_at=now, ended_by=actor)
        .returning(StaffCard.staff_card_id)
    ).one_or_none()
    if ended is not None:
        _record(session, "staff_card.end", found.card_number, {}, now=now, actor=actor)


def staff_cards(
    session: Session, *, store_id: int | None = None, card_number: str | None = None
) -> list[StaffCardRow]:
    """Return the bindings of a store or of a card, or all: those that hold first, by store and operator."""
    statement = (
        select(
            StaffCard.staff_card_id,
            StaffCard.card_number,
            Store.store_code,
            Store.name,
            StaffCard.operator_code,
            StaffCard.name,
            StaffCard.registered_at,
            StaffCard.registered_by,
            StaffCard.ended_at,
        )
        .join(Store, Store.store_id == StaffCard.store_id)
        .order_by(
            StaffCard.ended_at.desc().nulls_first(),
            Store.store_code,
            StaffCard.operator_code,
            StaffCard.staff_card_id,
        )
    )
    if store_id is not None:
        statement = statement.where(StaffCard.store_id == store_id)
    if card_number is not None:
        statement = statement.where(StaffCard.card_number == card_number)
    return [StaffCardRow(*row) for row in session.execute(statement)]


@dataclass(frozen=True, slots=True)
class Binding:
    """Whose a staff card is, and for which time it is bound to its operator."""

    account_id: UUID | None
    member_id: UUID | None
    since: datetime
    until: datetime | None

    def is_own(self, account_id: UUID | None, member_id: UUID | None, moment: datetime) -> bool:
        """Return whether a card of this account and member is the operator's own at `moment`."""
        if moment < self.since or (self.until is not None and moment >= self.until):
            return False
        if self.member_id is not None:
            return member_id == self.member_id
        return account_id is not None and account_id == self.account_id


def staff_bindings(session: Session) -> dict[tuple[int, str], list[Binding]]:
    """Return whose the staff cards are, by store and operator code: the rule of `open_receipt` for many at once."""
    rows = session.execute(
        select(
            StaffCard.store_id,
            StaffCard.operator_code,
            Card.account_id,
            Card.member_id,
            StaffCard.registered_at,
            StaffCard.ended_at,
        ).join(Card, Card.card_number == StaffCard.card_number)
    )
    found: dict[tuple[int, str], list[Binding]] = {}
    for store_id, operator_code, account_id, member_id, since, until in rows:
        binding = Binding(account_id, member_id, since, until)
        found.setdefault((store_id, operator_code), []).append(binding)
    return found


def _record(
    session: Session, action: str, card_number: str, detail: dict[str, str], *, now: datetime, actor: str
) -> None:
    record_event(
        session,
        now=now,
        actor=actor,
        action=action,
        subject_kind="card",
        subject_id=card_number,
        detail=detail,
    )

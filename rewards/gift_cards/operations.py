"""Gift cards: stored money apart from points; loaded, spent and given back in books whose entries sum to zero."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy.orm import Session

from core.audit import record_event
from core.driver import driver_of
from core.errors import Conflict, NotFound, Refused
from core.ids import uuid7
from rewards.codes import new_gift_card_number, typed
from sales.operations import check_currency

LARGEST_AMOUNT: Final = 10**9
"""What one entry moves at most, in minor units."""


class GiftCardNotFound(NotFound):
    """There is no gift card of this number, or no such spending of it."""


class GiftCardBlocked(Conflict):
    """The gift card was blocked."""


class NotEnoughMoney(Conflict):
    """The gift card holds less than that, or less of a spending is left to come back."""


class AlreadyLoaded(Conflict):
    """This very paying in is booked already."""


class OtherCurrency(Refused):
    """The gift card's money is in another currency than the store's."""


class BadAmount(Refused):
    """No such amount is loaded, spent or given back."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Where and by whom money is moved; without a till at a desk or the command line."""

    now: datetime
    actor: str
    currency: str | None = None
    store_id: int | None = None
    till_id: int | None = None
    receipt_number: str | None = None
    note: str | None = None
    """Why it is booked by hand."""


@dataclass(frozen=True, slots=True)
class GiftCardView:
    """A gift card as it stands; `entry_id` names what was just booked on it."""

    gift_card_number: str
    currency: str
    state: str
    balance: int
    entry_id: UUID | None = None

    def document(self) -> dict[str, Any]:
        """Return it as tills are told."""
        document = {
            "gift_card_number": self.gift_card_number,
            "currency": self.currency,
            "state": self.state,
            "balance": self.balance,
        }
        return document if self.entry_id is None else document | {"entry_id": str(self.entry_id)}


def issue_gift_card(session: Session, *, amount: int, currency: str, teller: Teller) -> GiftCardView:
    """Issue a card with `amount` paid in; its number is all that its bearer needs. Raises `BadAmount`, `UnknownCurrency`."""
    _check(amount)
    check_currency(currency)
    number = new_gift_card_number()
    driver_of(session).execute(
        "insert into gift_card (gift_card_number, currency, issued_at, issued_by) values (%s, %s, %s, %s)",
        (number, currency, teller.now, teller.actor),
    )
    return load(session, number=number, amount=amount, teller=teller)


def gift_card(session: Session, number: str) -> GiftCardView:
    """Return a card as it stands; raises `GiftCardNotFound`."""
    row = (
        driver_of(session)
        .execute(
            "select gift_card_number, currency, state, balance from gift_card where gift_card_number = %s",
            (typed(number),),
        )
        .fetchone()
    )
    if row is None:
        raise GiftCardNotFound("there is no gift card of this number")
    return GiftCardView(*row)


def load(session: Session, *, number: str, amount: int, teller: Teller) -> GiftCardView:
    """Book that money was paid in for a card; raises `GiftCardNotFound`, `GiftCardBlocked`, `OtherCurrency`, `BadAmount`."""
    _check(amount)
    return _book(session, number, "load", amount, "paid_in", teller)


def spend(session: Session, *, number: str, amount: int, teller: Teller) -> GiftCardView:
    """Book that a card was paid with; raises as `load` does, and `NotEnoughMoney`: no card goes below zero."""
    _check(amount)
    return _book(session, number, "spend", -amount, "spent", teller)


_LEFT = """
    select spent.gift_card_number, -leg.amount - coalesce((
               select sum(back_leg.amount)
               from gift_card_entry as back join gift_card_leg as back_leg using (entry_id)
               where back.returns = spent.entry_id and back_leg.book = 'held'), 0)
    from gift_card_entry as spent join gift_card_leg as leg using (entry_id)
    where spent.entry_id = %s and spent.reason = 'spend' and leg.book = 'held'
"""


def give_back(session: Session, *, number: str, entry_id: UUID, amount: int, teller: Teller) -> GiftCardView:
    """
    Book that money of a spending comes back to the card, no more than of it is left, blocked or not.

    Raises `GiftCardNotFound`, `OtherCurrency`, `BadAmount` and `NotEnoughMoney`.
    """
    _check(amount)
    card = gift_card(session, number)
    # Whoever gives back from the same card waits here, so that what is left stays true.
    driver_of(session).execute(
        "select 1 from gift_card where gift_card_number = %s for update", (card.gift_card_number,)
    )
    row = driver_of(session).execute(_LEFT, (entry_id,)).fetchone()
    if row is None or row[0] != card.gift_card_number:
        raise GiftCardNotFound("this card was not paid with under this entry")
    if amount > row[1]:
        raise NotEnoughMoney(f"{row[1]} of this spending can come back, not {amount}")
    return _book(session, number, "return", amount, "spent", teller, returns=entry_id)


_BOOK = """
    with moved as (
        update gift_card set balance = balance + %(amount)s
        where gift_card_number = %(number)s and balance + %(amount)s >= 0 and (state = 'active' or %(reason)s = 'return')
        returning gift_card_number, currency, state, balance
    ), entry as (
        insert into gift_card_entry (entry_id, gift_card_number, reason, booked_at, actor, store_id, till_id,
                                     receipt_number, returns, note)
        select %(entry_id)s, gift_card_number, %(reason)s, %(now)s, %(actor)s, %(store_id)s::integer, %(till_id)s::integer,
               %(receipt_number)s::text, %(returns)s::uuid, %(note)s::text
        from moved
    ), legs as (
        insert into gift_card_leg (entry_id, book, amount)
        select %(entry_id)s, side.book, side.amount
        from moved, (values ('held', %(amount)s::bigint), (%(book)s, -%(amount)s::bigint)) as side (book, amount)
    )
    select * from moved
"""


def _book(  # noqa: PLR0917
    session: Session,
    number: str,
    reason: str,
    amount: int,
    book: str,
    teller: Teller,
    *,
    returns: UUID | None = None,
    entry_id: UUID | None = None,
) -> GiftCardView:
    card = gift_card(session, number)
    if teller.currency is not None and card.currency != teller.currency:
        raise OtherCurrency(f"the card holds {card.currency}, not {teller.currency}")
    entry_id = entry_id or uuid7()
    values = {
        "number": card.gift_card_number,
        "amount": amount,
        "reason": reason,
        "entry_id": entry_id,
        "now": teller.now,
        "actor": teller.actor,
        "store_id": teller.store_id,
        "till_id": teller.till_id,
        "receipt_number": teller.receipt_number,
        "returns": returns,
        "note": teller.note,
        "book": book,
    }
    row = driver_of(session).execute(_BOOK, values).fetchone()
    if row is None:
        if card.state == "blocked":
            raise GiftCardBlocked("the gift card is blocked")
        raise NotEnoughMoney(f"the gift card holds less than {-amount}")
    number, currency, state, balance = row
    return GiftCardView(number, currency, state, balance, entry_id)


def load_by_hand(
    session: Session, *, entry_id: UUID, number: str, amount: int, teller: Teller
) -> GiftCardView:
    """
    Do as `load` does, for somebody at a desk whose `teller.note` says why; it stands in the audit trail.

    `entry_id` names what is booked: raises `AlreadyLoaded` where it is, however many send it at once.
    """
    _check(amount)
    try:
        card = _book(session, number, "load", amount, "paid_in", teller, entry_id=entry_id)
    except UniqueViolation as error:
        raise AlreadyLoaded("this was loaded already") from error
    record_event(
        session,
        now=teller.now,
        actor=teller.actor,
        action="gift_card.load",
        subject_kind="gift_card",
        subject_id=card.gift_card_number,
        detail={"amount": amount, "currency": card.currency, "reason": teller.note},
    )
    return card


def _check(amount: int) -> None:
    if not 0 < amount <= LARGEST_AMOUNT:
        raise BadAmount(f"an amount lies between 1 and {LARGEST_AMOUNT} minor units")


def block_gift_card(session: Session, *, number: str, reason: str, actor: str, now: datetime) -> GiftCardView:
    """Block a lost card, a second time as well; what is on it stays. Raises `GiftCardNotFound`."""
    card = gift_card(session, number)
    driver_of(session).execute(
        "update gift_card set state = 'blocked' where gift_card_number = %s", (card.gift_card_number,)
    )
    record_event(
        session,
        now=now,
        actor=actor,
        action="gift_card.block",
        subject_kind="gift_card",
        subject_id=card.gift_card_number,
        detail={"reason": reason},
    )
    return gift_card(session, number)

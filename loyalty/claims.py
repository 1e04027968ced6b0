"""
Late claims: a receipt that was paid without a card, or with one that nobody knew, is claimed by its member.

Once, within a month, with what is printed on it and the amount. Who guesses learns nothing: a
wrong amount, a receipt that never was and one that belongs to somebody get the same answer, and
after some of those there are none any more for a day. Written for the desk and the member's own page.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.clock import business_day
from core.driver import driver_of
from core.errors import Conflict, Refused
from customers.households import hold_member
from loyalty.linking import CardCannotEarn, EarnsNothing, HasAccount, link_card
from loyalty.watching import Suspicion, raise_alerts
from sales.receipts import Original, TillIdentity
from sales.staff_cards import staff_bindings
from sales.stored_receipts import ReceiptNotStored, read_stored

CLAIMED_WITHIN = timedelta(days=30)
MOST_WRONG = 5
WRONG_WITHIN = timedelta(hours=24)


class BadReceiptCode(Refused):
    """The code is not store/till/day/number, as in B01/1/2026-11-21/000123."""


class NoCardToClaimWith(Refused):
    """The member has no card that earns."""


class TooManyClaims(Conflict):
    """The member was wrong too often; nothing is looked up for them until tomorrow."""


class AlreadyTheirs(Conflict):
    """The receipt belongs to the member's account already: by their card, or claimed before."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A receipt that is the member's from now on, and what it brought after what was returned of it."""

    business_date: date
    receipt_id: UUID
    points: int


@dataclass(frozen=True, slots=True)
class NotClaimed:
    """
    Nothing that can be claimed was found; why is not told.

    The attempt is kept only if the caller commits, so this is a result and not an exception.
    """

    left: int
    """How often the member may still be wrong today."""


def parse_receipt_code(text: str) -> Original:
    """Return the receipt that a code of the form store/till/day/number names; raises `BadReceiptCode`."""
    parts = [part.strip() for part in text.split("/")]
    if len(parts) != 4 or not all(parts):
        raise BadReceiptCode("A receipt's code is store/till/day/number")
    try:
        day = date.fromisoformat(parts[2])
    except ValueError as wrong:
        raise BadReceiptCode(f"{parts[2]!r} is no day such as 2026-11-21") from wrong
    return Original(parts[0], parts[1], day, parts[3])


def claim_receipt(
    session: Session, *, member_id: UUID, receipt: Original, amount: int, now: datetime, actor: str
) -> Claimed | NotClaimed:
    """
    Give a stored sale that nobody's card was read on to a member; `amount` is what was paid, in minor units.

    Points are booked by the rules of its business date, by the same code as late links.
    Whoever else claims it at the same moment waits, and is told that there is nothing; who sends the same
    claim twice is told that it is theirs. Raises `NoSuchMember`, `NoCardToClaimWith`, `TooManyClaims` or
    `AlreadyTheirs`.
    """
    member = hold_member(session, member_id)
    driver = driver_of(session)
    driver.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"claims {member.account_id}",))
    wrong = _wrong_lately(session, member.account_id, now)
    if wrong >= MOST_WRONG:
        raise TooManyClaims("Too many claims were wrong; try again tomorrow")
    if _is_theirs(session, member.account_id, receipt, amount):
        raise AlreadyTheirs("The receipt belongs to the account already")
    card_number = _earning_card(session, member_id)
    found = _find(session, receipt, amount, now)
    claimed = None
    if found is not None and not _rang_it_themselves(session, member_id, found, card_number, now):
        claimed = _link(session, found, card_number, now=now, actor=actor)
    driver.execute(
        _NOTE,
        {
            "account_id": member.account_id,
            "card_number": card_number,
            "now": now,
            "actor": actor,
            "identity": receipt.identity,
            "amount": amount,
            "outcome": "booked" if claimed else "refused",
            "business_date": claimed and claimed.business_date,
            "receipt_id": claimed and claimed.receipt_id,
        },
    )
    return claimed or NotClaimed(MOST_WRONG - wrong - 1)


_NOTE = """
    insert into receipt_claim (
        account_id, card_number, claimed_at, actor, identity, amount, outcome, business_date, receipt_id)
    values (
        %(account_id)s, %(card_number)s, %(now)s, %(actor)s, %(identity)s, %(amount)s, %(outcome)s,
        %(business_date)s, %(receipt_id)s)
"""

_WRONG = """
    select count(*) from receipt_claim
    where account_id = %s and outcome = 'refused' and claimed_at > %s
"""


def _wrong_lately(session: Session, account_id: UUID, now: datetime) -> int:
    row = driver_of(session).execute(_WRONG, (account_id, now - WRONG_WITHIN)).fetchone()
    return row[0] if row else 0


def _earning_card(session: Session, member_id: UUID) -> str:
    """Return the member's card that was issued last, of those in use."""
    row = (
        driver_of(session)
        .execute(
            "select card_number from card where member_id = %s and state = 'active' "
            "order by issued_at desc nulls last, card_number limit 1",
            (member_id,),
        )
        .fetchone()
    )
    if row is None:
        raise NoCardToClaimWith("The member has no card in use")
    return str(row[0])


_THEIRS = """
    select from receipt
    join store on store.store_id = receipt.store_id
    join till on till.till_id = receipt.till_id
    where receipt.business_date = %(business_date)s and receipt.receipt_number = %(receipt_number)s
      and store.store_code = %(store_code)s and till.till_code = %(till_code)s
      and receipt.account_id = %(account_id)s and receipt.payable_amount = %(amount)s
"""


def _is_theirs(session: Session, account_id: UUID, receipt: Original, amount: int) -> bool:
    """Return whether the account has the receipt; other amounts are wrong here as well."""
    values = {**_named(receipt, amount), "account_id": account_id}
    return driver_of(session).execute(_THEIRS, values).fetchone() is not None


def _named(receipt: Original, amount: int) -> dict[str, Any]:
    return {
        "store_code": receipt.store_code,
        "till_code": receipt.till_code,
        "business_date": receipt.business_date,
        "receipt_number": receipt.receipt_number,
        "amount": amount,
    }


@dataclass(frozen=True, slots=True)
class _Found:
    business_date: date
    receipt_id: UUID


# A card that was blocked is not one that nobody knew: whoever used it is not to gain by it.
_FIND = """
    select receipt.receipt_id, store.timezone
    from receipt
    join store on store.store_id = receipt.store_id and store.currency = receipt.currency
    join till on till.till_id = receipt.till_id
    where receipt.business_date = %(business_date)s and receipt.receipt_number = %(receipt_number)s
      and store.store_code = %(store_code)s and till.till_code = %(till_code)s
      and receipt.type = 'sale' and receipt.mode = 'live' and receipt.account_id is null
      and receipt.payable_amount = %(amount)s
      and not exists (
          select from receipt_flag as flag
          where flag.business_date = receipt.business_date and flag.receipt_id = receipt.receipt_id
            and flag.code = 'blocked_card')
"""


def _find(session: Session, receipt: Original, amount: int, now: datetime) -> _Found | None:
    """Return the sale that can be claimed under this name and amount, if there is one."""
    row = driver_of(session).execute(_FIND, _named(receipt, amount)).fetchone()
    if row is None:
        return None
    today = business_day(now, row[1])
    if not today - CLAIMED_WITHIN <= receipt.business_date <= today:
        return None
    return _Found(receipt.business_date, row[0])


def _rang_it_themselves(
    session: Session, member_id: UUID, found: _Found, card_number: str, now: datetime
) -> bool:
    """Return whether the member rang the basket at the till, and raise an alert if so."""
    stored = read_stored(session, business_date=found.business_date, receipt_id=found.receipt_id)
    posted, till = stored.posted, stored.till
    bound = staff_bindings(session).get((till.store_id, posted.operator_code or ""), ())
    if not any(binding.is_own(None, member_id, posted.closed_at) for binding in bound):
        return False
    suspicion = Suspicion("own_card", found.business_date, 1, posted.operator_code, card_number)
    _raise(session, suspicion, till, found, now)
    return True


def _raise(session: Session, suspicion: Suspicion, till: TillIdentity, found: _Found, now: datetime) -> None:
    raise_alerts(
        session,
        found=[suspicion],
        till=till,
        business_date=found.business_date,
        receipt_id=found.receipt_id,
        now=now,
    )


def _link(session: Session, found: _Found, card_number: str, *, now: datetime, actor: str) -> Claimed | None:
    try:
        linked = link_card(
            session,
            business_date=found.business_date,
            receipt_id=found.receipt_id,
            card_number=card_number,
            now=now,
            actor=actor,
        )
    except (ReceiptNotStored, EarnsNothing, HasAccount, CardCannotEarn):
        return None
    return Claimed(found.business_date, found.receipt_id, linked.earned - linked.reversed)

"""
What a till needs to know of cards while nobody can be asked: all of them, or those that changed since.

A snapshot is named by an edition. It says up to which transaction the last one had seen the
database, and PostgreSQL keeps with every row which transaction wrote it: so changes are found
exactly, by whomever and in whatever order they were committed, and the till's way to the books
carries nothing for it. What time alone changes (points become spendable, points and reservations
end) is found by its moment.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from core.database import Sessions
from core.driver import ask, driver_of
from loyalty.offline.allowances import Signer, milliseconds, moment
from loyalty.programme.rules import Programme

VALID_FOR = timedelta(hours=72)
"""How long a till may work from a snapshot, and spend with its allowances: over a long weekend."""
WHOLE_AFTER = timedelta(hours=24)
"""A till that has taken changes for so long gets everything again, with allowances that last."""
FRESH_FOR = timedelta(hours=1)
"""For so long a snapshot is called unchanged, after that it is made again though nothing changed."""

PAGE = 5_000
"""Cards that are read at a time."""
MOST_CHANGES = 50_000
"""With more changed cards than that everything is sent."""
HALF_OF_ALL = 2**31
"""Numbers of transactions are told apart within so many."""

_EDITION = re.compile(r"([0-9]{1,19})\.([0-9]{1,15})\.([0-9]{1,15})\.([0-9a-z]{1,40})").fullmatch


@dataclass(frozen=True, slots=True)
class Edition:
    """
    What a snapshot had seen: transactions before `seen`, at the moment `made_at`.

    `whole_at` is when the last snapshot of everything was made that it goes back to, `basis`
    stands for everything besides the cards: other facts or another key make all of it new.
    """

    seen: int
    made_at: datetime
    whole_at: datetime
    basis: str

    @property
    def name(self) -> str:
        """The edition as a till is told it."""
        return f"{self.seen}.{milliseconds(self.made_at)}.{milliseconds(self.whole_at)}.{self.basis}"


@dataclass(frozen=True, slots=True)
class Changes:
    """The cards that changed since an edition, in order; None when everything is to be sent."""

    edition: Edition
    card_numbers: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class CardLine:
    """A card as a till sees it that is offline: points to be spent with it, and the allowance of them."""

    card_number: str
    state: str
    points: int
    allowance: str | None


def read_edition(name: str | None, *, basis: str, now: datetime) -> Edition | None:
    """Return the edition of this name if a snapshot of changes may still go back to it, else None."""
    match = _EDITION(name or "")
    if match is None or match[4] != basis:
        return None
    edition = Edition(int(match[1]), moment(int(match[2])), moment(int(match[3])), basis)
    recent = now - WHOLE_AFTER < edition.whole_at <= edition.made_at <= now
    return edition if recent else None


def look_for_changes(session: Session, *, since: Edition | None, basis: str, now: datetime) -> Changes:
    """Return what changed since an edition; everything without one, or when that is not much less."""
    row = ask(session, "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint", ()).fetchone()
    assert row is not None
    seen: int = row[0]
    if since is None or not seen - HALF_OF_ALL < since.seen <= seen:
        return Changes(Edition(seen, now, now, basis), None)
    changed = _changed(session, since, now)
    if len(changed) > MOST_CHANGES:
        return Changes(Edition(seen, now, now, basis), None)
    return Changes(Edition(seen, now, since.whole_at, basis), tuple(changed))


# Every row carries the 32 lower bits of the transaction that wrote it; its age is told in transactions.
# Points move under the lock of the balance, whose row is written whenever they do.
_CHANGED = """
    with mark as (select age(%(seen)s::text::xid8::xid) as age),
    moved as (
        select account_id from balance, mark where age(balance.xmin) between 0 and mark.age
        union
        select account_id from lot
        where available_at > %(made_at)s and available_at <= %(now)s and remaining <> 0
        union
        select account_id from lot where expires_at > %(made_at)s and expires_at <= %(now)s and remaining > 0
        union
        select account_id from redemption
        where state = 'reserved' and expires_at > %(made_at)s and expires_at <= %(now)s
    )
    select card_number from card join moved using (account_id) where state <> 'stock'
    union
    select card_number from card, mark where age(card.xmin) between 0 and mark.age and state <> 'stock'
    union
    select card_number from member join card using (member_id), mark
    where age(member.xmin) between 0 and mark.age and state <> 'stock'
    order by card_number
    limit %(most)s
"""


def _changed(session: Session, since: Edition, now: datetime) -> Sequence[str]:
    values = {"seen": since.seen, "made_at": since.made_at, "now": now, "most": MOST_CHANGES + 1}
    # No index tells which transaction wrote a row: these tables are read through, and in the order in which they lie.
    driver_of(session).execute("set local enable_seqscan = on")
    return [row[0] for row in driver_of(session).execute(_CHANGED, values).fetchall()]


# Look-ups by key for every card: joined, whole tables would be read again for each page.
_STANDING = """
    select card.card_number, card.state,
           card.state = 'active'
             and (select role from member where member.member_id = card.member_id) in ('owner', 'spender')
             or %(unregistered)s and card.state = 'issued' as spends,
           coalesce((select points from balance where balance.account_id = card.account_id), 0)
             - coalesce((select sum(remaining) from lot
                         where lot.account_id = card.account_id and remaining <> 0 and available_at > %(now)s), 0)
             - coalesce((select sum(remaining) from lot
                         where lot.account_id = card.account_id and remaining <> 0 and expires_at <= %(now)s), 0)
             + coalesce((select sum(points) from redemption
                         where redemption.account_id = card.account_id and redemption.state = 'reserved'
                           and redemption.expires_at <= %(now)s), 0) as available
    from ({cards}) as card
    order by card.card_number
"""

_PAGE = _STANDING.format(
    cards="""
        select card_number, state, account_id, member_id from card
        where card_number > %(after)s and state <> 'stock' order by card_number limit %(page)s
    """
)
_NAMED = _STANDING.format(
    cards="""
        select card_number, state, account_id, member_id from card
        where card_number = any(%(card_numbers)s) and state <> 'stock'
    """
)


def read_cards(
    sessions: Sessions,
    *,
    card_numbers: Sequence[str] | None,
    signer: Signer,
    programme: Programme,
    now: datetime,
) -> Iterator[list[CardLine]]:
    """
    Yield cards as they stand, in order of their numbers, a page at a time and each in a transaction of its own.

    All but those in stock without `card_numbers`. Who is slow to take a page keeps nobody waiting. What
    changes between the pages is newer than the edition asked for before, so it is in the next one too.
    """
    values: dict[str, Any] = {"now": now, "unregistered": programme.unregistered_spend, "page": PAGE}
    place = ""
    while True:
        if card_numbers is None:
            query, values["after"] = _PAGE, place
        else:
            query, values["card_numbers"] = _NAMED, list(card_numbers[:PAGE])
            card_numbers = card_numbers[PAGE:]
        with sessions.begin() as session:
            rows = driver_of(session).execute(query, values).fetchall()
        if rows:
            yield [_line(row, signer, programme) for row in rows]
            place = rows[-1][0]
        if len(rows) < PAGE if card_numbers is None else not card_numbers:
            return


def _line(row: tuple[Any, ...], signer: Signer, programme: Programme) -> CardLine:
    card_number, state, spends, available = row
    points = programme.spendable(int(available)) if spends else 0
    return CardLine(card_number, state, points, signer.sign(card_number, points) if points else None)

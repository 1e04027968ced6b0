"""
A crowd: a made-up chain of any size, to see whether anything grows with members, cards or history.

Everything is consistent: each receipt with a card has earned its points under the rules that hold when
nothing is configured, so that `regulars verify` finds nothing. Prices are whole units of the currency,
so that every line earns exactly its own points. The same seed makes the same baskets.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import zone
from core.copying import copy_rows
from core.database import Sessions
from core.driver import driver_of
from core.errors import Conflict
from core.ids import uuid7s_at
from core.progress import Report
from demo.people import NAMES
from loyalty.programme.rules import DEFAULT
from sales.models import Article, Store, Till
from sales.operations import add_store

WRITTEN = [
    "store",
    "till",
    "article",
    "account",
    "member",
    "card",
    "receipt",
    "receipt_line",
    "ledger_entry",
    "ledger_leg",
    "lot",
    "balance",
]
"""The tables that a crowd fills."""
FILLED_MOST = ["receipt", "receipt_line", "ledger_entry", "ledger_leg", "lot"]
"""Those of them with rows for every receipt, which are best filled without their indexes."""

CURRENCY, ZONE, COUNTRY = "CZK", "Europe/Prague", "CZ"
TILLS = 4
"""In each store."""
LINES = 9
"""On a receipt, on average."""
WITH_CARD = 0.7
MEMBERS_AT_ONCE = 50_000
RECEIPTS_AT_ONCE = 10_000

Show = Callable[[str], AbstractContextManager[Report]]
Whole = NDArray[np.int64]


class CrowdThere(Conflict):
    """A crowd was made in this database before; a second one would bear the same numbers."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Where and what people can buy: the ids of tills with their stores, and articles with their prices."""

    tills: Whole
    stores: Whole
    articles: Whole
    skus: NDArray[np.str_]
    prices: Whole


@dataclass(frozen=True, slots=True)
class People:
    """The ids of accounts and members, by a member's number: some hundred bytes each are kept."""

    accounts: NDArray[np.bytes_]
    members: NDArray[np.bytes_]


def card_number(number: int) -> str:
    """Return the card of the member with a number: an in-house EAN-13 that begins with 28."""
    digits = f"28{number:010}"
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-weighed % 10}"


def make_crowd(
    sessions: Sessions,
    *,
    members: int,
    receipts: int,
    now: datetime,
    show: Show,
    stores: int = 20,
    articles: int = 20_000,
    days: int = 365,
    seed: int = 1,
) -> None:
    """
    Fill the database with `members` and with `receipts` of the last `days`, ending yesterday.

    Each block of receipts is committed with its points. Raises `CrowdThere`.
    """
    chance = np.random.default_rng(seed)
    with sessions.begin() as session:
        chain = _open_stores(session, stores=stores, articles=articles, chance=chance)
    people = _enrol(sessions, members, now=now, show=show)
    last = now.astimezone(zone(ZONE)).date() - timedelta(days=1)
    first = last - timedelta(days=days - 1)
    with sessions.begin() as session:
        session.execute(select(func.ensure_receipt_months(first, now.date() + timedelta(days=40))))
    with show("receipts") as report:
        report(0, receipts)
        for start in range(0, receipts, RECEIPTS_AT_ONCE):
            count = min(RECEIPTS_AT_ONCE, receipts - start)
            # In the order of their days, as they would have come.
            places = np.arange(start, start + count) * days // max(1, receipts)
            with sessions.begin() as session:
                _Block(chain, people, chance, first=first, places=places, start=start).write(session)
            report(start + count, receipts)


def _open_stores(session: Session, *, stores: int, articles: int, chance: np.random.Generator) -> Chain:
    codes = [f"CROWD{number:04}" for number in range(stores)]
    if session.scalar(select(Store.store_id).where(Store.store_code == codes[0])) is not None:
        raise CrowdThere("a crowd was made in this database before; take an empty one")
    ids = [
        add_store(session, store_code=code, name=code, currency=CURRENCY, timezone=ZONE, country=COUNTRY)
        for code in codes
    ]
    at = [store for store in ids for _ in range(TILLS)]
    copy_rows(session, "till", {"store_id": at, "till_code": [f"T{n % TILLS}" for n in range(len(at))]})
    # Most things are cheap, few are dear.
    prices = 100 * (5 + chance.gamma(1.6, 25, articles).astype(np.int64))
    copy_rows(
        session,
        "article",
        {
            "sku": [f"CROWD{number:06}" for number in range(articles)],
            "name": [f"Made-up article {number}" for number in range(articles)],
            "department": [f"Department {number % 20}" for number in range(articles)],
            "category": [f"Category {number % 300}" for number in range(articles)],
            "type": [f"Type {number % 2000}" for number in range(articles)],
            "unit": ["pcs"] * articles,
            "tax_rate": [12 if number % 3 else 21 for number in range(articles)],
            "price": prices,
        },
    )
    tills = session.execute(select(Till.till_id, Till.store_id).where(Till.store_id.in_(ids))).all()
    known = session.execute(
        select(Article.article_id, Article.sku).where(Article.sku.like("CROWD%")).order_by(Article.sku)
    ).all()
    return Chain(
        tills=np.array([row[0] for row in tills]),
        stores=np.array([row[1] for row in tills]),
        articles=np.array([row[0] for row in known]),
        skus=np.array([row[1] for row in known]),
        prices=prices,
    )


def _enrol(sessions: Sessions, members: int, *, now: datetime, show: Show) -> People:
    accounts, people = np.zeros(members, "S32"), np.zeros(members, "S32")
    moment = int(now.timestamp() * 1000) - 86_400_000 * 400
    women, _, _, families = (names.split() for names in NAMES["cs"])
    with show("members") as report:
        report(0, members)
        for start in range(0, members, MEMBERS_AT_ONCE):
            numbers = range(start, min(start + MEMBERS_AT_ONCE, members))
            ids, persons = (uuid7s_at([moment + number for number in numbers]) for _ in range(2))
            accounts[start : numbers.stop], people[start : numbers.stop] = ids, persons
            since = [now - timedelta(days=400)] * len(numbers)
            cards = [card_number(number) for number in numbers]
            with sessions.begin() as session:
                copy_rows(session, "account", {"account_id": ids, "opened_at": since})
                copy_rows(
                    session,
                    "member",
                    {
                        "member_id": persons,
                        "member_code": [f"CROWD{number:08}" for number in numbers],
                        "account_id": ids,
                        "given_name": [women[number % len(women)] for number in numbers],
                        "family_name": [families[number // 15 % len(families)] for number in numbers],
                        "email": [f"crowd{number}@example.com" for number in numbers],
                        "language": ["cs"] * len(numbers),
                        "joined_on": [moment.date() for moment in since],
                    },
                )
                copy_rows(
                    session,
                    "card",
                    {
                        "card_number": cards,
                        "state": ["active"] * len(numbers),
                        "account_id": ids,
                        "member_id": persons,
                        "created_at": since,
                        "issued_at": since,
                    },
                )
            report(numbers.stop, members)
    return People(accounts, people)


class _Block:
    """Receipts that are made and stored together, with what they earned."""

    def __init__(
        self,
        chain: Chain,
        people: People,
        chance: np.random.Generator,
        *,
        first: date,
        places: Whole,
        start: int,
    ) -> None:
        count = len(places)
        self._chain, self._people, self._start = chain, people, start
        self._days = [first + timedelta(days=int(place)) for place in places]
        opening = {
            day: datetime.combine(day, time(7), zone(ZONE)).timestamp() for day in dict.fromkeys(self._days)
        }
        seconds = np.array([opening[day] for day in self._days]) + chance.integers(0, 50_000, count)
        self._closed = (seconds * 1_000_000).astype("datetime64[us]")
        self._ids = np.array(uuid7s_at([int(moment * 1000) for moment in seconds]))
        self._tills = chance.integers(0, len(chain.tills), count)
        # Some come every other day, most seldom.
        whom = (len(people.accounts) * chance.random(count) ** 2).astype(np.int64)
        self._whom = (
            np.where(chance.random(count) < WITH_CARD, whom, -1) if len(people.accounts) else whom - 1
        )
        self._lines = 1 + chance.poisson(LINES - 1, count)
        self._ends = np.cumsum(self._lines)
        total = int(self._ends[-1])
        self._of = np.repeat(np.arange(count), self._lines)
        self._numbers = np.arange(total) - (self._ends - self._lines)[self._of] + 1
        self._articles = (len(chain.articles) * chance.random(total) ** 3).astype(np.int64)
        self._quantities = 1 + chance.poisson(0.3, total)
        self._totals = self._quantities * chain.prices[self._articles]
        self._sums = np.bincount(self._of, self._totals, count).astype(np.int64)
        # One point for each whole unit of the currency, and all amounts are whole units.
        self._points = np.where(self._whom >= 0, self._sums // 100, 0)

    def write(self, session: Session) -> None:
        """Store everything in the caller's transaction."""
        self._write_receipts(session)
        self._write_lines(session)
        self._write_points(session)

    def _write_receipts(self, session: Session) -> None:
        count = len(self._ids)
        known = self._whom >= 0
        zeros = np.zeros(count, np.int64)
        copy_rows(
            session,
            "receipt",
            {
                "business_date": self._days,
                "receipt_id": self._ids,
                "store_id": self._chain.stores[self._tills],
                "till_id": self._chain.tills[self._tills],
                "receipt_number": [f"{self._start + place:09}" for place in range(count)],
                "type": ["sale"] * count,
                "mode": ["live"] * count,
                "offline": [False] * count,
                "closed_at": self._closed,
                "received_at": self._closed,
                "operator_code": [str(till % 40) for till in self._tills],
                "card_number": [card_number(int(who)) if who >= 0 else None for who in self._whom],
                "card_entry_mode": [("scanned" if there else None) for there in known],
                "account_id": self._person(self._people.accounts),
                "member_id": self._person(self._people.members),
                "currency": [CURRENCY] * count,
                "gross_amount": self._sums,
                "discount_amount": zeros,
                "points_amount": zeros,
                "rounding_amount": zeros,
                "payable_amount": self._sums,
                "tenders": [f'[{{"type": "card", "amount": {amount}}}]' for amount in self._sums],
                "fingerprint": [bytes.fromhex(receipt) * 2 for receipt in self._ids],
            },
        )

    def _person(self, ids: NDArray[np.bytes_]) -> list[str | None]:
        return [ids[who].decode() if who >= 0 else None for who in self._whom]

    def _write_lines(self, session: Session) -> None:
        earns = (self._whom >= 0)[self._of]
        total = len(self._of)
        days = np.array(self._days, "datetime64[D]")
        copy_rows(
            session,
            "receipt_line",
            {
                "business_date": days[self._of],
                "receipt_id": self._ids[self._of],
                "line_number": self._numbers,
                "article_id": self._chain.articles[self._articles],
                "sku": self._chain.skus[self._articles],
                "quantity": self._quantities,
                "unit": np.full(total, "pcs"),
                "unit_price": self._chain.prices[self._articles],
                "discount_amount": np.zeros(total, np.int64),
                "total_amount": self._totals,
                "tax_rate": np.full(total, 12),
                "points": np.where(earns, self._totals // 100, 0),
                "points_spent": np.zeros(total, np.int64),
            },
        )

    def _write_points(self, session: Session) -> None:
        places = np.flatnonzero(self._points > 0)
        if not len(places):
            return
        moments = self._closed[places]
        milliseconds = (moments.astype(np.int64) // 1000).tolist()
        entries, lots = np.array(uuid7s_at(milliseconds)), np.array(uuid7s_at(milliseconds))
        accounts = np.array([self._people.accounts[who].decode() for who in self._whom[places]])
        days, points = [self._days[place] for place in places], self._points[places]
        copy_rows(
            session,
            "ledger_entry",
            {
                "entry_id": entries,
                "account_id": accounts,
                "reason": ["earn"] * len(places),
                "business_date": days,
                "booked_at": moments,
                "receipt_id": self._ids[places],
            },
        )
        copy_rows(
            session,
            "ledger_leg",
            {
                "entry_id": np.repeat(entries, 2),
                "leg_number": np.tile([1, 2], len(places)),
                "account_id": np.repeat(accounts, 2),
                "book": np.tile(["points", "issued"], len(places)),
                "lot_id": [lot if side == 0 else None for lot in lots for side in range(2)],
                "points": np.ravel(np.column_stack((points, -points))),
            },
        )
        self._write_lots(session, places, lots, accounts)
        self._add_to_balances(session, accounts, points)

    def _write_lots(
        self, session: Session, places: Whole, lots: NDArray[np.str_], accounts: NDArray[np.str_]
    ) -> None:
        days, points = [self._days[place] for place in places], self._points[places]
        available = {day: DEFAULT.available_at(day, ZONE) for day in dict.fromkeys(days)}
        ends = {day: DEFAULT.expires_at(day, ZONE) for day in available}
        numbers, shares = zip(*self._shares(places), strict=True)
        copy_rows(
            session,
            "lot",
            {
                "lot_id": lots,
                "account_id": accounts,
                "business_date": days,
                "receipt_id": self._ids[places],
                "booked_at": self._closed[places],
                "available_at": [available[day] for day in days],
                "expires_at": [ends[day] for day in days],
                "earned": points,
                "remaining": points,
                "line_numbers": list(numbers),
                "line_remaining": list(shares),
            },
        )

    def _shares(self, places: Whole) -> Iterator[tuple[Whole, Whole]]:
        for place in places:
            lines = slice(int(self._ends[place] - self._lines[place]), int(self._ends[place]))
            yield self._numbers[lines], self._totals[lines] // 100

    @staticmethod
    def _add_to_balances(session: Session, accounts: NDArray[np.str_], points: Whole) -> None:
        holders, which = np.unique(accounts, return_inverse=True)
        sums = np.bincount(which, points).astype(np.int64)
        driver_of(session).execute(
            """
            insert into balance (account_id, points)
            select * from unnest(%s::uuid[], %s::bigint[])
            on conflict (account_id) do update set points = balance.points + excluded.points
            """,
            (holders.tolist(), sums.tolist()),
        )

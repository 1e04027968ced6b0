"""A shop with tills and cards on a real database, and the few words in which tests tell what happened there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from core.clock import business_day
from core.database import Sessions, make_engine, make_sessions
from core.ids import uuid7
from core.verification import verify
from customers.models import Card, Member
from customers.operations import issue_cards
from loyalty.checkout import Outcome, Quarantined, settle
from loyalty.programme.changes import approve_version, draft_version
from loyalty.programme.rules import Programme
from loyalty.queries import card_view
from loyalty.redemptions import post, release, reserve
from loyalty.reservations import Redemption
from loyalty.verification import CHECKS
from rewards.verification import CHECKS as OF_REWARDS
from sales.operations import add_store, add_till
from sales.queries import till_of_key
from sales.receipts import Original, PostedLine, PostedReceipt, TillIdentity, Totals

CARD = "2990000000019"
OTHER_CARD = "2990000000026"
NOON = datetime(2026, 11, 21, 11, tzinfo=UTC)
"""Noon in Prague, where the shop is."""


@dataclass
class Shop:
    """Posts receipts of its first till; `now` is what the server's clock says."""

    sessions: Sessions
    tills: dict[str, TillIdentity]
    now: datetime = NOON
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def till(self) -> TillIdentity:
        return self.tills["T1"]

    @property
    def today(self) -> date:
        return business_day(self.now, self.till.timezone)

    def sale(self, *totals: int, **changes: Any) -> PostedReceipt:
        """A sale of one piece a line, of these totals, or of (quantity, unit price) each."""
        lines = tuple(self._line(number, total) for number, total in enumerate(totals, 1))
        posted = PostedReceipt(
            type="sale",
            business_date=self.today,
            receipt_number=f"{next(self.numbers):06}",
            closed_at=self.now,
            currency="CZK",
            card_number=CARD,
            lines=lines,
            totals=Totals(payable_amount=sum(line.total_amount for line in lines)),
        )
        return replace(posted, **changes)

    @staticmethod
    def _line(number: int, total: int | tuple[str, int]) -> PostedLine:
        quantity, price = ("1", total) if isinstance(total, int) else total
        amount = int((Decimal(quantity) * price).to_integral_value())
        return PostedLine(number, Decimal(quantity), price, amount, Decimal(21), sku=f"sku{number}")

    def back(self, sale: PostedReceipt, brought: dict[int, str], **changes: Any) -> PostedReceipt:
        """A return of quantities of some lines of `sale`."""
        sold = {line.line_number: line for line in sale.lines}
        lines = tuple(
            PostedLine(
                number,
                Decimal(quantity),
                sold[line].unit_price if line in sold else 100,
                1,
                Decimal(21),
                sku=f"sku{line}",
                original_line_number=line,
            )
            for number, (line, quantity) in enumerate(brought.items(), 1)
        )
        posted = replace(
            self.sale(),
            type="return",
            lines=lines,
            totals=Totals(payable_amount=1),
            original=self.name_of(sale),
        )
        return replace(posted, **changes)

    def void(self, original: PostedReceipt, **changes: Any) -> PostedReceipt:
        posted = replace(self.sale(), type="void", totals=Totals(), original=self.name_of(original))
        return replace(posted, **changes)

    def name_of(self, posted: PostedReceipt, till: str = "T1") -> Original:
        speaking = self.tills[till]
        return Original(speaking.store_code, speaking.till_code, posted.business_date, posted.receipt_number)

    def settle(
        self, posted: PostedReceipt, *, till: str = "T1", imported: bool = False
    ) -> Outcome | Quarantined:
        with self.sessions.begin() as session:
            return settle(session, till=self.tills[till], posted=posted, now=self.now, imported=imported)

    def post(self, posted: PostedReceipt, *, till: str = "T1") -> dict[str, Any]:
        """Return the answer to a new receipt."""
        outcome = self.settle(posted, till=till)
        assert isinstance(outcome, Outcome), outcome
        assert not outcome.replayed
        return outcome.answer

    def points(self, posted: PostedReceipt, **options: Any) -> dict[str, Any]:
        """Return what the answer to a new receipt says of points, without what is zero or empty."""
        answer = self.post(posted, **options)["points"]
        return {name: content for name, content in answer.items() if content}

    def flags(self, posted: PostedReceipt, **options: Any) -> list[tuple[str, int | None]]:
        """Return the flags of a new receipt but unknown articles, which all of this shop's are."""
        answer = self.post(posted, **options)
        found = [(flag["code"], flag.get("line_number")) for flag in answer["flags"]]
        return [flag for flag in found if flag[0] not in {"unknown_article", "totals_mismatch"}]

    def card(self, number: str = CARD) -> dict[str, Any]:
        with self.sessions.begin() as session:
            return card_view(session, card_number=number, now=self.now, store=self.till)

    def stands(self, number: str = CARD) -> tuple[int, int, int]:
        """Return (available, pending, reserved) of a card's account."""
        points = self.card(number)["points"]
        assert points["balance"] == points["available"] + points["pending"]
        return points["available"], points["pending"], points["reserved"]

    def issue(self, cards: list[str]) -> None:
        with self.sessions.begin() as session:
            issue_cards(session, card_numbers=cards, now=self.now, actor="test")

    def enrol(self, card: str, name: str = "Žofie Nováková", **changes: Any) -> None:
        """Make a member the holder of an issued card."""
        with self.sessions.begin() as session:
            held = session.get_one(Card, card)
            given, family = name.split(" ", 1)
            member = Member(
                member_id=uuid7(),
                member_code=f"M{card}",
                account_id=held.account_id,
                given_name=given,
                family_name=family,
                joined_on=self.today,
                **{"language": "cs", **changes},
            )
            session.add(member)
            session.flush()
            held.member_id, held.state = member.member_id, "active"

    def reserve(self, points: int, card: str = CARD, *, till: str = "T1") -> Redemption:
        with self.sessions.begin() as session:
            return reserve(session, till=self.tills[till], card_number=card, points=points, now=self.now)

    def release(self, redemption: Redemption) -> Redemption:
        with self.sessions.begin() as session:
            return release(session, till=self.till, redemption_id=redemption.redemption_id, now=self.now)

    def hand_over(self, redemption: Redemption) -> Redemption:
        with self.sessions.begin() as session:
            return post(session, till=self.till, redemption_id=redemption.redemption_id, now=self.now)

    def paid_with(
        self, *redemptions: Redemption, totals: tuple[int, ...] = (10000,), **changes: Any
    ) -> PostedReceipt:
        """A sale on which `redemptions` paid a part."""
        value = sum(redemption.value_amount for redemption in redemptions)
        return self.sale(
            *totals,
            redemption_ids=tuple(str(redemption.redemption_id) for redemption in redemptions),
            totals=Totals(payable_amount=sum(totals) - value, points_amount=value),
            **changes,
        )

    def approve(self, programme: Programme, valid_from: date) -> int:
        """Let `programme` hold from a day on, by two persons, and return its number."""
        with self.sessions.begin() as session:
            number = draft_version(
                session,
                programme=programme,
                valid_from=valid_from,
                note="test",
                actor="first",
                now=self.now,
            )
            approve_version(session, version=number, seen=self.now, actor="second", now=self.now)
        return number

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    def broken(self) -> list[str]:
        """Return the invariants that do not hold, with examples."""
        return [
            f"{verdict.code}: {verdict.examples}"
            for verdict in verify(self.sessions, (*CHECKS, *OF_REWARDS))
            if not verdict.ok
        ]


def open_shop(sessions: Sessions) -> Shop:
    """Return a shop with two tills, and one of another store, in an empty database."""
    tills = {}
    with sessions.begin() as session:
        for store_code in ("S1", "S2"):
            add_store(
                session, store_code=store_code, name=store_code, currency="CZK", timezone="Europe/Prague"
            )
        for name, store_code, till_code in (("T1", "S1", "T1"), ("T2", "S1", "T2"), ("T3", "S2", "T1")):
            key = add_till(session, store_code=store_code, till_code=till_code, now=NOON, actor="test")
            tills[name] = till_of_key(session, key)
        issue_cards(session, card_numbers=[CARD, OTHER_CARD], now=NOON, actor="test")
    return Shop(sessions, tills)


@pytest.fixture
def shop(sessions: Sessions) -> Iterator[Shop]:
    """A shop in whose books nothing may be broken when the test is over."""
    shop = open_shop(sessions)
    yield shop
    assert shop.broken() == []


@pytest.fixture(scope="class")
def shared_shop(make_database: Callable[[], str]) -> Iterator[Shop]:
    """A shop for all tests of a class, which bring their own cards; its books are looked at in the end."""
    engine = make_engine(make_database())
    shop = open_shop(make_sessions(engine))
    yield shop
    assert shop.broken() == []
    engine.dispose()

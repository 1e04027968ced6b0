"""
R7: receipts that come late, and clocks that are wrong.

Points follow the business date alone, whenever the receipt comes; what the clock did is flagged and no more.
What is expected is computed here once more, from the calendar.
"""

import random
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from stdnum import ean

from core import clock
from tests.reliability.crowds import gather
from tests.reliability.rotation import bound, says, seed_of_run, sizes
from tests.shop import Shop, shared_shop

__all__ = ["shared_shop"]

CASES = 300
BATCHES = 50
PRAGUE = ZoneInfo("Europe/Prague")
DAYS = [
    date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30),
    date(2026, 10, 24), date(2026, 10, 25), date(2026, 10, 26),
    date(2026, 2, 28), date(2028, 2, 29), date(2026, 4, 30), date(2026, 12, 31), date(2027, 1, 1), date(2026, 11, 21),
]  # fmt: skip
"""Days on which somebody's calendar has been wrong before."""
LATE = [0, 0, *range(1, 15), 30, 59, 365, 400]
SKEWS = [timedelta(0)] * 6 + [
    timedelta(minutes=4),
    timedelta(minutes=6),
    timedelta(hours=-26),
    timedelta(days=-3),
    timedelta(days=200),
    timedelta(days=-9000),
]


@pytest.fixture(scope="module")
def crowd(make_database):
    yield from gather(make_database())


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=PRAGUE).astimezone(UTC)


class Case:
    """One receipt: when it was paid, how wrong the till's clock was, and when it came."""

    def __init__(self, chance: random.Random) -> None:
        self.business_date = chance.choice(DAYS)
        self.paid_at = midnight(self.business_date) + timedelta(
            seconds=chance.randrange(
                int(
                    (
                        midnight(self.business_date + timedelta(1)) - midnight(self.business_date)
                    ).total_seconds()
                )
            )
        )
        self.came_at = self.paid_at + timedelta(
            days=chance.choice(LATE), seconds=chance.choice([1, 30, 3600])
        )
        self.closed_at = self.paid_at + chance.choice(SKEWS)
        self.amount = chance.choice([100, 199, 12345, 99999])

    @property
    def points(self) -> int:
        return self.amount // 100

    @property
    def spendable_from(self) -> datetime:
        return midnight(self.business_date + timedelta(days=14))

    @property
    def ends_at(self) -> datetime:
        year, month = self.business_date.year + 2, self.business_date.month
        return midnight(date(year, month, monthrange(year, month)[1]) + timedelta(days=1))

    @property
    def flags(self) -> set[str]:
        far = abs((self.business_date - self.closed_at.astimezone(PRAGUE).date()).days) > 1
        found = {"clock_skew"} if far or self.closed_at > self.came_at + timedelta(minutes=5) else set()
        return found | ({"late"} if self.came_at - self.closed_at > timedelta(hours=24) else set())


class TestALateReceipt:
    @pytest.mark.parametrize("rounds", sizes(CASES))
    def test_is_booked_as_of_its_business_date(self, shared_shop, publish, rounds):
        seed = seed_of_run()
        publish(says("R7", rounds, CASES, seed=seed))
        chance = random.Random(seed)
        for number in rounds:
            beginning = f"2950{number:08}"
            self.follow(shared_shop, Case(chance), beginning + ean.calc_check_digit(beginning), number)
        publish(f"R7: {bound(len(rounds))}")

    @staticmethod
    def follow(shop: Shop, case: Case, card: str, number: int) -> None:
        """Post the receipt, and look at its points around the moments at which they change."""
        shop.issue([card])
        sale = shop.sale(
            case.amount,
            card_number=card,
            receipt_number=f"late{number}",
            business_date=case.business_date,
            closed_at=case.closed_at,
        )
        shop.now = case.came_at
        answer = shop.post(sale)
        told, points = answer["points"], case.points
        pending = case.came_at < case.spendable_from
        assert told["earned"] == points, case.__dict__
        assert (told["available"], told["pending"]) == ((0, points) if pending else (points, 0)), (
            case.__dict__
        )
        assert told["pending_until"] == (case.business_date + timedelta(days=14)).isoformat()
        flagged = {flag["code"] for flag in answer["flags"]} & {"late", "clock_skew"}
        assert flagged == case.flags, case.__dict__
        second = timedelta(seconds=1)
        for moment, stands in (
            (case.spendable_from - second, (0, points, 0)),
            (case.spendable_from, (points, 0, 0)),
            (case.ends_at - second, (points, 0, 0)),
            (case.ends_at, (0, 0, 0)),
        ):
            shop.now = moment
            assert shop.stands(card) == stands, (moment, case.__dict__)


class TestABatchOfLateReceipts:
    @pytest.mark.parametrize("rounds", sizes(BATCHES))
    def test_is_booked_but_for_its_bad_ones(self, crowd, publish, rounds):
        seed = seed_of_run()
        publish(says("R7 batches", rounds, BATCHES, seed=seed))
        chance = random.Random(seed)
        bad = 0
        for number in rounds:
            items = [self.item(crowd, chance, f"{number}-{place}") for place in range(chance.randint(5, 20))]
            answer = crowd.chain.till.post("/receipts/batch", {"receipts": [body for body, _ in items]})
            assert answer.status_code == 200
            told = [result["status"] for result in answer.get_json()["results"]]
            assert told == [status for _, status in items]
            bad += sum(status != 201 for status in told)
        assert bad
        publish(
            f"R7 batches: {bad} bad receipts in {len(rounds)} batches, which kept no other from being booked"
        )

    @staticmethod
    def item(crowd, chance: random.Random, number: str):
        """Return a receipt, sound or not, and the status that it must get."""
        now = clock.now()
        age = chance.choice(LATE)
        closed = now - timedelta(days=age) + chance.choice(SKEWS[:-1])
        body = crowd.chain.till.sale(
            receipt_number=number,
            business_date=(now - timedelta(days=age)).date().isoformat(),
            closed_at=closed.isoformat(),
        )
        if chance.random() < 0.7:
            return body, 201
        spoilt = chance.choice(
            [
                {"business_date": "2026-02-30"},
                {"closed_at": "yesterday"},
                {"currency": "Kč"},
                {"lines": []},
                {"typ": "sale"},
            ]
        )
        return (chance.choice([None, 7, [], "receipt"]) if chance.random() < 0.3 else body | spoilt), 422

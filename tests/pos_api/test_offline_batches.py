"""A till comes back after a long time offline: five hundred receipts at once, of any age, and allowances among them."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.clock import day_start, month_end
from core.verification import verify
from loyalty.verification import CHECKS
from tests.pos_api.conftest import MEMBER_CARD, Chain, enrol_with_points

PRAGUE = ZoneInfo("Europe/Prague")


def receipt(number: int, closed: datetime, **changes: Any) -> dict[str, Any]:
    """A sale of 150.00 on the day on which it was closed in the store."""
    return {
        "type": "sale",
        "offline": True,
        "business_date": closed.astimezone(PRAGUE).date().isoformat(),
        "receipt_number": f"{number:06}",
        "closed_at": closed.isoformat(),
        "currency": "CZK",
        "card_number": MEMBER_CARD,
        "lines": [
            {
                "line_number": 1,
                "sku": "10452",
                "quantity": "1",
                "unit_price": 15000,
                "total_amount": 15000,
                "tax_rate": "21",
            }
        ],
        "totals": {"payable_amount": 15000},
    } | changes


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PRAGUE)


def last_sunday(year: int, month: int) -> date:
    end = month_end(date(year, month, 1))
    return end - timedelta(days=(end.weekday() + 1) % 7)


def flags_of(result: dict[str, Any]) -> set[str]:
    return {flag["code"] for flag in result["receipt"]["flags"]} - {"unknown_article", "suspicious"}


def lots(chain: Chain) -> dict[date, tuple[datetime, datetime]]:
    """When the points of each business date become spendable and end."""
    with chain.sessions.begin() as session:
        rows = session.connection().exec_driver_sql(
            "select business_date, available_at, expires_at from lot where receipt_id is not null"
        )
        return {day: (available, ends) for day, available, ends in rows}


@pytest.fixture
def member(chain: Chain) -> str:
    enrol_with_points(chain, 0)
    return MEMBER_CARD


class TestABatch:
    def test_of_five_hundred_up_to_400_days_old_is_booked_by_its_own_days(self, chain: Chain, member: str):
        random = Random(7)
        now = datetime.now(UTC)
        ages = [random.randint(0, 400) for _ in range(500)]
        batch = [receipt(n, now - timedelta(days=age, hours=2)) for n, age in enumerate(ages)]
        random.shuffle(batch)
        results = chain.till.post("/receipts/batch", {"receipts": batch}).get_json()["results"]
        assert [result["status"] for result in results] == [201] * 500
        assert [result["index"] for result in results] == list(range(500))
        for sent, result in zip(batch, results, strict=True):
            day = date.fromisoformat(sent["business_date"])
            points = result["receipt"]["points"]
            assert points["earned"] == 150
            assert points["pending_until"] == (day + timedelta(days=14)).isoformat()
            late = datetime.fromisoformat(sent["closed_at"]) < now - timedelta(hours=24)
            assert flags_of(result) == ({"late"} if late else set())
        today = now.astimezone(PRAGUE).date()
        pending = sum(
            150 for sent in batch if date.fromisoformat(sent["business_date"]) + timedelta(days=14) > today
        )
        shown = chain.till.get(f"/cards/{member}").get_json()["points"]
        assert (shown["pending"], shown["available"]) == (pending, 500 * 150 - pending)
        for day, (available, ends) in lots(chain).items():
            assert available == day_start(day + timedelta(days=14), "Europe/Prague")
            assert ends == day_start(month_end(day, 24) + timedelta(days=1), "Europe/Prague")
        again = chain.till.post("/receipts/batch", {"receipts": batch}).get_json()["results"]
        assert [result["status"] for result in again] == [200] * 500
        assert chain.till.get(f"/cards/{member}").get_json()["points"] == shown
        assert not [verdict for verdict in verify(chain.sessions, CHECKS) if not verdict.ok]

    def test_knows_the_hours_that_come_twice_or_never_and_the_ends_of_months(self, chain: Chain, member: str):
        year = datetime.now(UTC).year - 1
        spring, autumn = last_sunday(year, 3), last_sunday(year, 10)
        twice = datetime.combine(autumn, datetime.min.time(), UTC) + timedelta(minutes=30)
        closed = [
            at(spring, 1, 59),
            at(spring, 3, 0),
            at(spring - timedelta(days=14), 23, 59),
            twice,
            twice + timedelta(hours=1),
            at(autumn, 23, 59),
            at(autumn - timedelta(days=14), 0, 0),
            at(date(year, 1, 31), 23, 59),
            at(month_end(date(year, 2, 1)), 0, 0),
            at(date(year, 12, 31), 23, 59),
            at(date(year - 1, 12, 31), 0, 1),
        ]
        batch = [receipt(n, moment) for n, moment in enumerate(closed)]
        results = chain.till.post("/receipts/batch", {"receipts": batch}).get_json()["results"]
        assert all(result["status"] == 201 and flags_of(result) == {"late"} for result in results)
        assert twice.astimezone(PRAGUE).hour == (twice + timedelta(hours=1)).astimezone(PRAGUE).hour == 2
        found = lots(chain)
        before, after = found[spring - timedelta(days=14)], found[autumn - timedelta(days=14)]
        assert before[0] == datetime.combine(spring, datetime.min.time(), UTC) - timedelta(hours=1)
        assert after[0] == datetime.combine(autumn, datetime.min.time(), UTC) - timedelta(hours=2)
        assert found[date(year, 1, 31)][1].astimezone(PRAGUE) == at(date(year + 2, 2, 1), 0)
        assert found[date(year, 12, 31)][1].astimezone(PRAGUE) == at(date(year + 3, 1, 1), 0)

    def test_takes_what_a_wrong_clock_says(self, chain: Chain, member: str):
        now = datetime.now(UTC)
        today = now.astimezone(PRAGUE).date()
        batch = [
            receipt(1, now + timedelta(minutes=4)),
            receipt(2, now + timedelta(hours=1)),
            receipt(3, now + timedelta(days=400)),
            receipt(4, now, business_date=(today - timedelta(days=2)).isoformat()),
            receipt(5, now, business_date=(today + timedelta(days=1)).isoformat()),
            receipt(6, datetime(2001, 1, 1, 12, tzinfo=UTC)),
            receipt(7, now) | {"lines": []},
        ]
        results = chain.till.post("/receipts/batch", {"receipts": batch}).get_json()["results"]
        assert [result["status"] for result in results] == [201] * 6 + [422]
        assert [flags_of(result) for result in results[:6]] == [
            set(),
            {"clock_skew"},
            {"clock_skew"},
            {"clock_skew"},
            set(),
            {"late"},
        ]
        assert {result["receipt"]["points"]["earned"] for result in results[:6]} == {150}


class TestReconciliation:
    def test_books_what_was_spent_offline_and_says_where_it_was_too_much(self, chain: Chain):
        card = enrol_with_points(chain, 500)
        (signed,) = [
            found["allowance"]
            for found in chain.till.get("/snapshot").get_json()["payload"]["cards"]
            if found["card_number"] == card
        ]
        now = datetime.now(UTC)

        def spends(number: int, points: int, allowance: str = signed) -> dict[str, Any]:
            return receipt(
                number,
                now,
                offline_redemptions=[{"points": points, "allowance": allowance}],
                totals={"payable_amount": 15000 - points * 10, "points_amount": points * 10},
            )

        ours = [spends(1, 200), spends(2, 100), receipt(3, now)]
        theirs = [spends(1, 200), spends(2, 50), spends(3, 1, signed[:-2] + "__")]
        first = chain.till.post("/receipts/batch", {"receipts": ours}).get_json()["results"]
        assert [flags_of(result) for result in first] == [set()] * 3
        second = chain.neighbour.post("/receipts/batch", {"receipts": theirs}).get_json()["results"]
        assert [flags_of(result) for result in second] == [set(), {"over_redeemed"}, {"over_redeemed"}]
        assert chain.till.get(f"/cards/{card}").get_json()["points"]["available"] == -51
        for number in (1, 2):
            original = {
                "store_code": "S1",
                "till_code": "T2",
                "business_date": theirs[0]["business_date"],
                "receipt_number": f"{number:06}",
            }
            void = {
                "type": "void",
                "business_date": theirs[0]["business_date"],
                "receipt_number": f"V{number}",
                "closed_at": now.isoformat(),
                "currency": "CZK",
                "original": original,
            }
            answer = chain.neighbour.post("/receipts", void).get_json()
            assert answer["points"]["returned"] == [200, 50][number - 1]
        assert chain.till.get(f"/cards/{card}").get_json()["points"]["available"] == 199
        assert not [verdict for verdict in verify(chain.sessions, CHECKS) if not verdict.ok]

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from rewards.carts import Shopper
from rewards.codec import read_offer
from rewards.eligibility import days_to_birthday, may_have, runs_at
from tests.rewards.offer_making import applied, items, line, offer, percent

TODAY = date(2026, 11, 21)


def audience(**told):
    return read_offer(
        {"code": "T", "audience": told, "condition": {"kind": "always"}, "benefit": percent("1")}
    ).audience


class TestMayHave:
    @pytest.mark.parametrize(
        ("told", "shopper", "expected"),
        [
            ({}, None, False),
            ({}, Shopper("M"), True),
            ({"who": "everyone"}, None, True),
            ({"who": "everyone", "tiers": ["gold"]}, None, False),
            ({}, Shopper("M", staff=True), False),
            ({"staff": True}, Shopper("M", staff=True), True),
            ({"staff": True}, Shopper("M"), True),
            ({}, Shopper("M", company=True), False),
            ({"companies": True}, Shopper("M", company=True), True),
            ({"companies": True}, Shopper("M"), True),
            ({"who": "companies"}, Shopper("M", company=True), True),
            ({"who": "companies"}, Shopper("M"), False),
            ({"who": "everyone"}, Shopper("M", company=True), False),
            ({"tiers": ["gold", "silver"]}, Shopper("M", tier="silver"), True),
            ({"tiers": ["gold"]}, Shopper("M"), False),
            ({"groups": ["A", "B"]}, Shopper("M", groups=("B", "C")), True),
            ({"groups": ["A"]}, Shopper("M", groups=("B",)), False),
            ({"phases": ["new"]}, Shopper("M", phase="new"), True),
            ({"values": ["vip"]}, Shopper("M", value="low"), False),
            ({"member_codes": ["M"]}, Shopper("M"), True),
            ({"member_codes": ["M"]}, Shopper("N"), False),
            ({"first_purchase": True}, Shopper("M", first_purchase=True), True),
            ({"first_purchase": True}, Shopper("M"), False),
            ({"birthday_within_days": 3}, Shopper("M"), False),
            ({"birthday_within_days": 3}, Shopper("M", birth_date=date(1980, 11, 24)), True),
            ({"birthday_within_days": 3}, Shopper("M", birth_date=date(1980, 11, 18)), True),
            ({"birthday_within_days": 2}, Shopper("M", birth_date=date(1980, 11, 18)), False),
            ({"birthday_within_days": 0}, Shopper("M", birth_date=date(1980, 11, 21)), True),
        ],
    )
    def test_asks_for_all_that_is_said(self, told, shopper, expected):
        assert may_have(audience(**told), shopper, TODAY) is expected


class TestDaysToBirthday:
    @pytest.mark.parametrize(
        ("born", "today", "days"),
        [
            (date(1980, 12, 30), date(2026, 1, 2), 3),
            (date(1980, 1, 2), date(2026, 12, 30), 3),
            (date(1980, 2, 29), date(2026, 2, 28), 0),
            (date(1980, 2, 29), date(2026, 3, 1), 1),
            (date(1980, 2, 29), date(2028, 2, 29), 0),
            (date(1980, 6, 1), date(2026, 6, 1), 0),
        ],
    )
    def test_is_counted_over_the_turn_of_years_and_leap_days(self, born, today, days):
        assert days_to_birthday(born, today) == days


class TestRunsAt:
    @pytest.mark.parametrize(
        ("valid", "clock", "expected"),
        [
            ({}, "2026-11-21T03:00", True),
            ({"weekdays": [6]}, "2026-11-21T03:00", True),
            ({"weekdays": [5]}, "2026-11-21T03:00", False),
            ({"hours": [{"from": "08:00", "to": "10:00"}]}, "2026-11-21T08:00", True),
            ({"hours": [{"from": "08:00", "to": "10:00"}]}, "2026-11-21T10:00", False),
            (
                {"hours": [{"from": "08:00", "to": "09:00"}, {"from": "12:00", "to": "13:00"}]},
                "2026-11-21T12:30",
                True,
            ),
            ({"hours": [{"from": "22:00", "to": "02:00"}]}, "2026-11-21T01:59", True),
            ({"hours": [{"from": "22:00", "to": "02:00"}]}, "2026-11-21T02:00", False),
            ({"hours": [{"from": "22:00", "to": "02:00"}]}, "2026-11-21T23:00", True),
            ({"hours": [{"from": "18:00", "to": "00:00"}]}, "2026-11-21T23:59", True),
            ({"hours": [{"from": "08:00", "to": "08:00"}]}, "2026-11-21T03:00", True),
            ({"hours": [{"from": "22:00", "to": "02:00"}], "weekdays": [6]}, "2026-11-21T01:00", True),
            ({"hours": [{"from": "22:00", "to": "02:00"}], "weekdays": [5]}, "2026-11-21T01:00", False),
        ],
    )
    def test_judges_weekday_and_hour_at_the_moment_in_store_time(self, valid, clock, expected):
        plan = offer("T", {"kind": "always"}, percent("1"), valid=valid)
        assert runs_at(plan.valid, datetime.fromisoformat(clock)) is expected


class TestPeriod:
    @pytest.mark.parametrize(
        ("clock", "expected"),
        [
            ("2026-10-31T22:59:59+00:00", {}),
            ("2026-10-31T23:00:00+00:00", {"T": 1}),
            ("2026-11-30T22:59:59+00:00", {"T": 1}),
            ("2026-11-30T23:00:00+00:00", {}),
        ],
    )
    def test_begins_at_from_and_ends_before_to(self, clock, expected):
        valid = {"from": "2026-11-01T00:00:00+01:00", "to": "2026-12-01T00:00:00+01:00"}
        plan = offer("T", items(), percent("10"), valid=valid)
        assert applied([line(1, "1", 100)], plan, at=datetime.fromisoformat(clock)) == expected

    def test_knows_the_weekday_of_the_store_and_not_of_the_server(self):
        plan = offer("T", items(), percent("10"), valid={"weekdays": [1]})
        at = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
        assert at.astimezone(ZoneInfo("Europe/Prague")).isoweekday() == 1
        assert applied([line(1, "1", 100)], plan, at=at) == {"T": 1}
        assert applied([line(1, "1", 100)], plan, at=at, timezone="UTC") == {}

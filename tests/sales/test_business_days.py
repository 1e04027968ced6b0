"""Which business day is closed, and by whose clock."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from core.clock import UnknownTimeZone
from sales.business_days import begun_somewhere, chain_timezone, closing_moment, last_closed_day


class TestChainTimezone:
    def test_is_utc_before_there_are_stores(self, sessions):
        with sessions() as session:
            assert chain_timezone(session) == "UTC"

    def test_is_the_zone_that_most_stores_are_in(self, sessions):
        with sessions.begin() as session:
            for number, zone in enumerate(("Europe/Warsaw", "Europe/Prague", "Europe/Warsaw", "Asia/Tokyo")):
                session.execute(
                    text(
                        "insert into store (store_code, name, currency, timezone) values (:code, 'S', 'PLN', :zone)"
                    ),
                    {"code": str(number), "zone": zone},
                )
            assert chain_timezone(session) == "Europe/Warsaw"


class TestLastClosedDay:
    @pytest.mark.parametrize(
        ("moment", "day"),
        [
            (datetime(2026, 11, 22, 1, 59, tzinfo=UTC), date(2026, 11, 20)),
            (datetime(2026, 11, 22, 2, 0, tzinfo=UTC), date(2026, 11, 21)),
            (datetime(2026, 11, 22, 22, 59, tzinfo=UTC), date(2026, 11, 21)),
            (datetime(2026, 11, 22, 23, 30, tzinfo=UTC), date(2026, 11, 21)),  # already the 23rd in Prague
        ],
    )
    def test_changes_when_the_next_day_reaches_the_hour(self, moment, day):
        assert last_closed_day(moment, hour=3, timezone="Europe/Prague") == day

    def test_closes_every_day_exactly_once_over_the_changes_of_the_clock(self):
        for day in (date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 24), date(2026, 10, 25)):
            moment = closing_moment(day, hour=3, timezone="Europe/Prague")
            assert last_closed_day(moment, hour=3, timezone="Europe/Prague") == day

    def test_refuses_a_zone_that_is_not_there(self):
        with pytest.raises(UnknownTimeZone):
            last_closed_day(datetime(2026, 11, 22, tzinfo=UTC), hour=3, timezone="Europe/Brno")


class TestBegunSomewhere:
    def test_is_true_while_the_day_has_begun_in_the_far_east_only(self):
        assert begun_somewhere(date(2026, 11, 22), datetime(2026, 11, 21, 10, tzinfo=UTC))
        assert not begun_somewhere(date(2026, 11, 22), datetime(2026, 11, 21, 9, 59, tzinfo=UTC))

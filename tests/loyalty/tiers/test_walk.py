"""Tiers as a function of facts: periods, grace, warnings, and no order of rows that matters."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.tiers.scheme import (
    ANNIVERSARY,
    CALENDAR_YEAR,
    ROLLING,
    ApprovedScheme,
    Scheme,
    Schemes,
    years_later,
)
from loyalty.tiers.state import TierState, climb, may_climb
from loyalty.tiers.walk import Earned, Qualifying, Record, earned, missing_to_keep, next_due
from tests.tiers import three_tiers

LONG_AGO = date(2020, 1, 1)
DAYS = st.dates(date(2020, 1, 1), date(2032, 12, 31))


def holding(scheme: Scheme, since: date = LONG_AGO) -> Schemes:
    return Schemes([ApprovedScheme(since, datetime(2019, 12, 1, tzinfo=UTC), scheme)])


def bought(day: date, points: int, *, hour: int = 12, number: int = 0, **changes) -> Qualifying:
    moment = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    values = {"currency": "CZK", "spend": points * 100, "points": points, "visits": int(points > 0)}
    return Qualifying(
        day, moment, UUID(int=number or hash((day, hour, points)) % 2**64), **{**values, **changes}
    )


def stands(schemes: Schemes, entries, today: date, joined_on: date = LONG_AGO) -> Earned:
    return earned(schemes, Record(entries), joined_on=joined_on, today=today)


class TestPeriods:
    @given(DAYS, DAYS)
    def test_contain_their_day_and_follow_each_other_without_a_gap(self, joined_on: date, day: date):
        for period in (CALENDAR_YEAR, ANNIVERSARY):
            scheme = three_tiers(period=period)
            start, end = scheme.window_start(joined_on, day), scheme.period_end(joined_on, day)
            assert start <= day < end
            assert scheme.window_start(joined_on, end) == end
            assert scheme.period_end(joined_on, start) == end
            assert 365 <= (end - start).days <= 366

    @given(DAYS)
    def test_of_rolling_months_are_a_year_that_ends_with_the_day(self, day: date):
        start = three_tiers(period=ROLLING).window_start(LONG_AGO, day)
        assert 365 <= (day - start).days + 1 <= 366
        assert years_later(day, -1) < start

    def test_of_who_joined_on_29_february_begin_on_the_28th_of_common_years(self):
        scheme, joined_on = three_tiers(period=ANNIVERSARY), date(2024, 2, 29)
        assert scheme.window_start(joined_on, date(2025, 2, 27)) == joined_on
        assert scheme.window_start(joined_on, date(2025, 2, 28)) == date(2025, 2, 28)
        assert scheme.period_end(joined_on, date(2027, 6, 1)) == date(2028, 2, 29)

    @pytest.mark.parametrize("day", [date(2025, 12, 31), date(2026, 1, 1)])
    def test_of_calendar_years_end_with_the_year(self, day: date):
        assert three_tiers().period_end(LONG_AGO, day) == date(day.year + 1, 1, 1)


class TestEarned:
    @pytest.mark.parametrize("period", [CALENDAR_YEAR, ROLLING, ANNIVERSARY])
    def test_goes_up_at_once_and_down_at_the_end_only(self, period):
        schemes = holding(three_tiers(0, 100, 300, period=period))
        entries = [bought(date(2025, 3, 1), 350), bought(date(2025, 4, 1), -300)]
        assert stands(schemes, entries, date(2025, 2, 28)).code == "basic"
        assert stands(schemes, entries, date(2025, 3, 1)).code == "gold"
        assert stands(schemes, entries, date(2025, 12, 31)).code == "gold"
        assert stands(schemes, entries, date(2026, 3, 1)).code == "basic"

    def test_lasts_to_the_end_of_the_year_after_the_one_it_was_reached_in(self):
        schemes = holding(three_tiers())
        entries = [bought(date(2025, 11, 1), 350)]
        assert stands(schemes, entries, date(2026, 12, 31)).code == "gold"
        assert stands(schemes, entries, date(2027, 1, 1)).code == "basic"

    def test_falls_to_what_the_ended_period_qualified_for(self):
        schemes = holding(three_tiers())
        entries = [bought(date(2025, 5, 1), 350), bought(date(2026, 5, 1), 120)]
        assert stands(schemes, entries, date(2027, 1, 1)).code == "silver"

    def test_is_kept_by_grace_in_which_it_can_be_reached_again(self):
        schemes = holding(three_tiers(grace_days=30))
        lost = [bought(date(2025, 5, 1), 350)]
        held = stands(schemes, lost, date(2027, 1, 15))
        assert (held.code, held.grace_until) == ("gold", date(2027, 1, 30))
        over = earned(schemes, Record(lost), joined_on=LONG_AGO, today=date(2028, 5, 1))
        assert [step.until for step in over.steps if step.kind == "grace"] == [date(2027, 1, 30)]
        assert stands(schemes, lost, date(2027, 1, 31)).code == "basic"
        saved = stands(schemes, [*lost, bought(date(2027, 1, 20), 300)], date(2027, 2, 28))
        assert (saved.code, saved.grace_until) == ("gold", None)

    def test_takes_over_what_a_new_version_leaves_and_ends_what_it_abolishes(self):
        approved = datetime(2024, 1, 1, tzinfo=UTC)
        schemes = Schemes(
            [
                ApprovedScheme(LONG_AGO, approved, three_tiers(version=1)),
                ApprovedScheme(date(2026, 6, 1), approved, three_tiers(0, 50, 900, version=2)),
                ApprovedScheme(date(2027, 6, 1), approved, Scheme(tiers=three_tiers().tiers[:2], version=3)),
            ]
        )
        entries = [bought(date(2026, 2, 1), 350)]
        assert stands(schemes, entries, date(2026, 12, 31)).code == "gold"
        assert stands(schemes, entries, date(2027, 1, 1)).code == "silver"
        gold = stands(schemes, [bought(date(2026, 2, 1), 950)], date(2027, 6, 1))
        assert gold.code == "basic"

    def test_of_a_year_that_a_new_version_begins_is_decided_by_the_old_one(self):
        approved = datetime(2024, 1, 1, tzinfo=UTC)
        schemes = Schemes(
            [
                ApprovedScheme(LONG_AGO, approved, three_tiers(version=1)),
                ApprovedScheme(date(2027, 1, 1), approved, three_tiers(0, 100, 300, version=2)),
            ]
        )
        assert stands(schemes, [bought(date(2025, 2, 1), 350)], date(2027, 1, 1)).code == "basic"

    def test_counts_currencies_at_the_schemes_rates(self):
        scheme = three_tiers(
            0, 10000, 30000, measure="spend", currencies={"CZK": Decimal(1), "EUR": Decimal(25)}
        )
        entries = [
            bought(date(2026, 1, 2), 1, spend=390, currency="EUR"),
            bought(date(2026, 1, 3), 1, spend=260, hour=13),
            bought(date(2026, 1, 4), 1, spend=10**6, currency="PLN"),
        ]
        held = stands(holding(scheme), entries, date(2026, 2, 1))
        assert (held.code, held.steps[-1].qualifying) == ("silver", 10010)
        assert scheme.missing(1, Decimal(10010), "EUR") == 800

    def test_is_nothing_without_tiers(self):
        assert stands(Schemes(), [bought(date(2026, 1, 1), 500)], date(2026, 2, 1)) == Earned()


ENTRIES = st.lists(
    st.tuples(st.integers(0, 1500), st.integers(0, 23), st.integers(-150, 400)), max_size=25
).map(
    lambda rows: [
        bought(date(2024, 1, 1) + timedelta(days=day), points, hour=hour, number=number)
        for number, (day, hour, points) in enumerate(rows, 1)
    ]
)
SCHEMES = st.builds(
    lambda period, grace: holding(
        three_tiers(0, 200, 600, period=period, grace_days=grace), date(2024, 3, 1)
    ),
    st.sampled_from([CALENDAR_YEAR, ROLLING, ANNIVERSARY]),
    st.sampled_from([0, 20]),
)


class TestAnyHistory:
    @given(SCHEMES, ENTRIES, st.integers(0, 1600), st.integers())
    @settings(max_examples=60, deadline=None)
    def test_comes_to_the_same_in_whatever_order_its_rows_are_read(self, schemes, entries, days, seed):
        shuffled = list(entries)
        Random(seed).shuffle(shuffled)
        today = date(2024, 3, 1) + timedelta(days=days)
        joined_on = date(2024, 2, 29)
        assert stands(schemes, entries, today, joined_on) == stands(schemes, shuffled, today, joined_on)

    @given(SCHEMES, ENTRIES)
    @settings(max_examples=50, deadline=None)
    def test_loses_a_tier_only_on_days_on_which_something_ends(self, schemes, entries):
        held = stands(schemes, entries, date(2029, 1, 1), date(2024, 2, 29))
        for step in held.steps:
            if step.kind == "down":
                before = stands(schemes, entries, step.on - timedelta(days=1), date(2024, 2, 29))
                assert step.on in {
                    before.period_end,
                    (before.grace_until or date.max - timedelta(1)) + timedelta(1),
                }

    @given(SCHEMES, ENTRIES)
    @settings(max_examples=50, deadline=None)
    def test_climbed_sale_by_sale_stands_where_all_of_it_does(self, schemes, entries):
        """The till's short way, with the night's look where something was due, against the whole way."""
        joined_on = date(2024, 2, 29)
        ordered = [one for one in Record(entries).entries if one.business_date >= date(2024, 3, 1)]
        before = [one for one in entries if one.business_date < date(2024, 3, 1)]
        state = _state(schemes, before, date(2024, 3, 1), joined_on)
        for number, sale in enumerate(ordered):
            known = [*before, *ordered[:number]]
            if state.is_due(sale.business_date) or sale.points < 0:
                state = _state(schemes, [*known, sale], sale.business_date, joined_on)
                continue
            state = _seen_on(state, known, sale.business_date)
            assert may_climb(state, sale, today=sale.business_date)
            state = climb(schemes, state, sale).state
            whole = _state(schemes, [*known, sale], sale.business_date, joined_on)
            assert (
                state.earned,
                state.since,
                state.period_end,
                state.grace_until,
                max(0, state.qualifying),
            ) == (
                whole.earned,
                whole.since,
                whole.period_end,
                whole.grace_until,
                whole.qualifying,
            )


def _state(schemes: Schemes, entries, day: date, joined_on: date) -> TierState:
    held = stands(schemes, entries, day, joined_on)
    scheme = schemes.on(day)
    record = Record(entries)
    due_on = next_due(schemes, held, today=day, warned_for=held.period_end)
    total = record.total(scheme, scheme.window_start(joined_on, day), record.before(day + timedelta(days=1)))
    return TierState(
        scheme, day, held.code, held.code, held.since, joined_on, held.period_end, held.grace_until,
        due_on, held.period_end, day, total,
    )  # fmt: skip


def _seen_on(state: TierState, entries, day: date) -> TierState:
    """Return a state as the database's `tier_state` tells it on a later day: with what counts then, below zero too."""
    scheme = state.scheme
    first = scheme.window_start(state.joined_on, day)
    points = sum(one.points for one in entries if first <= one.business_date <= day)
    values = {name: getattr(state, name) for name in state.__slots__}
    return TierState(**{**values, "day": day, "qualifying": Decimal(points)})


class TestMissingToKeep:
    def test_is_told_in_the_days_before_the_end_only(self):
        schemes = holding(three_tiers(warning_days=30))
        record = Record([bought(date(2025, 5, 1), 350), bought(date(2026, 5, 1), 120)])

        def missing(today: date) -> int | None:
            held = earned(schemes, record, joined_on=LONG_AGO, today=today)
            return missing_to_keep(schemes, record, held, joined_on=LONG_AGO, today=today)

        assert missing(date(2026, 12, 1)) is None
        assert missing(date(2026, 12, 2)) == 180
        assert missing(date(2026, 12, 31)) == 180

    def test_counts_of_rolling_months_what_will_still_count(self):
        schemes = holding(three_tiers(period=ROLLING, warning_days=60))
        record = Record([bought(date(2025, 5, 1), 150), bought(date(2025, 6, 1), 160)])
        held = earned(schemes, record, joined_on=LONG_AGO, today=date(2026, 5, 10))
        assert held.period_end == date(2026, 6, 1)
        assert missing_to_keep(schemes, record, held, joined_on=LONG_AGO, today=date(2026, 5, 10)) == 140

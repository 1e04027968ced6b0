"""Decisions measured on a real database: six stores with known sales, one of which changes its range."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from basket_analysis.assortment.effect_jobs import measure_decisions
from basket_analysis.assortment.effect_lists import effects_of_store, track_record
from basket_analysis.models import DecisionEffect, SuggestionDecision
from core.jobs import Shift
from core.progress import silent
from sales.models import Store, Till
from tests.basket_analysis.shop_made import NOW, Shop

DECIDED = date(2026, 3, 2)
"""A Monday; the article is listed or delisted on the day after it."""

WEEKS = range(-14, 9)
SHOWN = {"value_per_week": 1000, "low": 800, "high": 1200, "evidence": {"halo_per_week": 0}}


class Chain(Shop):
    """Six stores that sell bread and tea every day; a second tea is where a test puts it."""

    def __init__(self, session):
        super().__init__(session)
        self.stores = [(self.store_id, self.till_id)]
        for number in range(2, 7):
            store = self._add(
                Store,
                Store.store_id,
                store_code=f"S{number}",
                name="S",
                currency="CZK",
                timezone="Europe/Prague",
            )
            self.stores.append((store, self._add(Till, Till.till_id, store_id=store, till_code="T1")))
        self.bread = self.article("bread", category="BREAD", kind="BREAD")
        self.tea = self.article("tea")
        self.green = self.article("green")

    def trade(self, greens):
        """Write the receipts; `greens(store, day)` says how many green teas a store sells on a day, at 100."""
        for number, place in enumerate(self.stores):
            self.store_id, self.till_id = place
            for week in WEEKS:
                for weekday in range(0, 7, 2):
                    day = DECIDED + timedelta(weeks=week, days=weekday)
                    lines = [(self.bread, 2, 150 + (week * 7 + weekday + number) % 5), (self.tea, 5, 100)]
                    if pieces := greens(number, day):
                        lines.append((self.green, pieces, 100))
                    self.receipt(day, lines)
        self.write()
        self.store_id, self.till_id = self.stores[0]

    def decide(self, kind, decision, *, article=None, other=None, shown=SHOWN, on=DECIDED):
        """Keep a decision of the first store."""
        return self._add(
            SuggestionDecision, SuggestionDecision.decision_id, store_id=self.stores[0][0], kind=kind,
            article_id=article or self.green, other_article_id=other, decision=decision, reason="because",
            decided_by="m", decided_at=datetime.combine(on, time(10), UTC), shown=shown,
        )  # fmt: skip


def night(sessions, tmp_path, day):
    return measure_decisions(Shift(sessions, tmp_path, day, NOW, silent))


def after(weeks):
    return DECIDED + timedelta(weeks=weeks, days=1)


@pytest.fixture
def chain(sessions):
    """What a test needs to make a chain of its own within one transaction."""

    def make(greens, *decisions):
        with sessions.begin() as session:
            made = Chain(session)
            made.trade(greens)
            for kind, decision in decisions:
                made.decide(kind, decision, other=made.tea if kind == "place_together" else None)
        return made

    return make


def newly_listed(number, day):
    return 3 if number or day > DECIDED else 0


def newly_gone(number, day):
    return 3 if number or day <= DECIDED else 0


def everywhere(_number, _day):
    return 3


class TestMeasureDecisions:
    def effects(self, sessions, made):
        with sessions() as session:
            return effects_of_store(session, made.stores[0][0])

    def test_waits_until_six_weeks_are_over(self, sessions, tmp_path, chain):
        made = chain(newly_listed, ("list", "accepted"))
        assert night(sessions, tmp_path, after(3)) == {
            "open": 1, "measured": 0, "not_measurable": 0, "waiting": 1,
        }  # fmt: skip
        (effect,) = self.effects(sessions, made)
        assert (effect.state, effect.done) == ("waiting", True)
        assert (effect.effective_on, effect.due_on) == (
            DECIDED + timedelta(days=2),
            DECIDED + timedelta(weeks=6, days=2),
        )

    def test_measures_a_listing_from_the_day_on_which_it_was_sold(self, sessions, tmp_path, chain):
        made = chain(newly_listed, ("list", "accepted"))
        night(sessions, tmp_path, after(7))
        (effect,) = self.effects(sessions, made)
        # Three pieces at 100, on four days of most weeks, that the other stores sold all along.
        assert (effect.state, effect.done, effect.comparisons) == ("measured", True, 5)
        assert effect.low <= effect.effect <= effect.high
        assert effect.effect == pytest.approx(1200, rel=0.1)
        assert effect.detail["level"] == "type"

    def test_measures_a_delisting_as_a_loss(self, sessions, tmp_path, chain):
        made = chain(newly_gone, ("delist", "accepted"))
        night(sessions, tmp_path, after(8))
        (effect,) = self.effects(sessions, made)
        assert (effect.state, effect.done, effect.predicted) == ("measured", True, -1000)
        assert (effect.predicted_low, effect.predicted_high) == (-1200, -800)
        assert effect.effect == pytest.approx(-1200, rel=0.1)
        assert effect.effective_on == DECIDED + timedelta(days=1)

    def test_says_what_happened_without_where_nothing_was_done(self, sessions, tmp_path, chain):
        made = chain(lambda number, _day: 3 if number else 0, ("list", "rejected"))
        night(sessions, tmp_path, after(6))
        (effect,) = self.effects(sessions, made)
        assert (effect.state, effect.done, effect.held) == ("measured", False, True)
        assert effect.low <= 0 <= effect.high

    def test_gives_an_accepted_listing_a_quarter_to_come_about(self, sessions, tmp_path, chain):
        chain(lambda number, _day: 3 if number else 0, ("list", "accepted"))
        assert night(sessions, tmp_path, after(8))["waiting"] == 1

    def test_measures_what_was_done_against_the_advice(self, sessions, tmp_path, chain):
        made = chain(newly_gone, ("keep", "rejected"))
        night(sessions, tmp_path, after(8))
        (effect,) = self.effects(sessions, made)
        assert (effect.done, effect.effect < -1000) == (True, True)

    def test_measures_placing_together_from_the_decision(self, sessions, tmp_path, chain):
        made = chain(everywhere, ("place_together", "accepted"))
        night(sessions, tmp_path, after(6))
        (effect,) = self.effects(sessions, made)
        assert (effect.done, effect.effective_on) == (True, DECIDED + timedelta(days=1))
        assert effect.low <= 0 <= effect.high

    def test_leaves_out_what_was_taken_back(self, sessions, tmp_path, chain):
        made = chain(newly_listed, ("list", "accepted"), ("list", "undone"))
        assert night(sessions, tmp_path, after(7))["not_measurable"] == 1
        assert self.effects(sessions, made) == []

    def test_compares_with_no_store_that_changed_too(self, sessions, tmp_path, chain):
        made = chain(lambda number, day: 3 if number > 2 or day > DECIDED else 0, ("list", "accepted"))
        night(sessions, tmp_path, after(7))
        (effect,) = self.effects(sessions, made)
        assert effect.comparisons == 3

    def test_says_when_there_are_too_few_stores_to_compare_with(self, sessions, tmp_path, chain):
        made = chain(lambda _number, day: 3 if day > DECIDED else 0, ("list", "accepted"))
        night(sessions, tmp_path, after(7))
        (effect,) = self.effects(sessions, made)
        assert (effect.state, effect.detail) == ("not_measurable", {"why": "few_comparisons"})

    def test_says_when_the_store_has_no_sales(self, sessions, tmp_path, chain):
        made = chain(everywhere)
        with sessions.begin() as session:
            shop = Shop.__new__(Shop)
            shop.session = session
            quiet = shop._add(
                Store, Store.store_id, store_code="S9", name="S", currency="CZK", timezone="Europe/Prague"
            )
            session.execute(
                insert(SuggestionDecision).values(
                    store_id=quiet, kind="keep", article_id=made.green, decision="accepted", reason="r",
                    decided_by="m", decided_at=datetime.combine(DECIDED, time(10), UTC), shown=SHOWN,
                )
            )  # fmt: skip
        night(sessions, tmp_path, after(7))
        with sessions() as session:
            (effect,) = effects_of_store(session, quiet)
        assert (effect.state, effect.detail) == ("not_measurable", {"why": "no_sales"})

    def test_comes_to_the_same_when_it_runs_again_and_never_changes_what_is_final(
        self, sessions, tmp_path, chain
    ):
        made = chain(newly_listed, ("list", "accepted"))
        night(sessions, tmp_path, after(3))
        night(sessions, tmp_path, after(3))
        night(sessions, tmp_path, after(7))
        first = self.effects(sessions, made)
        assert night(sessions, tmp_path, after(8)) == {"open": 0, "measured": 0, "waiting": 0}
        assert self.effects(sessions, made) == first

    def test_keeps_more_than_one_statement_can_take(self, sessions, tmp_path, chain):
        made = chain(everywhere)
        with sessions.begin() as session:
            session.execute(
                insert(SuggestionDecision),
                [
                    {
                        "store_id": made.stores[0][0], "kind": "place_together", "article_id": made.green,
                        "other_article_id": made.tea, "decision": "rejected", "reason": "r",
                        "decided_by": "m", "decided_at": datetime.combine(DECIDED, time(10), UTC),
                        "shown": SHOWN,
                    }
                ]
                * 5000,
            )  # fmt: skip
        assert night(sessions, tmp_path, after(1))["open"] == 5000
        with sessions() as session:
            assert session.scalar(select(func.count()).select_from(DecisionEffect)) == 5000


class TestTrackRecord:
    def test_sums_what_was_done_and_counts_what_was_not(self, sessions, tmp_path, chain):
        made = chain(newly_listed, ("list", "accepted"), ("delist", "rejected"), ("keep", "accepted"))
        night(sessions, tmp_path, after(7))
        with sessions() as session:
            records = {record.kind: record for record in track_record(session, made.stores[0][0])}
            whole = track_record(session)
        assert [record.kind for record in whole] == ["list", "delist", "keep"]
        listed = records["list"]
        assert (listed.accepted, listed.measured, listed.predicted, listed.without) == (1, 1, 1000, 0)
        assert listed.low <= listed.effect <= listed.high
        rejected = records["delist"]
        assert (rejected.rejected, rejected.without, rejected.measured) == (1, 1, 0)
        assert rejected.without_held == int(rejected.without_low <= 0 <= rejected.without_high)


class TestDecisions:
    @pytest.mark.parametrize(
        "change", ["update suggestion_decision set reason = ''", "delete from suggestion_decision"]
    )
    def test_stay_as_they_were_taken(self, sessions, owner_engine, chain, change):
        chain(everywhere, ("keep", "accepted"))
        with owner_engine.connect() as owner, pytest.raises(IntegrityError, match="append-only"):
            owner.execute(text(change))
        with sessions() as session:
            assert session.scalars(select(DecisionEffect)).all() == []

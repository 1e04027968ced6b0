"""What came of a store's decisions, in words: what was changed is told from what stayed as it was."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from basket_analysis.assortment.effect_lists import EffectView, TrackRecord
from web.stores.effect_words import answer, measured, record_rows, record_words

VIEW: dict[str, Any] = {
    "decision_id": 1, "store_id": 1, "currency": "USD", "kind": "list", "article": "Tea", "sku": "1",
    "category": None, "other": None, "other_sku": None, "decision": "accepted", "reason": "r", "decided_by": "m",
    "decided_at": datetime(2026, 3, 2, tzinfo=UTC), "state": "measured", "done": False, "effective_on": None,
    "due_on": date(2026, 4, 14), "predicted": 1000, "predicted_low": 500, "predicted_high": 1500,
    "effect": 100, "low": -200, "high": 400, "held": True, "comparisons": 5, "detail": {},
}  # fmt: skip

RECORD: dict[str, Any] = {
    "kind": "list", "currency": "USD", "accepted": 3, "rejected": 1, "waiting": 1, "not_measurable": 1,
    "measured": 0, "held": 0, "predicted": 0, "effect": 0, "low": 0, "high": 0,
    "without": 2, "without_held": 1, "without_effect": 100, "without_low": -5000, "without_high": 7000,
}  # fmt: skip


def view(**more: Any) -> EffectView:
    return EffectView(**VIEW | more)


class TestAnswer:
    @pytest.mark.parametrize(
        ("kind", "decision", "done", "words"),
        [
            ("list", "accepted", True, "Accepted and done"),
            ("list", "accepted", False, "Accepted, not done"),
            ("delist", "rejected", True, "Rejected, yet done"),
            ("delist", "rejected", False, "Rejected"),
            ("keep", "accepted", False, "Accepted and kept"),
            ("keep", "accepted", True, "Accepted, yet given up"),
            ("keep", "rejected", True, "Rejected and given up"),
            ("keep", "rejected", False, "Rejected, yet kept"),
        ],
    )
    def test_says_what_the_sales_show(self, kind, decision, done, words):
        assert answer(view(kind=kind, decision=decision, done=done)) == words

    def test_says_nothing_of_what_is_not_measured_yet(self):
        assert answer(view(state="waiting")) == "Accepted"
        assert answer(view(state="waiting", kind="keep")) == "Accepted"


class TestMeasured:
    def test_holds_against_the_forecast_only_what_was_done(self):
        assert measured(view(done=True, low=10)).endswith(": as foretold")
        assert measured(view(done=True)).endswith(": as foretold, but chance may be all of it")
        assert measured(view(done=True, held=False)).endswith(": other than foretold")
        assert measured(view()).endswith(": nothing was changed, and sales stayed")
        assert measured(view(held=False)).endswith(": nothing was changed, yet sales moved")

    def test_names_no_day_that_may_pass_without_a_result(self):
        waiting = {"state": "waiting", "effect": None, "low": None, "high": None, "held": None}
        assert measured(view(**waiting)) == "the sales do not show it yet"
        assert measured(view(**waiting, kind="keep")).startswith("due on ")
        assert measured(view(**waiting, done=True)).startswith("due on ")
        assert measured(view(**waiting | {"due_on": None})) == "waits for six weeks of sales"


class TestRecord:
    def test_counts_what_was_measured_without_a_change_too(self):
        (row,) = record_rows([TrackRecord(**RECORD)])
        assert (row.answers, row.open, row.changed) == (
            "3 accepted, 1 rejected",
            "1 waits, 1 not measurable",
            "",
        )
        assert (row.stayed, row.stayed_money) == (
            "1 of 2 without change",
            "measured $1.00 (\N{MINUS SIGN}\N{WORD JOINER}$50 to $70) a week",
        )
        assert record_words([TrackRecord(**RECORD)]) == "sales stayed in 1 of 2 cases without a change"

    def test_tells_both_apart(self):
        both = TrackRecord(**RECORD | {"measured": 1, "held": 1, "predicted": 9000, "effect": 8000})
        (row,) = record_rows([both])
        assert row.changed == "1 of 1 as foretold"
        assert row.changed_money.startswith("foretold $90, measured $80 (")
        assert (
            record_words([both])
            == "1 of 1 measured change was as foretold; sales stayed in 1 of 2 cases without a change"
        )

    def test_is_silent_before_anything_is_measured(self):
        assert record_words([TrackRecord(**RECORD | {"without": 0, "without_held": 0})]) == ""

"""Rules for baskets as the database holds them: levels, runs, what is kept in memory."""

from math import log

import pytest
from sqlalchemy import delete, insert

from basket_analysis.mining.basket_rule_lists import basket_rules, rules_in_memory
from basket_analysis.models import AnalysisRun, MinedRule, ServedRun
from core.ids import uuid7
from tests.basket_analysis.shop_made import NOW, Shop

MEASURES = {
    "count": 60, "antecedent_count": 900, "consequent_count": 800, "households": 40, "support": 0.02, "confidence": 0.35,
    "lift": 4.1, "leverage": 0.01, "conviction": 1.3, "improvement": 0.2, "q": 0.001, "z": 9.0,
}  # fmt: skip
RULES = (
    ("article", ["B1"], ["T1"], 5.0),
    ("type", ["BREAD"], ["TEA BAGS"], 2.0),
    ("category", ["BAKERY"], ["TEA"], 1.5),
    ("category", ["BAKERY", "HONEY"], ["TEA"], 9.0),
    ("category", ["BAKERY"], ["HONEY"], 0.3),
    ("brand", ["OURS"], ["THEIRS"], 4.0),
    ("article", ["B1"], ["GONE"], 7.0),
)


def serve(session, rules):
    run_id = uuid7()
    session.execute(
        insert(AnalysisRun).values(
            run_id=run_id,
            business_day=NOW.date(),
            state="completed",
            started_at=NOW,
            version="1",
            parameters={},
            inputs={},
            timings={},
        )
    )
    for number, (level, first, then, times) in enumerate(rules):
        session.execute(
            insert(MinedRule).values(
                run_id=run_id,
                rule_number=number,
                level=level,
                antecedent=first,
                consequent=then,
                adjusted_lift=times,
                **MEASURES,
            )
        )
    session.execute(delete(ServedRun))
    session.execute(insert(ServedRun).values(run_id=run_id, served_at=NOW))
    return run_id


@pytest.fixture
def ids(sessions):
    """The ids of bread and three teas, by their numbers."""
    filed = (
        ("B1", "BAKERY", "BREAD"),
        ("T1", "TEA", "TEA BAGS"),
        ("T2", "TEA", "TEA BAGS"),
        ("T3", "TEA", "LOOSE TEA"),
    )
    with sessions.begin() as session:
        shop = Shop(session)
        return {sku: shop.article(sku, category=category, kind=kind) for sku, category, kind in filed}


class TestBasketRules:
    def test_are_none_before_the_first_run(self, sessions):
        with sessions() as session:
            assert len(basket_rules(session)) == 0

    def test_are_the_pairs_of_the_served_run_at_three_levels(self, sessions, ids):
        with sessions.begin() as session:
            run_id = serve(session, RULES)
        with sessions() as session:
            rules = basket_rules(session)
        assert rules.run_id == run_id
        assert rules.going_with([ids["B1"]], among=ids.values()) == {
            ids["T1"]: (pytest.approx(log(5.0)), ids["B1"]),
            ids["T2"]: (pytest.approx(log(2.0)), ids["B1"]),
            ids["T3"]: (pytest.approx(log(1.5)), ids["B1"]),
        }

    def test_are_read_once_and_then_found_in_memory(self, sessions):
        with sessions.begin() as session:
            run_id = serve(session, RULES)
            assert rules_in_memory(run_id) is None
            assert basket_rules(session, run_id=run_id) is rules_in_memory(run_id)
            assert basket_rules(session) is rules_in_memory(run_id)

    def test_of_old_runs_are_forgotten(self, sessions):
        with sessions.begin() as session:
            runs = [serve(session, RULES[:1]) for _ in range(3)]
            for run_id in runs:
                basket_rules(session, run_id=run_id)
        assert rules_in_memory(runs[0]) is None
        assert rules_in_memory(runs[1]) is not None
        assert rules_in_memory(runs[2]) is not None

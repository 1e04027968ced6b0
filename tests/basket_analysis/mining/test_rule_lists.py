"""Rules as the browser reads them: filters, words, orders, pages, and what is too small to be shown."""

import pytest
from sqlalchemy import insert

from basket_analysis.mining.rule_lists import (
    NoSuchRule,
    article_names,
    list_rules,
    read_rule,
    related_rules,
    rule_kinds,
)
from basket_analysis.models import AnalysisRun, MinedRule
from core.ids import uuid7
from core.keyset import Ask
from sales.models import Article
from tests.basket_analysis.shop_made import NOW

MEASURES = {
    "support": 0.02,
    "confidence": 0.35,
    "lift": 4.1,
    "leverage": 0.01,
    "improvement": 0.2,
    "q": 0.001,
}
RULES = (
    # level, if, then, count, households, adjusted lift, z, group
    ("category", ["TEA"], ["HONEY"], 300, 120, 3.2, 12.0, "t1"),
    ("category", ["TEA", "LEMONS"], ["HONEY"], 60, 40, 4.5, 9.0, "t1"),
    ("category", ["COFFEE"], ["TEA"], 90, 70, 0.4, 7.0, None),
    ("article", ["10452"], ["20311"], 40, 30, 2.0, 5.0, None),
    ("article", ["20311"], ["30777"], 25, 9, 2.5, 6.0, None),
)


@pytest.fixture
def run_id(sessions):
    """A run with five rules, one of them of nine households."""
    run_id = uuid7()
    with sessions.begin() as session:
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
        session.execute(
            insert(Article),
            [
                {"sku": sku, "name": name, "unit": "pcs", "tax_rate": 12}
                for sku, name in (("10452", "Green tea 40 g"), ("20311", "Acacia 500 g"))
            ],
        )
        for number, (level, first, then, count, households, times, z, group) in enumerate(RULES):
            session.execute(
                insert(MinedRule).values(
                    run_id=run_id,
                    rule_number=number,
                    level=level,
                    antecedent=first,
                    consequent=then,
                    count=count,
                    antecedent_count=900,
                    consequent_count=800,
                    households=households,
                    adjusted_lift=times,
                    z=z,
                    group_id=group,
                    conviction=float("inf") if number == 0 else 1.3,
                    **MEASURES,
                )
            )
    return run_id


def numbers(sessions, run_id, ask):
    with sessions() as session:
        return [rule.rule_number for rule in list_rules(session, ask, run_id=run_id).rows]


class TestListOfRules:
    @pytest.mark.parametrize(
        ("filters", "words", "expected"),
        [
            ({}, "", [0, 1, 2, 3]),
            ({"level": "article"}, "", [3]),
            ({"group": "t1"}, "", [0, 1]),
            ({"group": "between"}, "", [2, 3]),
            ({"count": "90"}, "", [0, 2]),
            ({"households": "50"}, "", [0, 2]),
            ({"times": "3"}, "", [0, 1]),
            ({"tie": "instead"}, "", [2]),
            ({"length": "longer"}, "", [1]),
            ({}, "tea", [0, 1, 2, 3]),
            ({"side": "then"}, "tea", [2]),
            ({"side": "if", "level": "category"}, "Tea", [0, 1]),
            ({}, "acacia", [3]),
            ({}, "20311", [3]),
            ({}, "nothing of the kind", []),
        ],
    )
    def test_leaves_what_fits_the_filters_and_enough_people(self, sessions, run_id, filters, words, expected):
        ask = Ask(sort="z", descending=True, filters=filters, words=words)
        assert numbers(sessions, run_id, ask) == expected

    def test_reads_page_by_page_in_any_order(self, sessions, run_id):
        for sort, expected in (("adjusted_lift", [2, 3, 0, 1]), ("count", [3, 1, 2, 0])):
            ask, seen = Ask(sort=sort, limit=1), []
            with sessions() as session:
                page = list_rules(session, ask, run_id=run_id)
                assert page.total == 4
                while page.rows:
                    seen += [rule.rule_number for rule in page.rows]
                    if page.following is None:
                        break
                    page = list_rules(session, ask.following(page.following, limit=1), run_id=run_id)
            assert seen == expected


class TestOneRule:
    def test_knows_its_counts_and_what_chance_would_give(self, sessions, run_id):
        with sessions() as session:
            rule = read_rule(session, run_id=run_id, rule_number=0)
            related = related_rules(session, rule, run_id=run_id)
        assert rule.conviction is None
        assert rule.expected == pytest.approx(300 / 3.2)
        assert rule.share_of_all == pytest.approx(800 / (300 / 0.02))
        assert [one.rule_number for one in related] == [1, 2]

    def test_of_nine_households_is_shown_to_nobody(self, sessions, run_id):
        with sessions() as session, pytest.raises(NoSuchRule):
            read_rule(session, run_id=run_id, rule_number=4)


class TestKinds:
    def test_are_those_of_the_rules_that_are_shown(self, sessions, run_id):
        with sessions() as session:
            kinds = rule_kinds(session, run_id=run_id)
            names = article_names(session, list_rules(session, Ask(sort="z"), run_id=run_id).rows)
        assert kinds.levels == (("category", 3), ("article", 1))
        assert (kinds.rules, kinds.has_longer, kinds.has_substitutes) == (4, True, True)
        assert "30777" not in kinds.items
        assert names == {"10452": "Green tea 40 g", "20311": "Acacia 500 g"}

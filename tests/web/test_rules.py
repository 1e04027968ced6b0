"""The rule browser: what it says in words, what leads on from it, and what it gives away as a file."""

import csv
import re
from io import StringIO

import pytest
from sqlalchemy import delete, insert

from basket_analysis.mining import rule_lists
from basket_analysis.mining.rule_lists import RuleFacts
from basket_analysis.models import MinedRule
from web.groups.rule_words import RuleShown, finding, reasons


def facts(**changed):
    values = {
        "rule_number": 1,
        "level": "category",
        "antecedent": ("Tea",),
        "consequent": ("Honey",),
        "count": 313,
        "antecedent_count": 900,
        "consequent_count": 800,
        "households": 123,
        "support": 0.02,
        "confidence": 0.348,
        "lift": 4.1,
        "leverage": 0.01,
        "conviction": 1.3,
        "adjusted_lift": 3.2,
        "z": 12.0,
        "q": 0.0001,
        "improvement": None,
        "group_id": None,
    }
    return RuleFacts(**{**values, **changed})


class TestWords:
    def test_say_a_rule_with_its_counts(self, app):
        with app.test_request_context():
            shown = RuleShown(facts(), {})
            assert (
                finding(shown)
                == "Baskets with Tea hold Honey 3.2 times more often than chance would have it."
            )
            assert reasons(shown)[0].startswith("313 baskets of 123 households hold all of it")
            assert "98 among baskets of the same size" in reasons(shown)[0]
            assert "34.8%" in reasons(shown)[1]

    def test_say_that_things_stand_in_for_each_other(self, app):
        with app.test_request_context():
            words = finding(RuleShown(facts(adjusted_lift=0.41), {}))
        assert "0.41 times as often" in words
        assert "rather one or the other" in words

    def test_point_both_ways_where_things_stand_in_for_each_other(self, app):
        with app.test_request_context():
            shown = RuleShown(
                facts(level="article", adjusted_lift=0.41, confidence=0.04), {"Tea": "Green tea"}
            )
            assert shown.title == "Green tea ↔ Honey"
            assert shown.numbers == "Tea ↔ Honey"
            assert "Green tea <span" in shown.figure
            assert reasons(shown)[0] == "123 households take both, at different times."
            assert reasons(shown)[1].startswith("Both at once: 313 baskets; by chance it would be")
            assert RuleShown(facts(), {}).title == "Tea → Honey"

    def test_name_articles_and_nothing_else_by_their_names(self, app):
        with app.test_request_context():
            names = {"Tea": "Green tea 40 g"}
            assert RuleShown(facts(), names).antecedent == "Tea"
            assert RuleShown(facts(level="article"), names).antecedent == "Green tea 40 g"


@pytest.fixture
def substitutes(web_sessions, house):
    """Two kinds of tea that replace honey, the second more surely."""
    measures = {"count": 90, "antecedent_count": 900, "consequent_count": 800, "households": 123, "q": 0.001}
    rates = {"support": 0.02, "confidence": 0.1, "lift": 0.5, "leverage": 0.0, "conviction": 0.9}
    with web_sessions.begin() as session:
        for number, name, lift, z in ((901, "Green", 0.7, -4.0), (902, "Black", 0.2, -15.0)):
            session.execute(
                insert(MinedRule).values(
                    run_id=house.run_id,
                    rule_number=number,
                    level="category",
                    antecedent=[name],
                    consequent=["Honey"],
                    adjusted_lift=lift,
                    z=z,
                    **measures,
                    **rates,
                )
            )
    rule_lists._KINDS.clear()
    yield
    with web_sessions.begin() as session:
        session.execute(delete(MinedRule).where(MinedRule.rule_number > 900))
    rule_lists._KINDS.clear()


class TestBrowser:
    def test_begins_with_the_surest_of_what_replaces_each_other(self, visit, substitutes):
        page = visit("analyst").get("/rules/?tie=instead").get_data(as_text=True)
        assert 0 < page.index("/rules/902") < page.index("/rules/901")
        assert "Rather one or the other" in page
        assert "0.70\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN}" in page
        whole = visit("analyst").get("/rules/?level=category").get_data(as_text=True)
        assert 0 < whole.index("/rules/901") < whole.index("/rules/902")

    def test_leads_to_the_rule_its_items_and_its_group(self, visit):
        visitor = visit("analyst")
        page = visitor.get("/rules/?level=category&times=3&q=tea").get_data(as_text=True)
        assert "/rules/1" in page
        one = visitor.get("/rules/1", headers={"HX-Request": "true", "HX-Target": "panel"}).get_data(
            as_text=True
        )
        assert "<html" not in one
        assert "3.2 times more often" in one
        assert 'href="/groups/g1"' in one
        assert "/rules/?q=Tea&amp;level=category" in one
        assert "/articles/?category=Tea" in one
        articles = visitor.get("/articles/?category=Tea").get_data(as_text=True)
        assert "10452" in articles
        assert "20311" not in articles

    def test_draws_no_two_rules_alike_that_differ(self, visit, web_sessions, house):
        with web_sessions.begin() as session:
            for number, times in ((903, 4.0), (904, 16.0), (905, 200.0)):
                rule = session.get(MinedRule, (house.run_id, 1))
                figures = {column.name: getattr(rule, column.name) for column in MinedRule.__table__.columns}
                session.execute(
                    insert(MinedRule).values(**figures | {"rule_number": number, "adjusted_lift": times})
                )
        try:
            page = visit("analyst").get("/rules/?level=category").get_data(as_text=True)
        finally:
            with web_sessions.begin() as session:
                session.execute(delete(MinedRule).where(MinedRule.rule_number > 902))
        drawn = re.findall(r'bar-fill" width="([\d.]+)".*?bar-words">([\d.]+)', page, re.DOTALL)
        widths = {float(times): float(width) for width, times in drawn}
        assert widths[16.0] == 2 * widths[4.0]
        assert widths[16.0] < widths[200.0] < 64

    def test_gives_exact_figures_as_a_file(self, visit):
        answer = visit("marketing").get(
            "/rules/?format=csv&columns=rule&columns=lift&columns=q&columns=count"
        )
        rows = list(csv.reader(StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
        assert rows[0] == ["If this is bought, then also", "Baskets with both", "Lift", "Chance findings (q)"]
        assert ["Tea → Honey", "313", "4.1", "0.0001"] in rows
        assert visit("marketing").get("/rules/?format=xlsx").status_code == 200

    def test_does_not_know_other_numbers(self, visit):
        assert visit("marketing").get("/rules/99").status_code == 404

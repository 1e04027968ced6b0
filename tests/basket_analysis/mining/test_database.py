"""`regulars mine` on a real database."""

import json
import random
from datetime import date, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select
from time_machine import travel

from basket_analysis.commands import mine
from basket_analysis.mining.database import mine_database
from basket_analysis.models import MinedRule
from core.commandline import Workplace
from tests.basket_analysis.shop_made import NOW, Shop

DAY = date(2026, 11, 19)
TRIP = ("FLOUR", "SUGAR", "YEAST")
OTHERS = ("SOAP", "PAPER", "WATER", "SALT", "RICE", "TEA")
LEVELS = ("category", "type", "brand", "article")


@pytest.fixture
def town(sessions):
    """Twenty-five members who bake every other time, for three weeks."""
    chance = random.Random(2)
    with sessions.begin() as session:
        shop = Shop(session)
        articles = {name: shop.article(name, category=name, kind=name) for name in (*TRIP, *OTHERS)}
        for number in range(25):
            member = shop.member(f"m{number:02}")
            for day in range(20):
                theme = chance.sample(TRIP, 2) if day % 2 else []
                basket = [*theme, *chance.sample(OTHERS, 4 - len(theme))]
                lines = [(articles[name], 1, 500) for name in basket]
                shop.receipt(DAY - timedelta(days=day), lines, member=member)
        shop.write()
    return shop, articles


class TestMineDatabase:
    def test_finds_the_rules_of_every_level(self, sessions, town):
        record = mine_database(sessions, business_day=DAY, now=NOW)
        assert record["days_counted"] == 20
        assert set(record["recounted"]) == set(LEVELS)
        assert record["baskets"] == {"category": 500, "type": 500, "brand": 0, "article": 500}
        pairs = {
            level: {
                frozenset(row["antecedent"] + row["consequent"])
                for row in record["rules"]
                if row["level"] == level
            }
            for level in LEVELS
        }
        assert frozenset({"FLOUR", "SUGAR"}) in pairs["category"] & pairs["type"] & pairs["article"]
        assert pairs["brand"] == set()
        assert all(row["improvement"] > 0 for row in record["rules"])

    def test_counts_what_is_new_and_finds_what_a_full_count_finds(self, sessions, town):
        mine_database(sessions, business_day=DAY, now=NOW)
        with sessions.begin() as session:
            shop, articles = town
            shop.session = session
            shop.receipt(DAY - timedelta(days=3), [(articles["FLOUR"], 1, 500), (articles["SUGAR"], 1, 500)])
            shop.write()
        again = mine_database(sessions, business_day=DAY, now=NOW)
        full = mine_database(sessions, business_day=DAY, now=NOW, full=True)
        assert (again["days_counted"], dict(again["recounted"])) == (1, {})
        assert set(full["recounted"].values()) == {"asked for"}
        assert again["rules"] == full["rules"]

    def test_leaves_what_is_served_alone(self, sessions, town):
        mine_database(sessions, business_day=DAY, now=NOW)
        with sessions() as session:
            assert session.scalar(select(func.count(MinedRule.rule_number))) == 0


class TestMine:
    @pytest.fixture
    def tell(self, tmp_path, database_url):
        workplace = Workplace(tmp_path, database_url)

        def tell(*arguments):
            with travel(NOW, tick=False):
                return CliRunner().invoke(mine, arguments, obj=workplace)

        yield tell
        workplace.close()

    def test_prints_the_rules_of_the_database(self, tell, town):
        told = tell()
        assert (told.exit_code, told.stderr) == (0, "")
        assert "category: counted wholly anew (nothing was kept)" in told.stdout
        assert "FLOUR -> SUGAR" in told.stdout or "SUGAR -> FLOUR" in told.stdout

    def test_prints_one_document_and_recounts_when_asked(self, tell, town):
        tell()
        record = json.loads(tell("--json").stdout)
        assert (record["business_day"], record["days_counted"], record["recounted"]) == ("2026-11-19", 0, {})
        full = json.loads(tell("--full", "--json").stdout)
        assert (full["days_counted"], full["rules"]) == (20, record["rules"])

    def test_is_quiet_on_an_empty_database(self, tell):
        record = json.loads(tell("--json").stdout)
        assert (record["rules"], set(record["found"].values())) == ([], {0})

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["--min-support", "0.1"], "--min-support goes with --baskets"),
            (["--out", "o.csv"], "--out goes with --baskets"),
            (["--baskets", __file__, "--full"], "--full counts the database anew"),
            (["--baskets", __file__, "--out", "o.csv"], "Missing option '--min-support'"),
        ],
    )
    def test_refuses_options_of_the_other_kind(self, tell, arguments, reason):
        told = tell(*arguments)
        assert told.exit_code == 2
        assert reason in told.stderr

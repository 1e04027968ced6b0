"""Databases that no chain would wish for, through the steps of the night."""

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from basket_analysis.groups.lists import groups_of_run, served_run
from basket_analysis.models import MinedRule
from core.jobs import Job, run_once
from night import NIGHT
from sales.models import Article
from tests.basket_analysis.shop_made import Shop
from tests.basket_analysis.town_made import DAY, build_town

STEPS = Job("night", tuple(step for step in NIGHT.steps if step.name != "verify"))
"""Receipts are put into the tables by hand, without the books that `verify` asks for."""


def night(sessions, folder):
    """Run the night of a day; return the members of each group that is served then."""
    run = run_once(STEPS, sessions=sessions, data=folder, business_day=DAY, wait=True)
    assert run.state == "completed", [(step.name, step.error) for step in run.steps if step.error]
    with sessions() as session:
        view = served_run(session)
        assert view is not None
        assert view.business_day == DAY
        return {group.group_id: group.members for group in groups_of_run(session, run_id=view.run_id)}


def served_rules(sessions, *names):
    """Return how many rules hold any of `names`, of all if none is given."""
    with sessions() as session:
        rules = select(func.count()).select_from(MinedRule)
        rules = rules.where(MinedRule.run_id == served_run(session).run_id)
        if names:
            sides = MinedRule.antecedent.overlap(list(names)) | MinedRule.consequent.overlap(list(names))
            rules = rules.where(sides)
        return session.scalar(rules)


class TestNight:
    def test_bears_one_lone_basket(self, sessions, tmp_path):
        with sessions.begin() as session:
            shop = Shop(session)
            shop.receipt(DAY, [(shop.article("TEA"), 1, 500)], member=shop.member("alone"))
            shop.write()
        assert night(sessions, tmp_path) == {"none": 0, "new": 1}
        assert served_rules(sessions) == 0

    def test_bears_returns_of_everything(self, sessions, tmp_path):
        with sessions.begin() as session:
            shop = Shop(session)
            tea, member = shop.article("TEA"), shop.member("unhappy")
            for week in range(12):
                day = DAY - timedelta(weeks=week)
                sale = shop.receipt(day, [(tea, 2, 500)], member=member)
                shop.receipt(day, [(tea, 2, 500, 1)], member=member, kind="return", of=sale)
            shop.write()
        assert night(sessions, tmp_path) == {"none": 0, "new": 1}

    @pytest.fixture
    def besieged(self, sessions):
        """A town of one store with a basket of 10,000 things, bags for nothing in all others, and lines twice over."""
        with sessions.begin() as session:
            members = build_town(session, households=90)
            shop = Shop(session, store_code="S2")
            known = dict(session.execute(select(Article.sku, Article.article_id)).all())
            bag = shop.article("BAG", category="BAG", kind="BAG")
            rows = [
                {"sku": f"thing{number:05}", "name": "thing", "category": f"kind{number:05}", "type": "thing",
                 "department": "GROCERY", "unit": "pcs", "tax_rate": 12}
                for number in range(10_000)
            ]  # fmt: skip
            things = session.execute(insert(Article).returning(Article.article_id), rows).scalars().all()
            for member in members:
                lines = [(bag, 1, 0), (known["SOAP"], 1, 500), (known["SOAP"], 2, 500), (known["TEA"], 1, 0)]
                for week in range(3):
                    shop.receipt(DAY - timedelta(weeks=week), lines, member=member)
            shop.receipt(DAY, [(thing, 1, 100) for thing in things], member=members[0])
            shop.write()

    def test_bears_baskets_of_ten_thousand_and_things_for_nothing(self, sessions, tmp_path, besieged):
        groups = night(sessions, tmp_path)
        assert sum(groups.values()) == 90
        assert len(groups) > 2
        assert served_rules(sessions) > 0
        assert served_rules(sessions, "BAG", "kind00001", "thing00001") == 0

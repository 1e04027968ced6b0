"""What a group's charts and pages say, and that nobody of fewer than ten is told."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, update

from basket_analysis.groups.lists import GroupDay, GroupView
from basket_analysis.groups.moves import OTHERS, RunDay, fold_moves
from basket_analysis.models import GroupProfile, ShopperGroup
from customers.standing_counts import StandingCount
from web.groups.findings import history_chart, people, strengths_chart
from web.groups.standing_tables import table_of
from web.screens.group_moves import _chart, _Side

TEA = GroupView("t1", "theme", "Tea and honey", ("TEA", "HONEY"), 42, 500, None, 3, {})
WINE = GroupView("t2", "theme", "Wine", ("WINE", "CHEESE"), 60, 500, None, 4, {})
DAY = date(2026, 11, 21)
HABITS = {
    "members": 42,
    "baskets": 500,
    "per_basket": {"CZK": 31_000},
    "articles": 4.2,
    "gap": 6.5,
    "per_month": 3.1,
}
ROW = {"baskets": 120, "expected": 40.0, "ratio": 3.0, "members": 30, "share": 0.24, "chain_share": 0.1}


@pytest.fixture
def portrait(web_sessions, house):
    """The night's portrait of the house's one theme."""
    own = {
        **HABITS,
        "over": [{"item": "Tea", **ROW, "ratio": 2.0, "expected": 60.0}, {"item": "Honey", **ROW}],
        "under": [{"item": "Wine", **ROW, "ratio": 0.5, "expected": 240.0}],
        "stores": [{"store_id": 1, "baskets": 300, "share": 0.6, "chain_share": 0.4, "members": 25}],
        "weekdays": {"1": 100, "6": 400},
        "hours": {"9": 250, "17": 250},
    }
    chain = {**HABITS, "members": 900, "weekdays": {"1": 500, "6": 500}, "hours": {"9": 500, "17": 500}}
    with web_sessions.begin() as session:
        for group, figures in (("g1", own), ("all", chain)):
            session.execute(insert(GroupProfile).values(run_id=house.run_id, group_id=group, figures=figures))
    yield
    with web_sessions.begin() as session:
        session.execute(delete(GroupProfile))


class TestGroupPage:
    def test_says_what_the_group_buys_when_it_comes_and_where_it_is_at_home(self, visit, portrait):
        page = visit("analyst").get("/groups/g1").get_data(as_text=True)
        assert "Buys Honey 3.0 times as often as everybody with baskets of that size" in page
        assert "Saturday: 80% of its baskets, 50% of everybody&#39;s" in page
        assert "9:00" not in page  # it comes at the hours at which everybody comes
        assert "Brno is where this group is most at home" in page
        assert "CZK 310" in page.replace("\xa0", " ")

    def test_does_not_tell_how_few_are_in_it(self, visit, web_sessions, house):
        def set_members(number):
            with web_sessions.begin() as session:
                session.execute(
                    update(ShopperGroup)
                    .where(ShopperGroup.group_id == "g1")
                    .values(members=number, baskets=76543)
                )

        set_members(9)
        try:
            for address in ("/groups/g1", "/groups/", "/groups/?format=csv"):
                page = visit("marketing").get(address).get_data(as_text=True)
                assert "76,543" not in page, address
                assert "76543" not in page, address
                assert ">9<" not in page, address
                assert ",9," not in page, address
            assert "fewer than 10" in visit("marketing").get("/groups/g1").get_data(as_text=True)
        finally:
            set_members(42)


class TestCharts:
    def test_put_strengths_together_until_each_column_has_ten(self, app):
        with app.test_request_context():
            chart = strengths_chart(TEA, [(2, 4), (3, 7), (4, 20), (5, 3), (9, 8)])
            assert chart.rows == (("2\N{EN DASH}4", "11"), ("4\N{EN DASH}5", "20"), ("5+", "11"))
            assert chart.title == "74% of the members live by this theme clearly"
            assert strengths_chart(TEA, [(2, 4), (3, 5)]) is None

    def test_leave_out_nights_with_fewer_than_ten(self, app):
        days = [GroupDay(DAY - timedelta(days=3 - n), members) for n, members in enumerate((9, 20, 35))]
        with app.test_request_context():
            chart = history_chart(TEA, days)
            assert [row[1] for row in chart.rows] == ["20", "35"]
            assert chart.title.startswith("The group grew by 75%")
            assert (people(9), people(10)) == ("fewer than 10", "10")

    def test_tell_no_change_of_fewer_than_ten(self, app):
        sizes = (26, 27, 36, 31, 24, 25)
        days = [GroupDay(DAY - timedelta(days=6 - n), members) for n, members in enumerate(sizes)]
        with app.test_request_context():
            chart = history_chart(TEA, days)
        assert [row[1] for row in chart.rows] == ["25", "25", "36", "25", "25", "25"]
        assert chart.options["series"][0]["data"] == [25, 25, 36, 25, 25, 25]
        assert chart.title.startswith("The group keeps its size")

    def test_of_movement_name_the_largest_move_and_draw_every_stream(self, app):
        moves = fold_moves({("t1", "t1"): 80, ("t1", "t2"): 12, ("t2", "t2"): 50, ("t2", "t1"): 3})
        sides = [
            _Side(RunDay(uuid4(), DAY - timedelta(days=days)), {"t1": TEA, "t2": WINE}, "outside")
            for days in (28, 0)
        ]
        with app.test_request_context():
            chart = _chart(moves, *sides)
        assert "from Tea and honey to Wine (12)" in chart.title
        assert chart.title.startswith("91.7% stayed")
        links = chart.options["series"][0]["links"]
        assert {(one["source"], one["target"], one["value"]) for one in links} == {
            ("0 t1", "1 t1", 80),
            ("0 t1", "1 t2", 12),
            ("0 t2", "1 t2", 53),
        }
        assert OTHERS not in str(links)
        with app.test_request_context():
            still = _chart(fold_moves({("t1", "t1"): 800, ("t1", "t2"): 2}), *sides)
        assert still.title == "Nearly everybody stayed in their group"

    def test_of_phases_and_values_tell_no_cell_that_is_kept_back(self, app):
        counts = [
            StandingCount("peak", "vip", 60),
            StandingCount("peak", "low", None),
            StandingCount("lost", "low", None),
        ]
        with app.test_request_context():
            table = table_of(counts)
            assert table.title.endswith("(60)")
            cells = {phase: [cell.words for cell in row] for phase, row in table.rows}
        assert sum(words == "not told" for row in cells.values() for words in row) == 2
        assert table_of([]) is None

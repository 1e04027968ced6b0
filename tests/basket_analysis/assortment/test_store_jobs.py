"""The night's comparison of stores on a real database: what it keeps is what managers read."""

import pytest
from sqlalchemy import func, select

from basket_analysis.assortment.store_jobs import compare_stores
from basket_analysis.assortment.store_lists import read_category, read_store, stores_compared
from basket_analysis.groups.jobs import form_groups
from basket_analysis.jobs import mine_rules
from basket_analysis.models import CategoryProfile, ServedRun, StoreCategory, StoreProfile
from tests.basket_analysis.shop_made import Shop
from tests.basket_analysis.test_jobs import DAY, HOUSEHOLDS, run_all, shift, town  # noqa: F401 - a fixture


class TestTheNight:
    def test_keeps_what_managers_read_once_the_run_is_served(self, sessions, tmp_path, town):  # noqa: F811
        told = shift(sessions, tmp_path)
        mine_rules(told)
        form_groups(told)
        assert compare_stores(told)["stores"] == 1
        with sessions() as session:
            assert stores_compared(session) == []
            store_id = session.scalar(select(StoreProfile.store_id))
            run_id = session.scalar(select(StoreProfile.run_id))
        with sessions.begin() as session:
            session.merge(ServedRun(served=True, run_id=run_id, served_at=told.now))
        with sessions() as session:
            assert stores_compared(session) == [("S1", "S")]
            store = read_store(session, store_id=store_id)
            flour = read_category(session, store_id=store_id, category="FLOUR")
        # Of the town's people one objects to profiling and is not counted.
        assert (store.households, store.weeks) == (HOUSEHOLDS + 1, 52)
        # One of them has no group: all less both groups would tell of that one, so one group is not told either.
        assert [group.households for group in store.groups] == [HOUSEHOLDS // 2]
        assert flour.figures.households == HOUSEHOLDS // 2

    @pytest.mark.parametrize(("households", "compared"), [(9, 0), (10, 1)])
    def test_keeps_nothing_of_a_store_with_fewer_than_ten_households(
        self, sessions, tmp_path, households, compared
    ):
        with sessions.begin() as session:
            shop = Shop(session)
            flour, sugar = (shop.article(name, category=name, kind=name) for name in ("FLOUR", "SUGAR"))
            members = [shop.member(f"m{number:02}") for number in range(households)]
            for at in range(540):
                shop.receipt(DAY, [(flour, 1, 500), (sugar, 1, 300)], member=members[at % households])
            shop.write()
        told = shift(sessions, tmp_path)
        mine_rules(told)
        form_groups(told)
        assert compare_stores(told)["stores"] == compared
        with sessions() as session:
            for table in (StoreProfile, StoreCategory):
                assert len(set(session.scalars(select(table.store_id)))) == compared

    @pytest.mark.parametrize(("once", "again"), [(0, 40), (1, None), (9, None), (10, 30), (31, None)])
    def test_says_of_no_few_that_they_bought_again_or_did_not(self, sessions, tmp_path, once, again):
        with sessions.begin() as session:
            shop = Shop(session)
            flour, sugar = (shop.article(name, category=name, kind="DRY") for name in ("FLOUR", "SUGAR"))
            members = [shop.member(f"m{number:02}") for number in range(40)]
            for at in range(540):
                bought = [(sugar, 1, 300)] if at >= 40 and at % 40 < once else [(flour, 1, 500)]
                shop.receipt(DAY, bought, member=members[at % 40])
            shop.write()
        told = shift(sessions, tmp_path)
        mine_rules(told)
        form_groups(told)
        compare_stores(told)
        with sessions.begin() as session:
            run_id, store_id = session.execute(select(StoreProfile.run_id, StoreProfile.store_id)).one()
            session.merge(ServedRun(served=True, run_id=run_id, served_at=told.now))
            found = read_category(session, store_id=store_id, category="FLOUR").articles[0].here
        assert (found.households, found.repeat) == (40, again)
        # Who bought sugar as well does not buy flour alone.
        assert found.exclusive == again

    def test_says_of_a_store_without_others_that_nothing_differs(self, sessions, tmp_path, town):  # noqa: F811
        told = shift(sessions, tmp_path)
        mine_rules(told)
        form_groups(told)
        compare_stores(told)
        with sessions() as session:
            figures = session.scalar(select(StoreProfile.figures))
        assert all(group["z"] == 0 for group in figures["groups"])
        assert all((one["gap"], one["q"]) == (0, 1.0) for one in figures["categories"])

    def test_keeps_the_served_run_and_its_own_only(self, sessions, tmp_path, town):  # noqa: F811
        for _ in range(2):
            told = shift(sessions, tmp_path)
            mine_rules(told)
            form_groups(told)
            compare_stores(told)
        with sessions() as session:
            for table in (StoreProfile, StoreCategory, CategoryProfile):
                assert session.scalar(select(func.count(table.run_id.distinct()))) == 1


class TestARunThatWasServedBefore:
    def test_is_left_as_it_is(self, sessions, tmp_path, town):  # noqa: F811
        run_all(sessions, tmp_path, DAY)
        assert compare_stores(shift(sessions, tmp_path)) == {"served_before": True}

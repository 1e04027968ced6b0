"""The night's analysis on a real database: a made-up town with two kinds of shopping trips."""

import json
import random
from datetime import date, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, text, update

from basket_analysis.analysis_runs import (
    NoRunUnderWay,
    begin_run,
    group_of_members,
    read_served,
    serve_run,
    store_groups,
)
from basket_analysis.assortment.jobs import suggest_assortment
from basket_analysis.assortment.store_jobs import compare_stores
from basket_analysis.groups.jobs import form_groups
from basket_analysis.groups.lists import group_of_run
from basket_analysis.groups.profile_jobs import describe_groups
from basket_analysis.groups.quality_jobs import measure_quality
from basket_analysis.jobs import mine_rules
from basket_analysis.models import (
    AnalysisRun,
    GroupProfile,
    MinedRule,
    RunQuality,
    ServedRun,
    ShopperGroup,
    Suggestion,
)
from basket_analysis.served_commands import list_groups, show_assortment, show_group
from basket_analysis.verification import CHECKS
from core.commandline import Workplace
from core.ids import uuid7
from core.jobs import Shift
from core.progress import silent
from core.verification import verify
from customers.models import Member
from sales.models import Receipt
from tests.basket_analysis.shop_made import NOW, Shop

DAY = date(2026, 11, 15)
BAKING = ("FLOUR", "SUGAR", "YEAST")
BREAKFAST = ("COFFEE", "ROLLS", "BUTTER")
FILLERS = ("SOAP", "PAPER", "WATER", "SALT", "RICE", "TEA")
HOUSEHOLDS = 40
SEED = 4


def shift(sessions, tmp_path, day=DAY):
    return Shift(sessions, tmp_path, day, NOW, silent)


@pytest.fixture
def town(sessions):
    """Forty members with fifteen baskets each: the first half bakes, the others have breakfast; one has two baskets."""
    chance = random.Random(SEED)
    with sessions.begin() as session:
        shop = Shop(session)
        articles = {
            name: shop.article(name, category=name, kind=name) for name in (*BAKING, *BREAKFAST, *FILLERS)
        }
        members = [shop.member(f"m{number:02}") for number in range(HOUSEHOLDS)]
        for number, member in enumerate(members):
            trip = BAKING if number < HOUSEHOLDS // 2 else BREAKFAST
            for week in range(15):
                theme = chance.sample(trip, 2) if chance.random() < 0.95 else []
                basket = [*theme, *chance.sample(FILLERS, 4 - len(theme))]
                shop.receipt(
                    DAY - timedelta(days=7 * week),
                    [(articles[name], 1, 500) for name in basket],
                    member=member,
                )
        newcomer = shop.member("newcomer")
        for _ in range(2):
            shop.receipt(DAY, [(articles["SOAP"], 1, 500)], member=newcomer)
        objector = shop.member("objector", profiling_objected_at=NOW)
        shop.receipt(DAY, [(articles["SOAP"], 1, 500)], member=objector)
        shop.write()
        idle = shop.member("idle")
        firm = shop.member("firm", company_id="27074358")
    return {"members": members, "newcomer": newcomer, "objector": objector, "idle": idle, "firm": firm}


def run_all(sessions, tmp_path, day=DAY):
    told = shift(sessions, tmp_path, day)
    return mine_rules(told), form_groups(told), suggest_assortment(told)


class TestTheAnalysis:
    def test_finds_the_trips_and_who_goes_on_them(self, sessions, tmp_path, town):
        mined, formed, _ = run_all(sessions, tmp_path)
        assert (mined["themes"], formed["groups"], formed["in_a_group"]) == (2, 2, HOUSEHOLDS)
        with sessions() as session:
            served = read_served(session)
            themes = dict(
                session.execute(
                    select(ShopperGroup.group_id, ShopperGroup.items).where(ShopperGroup.kind == "theme")
                ).all()
            )
        trips = [set(themes[served.groups[member]]) for member in town["members"]]
        assert trips == [set(BAKING)] * 20 + [set(BREAKFAST)] * 20

    def test_puts_every_eligible_member_into_exactly_one_group(self, sessions, tmp_path, town):
        run_all(sessions, tmp_path)
        with sessions() as session:
            groups = read_served(session).groups
            sizes = session.scalar(select(func.sum(ShopperGroup.members)))
        assert set(groups) == {*town["members"], town["newcomer"], town["idle"]}
        assert groups[town["newcomer"]] == groups[town["idle"]] == "new"
        assert sizes == len(groups)

    def test_keeps_the_promises_about_served_groups(self, sessions, tmp_path, town):
        run_all(sessions, tmp_path)
        assert all(verdict.ok for verdict in verify(sessions, CHECKS))

    def test_defines_groups_by_rules_with_evidence(self, sessions, tmp_path, town):
        run_all(sessions, tmp_path)
        with sessions() as session:
            rules = session.scalars(select(MinedRule).where(MinedRule.level == "category")).all()
        tied = {frozenset((*rule.antecedent, *rule.consequent)) for rule in rules if rule.group_id}
        assert {frozenset(BAKING[:2]), frozenset(BREAKFAST[:2])} <= tied
        assert all(rule.count >= 20 and rule.households >= 20 and rule.adjusted_lift >= 1.2 for rule in rules)

    def test_says_how_many_stayed_and_keeps_identity_and_colour(self, sessions, tmp_path, town):
        run_all(sessions, tmp_path)
        first = self._themes(sessions)
        _, formed, _ = run_all(sessions, tmp_path, DAY + timedelta(days=1))
        assert formed["moved"] == 0
        assert self._themes(sessions) == {key: (*kept[:2], 20) for key, kept in first.items()}

    def _themes(self, sessions):
        with sessions() as session:
            rows = session.execute(
                select(
                    ShopperGroup.group_id, ShopperGroup.name, ShopperGroup.colour, ShopperGroup.kept_members
                )
                .join(ServedRun, ServedRun.run_id == ShopperGroup.run_id)
                .where(ShopperGroup.kind == "theme")
            )
            return {row.group_id: (row.name, row.colour, row.kept_members) for row in rows}

    def test_finds_themes_anew_when_a_week_has_passed(self, sessions, tmp_path, town):
        for days in (0, 6, 7):
            run_all(sessions, tmp_path, DAY + timedelta(days=days))
            with sessions() as session:
                fitted = read_served(session).parameters["fitted_on"]
            assert fitted == (DAY + timedelta(days=7 if days == 7 else 0)).isoformat()

    def test_is_quiet_in_a_chain_without_sales(self, sessions, tmp_path):
        mined, formed, suggested = run_all(sessions, tmp_path)
        assert (mined["rules"], formed["members"], suggested["suggestions"]) == (0, 0, 0)
        with sessions() as session:
            assert read_served(session).groups == {}

    def test_suggests_for_stores_with_enough_baskets_and_for_no_others(self, sessions, tmp_path, town):
        _, _, suggested = run_all(sessions, tmp_path)
        with sessions() as session:
            identified = session.scalar(select(func.count()).where(Receipt.member_id.is_not(None)))
            rows = session.scalars(select(Suggestion)).all()
        assert identified >= 500
        assert suggested["stores"] == 1
        assert {row.kind for row in rows} >= {"keep", "delist"}
        assert all(row.low <= row.value_per_week <= row.high and row.households >= 30 for row in rows)


class TestWhatIsServed:
    """The command line on it; tests of commands alone would need the same town."""

    @pytest.fixture
    def told(self, sessions, tmp_path, town, database_url):
        run_all(sessions, tmp_path)
        workplace = Workplace(tmp_path, database_url)

        def tell(command, *arguments):
            return CliRunner().invoke(command, arguments, obj=workplace)

        yield tell
        workplace.close()

    def test_is_listed_group_by_group(self, told):
        groups = json.loads(told(list_groups, "--json").stdout)["groups"]
        assert [group["members"] for group in groups] == [20, 20, None, None]
        assert [group["baskets"] is None for group in groups] == [False, False, True, True]
        assert told(list_groups).stdout.count("members") == 4

    def test_says_of_nobody_that_they_are_few(self, told, sessions):
        assert "few members" in told(list_groups).stdout
        assert json.loads(told(show_group, "new", "--json").stdout)["members"] is None
        assert "few members" in told(show_group, "new").stdout
        assert "fewer than ten baskets" in told(show_group, "new").stdout
        with sessions.begin() as session:
            session.execute(update(MinedRule).values(households=9))
        assert json.loads(told(show_group, "t1", "--json").stdout)["rules"] == []

    @pytest.mark.parametrize(
        ("members", "kept", "shares"),
        [(20, 10, (0.5, None)), (20, 20, (1.0, None)), (20, 17, (None, 0.55)), (20, 9, (None, None))],
    )
    def test_says_of_no_few_that_they_came_or_stayed(self, told, sessions, members, kept, shares):
        with sessions.begin() as session:
            session.execute(
                update(ShopperGroup)
                .where(ShopperGroup.group_id == "t1")
                .values(members=members, kept_members=kept)
            )
            run = session.scalar(select(ServedRun.run_id))
            group = group_of_run(session, run_id=run, group_id="t1")
        assert (group.kept, group.kept_at_least) == shares
        assert json.loads(told(show_group, "t1", "--json").stdout)["kept"] == shares[0]

    def test_is_shown_with_the_rules_of_a_group(self, told):
        shown = json.loads(told(show_group, "t1", "--json").stdout)
        assert {
            item for rule in shown["rules"] for item in (*rule["antecedent"], *rule["consequent"])
        } <= set(shown["items"])
        assert "times more often than by chance" in told(show_group, "t1").stdout
        first, last = told(show_group, "t1", "--rules", "0").stdout.splitlines()
        assert first.endswith("20 members")
        assert last == f"and {len(shown['rules'])} more rules (--rules {len(shown['rules'])})"

    def test_is_listed_with_its_night_and_with_one_that_was_refused_since(self, told, sessions):
        quiet = told(list_groups)
        assert quiet.stdout.startswith(f"found in the night of {DAY};")
        assert quiet.stderr == ""
        with sessions.begin() as session:
            served = session.get_one(AnalysisRun, session.scalar(select(ServedRun.run_id)))
            run_id = uuid7()
            session.add(
                AnalysisRun(
                    run_id=run_id,
                    business_day=DAY + timedelta(days=1),
                    state="refused",
                    started_at=served.started_at,
                    parameters={},
                    inputs={},
                    timings={},
                    version=served.version,
                )
            )
            session.flush()
            session.add(
                RunQuality(
                    run_id=run_id, verdict="refused", reasons=[], figures={}, measured_at=served.started_at
                )
            )
        said = told(list_groups).stderr
        assert said.startswith(f"the groups of {DAY + timedelta(days=1)} were refused")

    def test_is_shown_as_suggestions_of_a_store(self, told, sessions):
        shown = json.loads(told(show_assortment, "S1", "--json").stdout)["suggestions"]
        with sessions() as session:
            assert len(shown) == session.scalar(select(func.count(Suggestion.suggestion_id)))
        said = told(show_assortment, "S1").stdout.splitlines()
        heads = [line for line in said if not line.startswith(" ")]
        assert len(heads) == len({one["kind"] for one in shown})
        assert all("a week" in head for head in heads)
        of_lists = sum(one["kind"] == "list" for one in shown)
        assert sum("households buy it in other stores" in line for line in said) == of_lists

    @pytest.mark.parametrize(("command", "argument"), [(show_group, "t99"), (show_assortment, "S99")])
    def test_is_refused_where_there_is_nothing_of_the_name(self, told, command, argument):
        refusal = told(command, argument)
        assert (refusal.exit_code, refusal.stdout) == (2, "")


class TestARunUnderWay:
    def test_is_not_served_before_its_last_step(self, sessions, tmp_path, town):
        run_all(sessions, tmp_path)
        with sessions() as session:
            before = session.scalar(select(ServedRun.run_id))
        following = shift(sessions, tmp_path, DAY + timedelta(days=1))
        for step in (mine_rules, form_groups):
            step(following)
            with sessions() as session:
                assert session.scalar(select(ServedRun.run_id)) == before
        suggest_assortment(following)
        with sessions() as session:
            assert session.scalar(select(ServedRun.run_id)) != before

    def test_is_the_same_when_every_step_runs_twice(self, sessions, tmp_path, town):
        told = shift(sessions, tmp_path)
        for step in (mine_rules, mine_rules, form_groups, form_groups):
            step(told)
        with sessions() as session:
            run_id = session.scalar(select(AnalysisRun.run_id))
            assert session.scalar(select(func.count(AnalysisRun.run_id))) == 1
            assert len(group_of_members(session, run_id=run_id)) == HOUSEHOLDS + 2
        suggest_assortment(told)
        assert all(verdict.ok for verdict in verify(sessions, CHECKS))

    def test_is_the_same_when_every_step_is_taken_up_by_another_process(self, sessions, tmp_path, town):
        """What the year sold is then read by each of them instead of once."""
        found = []
        for day in (DAY, DAY + timedelta(days=1)):
            one_process = shift(sessions, tmp_path, day)
            steps = (mine_rules, form_groups, measure_quality, describe_groups, compare_stores)
            told = [
                step(one_process if day == DAY else shift(sessions, tmp_path, day))
                for step in (*steps, suggest_assortment)
            ]
            with sessions() as session:
                run_id = session.scalar(select(AnalysisRun.run_id).where(AnalysisRun.business_day == day))
                profiles = dict(
                    session.execute(
                        select(GroupProfile.group_id, GroupProfile.figures).where(
                            GroupProfile.run_id == run_id
                        )
                    ).all()
                )
                suggested = session.execute(
                    select(Suggestion.kind, Suggestion.article_id, Suggestion.value_per_week)
                    .where(Suggestion.run_id == run_id)
                    .order_by(Suggestion.kind, Suggestion.rank)
                ).all()
                groups = group_of_members(session, run_id=run_id)
            found.append((told[0]["baskets"], told[1]["members"], groups, profiles.keys(), suggested))
        assert found[0] == found[1]

    def test_has_nobody_in_it_who_objected_since_the_year_was_read(self, sessions, tmp_path, town):
        told = shift(sessions, tmp_path)
        mine_rules(told)
        objector = town["members"][0]
        with sessions.begin() as session:
            session.execute(
                update(Member).where(Member.member_id == objector).values(profiling_objected_at=NOW)
            )
        form_groups(told)
        with sessions() as session:
            groups = group_of_members(session, run_id=session.scalar(select(AnalysisRun.run_id)))
        assert objector not in groups
        assert set(town["members"][1:]) <= set(groups)

    def test_is_wanted_before_groups_are_formed(self, sessions, tmp_path):
        with pytest.raises(NoRunUnderWay):
            form_groups(shift(sessions, tmp_path))

    def test_leaves_the_sizes_of_old_groups_but_not_their_members(self, sessions, tmp_path, town):
        run_all(sessions, tmp_path)
        with sessions.begin() as session:
            for day in range(1, 16):
                run_id = begin_run(
                    session,
                    business_day=DAY + timedelta(days=day),
                    now=NOW,
                    version="",
                    parameters={},
                    inputs={},
                )
                group = {
                    "group_id": "t1",
                    "kind": "theme",
                    "name": "",
                    "items": [],
                    "members": 1,
                    "baskets": 1,
                }
                group |= {"colour": 0, "detail": {}}
                member = {"member_id": town["idle"], "group_id": "t1", "baskets": 1}
                store_groups(session, run_id=run_id, groups=[group], members=[member])
                serve_run(session, run_id=run_id, now=NOW)
        with sessions() as session:
            runs = session.scalar(text("select count(distinct run_id) from group_membership"))
            assert runs == 14 + 1, "the last ones, and the last one of the week before them"
            assert session.scalar(text("select count(distinct run_id) from shopper_group")) == 16

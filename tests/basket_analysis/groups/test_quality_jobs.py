"""The gate before serving, on a real database: what is too bad stays out, and the next good night is served again."""

import json
from datetime import timedelta
from random import Random

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from basket_analysis.analysis_runs import read_served, run_under_way
from basket_analysis.assortment.jobs import suggest_assortment
from basket_analysis.groups.answer_commands import serve_refused, show_quality
from basket_analysis.groups.edit_operations import set_minimum_size, undo_edit
from basket_analysis.groups.jobs import form_groups
from basket_analysis.groups.quality_jobs import measure_quality
from basket_analysis.groups.quality_lists import quality_of_runs, refused_since_served
from basket_analysis.jobs import mine_rules
from basket_analysis.models import AnalysisRun, MinedRule, RunQuality, ServedRun
from basket_analysis.verification import CHECKS
from core.commandline import Workplace
from core.models import AuditEvent
from core.verification import verify
from customers.models import GroupMembership
from tests.basket_analysis.shop_made import NOW
from tests.basket_analysis.town_made import DAY, build_town, shift

SEED = 7


@pytest.fixture
def town(sessions):
    with sessions.begin() as session:
        return build_town(session)


def night(sessions, folder, day, *, spoil=None):
    """Run the analysis of a day; `spoil` may change what form_groups wrote."""
    told = shift(sessions, folder, day)
    mine_rules(told)
    form_groups(told)
    if spoil:
        spoil(sessions, day)
    return measure_quality(told), suggest_assortment(told)


def shuffle(sessions, day):
    """Give every member somebody else's group."""
    with sessions.begin() as session:
        run_id = run_under_way(session, business_day=day).run_id
        rows = session.execute(
            select(GroupMembership.member_id, GroupMembership.group_id)
            .where(GroupMembership.run_id == run_id)
            .order_by(GroupMembership.member_id)
        ).all()
        groups = [row.group_id for row in rows]
        Random(SEED).shuffle(groups)
        for row, group in zip(rows, groups, strict=True):
            session.execute(
                update(GroupMembership)
                .where(GroupMembership.run_id == run_id, GroupMembership.member_id == row.member_id)
                .values(group_id=group)
            )


def served_day(sessions):
    with sessions() as session:
        return read_served(session).business_day


class TestMeasureQuality:
    def test_keeps_a_bad_run_out_and_lets_the_next_good_night_in_again(
        self, sessions, tmp_path, town, publish, database_url
    ):
        publish(f"groups shuffled with seed {SEED}")
        first, _ = night(sessions, tmp_path, DAY)
        assert (first["verdict"], first["agreement"], "notice" in first) == ("good", None, False)
        groups = read_groups(sessions)

        bad, suggested = night(sessions, tmp_path, DAY + timedelta(days=1), spoil=shuffle)
        assert (bad["verdict"], suggested["served"]) == ("refused", False)
        assert {reason["code"] for reason in bad["reasons"]} >= {"agreement", "churn"}
        assert "are not served" in bad["notice"]
        assert (served_day(sessions), read_groups(sessions)) == (DAY, groups)
        with sessions() as session:
            states = dict(session.execute(select(AnalysisRun.business_day, AnalysisRun.state)).all())
            notice = refused_since_served(session)
        assert states == {DAY: "completed", DAY + timedelta(days=1): "refused"}
        assert notice.business_day == DAY + timedelta(days=1)
        assert all(verdict.ok for verdict in verify(sessions, CHECKS))
        # Whoever died before the last step was noted runs it again.
        assert suggest_assortment(shift(sessions, tmp_path, DAY + timedelta(days=1))) == {
            "served_before": True
        }
        assert served_day(sessions) == DAY

        good, suggested = night(sessions, tmp_path, DAY + timedelta(days=2))
        assert (good["verdict"], suggested["served"]) == ("good", True)
        assert (good["agreement"], served_day(sessions)) == (1.0, DAY + timedelta(days=2))
        with sessions() as session:
            assert refused_since_served(session) is None
            parameters = read_served(session).parameters
            history = [(run.business_day, run.verdict, run.state) for run in quality_of_runs(session)]
        assert parameters["fitted_because"] == "refused"
        assert history == [
            (DAY + timedelta(days=2), "good", "completed"),
            (DAY + timedelta(days=1), "refused", "refused"),
            (DAY, "good", "completed"),
        ]
        workplace = Workplace(tmp_path, database_url)
        told = CliRunner().invoke(show_quality, (), obj=workplace).stdout
        assert ("refused" in told, "agreement" in told) == (True, True)
        runs = json.loads(CliRunner().invoke(show_quality, ("--json",), obj=workplace).stdout)["runs"]
        assert [run["verdict"] for run in runs] == ["good", "refused", "good"]
        workplace.close()

    def test_leaves_it_to_a_person_to_let_a_refused_run_through(self, sessions, tmp_path, town, database_url):
        night(sessions, tmp_path, DAY)
        later = DAY + timedelta(days=1)
        night(sessions, tmp_path, later, spoil=shuffle)
        workplace = Workplace(tmp_path, database_url)

        def serve(day):
            asked = (f"{day}", "--reason", "we moved all shelves", "--json")
            return CliRunner().invoke(serve_refused, asked, obj=workplace)

        assert (serve(DAY).exit_code, served_day(sessions)) == (2, DAY), "it was never refused"
        served = serve(later)
        assert (served.exit_code, served_day(sessions)) == (0, later)
        with sessions() as session:
            assert refused_since_served(session) is None
            (last, _first) = quality_of_runs(session)
            assert (last.state, last.verdict) == ("completed", "refused")
            told = session.scalars(
                select(AuditEvent.detail).where(AuditEvent.action == "analysis.let_through")
            )
            assert [detail["reason"] for detail in told] == ["we moved all shelves"]
        assert serve(later).exit_code == 2, "once is enough"
        assert all(verdict.ok for verdict in verify(sessions, CHECKS))
        workplace.close()

    def test_lets_groups_change_as_their_smallest_size_does(self, sessions, tmp_path, town):
        night(sessions, tmp_path, DAY)
        with sessions.begin() as session:
            edit = set_minimum_size(session, members=41, actor="mara", now=NOW)
        folded, suggested = night(sessions, tmp_path, DAY + timedelta(days=1))
        assert (folded["verdict"], suggested["served"]) == ("good", True)
        with sessions.begin() as session:
            undo_edit(session, edit_id=edit, actor="mara", now=NOW)
        formed, suggested = night(sessions, tmp_path, DAY + timedelta(days=2))
        assert (formed["verdict"], suggested["served"]) == ("good", True)
        bad, _ = night(sessions, tmp_path, DAY + timedelta(days=3), spoil=shuffle)
        assert bad["verdict"] == "refused", "nothing was edited since"

    def test_says_that_an_earlier_day_is_not_served(self, sessions, tmp_path, town):
        night(sessions, tmp_path, DAY)
        groups = read_groups(sessions)
        measured, suggested = night(sessions, tmp_path, DAY - timedelta(days=1))
        assert f"those of {DAY}, a later day, stay" in measured["notice"]
        assert suggested["served"] is False
        assert (served_day(sessions), read_groups(sessions)) == (DAY, groups)
        assert all(verdict.ok for verdict in verify(sessions, CHECKS))

    def test_leaves_alone_what_was_served_before(self, sessions, tmp_path, town):
        night(sessions, tmp_path, DAY)
        assert measure_quality(shift(sessions, tmp_path)) == {"served_before": True}

    @pytest.mark.parametrize("spoil", [None, shuffle], ids=["served", "refused"])
    def test_of_a_later_day_gives_up_what_was_left_unfinished(self, sessions, tmp_path, town, spoil):
        night(sessions, tmp_path, DAY)
        left = shift(sessions, tmp_path, DAY + timedelta(days=1))
        mine_rules(left)
        form_groups(left)
        with sessions() as session:
            unfinished = run_under_way(session, business_day=left.business_day).run_id
        night(sessions, tmp_path, DAY + timedelta(days=2), spoil=spoil)
        with sessions() as session:
            run = session.get(AnalysisRun, unfinished)
            assert (run.state, run.finished_at) == ("failed", NOW)
            for table in (GroupMembership, MinedRule):
                assert not session.scalars(select(table.run_id).where(table.run_id == unfinished)).all()
        for step in (form_groups, measure_quality, suggest_assortment):
            assert step(left) == {"served_before": True}
        # Begun anew it is analysed, and served unless what is served is later.
        _, suggested = night(sessions, tmp_path, left.business_day)
        assert suggested["served"] is (spoil is shuffle)

    def test_may_run_again_and_says_the_same(self, sessions, tmp_path, town):
        told = shift(sessions, tmp_path)
        mine_rules(told)
        form_groups(told)
        assert measure_quality(told) == measure_quality(told)
        with sessions() as session:
            assert len(session.scalars(select(RunQuality)).all()) == 1

    def test_has_themes_found_anew_after_a_night_that_saw_them_drift(self, sessions, tmp_path, town):
        night(sessions, tmp_path, DAY)
        with sessions.begin() as session:
            session.execute(update(RunQuality).values(verdict="drifting"))
        night(sessions, tmp_path, DAY + timedelta(days=1))
        with sessions() as session:
            parameters = read_served(session).parameters
        assert parameters["fitted_because"] == "drifting"
        assert parameters["fitted_on"] == (DAY + timedelta(days=1)).isoformat()

    def test_finds_themes_anew_and_compares_nothing_after_an_update_that_follows_them_otherwise(
        self, sessions, tmp_path, town
    ):
        night(sessions, tmp_path, DAY)
        with sessions.begin() as session:
            run = session.scalars(select(AnalysisRun)).one()
            themes = run.parameters["themes"]
            settings = {**themes["settings"], "profiles": {"rounds": 2}}
            run.parameters = {**run.parameters, "themes": {**themes, "settings": settings}}
        measured, _ = night(sessions, tmp_path, DAY + timedelta(days=1), spoil=shuffle)
        with sessions() as session:
            latest = session.scalars(select(AnalysisRun).order_by(AnalysisRun.business_day.desc())).first()
            assert latest.parameters["fitted_because"] == "old"
        assert {reason["code"] for reason in measured["reasons"]}.isdisjoint({"agreement", "churn"})

    def test_lets_an_empty_chain_through(self, sessions, tmp_path):
        measured, suggested = night(sessions, tmp_path, DAY)
        assert (measured["verdict"], measured["eligible"], suggested["served"]) == ("good", 0, True)


def read_groups(sessions):
    with sessions() as session:
        run_id = session.scalar(select(ServedRun.run_id))
        return dict(
            session.execute(
                select(GroupMembership.member_id, GroupMembership.group_id).where(
                    GroupMembership.run_id == run_id
                )
            ).all()
        )

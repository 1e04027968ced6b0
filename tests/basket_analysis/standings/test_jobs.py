"""Phases, value classes and moves on a real database."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text, update

from basket_analysis.analysis_runs import KEPT_RUNS, begin_run, serve_run, store_groups
from basket_analysis.models import AnalysisRun, RunQuality
from basket_analysis.standings.commands import show_member, show_phases
from basket_analysis.standings.jobs import HABITS_DAYS, judge_members
from basket_analysis.verification import CHECKS
from contacts.queries import contacts_of_member
from core.commandline import Workplace
from core.jobs import Shift
from core.progress import silent
from core.verification import verify
from customers.models import Consent, Member, MemberStanding
from customers.standings import NoStanding, StandingView, standing_of, standing_of_code
from sales.models import Article, Receipt
from tests.basket_analysis.shop_made import NOW, Shop

DAY = date(2026, 11, 15)
FIRST = DAY - timedelta(days=420)


@dataclass
class Town:
    sessions: object
    data: object
    shop: Shop
    tea: int
    members: dict[str, UUID]

    def buys(self, code: str, days, price: int = 1_000, **more) -> list[UUID]:
        return [
            self.shop.receipt(day, [(self.tea, 1, price, 1)], member=self.members[code], **more)
            for day in days
        ]

    def write(self) -> None:
        with self.sessions.begin() as session:
            self.shop.session = session
            self.shop.write()
            session.execute(
                text(
                    "update receipt set payable_amount = (select sum(total_amount) from receipt_line as line"
                    " where line.business_date = receipt.business_date and line.receipt_id = receipt.receipt_id)"
                    " where payable_amount = 0"
                )
            )

    def night(self, day=DAY, *, brought=None, serve=True, judged=1) -> UUID:
        with self.sessions.begin() as session:
            run_id = begin_run(session, business_day=day, now=NOW, version="1", parameters={}, inputs={})
            store_groups(session, run_id=run_id, groups=[], members=[])
        for _ in range(judged):
            judge_members(
                Shift(self.sessions, self.data, day, NOW, silent), brought=lambda _session: brought or {}
            )
        if serve:
            with self.sessions.begin() as session:
                serve_run(session, run_id=run_id, now=NOW)
        return run_id

    def standing(self, run_id: UUID, code: str) -> StandingView | None:
        with self.sessions() as session:
            return standing_of(session, member_id=self.members[code], run_id=run_id)

    def moves(self, code: str) -> list[tuple[str, str, str]]:
        with self.sessions() as session:
            events = contacts_of_member(session, member_id=self.members[code])
        return [(event.kind, event.detail["from"], event.detail["to"]) for event in events]


def every(gap: int, *, until: date = DAY, since: date = FIRST) -> list[date]:
    return [since + timedelta(days=days) for days in range(0, (until - since).days + 1, gap)]


@pytest.fixture
def town(sessions, tmp_path):
    """A town in which some people shop all the time, so that time passes, and others as their names say."""
    with sessions.begin() as session:
        shop = Shop(session)
        tea = shop.article("tea")
        codes = ("busy0", "busy1", "busy2", "weekly", "monthly", "newcomer", "idle", "objector", "firm")
        more = {"objector": {"profiling_objected_at": NOW}, "firm": {"company_id": "27074358"}}
        members = {code: shop.member(code, **more.get(code, {})) for code in codes}
        session.execute(
            update(Member).where(Member.member_code == "newcomer").values(joined_on=DAY - timedelta(days=20))
        )
    town = Town(sessions, tmp_path, shop, tea, members)
    for number in range(3):
        town.buys(f"busy{number}", every(3))
    town.buys("weekly", every(7, until=DAY - timedelta(days=50)))
    town.buys("monthly", every(30, until=DAY - timedelta(days=50)))
    town.buys("newcomer", [DAY - timedelta(days=20), DAY - timedelta(days=5)])
    town.buys("objector", every(7))
    town.buys("firm", every(7))
    town.write()
    return town


class TestStandings:
    def test_judge_the_same_silence_by_each_one_s_rhythm(self, town: Town):
        run = town.night()
        assert town.standing(run, "weekly").phase == "lost"
        assert town.standing(run, "monthly").phase == "peak"
        assert town.standing(run, "busy0").phase == "peak"
        assert town.standing(run, "newcomer").phase == "new"
        assert town.standing(run, "newcomer").phase_since == DAY - timedelta(days=20)

    def test_leave_out_companies_and_those_who_object(self, town: Town):
        run = town.night()
        with town.sessions() as session:
            seen = set(session.scalars(select(MemberStanding.member_id)))
        assert seen == {member for code, member in town.members.items() if code not in {"objector", "firm"}}
        with town.sessions() as session, pytest.raises(NoStanding):
            standing_of_code(session, member_code="objector", run_id=run)

    @pytest.mark.parametrize("change", [{"profiling_objected_at": NOW}, {"company_id": "27074358"}])
    def test_are_told_no_more_of_who_objects_or_becomes_a_company(self, town: Town, change):
        town.night(DAY - timedelta(days=45))
        run = town.night()
        assert town.moves("weekly")
        with town.sessions.begin() as session:
            session.execute(update(Member).where(Member.member_code == "weekly").values(**change))
        assert town.standing(run, "weekly") is None
        assert town.moves("weekly") == []
        with town.sessions() as session, pytest.raises(NoStanding):
            standing_of_code(session, member_code="weekly", run_id=run)

    def test_are_kept_of_the_last_nights_only(self, town: Town):
        days = [DAY - timedelta(days=7 * weeks) for weeks in range(KEPT_RUNS + 3, -1, -1)]
        nights = [town.night(day) for day in days]
        with town.sessions() as session:
            assert set(session.scalars(select(MemberStanding.run_id))) == set(nights[-KEPT_RUNS:])

    def test_expect_of_a_year_what_the_last_one_brought(self, town: Town):
        run = town.night()
        busy = town.standing(run, "busy0")
        assert busy.financial == pytest.approx(365 / 3 * 1_000, rel=0.1)
        assert (busy.currency, busy.margin, busy.visits) == ("CZK", False, len(every(3)))
        assert town.standing(run, "weekly").financial < 0.5 * 52 * 1_000
        idle = town.standing(run, "idle")
        assert (idle.financial, idle.currency, idle.last_visit) == (0, None, None)

    def test_take_off_what_came_back_and_was_voided(self, town: Town):
        first, second, *_ = town.buys("idle", every(7, since=DAY - timedelta(days=70)))
        town.shop.receipt(
            DAY, [(town.tea, 1, 1_000, 1)], member=town.members["idle"], kind="return", of=first
        )
        town.shop.receipt(DAY, [(town.tea, 1, 1_000, 1)], member=town.members["idle"], kind="void", of=second)
        town.write()
        standing = town.standing(town.night(), "idle")
        assert standing.visits == 10
        unbroken = town.standing(town.night(DAY + timedelta(days=1)), "busy0")
        assert standing.financial < unbroken.financial

    def test_speak_of_margin_where_costs_are_known(self, town: Town):
        revenue = town.standing(town.night(), "busy0").financial
        with town.sessions.begin() as session:
            session.execute(update(Article).values(cost=700))
        standing = town.standing(town.night(DAY + timedelta(days=1)), "busy0")
        assert standing.margin
        assert standing.financial == pytest.approx(0.3 * revenue, rel=0.01)

    def test_count_what_is_told_and_whom_somebody_reaches(self, town: Town):
        member = town.members["busy0"]
        with town.sessions.begin() as session:
            session.execute(
                update(Member)
                .where(Member.member_id == member)
                .values(email="a@example.com", birth_date=date(1990, 1, 1))
            )
            for granted, minute in ((False, 1), (True, 2)):
                session.add(
                    Consent(
                        member_id=member, purpose="marketing", channel="email", granted=granted, text_version="1",
                        source="desk", recorded_at=NOW + timedelta(minutes=minute),
                    )
                )  # fmt: skip
            session.execute(
                update(Member)
                .where(Member.member_code == "busy1")
                .values(
                    account_id=select(Member.account_id).where(Member.member_id == member).scalar_subquery()
                )
            )
        standing = town.standing(town.night(brought={member: 2}), "busy0")
        assert (standing.told_profile, standing.told_consents, standing.informational) == (20, 5, 25)
        assert (standing.brought, standing.household, standing.reference_value) == (2, 1, 3)

    def test_are_written_once_however_often_the_step_runs(self, town: Town):
        run = town.night(judged=2)
        with town.sessions() as session:
            assert len(session.scalars(select(MemberStanding.member_id)).all()) == 7
        assert town.standing(run, "weekly").phase == "lost"

    def test_of_an_empty_house_are_none(self, sessions, tmp_path):
        town = Town(sessions, tmp_path, None, 0, {})
        town.night()
        with sessions() as session:
            assert session.scalars(select(MemberStanding.member_id)).all() == []

    def test_keep_the_promises(self, town: Town):
        run = town.night(serve=False)
        seen = [code for code in town.members if code not in {"objector", "firm"}]
        group = {
            "group_id": "new", "kind": "new", "name": "", "items": [], "members": len(seen), "baskets": 0,
            "kept_members": None, "colour": 0, "detail": {},
        }  # fmt: skip
        rows = [{"member_id": town.members[code], "group_id": "new", "baskets": 0} for code in seen]
        with town.sessions.begin() as session:
            store_groups(session, run_id=run, groups=[group], members=rows)
            serve_run(session, run_id=run, now=NOW)
        assert [verdict.examples for verdict in verify(town.sessions, CHECKS) if not verdict.ok] == []

    def test_go_by_the_same_habits_for_four_weeks(self, town: Town):
        def learnt(run_id: UUID) -> str:
            with town.sessions() as session:
                return session.scalar(select(AnalysisRun.parameters).where(AnalysisRun.run_id == run_id))[
                    "habits"
                ]["learnt_on"]

        assert learnt(town.night()) == DAY.isoformat()
        assert learnt(town.night(DAY + timedelta(days=HABITS_DAYS - 1))) == DAY.isoformat()
        later = DAY + timedelta(days=HABITS_DAYS)
        assert learnt(town.night(later)) == later.isoformat()


class TestMoves:
    EARLIER = DAY - timedelta(days=45)

    def test_are_written_when_a_run_is_served_and_once(self, town: Town):
        town.night(self.EARLIER)
        run = town.night()
        moved = [("phase", "peak", "lost")]
        assert [move for move in town.moves("weekly") if move[0] == "phase"] == moved
        assert town.moves("busy0") == []
        with town.sessions.begin() as session:
            serve_run(session, run_id=run, now=NOW)
        town.night(DAY + timedelta(days=1))
        assert [move for move in town.moves("weekly") if move[0] == "phase"] == moved

    def test_tell_since_when(self, town: Town):
        town.night(self.EARLIER)
        run = town.night()
        with town.sessions() as session:
            events = contacts_of_member(session, member_id=town.members["weekly"])
        event = next(event for event in events if event.kind == "phase")
        assert event.detail["since"] == town.standing(run, "weekly").phase_since.isoformat()
        assert (event.channel, event.direction) == ("analysis", "internal")

    def test_are_not_made_by_the_first_run_nor_by_one_that_is_not_served(self, town: Town):
        town.night()
        assert town.moves("weekly") == []
        town.night(DAY + timedelta(days=300), serve=False)
        assert town.moves("busy0") == []

    def test_are_not_made_anew_once_the_run_is_completed(self, town: Town):
        run = town.night()
        shift = Shift(town.sessions, town.data, DAY, NOW, silent)
        before = town.standing(run, "weekly")
        assert judge_members(shift, brought=lambda _session: {}) == {"served_before": True}
        assert town.standing(run, "weekly") == before

    def test_are_not_made_by_a_run_that_is_refused(self, town: Town):
        town.night(self.EARLIER)
        run = town.night(serve=False)
        with town.sessions.begin() as session:
            session.add(RunQuality(run_id=run, verdict="refused", reasons=[], figures={}, measured_at=NOW))
            session.flush()
            assert not serve_run(session, run_id=run, now=NOW)
        assert town.moves("weekly") == []

    def test_of_groups_are_written_too(self, town: Town):
        for day, group in ((self.EARLIER, "t1"), (DAY, "t2")):
            run = town.night(day, serve=False)
            with town.sessions.begin() as session:
                membership = {
                    "member_id": town.members["busy0"], "group_id": group, "strength": 3.0, "second_group_id": None,
                    "second_strength": None, "baskets": 20,
                }  # fmt: skip
                store_groups(session, run_id=run, groups=[], members=[membership])
                serve_run(session, run_id=run, now=NOW)
        assert town.moves("busy0") == [("group", "t1", "t2")]


class TestNightAfterNight:
    def test_nobody_moves_to_and_fro(self, town: Town):
        """Thirty nights in a row: whoever has not come goes on to fading or lost, or stays."""
        for days in range(30, 0, -1):
            town.night(DAY - timedelta(days=days))
        with town.sessions() as session:
            moved = session.execute(
                text("select member_id, detail ->> 'from', detail ->> 'to' from contact where kind = 'phase'")
            ).all()
        assert len(moved) == len(set(moved))
        assert len([move for move in moved if move[0] == town.members["monthly"]]) == 0

    def test_a_return_after_being_lost_is_won_back(self, town: Town):
        town.night()
        town.buys("weekly", [DAY + timedelta(days=1)])
        for number in range(3):
            town.buys(f"busy{number}", [DAY + timedelta(days=1)])
        town.write()
        run = town.night(DAY + timedelta(days=1))
        assert town.standing(run, "weekly").phase == "won_back"
        assert town.moves("weekly")[-1][0] in {"phase", "value_class"}
        assert ("phase", "lost", "won_back") in town.moves("weekly")

    def test_receipts_are_all_there_is(self, town: Town):
        """The night takes what happened up to its day, however late it is run."""
        early = town.night(DAY - timedelta(days=50))
        assert town.standing(early, "weekly").phase == "peak"
        with town.sessions() as session:
            days = session.scalar(
                select(Receipt.business_date).order_by(Receipt.business_date.desc()).limit(1)
            )
        assert days == DAY


class TestCommands:
    @pytest.fixture
    def tell(self, tmp_path, database_url):
        workplace = Workplace(tmp_path, database_url)

        def tell(command, *arguments):
            return CliRunner().invoke(command, arguments, obj=workplace)

        yield tell
        workplace.close()

    def test_show_a_member_with_the_reasons_and_the_history(self, town: Town, tell):
        town.night(TestMoves.EARLIER)
        town.night()
        shown = tell(show_member, "weekly").stdout
        assert shown.startswith("Lost since ")
        assert "Used to come about every 7 days." in shown
        assert "phase: peak -> lost" in shown
        told = json.loads(tell(show_member, "weekly", "--json").stdout)
        assert (told["phase"], told["value_class"]) == ("lost", "low")
        assert told["contacts"][-1]["detail"]["to"] in {"lost", "low"}

    def test_refuse_whom_the_run_does_not_see(self, town: Town, tell):
        assert tell(show_member, "weekly").exit_code == 2
        town.night()
        for code in ("objector", "firm", "nobody"):
            assert tell(show_member, code).exit_code == 2

    def test_count_by_phase_and_value_and_say_no_number_below_ten(self, town: Town, tell):
        town.night()
        assert "few" in tell(show_phases).stdout
        counts = json.loads(tell(show_phases, "--json").stdout)["members"]
        assert len(counts) == 24
        assert all(count["members"] is None or count["members"] == 0 for count in counts)
        assert tell(show_phases, "--group", "t1").exit_code == 0

"""Editions and copies on a real database, with files made by real child processes."""

from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update

from catalogs.jobs import due_catalogs, make_copies
from catalogs.making import AlreadyMaking
from catalogs.models import CatalogRun, Edition
from catalogs.opening import NothingServed, open_editions
from catalogs.runs.drafting import draft_run
from catalogs.runs.run import Recipe
from catalogs.runs.standing_orders import approve_order
from core.database import Sessions
from core.jobs import Shift
from core.progress import silent
from customers.models import Member
from sales.models import Article
from tests.catalogs.chain import DAY, GROUPS, NOW, Chain


class TestOpenEditions:
    def test_open_one_per_group_for_two_weeks_from_monday(self, chain: Chain):
        with chain.sessions.begin() as session:
            editions = open_editions(session, day=DAY, now=NOW)
        assert {edition.plan.group_id for edition in editions} == set(GROUPS)
        assert {(edition.valid_from, edition.valid_to) for edition in editions} == {
            (date(2026, 11, 23), date(2026, 12, 7))
        }

    @pytest.mark.parametrize(
        "words", [{"department": "Zdraví"}, {"type": "Těhotenské testy"}, {"type": "Tabák"}]
    )
    def test_plan_nothing_that_is_private_by_any_of_its_words(self, chain: Chain, words: dict[str, str]):
        private = chain.articles[0].article_id
        with chain.sessions.begin() as session:
            session.execute(update(Article).where(Article.article_id == private).values(**words))
            planned = {
                article
                for edition in open_editions(session, day=DAY, now=NOW)
                for page in edition.plan.pages
                for article in page.articles
            }
        assert planned
        assert private not in planned

    def test_stand_until_their_period_is_over(self, chain: Chain):
        with chain.sessions.begin() as session:
            first = open_editions(session, day=DAY, now=NOW)
            same = open_editions(session, day=DAY + timedelta(days=8), now=NOW)
            next_ones = open_editions(session, day=DAY + timedelta(days=15), now=NOW)
        assert same == first
        assert {edition.valid_from for edition in next_ones} == {date(2026, 12, 7)}

    def test_are_refused_before_there_are_groups(self, sessions: Sessions):
        with sessions.begin() as session, pytest.raises(NothingServed):
            open_editions(session, day=DAY, now=NOW)


@pytest.mark.usefixtures("at_home")
class TestMakeCopies:
    def test_archives_exactly_what_lies_on_disk(self, chain: Chain, tmp_path: Path):
        run = chain.make(tmp_path)
        copies = chain.copies()
        assert run.made == len(copies) == 12
        for copy in copies.values():
            content = (tmp_path / copy.path).read_bytes()
            assert sha256(content).digest() == copy.sha256
            assert len(content) == copy.size
            assert copy.pages >= 3
        assert len(list(tmp_path.rglob("*.pdf"))) == 12
        assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".pdf"}

    def test_covers_all_groups_with_any_first_part(self, chain: Chain, tmp_path: Path):
        assert chain.make(tmp_path, limit=3).by_group == {"none": 1, "t1": 1, "t2": 1}

    def test_makes_nothing_twice_and_goes_on_where_it_was(self, chain: Chain, tmp_path: Path):
        chain.make(tmp_path, limit=5)
        before = {code: (copy.copy_id, copy.sha256) for code, copy in chain.copies().items()}
        assert chain.make(tmp_path).made == 7
        after = {code: (copy.copy_id, copy.sha256) for code, copy in chain.copies().items()}
        assert before.items() <= after.items()
        assert chain.make(tmp_path).made == 0

    def test_writes_a_file_again_that_was_not_archived(self, chain: Chain, tmp_path: Path):
        chain.make(tmp_path, member_code="t1-1")
        other = tmp_path / "elsewhere"
        (other / "catalogs").mkdir(parents=True)
        lost = chain.copies()["t1-1"]
        (tmp_path / lost.path).replace(other / "kept.pdf")
        chain.make(tmp_path, member_code="t1-2")
        assert len(list(tmp_path.glob("catalogs/**/*.pdf"))) == 1
        assert not (tmp_path / lost.path).exists()

    def test_asks_every_member_before(self, chain: Chain, tmp_path: Path):
        chain.join("silent", "t1", consent=None)
        chain.join("by-mail", "t1", consent=("offers", "email"))
        chain.join("sms-only", "t1", consent=("offers", "sms"))
        chain.join("changed-mind", "t1")
        chain.decide("changed-mind", "catalog", "print", granted=False, at=NOW - timedelta(days=1))
        chain.join("objector", "t1")
        with chain.sessions.begin() as session:
            session.execute(
                update(Member).where(Member.member_code == "objector").values(profiling_objected_at=NOW)
            )
        chain.make(tmp_path)
        got = set(chain.copies())
        assert "by-mail" in got
        assert not got & {"silent", "sms-only", "changed-mind", "objector"}

    def test_says_what_each_pick_is_and_what_it_cost_last(self, chain: Chain, tmp_path: Path):
        chain.buy("t1-1", chain.articles[:1], DAY, price=2490)
        chain.make(tmp_path, member_code="t1-0")
        copy = chain.copies()["t1-0"]
        own = [pick for pick in copy.picks if pick["page"] == copy.pages]
        assert {pick["why"] for pick in own} == {"often", "new"}
        tea = next(pick for pick in own if pick["article_id"] == chain.articles[0].article_id)
        assert (tea["price"], tea["currency"], tea["listed"]) == (2490, "CZK", False)
        new = {pick["article_id"] for pick in own if pick["why"] == "new"}
        assert new == {article.article_id for article in chain.articles[10:]}

    def test_prefers_the_price_list(self, chain: Chain, tmp_path: Path):
        with chain.sessions.begin() as session:
            session.execute(update(Article).values(price=777))
        chain.make(tmp_path, member_code="t1-1")
        assert {(pick["price"], pick["listed"]) for pick in chain.copies()["t1-1"].picks} == {(777, True)}

    def test_offers_nobody_what_they_brought_back(self, chain: Chain, tmp_path: Path):
        chain.buy("t1-1", chain.articles[:1], DAY, kind="return")
        chain.make(tmp_path, member_code="t1-1")
        copy = chain.copies()["t1-1"]
        own = {pick["article_id"] for pick in copy.picks if pick["page"] == copy.pages}
        assert chain.articles[0].article_id not in own

    def test_offers_nobody_what_they_refused_on_any_page(self, chain: Chain, tmp_path: Path):
        chain.answer("t1-1", "never", chain.articles[0])
        chain.answer("t1-1", "wrong_product", chain.articles[1], scope="category")
        chain.make(tmp_path)
        refused = {article.article_id for article in chain.articles[:2]}
        shown = {code: {pick["article_id"] for pick in copy.picks} for code, copy in chain.copies().items()}
        assert shown["t1-1"]
        assert not shown["t1-1"] & refused
        assert shown["t1-2"] & refused

    def test_hears_a_refusal_until_the_file_is_made(self, chain: Chain, tmp_path: Path):
        chain.make(tmp_path, limit=1)
        (early,) = chain.copies()
        late = next(code for code in chain.members if code != early)
        chain.answer(late, "never", chain.articles[2])
        chain.make(tmp_path, member_code=late)
        assert chain.articles[2].article_id not in {pick["article_id"] for pick in chain.copies()[late].picks}

    def test_makes_no_copy_for_those_who_refuse_all_until_they_take_it_back(
        self, chain: Chain, tmp_path: Path
    ):
        chain.answer("t1-1", "never", None, scope="all")
        chain.make(tmp_path)
        assert set(chain.copies()) == set(chain.members) - {"t1-1"}
        chain.answer("t1-1", "accepted", None, scope="all")
        assert chain.make(tmp_path).made == 1

    def test_shows_nothing_that_was_not_sold_there_for_four_weeks(self, chain: Chain, tmp_path: Path):
        late = DAY + timedelta(days=40)
        run = make_copies(chain.sessions, data=tmp_path, day=late, now=NOW, workers=1)
        assert run.made == 0

    def test_keeps_what_was_archived_when_it_is_stopped(self, chain: Chain, tmp_path: Path):
        class StoppedError(Exception):
            pass

        def report(done: int, _total: int | None) -> None:
            if done:
                raise StoppedError

        with pytest.raises(StoppedError):
            chain.make(tmp_path, limit=4, report=report)
        assert len(chain.copies()) == 4
        assert chain.make(tmp_path).made == 8

    def test_is_done_by_one_process_at_a_time(self, chain: Chain, tmp_path: Path):
        def report(_done: int, _total: int | None) -> None:
            with pytest.raises(AlreadyMaking):
                chain.make(tmp_path)

        assert chain.make(tmp_path, limit=1, report=report).made == 1


@pytest.mark.usefixtures("at_home")
class TestDueCatalogs:
    def shift(self, chain: Chain, data: Path) -> Shift:
        return Shift(chain.sessions, data, DAY, NOW, silent)

    def order(self, chain: Chain, **parts) -> UUID:
        recipe = Recipe(
            "Every two weeks", "trh", "A4", ("print", "email"), DAY, DAY + timedelta(days=14), (), **parts
        )
        with chain.sessions.begin() as session:
            run_id = draft_run(session, recipe, day=DAY, actor="mara", now=NOW, standing=True)
            approve_order(session, run_id=run_id, actor="adam", now=NOW)
        return run_id

    def test_make_nothing_that_nobody_approved(self, chain: Chain, tmp_path: Path):
        assert due_catalogs(self.shift(chain, tmp_path))["copies"] == 0
        recipe = Recipe("Draft", "trh", "A4", ("print",), DAY, DAY + timedelta(days=14), ("t1",))
        with chain.sessions.begin() as session:
            draft_run(session, recipe, day=DAY, actor="mara", now=NOW)
        assert due_catalogs(self.shift(chain, tmp_path))["copies"] == 0

    def test_make_what_a_standing_order_asks_for_once(self, chain: Chain, tmp_path: Path):
        self.order(chain, hold_out=Decimal(0))
        assert due_catalogs(self.shift(chain, tmp_path))["copies"] == 12
        assert due_catalogs(self.shift(chain, tmp_path))["copies"] == 0
        with chain.sessions() as session:
            run = session.scalars(select(CatalogRun).where(CatalogRun.order_id.is_not(None))).one()
        assert (run.state, run.made_by, run.approved_by) == ("finished", "mara", "adam")
        assert (run.valid_from, run.valid_to) == (date(2026, 11, 23), date(2026, 12, 7))

    def test_stop_after_a_first_part_of_all_groups(self, chain: Chain, tmp_path: Path):
        self.order(chain, hold_out=Decimal(0), first_part=3)
        done = due_catalogs(self.shift(chain, tmp_path))
        assert done["by_group"] == {"none": 1, "t1": 1, "t2": 1}
        assert done["waiting"] == 9
        assert due_catalogs(self.shift(chain, tmp_path))["copies"] == 0

    def test_go_on_with_a_run_that_an_interrupted_night_began(self, chain: Chain, tmp_path: Path):
        self.order(chain, hold_out=Decimal(0))

        def report(done: int, _total: int | None) -> None:
            if done:
                raise MemoryError

        with pytest.raises(MemoryError):
            due_catalogs(Shift(chain.sessions, tmp_path, DAY, NOW, report))
        begun = len(chain.copies())
        assert due_catalogs(self.shift(chain, tmp_path))["copies"] == 12 - begun

    def test_has_nothing_to_do_before_there_are_groups(self, sessions: Sessions, tmp_path: Path):
        done = due_catalogs(Shift(sessions, tmp_path, DAY, NOW, silent))
        assert done == {"runs": 0, "copies": 0, "by_group": {}, "waiting": 0}
        with sessions() as session:
            assert session.scalars(select(Edition)).all() == []

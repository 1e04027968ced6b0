"""Runs of catalogs on screens: who may do what, and how a page of results is coloured."""

import re
from collections.abc import Iterator
from datetime import date
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from catalogs.models import CatalogHandover, CatalogProof, CatalogProofCopy, CatalogRun
from catalogs.runs.drafting import plan_draft
from catalogs.runs.lists import editions_in, handovers_of
from catalogs.runs.operations import HANDOVER_JOB
from catalogs.runs.results import Cell, PageResult
from core import clock
from core.job_runs import latest_runs, request_run
from core.models import JobRun
from customers.models import Member
from sales.models import Store
from web.screens.catalog_results import heat_rows, pages_chart

FIELDS = {
    "name": "Advent",
    "group_ids": "g1",
    "theme": "trh",
    "size": "A4",
    "channels": ["print", "email"],
    "first_day": "2026-11-30",
    "last_day": "2026-12-13",
    "hold_out": "10",
}


@pytest.fixture
def run_id(web_sessions, visit) -> UUID:
    answer = visit("marketing").post("/catalogs/runs/new", form=FIELDS, page="/catalogs/runs/new")
    assert answer.status_code in {302, 303}, answer.get_data(as_text=True)
    found = UUID(re.search(r"[0-9a-f-]{36}", answer.headers["Location"]).group())
    # As the scheduler's next look does.
    with web_sessions.begin() as session:
        plan_draft(session, run_id=found, day=clock.now().date(), now=clock.now())
    return found


def run_of(web_sessions, run_id: UUID) -> CatalogRun:
    with web_sessions() as session:
        return session.get_one(CatalogRun, run_id)


class TestNewRun:
    def test_drafts_an_edition_per_group(self, web_sessions, run_id):
        run = run_of(web_sessions, run_id)
        assert (run.state, run.name, run.valid_to) == ("draft", "Advent", date(2026, 12, 14))
        assert (run.group_ids, run.channels) == (["g1"], ["print", "email"])

    def test_says_at_the_field_what_is_wrong(self, visit):
        wrong = FIELDS | {"name": " ", "group_ids": [], "last_day": "2026-11-29", "hold_out": "x"}
        answer = visit("marketing").post("/catalogs/runs/new", form=wrong, page="/catalogs/runs/new")
        assert answer.status_code == 422
        page = answer.get_data(as_text=True)
        # All of it at once, what cannot be read and what can but is not allowed, each with its field to jump to.
        assert "There are 4 things to correct" in page
        for field, words in {
            "name": "Give it a name of up to 120 signs.",
            "group_ids": "Choose at least one group.",
            "last_day": "The last day comes after the first, at most three months later.",
            "hold_out": "Enter a share in percent.",
        }.items():
            assert f'<a href="#{field}">{words}</a>' in page
            assert f'id="{field}"' in page

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({"last_day": "9999-12-31"}, "Enter a day."),
            ({"size": "A3"}, "There is no such size."),
            ({"voucher_batches": ["NONE"]}, "Choose up to eight batches that exist."),
            ({"group_ids": ["g1", "gone"]}, "One of these groups is not there any more."),
        ],
    )
    def test_takes_nothing_that_is_not_there(self, visit, changed, words):
        wrong = FIELDS | {"name": ""} | changed
        answer = visit("marketing").post("/catalogs/runs/new", form=wrong, page="/catalogs/runs/new")
        assert answer.status_code == 422
        page = answer.get_data(as_text=True)
        assert "There are 2 things to correct" in page
        assert words in page

    @pytest.mark.parametrize(
        ("field", "typed", "words"),
        [
            ("hold_out", "NaN", "Enter a share in percent."),
            ("hold_out", "Infinity", "Enter a share in percent."),
            ("hold_out", "1e9999999", "Enter a share in percent."),
            ("first_part", "0", "Enter a whole number, 1 or more"),
            ("first_part", "99999999999", "Enter a whole number, 1 or more"),
            ("first_part", "9" * 5_000, "Enter a whole number, 1 or more"),
        ],
    )
    def test_takes_no_number_that_cannot_be_meant(self, visit, field, typed, words):
        answer = visit("marketing").post(
            "/catalogs/runs/new", form=FIELDS | {field: typed}, page="/catalogs/runs/new"
        )
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)

    def test_is_not_for_who_only_looks(self, visit):
        assert visit("analyst").get("/catalogs/runs/new").status_code == 403


class TestCountries:
    @pytest.fixture
    def abroad(self, house, web_sessions) -> Iterator[None]:
        """The first store in Czechia and the second in Poland, where złoty are paid."""
        was = {"S1": (None, "CZK"), "S2": (None, "CZK")}
        for places in ({"S1": ("CZ", "CZK"), "S2": ("PL", "PLN")}, was):
            with web_sessions.begin() as session:
                for code, (country, currency) in places.items():
                    session.execute(
                        update(Store)
                        .where(Store.store_code == code)
                        .values(country=country, currency=currency)
                    )
            if places is not was:
                yield

    @pytest.fixture
    def polish(self, abroad, web_sessions, visit) -> UUID:
        """A run for the readers in Poland, its pages planned."""
        answer = visit("marketing").post(
            "/catalogs/runs/new", form=FIELDS | {"countries": "PL"}, page="/catalogs/runs/new"
        )
        found = UUID(re.search(r"[0-9a-f-]{36}", answer.headers["Location"]).group())
        with web_sessions.begin() as session:
            plan_draft(session, run_id=found, day=clock.now().date(), now=clock.now())
        return found

    @pytest.mark.usefixtures("abroad")
    def test_can_be_chosen_where_stores_are(self, visit):
        page = visit("marketing").get("/catalogs/runs/new").text
        (choices,) = re.findall(r'<fieldset class="field" id="countries">.*?</fieldset>', page, re.DOTALL)
        assert re.findall(r'value="(\w+)"', choices) == ["CZ", "PL"]
        assert re.findall(r"<span>(\w+) <span class=\"soft\">1 store, (\w+)</span>", choices) == [
            ("Czechia", "CZK"),
            ("Poland", "PLN"),
        ]

    @pytest.mark.usefixtures("abroad")
    def test_are_refused_where_no_store_is(self, visit):
        answer = visit("marketing").post(
            "/catalogs/runs/new", form=FIELDS | {"countries": ["PL", "NL"]}, page="/catalogs/runs/new"
        )
        assert answer.status_code == 422
        assert '<a href="#countries">There is no store in one of these countries any more.</a>' in answer.text

    def test_are_said_on_every_screen_of_the_run(self, web_sessions, visit, polish):
        assert run_of(web_sessions, polish).countries == ["PL"]
        with web_sessions.begin() as session:
            (edition,) = editions_in(session, run_id=polish)
            session.add(
                CatalogProof(
                    catalog_run_id=polish,
                    number=1,
                    content={"run": {}, "editions": {}},
                    made_by="mara",
                    asked_at=clock.now(),
                    made_at=clock.now(),
                )
            )
            session.flush()
            session.add(
                CatalogProofCopy(
                    catalog_run_id=polish,
                    number=1,
                    place=0,
                    member_id=session.scalar(select(Member.member_id).limit(1)),
                    edition_id=edition.edition_id,
                    why=["language"],
                    language="pl",
                    path="proofs/none.pdf",
                    sha256=b"",
                    pages=8,
                    picks=[],
                )
            )
            session.get_one(CatalogRun, polish).proof = 1
        for address in (
            f"/catalogs/runs/{polish}",
            f"/catalogs/runs/{polish}/results/",
            f"/catalogs/editions/{edition.edition_id}/edit",
            f"/catalogs/runs/{polish}/proof/",
        ):
            assert "Only for Poland" in visit("marketing").get(address).text, address

    def test_are_not_spoken_of_where_a_run_goes_to_all(self, visit, run_id):
        page = visit("marketing").get(f"/catalogs/runs/{run_id}").text
        assert "All countries" in page
        assert "Only for" not in page


class TestApproval:
    def test_is_refused_to_the_maker_and_given_by_somebody_else(self, web_sessions, visit, run_id):
        page = f"/catalogs/runs/{run_id}"
        visit("marketing").post(f"{page}/proof", page=page)
        with web_sessions.begin() as session:
            run = session.get_one(CatalogRun, run_id)
            session.execute(
                CatalogRun.__table__.update()
                .where(CatalogRun.catalog_run_id == run_id)
                .values(state="proofed")
            )
            number = run.proof
        address = f"{page}/proof/{number}/approve"
        visit("marketing").post(address, page=page)
        assert run_of(web_sessions, run_id).state == "proofed"
        visit("administrator").post(address, page=page)
        run = run_of(web_sessions, run_id)
        assert (run.state, run.approved_by != run.made_by) == ("approved", True)

    def test_can_be_a_word_instead(self, web_sessions, visit, run_id):
        page = f"/catalogs/runs/{run_id}"
        with web_sessions.begin() as session:
            session.get_one(CatalogRun, run_id).state = "proofed"
        visit("administrator").post(f"{page}/proof/send-back", form={"comment": "Bigger prices"}, page=page)
        assert run_of(web_sessions, run_id).comment == "Bigger prices"
        assert "Bigger prices" in visit("marketing").get(page).get_data(as_text=True)


class TestScreens:
    def test_show_a_run_its_list_and_its_results(self, visit, run_id):
        reader = visit("auditor")
        for address in ("/catalogs/runs/", f"/catalogs/runs/{run_id}", f"/catalogs/runs/{run_id}/results/"):
            assert reader.get(address).status_code == 200, address

    def test_forget_what_was_said_once_it_is_done(self, visit, run_id):
        page, emptied = f"/catalogs/runs/{run_id}", '<div id="notices" hx-swap-oob="true"></div>'
        visitor = visit("marketing")
        assert emptied not in visitor.get(page).get_data(as_text=True)
        renewed = visitor.get(page, headers={"HX-Request": "true", "HX-Target": "catalog-run"})
        over = "every 2s" not in renewed.get_data(as_text=True)
        assert (emptied in renewed.get_data(as_text=True)) == over

    def test_ask_for_no_other_while_one_is_made(self, visit, run_id):
        page = f"/catalogs/runs/{run_id}"
        assert "Make a proof" in visit("marketing").get(page).get_data(as_text=True)
        visit("marketing").post(f"{page}/proof", page=page)
        assert f'action="{page}/proof"' not in visit("marketing").get(page).get_data(as_text=True)

    def test_say_of_a_chain_of_several_currencies_what_each_copy_shows(self, visit, run_id, web_sessions):
        page = f"/catalogs/runs/{run_id}"
        assert "Stores sell in" not in visit("marketing").get(page).get_data(as_text=True)
        with web_sessions.begin() as session:
            session.execute(update(Store).where(Store.store_code == "S2").values(currency="EUR"))
        try:
            assert "Stores sell in CZK, EUR." in visit("marketing").get(page).get_data(as_text=True)
        finally:
            with web_sessions.begin() as session:
                session.execute(update(Store).where(Store.store_code == "S2").values(currency="CZK"))

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ("waiting", "It waits for the scheduler, which looks every few seconds."),
            ("running", "The scheduler goes on with it at its next look."),
            ("stopped", "Stopped"),
        ],
    )
    def test_say_how_a_hand_over_is_and_let_a_person_go_on_with_it(
        self, visit, run_id, web_sessions, state, words
    ):
        handover_id = uuid4()
        with web_sessions.begin() as session:
            session.execute(
                update(CatalogRun)
                .where(CatalogRun.catalog_run_id == run_id)
                .values(state="finished", approved_by="adam")
            )
            session.add(
                CatalogHandover(
                    handover_id=handover_id,
                    catalog_run_id=run_id,
                    kind="print",
                    state="waiting",
                    made_by="mara",
                    made_at=clock.now(),
                )
            )
            job = request_run(session, job=f"{HANDOVER_JOB}{handover_id}", business_day=date(2026, 11, 20))
            # Nobody holds its lock: who ran it was killed.
            session.execute(update(JobRun).where(JobRun.run_id == job).values(state=state))
        page = f"/catalogs/runs/{run_id}"
        shown = visit("marketing").get(page).text
        assert words in shown
        assert ("Go on" in shown) == (state != "waiting")
        visit("marketing").post(f"{page}/handovers", form={"kind": "print"}, page=page)
        with web_sessions() as session:
            (view,) = latest_runs(session, job=f"{HANDOVER_JOB}{handover_id}")
            assert len(handovers_of(session, run_id=run_id)) == 1
        # What was running is found by the scheduler as it is.
        assert view.state == ("running" if state == "running" else "waiting")

    def test_know_no_proof_before_there_is_one(self, visit, run_id):
        assert visit("marketing").get(f"/catalogs/runs/{run_id}/proof/").status_code == 404


class TestHeatRows:
    def test_colour_by_the_best_of_their_kind_and_put_the_own_page_last(self, app):
        cells = (
            Cell(0, 1, 50, 40, 0.8, 100, 3),
            Cell(0, 2, 50, 17, 0.34, 100, 3),
            Cell(2, 1, 50, 25, 0.5, 100, 1),
            Cell(2, 2, 50, None, None, None, 1),
        )
        with app.test_request_context():
            rows = heat_rows(cells)
        assert [title for title, _places in rows] == ["Page 2", "Own page"]
        assert [rows[0][1][place][0] for place in (1, 2)] == [5, 0]
        assert [rows[1][1][place][0] for place in (1, 2)] == [5, 3]


class TestPagesChart:
    @pytest.mark.parametrize(
        ("buyers", "title"),
        [
            (0, "No page has ten buyers yet"),
            (30, "Page 3 sold best: 60.0% of its readers bought something of it"),
        ],
    )
    def test_names_the_best_page_once_any_sold(self, app, buyers, title):
        pages = (PageResult(2, 50, 0, 0.0, 0), PageResult(3, 50, buyers, buyers / 50, 100))
        with app.test_request_context():
            assert pages_chart(pages).title == title

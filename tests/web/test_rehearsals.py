"""The screens of rehearsals: asked for by marketing, followed while they run, read as charts, tables and files."""

import re
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from core import clock
from core.models import AuditEvent
from loyalty.rehearsals.rehearsing import run_rehearsal
from rewards.offer_operations import import_document
from rewards.rehearsals.queries import find_rehearsal, waiting_rehearsals
from scheduler import Rehearsals
from tests.web.conftest import Visitor

CODE = "REHEARSED"
CONDITION = {"kind": "items", "select": {"categories": ["Tea"]}, "quantity": "1"}


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))).replace(
        "\N{NO-BREAK SPACE}", " "
    )


@pytest.fixture(scope="module")
def drafted(house, web_sessions):
    """A draft that nobody rehearsed yet."""
    document = {
        "code": CODE,
        "condition": CONDITION,
        "benefit": {"kind": "percent", "off": "10"},
        "audience": {"who": "everyone"},
    }
    with web_sessions.begin() as session:
        import_document(session, document={"format": 1, "offers": [document]}, actor="test", now=clock.now())
    return f"{CODE}:1"


def form(drafted, **changes):
    today = clock.business_day(clock.now(), "Europe/Prague")
    entered = {
        "offers": drafted,
        "first_day": today.replace(year=today.year - 1, day=1).isoformat(),
        "last_day": today.isoformat(),
        "store": "",
        "currency": "CZK",
    }
    return {**entered, **changes}


def ask(visitor: Visitor, drafted, **changes) -> str:
    """Ask for a rehearsal and return its address."""
    first = clock.business_day(clock.now(), "Europe/Prague").replace(day=1).isoformat()
    answer = visitor.post("/rehearsals/new", form(drafted, **{"first_day": first, **changes}))
    assert answer.status_code == 303, text_of(answer)
    return str(answer.headers["Location"])


def finish(sessions, address: str) -> None:
    rehearsal_id = UUID(address.rpartition("/")[2])
    with sessions() as session:
        day = find_rehearsal(session, rehearsal_id=rehearsal_id).requested_at.date()
    run_rehearsal(sessions, data=Path(), rehearsal_id=rehearsal_id, business_day=day)


@pytest.fixture(scope="module")
def rehearsed(house, app, web_sessions, drafted):
    """The address of a completed rehearsal, taken up by the scheduler."""
    visitor = Visitor(app.test_client())
    visitor.sign_in(house.people["marketing"])
    address = ask(visitor, drafted)
    Rehearsals(web_sessions, Path()).tick()
    with web_sessions() as session:
        assert waiting_rehearsals(session) == []
    return address


class TestForm:
    def test_begins_with_the_offer_that_the_address_names(self, visit, drafted):
        page = visit("marketing").get(f"/rehearsals/new?offer={CODE}").get_data(as_text=True)
        assert re.search(rf'value="{drafted}" checked', page)

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("offers", "NONE:1", "not there any more"),
            ("first_day", "soon", "Enter a day"),
            ("first_day", "2019-01-01", "at most a year"),
            ("store", "S99", "no such store"),
        ],
    )
    def test_says_what_is_wrong_at_the_field(self, visit, drafted, field, value, said):
        answer = visit("marketing").post("/rehearsals/new", form(drafted, **{field: value}))
        assert answer.status_code == 422
        assert said in text_of(answer)

    def test_is_for_marketing(self, visit, drafted):
        for role in ("analyst", "store_manager", "auditor"):
            assert visit(role).post("/rehearsals/new", form(drafted)).status_code == 403, role


class TestProgress:
    def test_keeps_itself_up_to_date_until_it_has_ended(self, visit, drafted, web_sessions):
        visitor = visit("marketing")
        address = ask(visitor, drafted)
        part = visitor.get(address, headers={"HX-Request": "true", "HX-Target": "rehearsal"})
        assert 'hx-trigger="every 1s"' in part.get_data(as_text=True)
        assert "<html" not in part.get_data(as_text=True)
        finish(web_sessions, address)
        ended = visitor.get(address, headers={"HX-Request": "true", "HX-Target": "rehearsal"})
        assert ended.headers["HX-Refresh"] == "true"
        assert "hx-trigger" not in visitor.get(address).get_data(as_text=True).partition("<main")[2]

    def test_can_be_stopped_and_gone_on_with(self, visit, drafted, web_sessions):
        visitor = visit("marketing")
        address = ask(visitor, drafted)
        visitor.post(f"{address}/stop")
        assert "Stopped" in text_of(visitor.get(address))
        visitor.post(f"{address}/resume")
        assert "Waiting" in text_of(visitor.get(address))
        finish(web_sessions, address)
        assert "Baskets it touches" in text_of(visitor.get(address))
        with web_sessions() as session:
            actions = session.scalars(
                select(AuditEvent.action).where(
                    AuditEvent.subject_kind == "rehearsal",
                    AuditEvent.subject_id == address.rpartition("/")[2],
                )
            ).all()
        assert actions == ["offer.rehearse", "rehearsal.stop", "rehearsal.resume"]


class TestResults:
    def test_show_figures_charts_and_how_they_came_about(self, visit, rehearsed):
        answer = visit("analyst").get(rehearsed)
        page = text_of(answer)
        for words in ("Baskets it touches", "Discounts", "list prices", "Who gains is not told", "No limit"):
            assert words in page, words
        assert "data-chart" in answer.get_data(as_text=True)

    @pytest.mark.parametrize("view", ["days", "stores", "beside", "articles", "groups", "bands"])
    def test_can_be_taken_away_table_by_table(self, visit, rehearsed, view):
        answer = visit("marketing").get(f"{rehearsed}?by={view}&format=csv")
        assert answer.status_code == 200
        assert answer.content_type.startswith("text/csv")

    def test_name_nobody(self, visit, rehearsed, house):
        page = visit("marketing").get(f"{rehearsed}?by=groups").get_data(as_text=True)
        assert not any(str(member) in page for member in house.members)
        assert "Nováková" not in page

    @pytest.mark.parametrize("language", ["cs", "sk", "pl"])
    def test_speak_the_readers_language(self, visit, rehearsed, language):
        visitor = visit("marketing")
        visitor.post("/language", {"language": language})
        assert visitor.get(rehearsed).status_code == 200

    def test_stand_in_the_list_of_the_offer(self, visit, rehearsed):
        page = visit("auditor").get(f"/rehearsals/?offer={CODE}").get_data(as_text=True)
        assert rehearsed in page
        assert rehearsed not in visit("auditor").get("/rehearsals/?offer=OTHER").get_data(as_text=True)


class TestSideBySide:
    def test_shows_what_another_version_changes(self, visit, rehearsed, web_sessions):
        document = {
            "code": CODE,
            "condition": CONDITION,
            "benefit": {"kind": "percent", "off": "20"},
            "audience": {"who": "everyone"},
        }
        with web_sessions.begin() as session:
            done = import_document(
                session, document={"format": 1, "offers": [document]}, actor="test", now=clock.now()
            )
        (version,) = done.versions.values()
        marketing = visit("marketing")
        address = ask(marketing, f"{CODE}:{version}")
        finish(web_sessions, address)
        page = text_of(visit("analyst").get(f"/rehearsals/compare/{CODE}"))
        for words in ("Version 1", f"Version {version}", "Baskets it touches", "Discounts", "Difference"):
            assert words in page, words
        assert "+CZK" in page
        assert "a discount of 10%" in page
        assert "a discount of 20%" in page
        same = address.rpartition("/")[2]
        page = text_of(marketing.get(f"/rehearsals/compare/{CODE}?one={same}&other={same}"))
        assert "Both played the same content" in page
        assert "Side by side" in text_of(marketing.get(f"/rehearsals/?offer={CODE}"))

    def test_is_for_who_sees_rehearsals_and_of_offers_that_have_some(self, visit, rehearsed):
        assert visit("store_manager").get(f"/rehearsals/compare/{CODE}").status_code == 403
        assert visit("marketing").get("/rehearsals/compare/NONE").status_code == 404

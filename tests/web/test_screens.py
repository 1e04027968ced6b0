"""Every screen in every language, and what roles without names are not told."""

import re

import pytest
from sqlalchemy import event, select, update

from core.i18n import LANGUAGES
from core.models import AuditEvent
from tests.web.house import AS_MADE, CARDS, NAMES
from web.models import Person


def addresses(house):
    day, receipt_id = house.receipts["S1"]
    member = f"/members/{house.members[0]}"
    return [
        "/",
        "/search?q=M0",
        "/search?q=tea",
        "/groups/",
        "/groups/g1",
        "/groups/none",
        "/groups/moves/",
        "/groups/quality/",
        "/groups/edits/",
        "/groups/edits/?members=60",
        "/groups/edits/g1",
        "/groups/edits/g1?item=Tea",
        "/groups/map/",
        "/groups/map/?theme=g1&ties=all",
        "/rules/",
        "/rules/?q=tea&side=if&group=g1",
        "/rules/1",
        "/members/",
        member,
        *(f"{member}?tab={tab}" for tab in ("receipts", "profile", "catalogs")),
        f"/members/{house.members[2]}",
        "/catalogs/",
        f"/catalogs/{house.edition_id}",
        "/shop/S1/",
        "/shop/S1/results",
        "/assortment/",
        f"/assortment/{house.suggestions['S1']}",
        "/receipts/",
        f"/receipts/{day}/{receipt_id}",
        "/articles/",
        "/articles/10452",
        "/queue/?state=open",
        "/queue/1",
        "/queue/bodies/",
        "/queue/unknown-articles/",
        "/bar-codes/?scanned=10452",
        f"/members/{house.members[0]}/statement",
        f"/members/{house.members[0]}/lots",
        "/adjustments/",
        "/liability/",
        "/liability/?by=months",
        "/liability/?by=lines",
        "/programme/",
        "/programme/0",
        "/programme/new",
        "/offers/",
        "/offers/new",
        "/offers/new?pattern=bundle",
        "/offers/new?pattern=own",
        "/offers/file/",
        "/calendar/?show=all",
        "/today/",
        "/till/",
        "/jobs/",
        f"/jobs/{house.job_id}",
        "/stores/",
        "/stores/S1/tills",
        "/people/",
        "/people/new",
        "/audit/",
        "/design/",
        "/account/password",
    ]


class TestEveryScreen:
    @pytest.fixture
    def speak(self, web_sessions):
        """Let the administrator, whom other tests share, speak a language until the test is over."""

        def speak(language):
            with web_sessions.begin() as session:
                session.execute(
                    update(Person).where(Person.role == "administrator").values(language=language)
                )

        yield speak
        speak("en")

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_shows_itself_in_every_language(self, house, visit, speak, language):
        speak(language)
        visitor = visit("administrator")
        for address in addresses(house):
            answer = visitor.get(address)
            page = answer.get_data(as_text=True)
            assert answer.status_code in {200, 302}, address
            if answer.status_code == 200:
                assert f'<html lang="{language}"' in page, address
                assert not re.search(r"%\(\w+\)[sd]", page.replace(_words_of_the_till(page), "")), address

    def test_has_one_title_and_no_inline_script_or_style(self, house, visit):
        visitor = visit("administrator")
        for address in addresses(house):
            page = visitor.get(address).get_data(as_text=True)
            assert page.count("<h1") <= 1, address
            assert not re.search(r"<[^>]+\sstyle=", page), address
            assert not re.search(r"<[^>]+\son\w+=", page), address
            assert not re.search(r"<script(?![^>]*\ssrc=)", page), address
            assert not re.search(r"(src|href)=\"https?:", page), address

    def test_fits_into_the_side_panel_where_a_row_opens_it(self, house, visit):
        visitor = visit("administrator")
        day, receipt_id = house.receipts["S1"]
        for address in (
            f"/receipts/{day}/{receipt_id}",
            "/articles/10452",
            f"/assortment/{house.suggestions['S1']}",
        ):
            part = visitor.get(address, headers={"HX-Request": "true", "HX-Target": "panel"}).get_data(
                as_text=True
            )
            assert "panel-body" in part
            assert "<html" not in part


def _words_of_the_till(page):
    found = re.search(r"data-words='[^']*'", page)
    return found.group() if found else "\0"


class TestNames:
    def test_are_never_shown_to_analysts(self, house, visit):
        visitor = visit("analyst")
        for address in addresses(house):
            answer = visitor.get(address)
            page = answer.get_data(as_text=True)
            for given, family in NAMES:
                assert family not in page, address
                assert given not in page, address
            assert "@example.org" not in page.replace("<wbr>", ""), address
            assert "+42060012345" not in page, address
        for wanted in ("csv", "xlsx"):
            assert (
                b"@example.org"
                not in visitor.get(f"/members/?format={wanted}&columns=email&columns=name").data
            )

    def test_cannot_be_searched_for_by_analysts(self, house, visit):
        visitor = visit("analyst")
        for words in ("Nováková", "member0@example.org", "+420600123450"):
            page = visitor.get("/members/", query_string={"q": words}).get_data(as_text=True)
            # Nonces and tokens are random text: only a member by itself counts.
            assert not re.search(r"(?<![\w-])M0(?![\w-])", page)

    def test_leave_a_trace_when_somebody_looks(self, house, visit, web_sessions):
        visit("desk").get(f"/members/{house.members[1]}")
        with web_sessions.begin() as session:
            seen = session.scalars(
                select(AuditEvent).where(AuditEvent.action == "member.view", AuditEvent.subject_id == "M1")
            ).all()
        assert seen[-1].actor == house.people["desk"]

    @pytest.mark.parametrize(
        "words", [CARDS[0], "member0@example.org", "+420 600 123 450", "600123450", "Nováková", "M0"]
    )
    def test_are_found_by_what_a_member_brings_along(self, house, visit, words):
        answer = visit("desk").get("/search", query_string={"q": words})
        page = answer.headers.get("Location", "") + answer.get_data(as_text=True)
        assert str(house.members[0]) in page

    @pytest.mark.parametrize("words", [CARDS[0], "Nováková"])
    def test_are_found_without_a_look_through_all_receipts(self, visit, web_sessions, words):
        asked, visitor = [], visit("desk")

        def note(_connection, _cursor, statement, *_rest):
            asked.append(statement)

        event.listen(web_sessions.kw["bind"], "before_cursor_execute", note)
        visitor.get("/search", query_string={"q": words})
        event.remove(web_sessions.kw["bind"], "before_cursor_execute", note)
        assert asked
        assert not [statement for statement in asked if "FROM receipt" in statement]


class TestDecision:
    def test_needs_a_reason_and_can_be_taken_back(self, house, visit):
        visitor, address = visit("store_manager"), f"/assortment/{house.suggestions['S1']}"
        assert visitor.post(address, {"decision": "accepted", "reason": " "}, page=address).status_code == 422
        assert visitor.post(address, {"decision": "accepted", "reason": "asked for daily"}).status_code == 303
        assert "asked for daily" in visitor.get(address).get_data(as_text=True)
        assert visitor.post(f"{address}/undo").status_code == 303
        assert "asked for daily" not in visitor.get(address).get_data(as_text=True)


class TestSuggestions:
    def test_are_shown_where_a_night_serves_others_while_they_are_read(self, house, visit, monkeypatch):
        monkeypatch.setattr("web.screens.assortment.suggestion_bounds", lambda _session, *, store_id: {})
        answer = visit("store_manager").get("/assortment/")
        assert answer.status_code == 200
        assert house.suggestions["S1"].hex in answer.get_data(as_text=True).replace("-", "")


class TestQueue:
    def test_lets_a_person_settle_what_is_odd(self, house, visit):
        visitor = visit("desk")
        page = visitor.get("/queue/?state=open").get_data(as_text=True)
        assert "Unknown card" in page
        flag = re.search(r'href="(/queue/\d+)"', page).group(1)
        assert visitor.post(flag, {"state": "resolved"}, page="/queue/?state=open").status_code == 303
        assert visitor.post(flag, {"state": "resolved"}, page="/queue/").status_code == 409


class TestPeople:
    def test_are_added_with_a_password_that_works(self, visit):
        administrator = visit("administrator")
        form = {"name": "Nová Tvář", "login": "nova", "role": "desk", "language": "cs"}
        page = administrator.post("/people/new", form, page="/people/new").get_data(as_text=True)
        password = re.search(r'id="new-password">([^<]+)<', page).group(1)
        assert visit().sign_in("nova", password).status_code == 302

    def test_are_not_added_with_mistakes_and_nothing_typed_is_lost(self, visit):
        answer = visit("administrator").post(
            "/people/new", {"name": "Jan Beran", "login": "!", "role": "cashier"}, page="/people/new"
        )
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422
        assert 'value="Jan Beran"' in page
        assert 'href="#store_code"' in page

    def test_who_are_shut_out_lose_their_sessions_at_once(self, visit, web_sessions):
        administrator, auditor = visit("administrator"), visit("auditor")
        with web_sessions.begin() as session:
            person_id = session.scalar(select(Person.person_id).where(Person.role == "auditor"))
        administrator.post(f"/people/{person_id}/disable")
        assert auditor.get("/").status_code == 302
        administrator.post(f"/people/{person_id}/enable")
        assert visit("auditor").get("/").status_code == 200


class TestTills:
    def test_get_a_key_that_works_until_it_is_revoked(self, app, visit):
        visitor = visit("administrator")
        page = visitor.post("/stores/S2/tills", {"till_code": "T9"}, page="/stores/S2/tills").get_data(
            as_text=True
        )
        key = re.search(r'id="new-key">([^<]+)<', page).group(1)
        look = {"Authorization": f"Bearer {key}"}
        assert app.test_client().get(f"/pos/v1/cards/{CARDS[0]}", headers=look).status_code == 200
        visitor.post("/stores/S2/tills/revoke", {"till_code": "T9"}, page="/stores/S2/tills")
        assert app.test_client().get(f"/pos/v1/cards/{CARDS[0]}", headers=look).status_code == 403


class TestCatalogCopies:
    def test_are_sent_exactly_as_they_were_made(self, app, house, visit):
        folder = app.extensions["web"].data / "catalogs"
        folder.mkdir(exist_ok=True)
        (folder / "C-000001.pdf").write_bytes(AS_MADE)
        answer = visit("desk").get(f"/catalogs/copies/{house.copy_id}.pdf")
        assert answer.data == AS_MADE
        assert "attachment" in answer.headers["Content-Disposition"]

    def test_are_not_sent_where_the_file_is_another_one(self, app, house, visit):
        folder = app.extensions["web"].data / "catalogs"
        folder.mkdir(exist_ok=True)
        (folder / "C-000001.pdf").write_bytes(AS_MADE + b"!")
        answer = visit("desk").get(f"/catalogs/copies/{house.copy_id}.pdf")
        assert answer.status_code == 409
        assert AS_MADE not in answer.data

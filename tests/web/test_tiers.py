"""The pages of tiers, in a house where three hold since the first of January."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask

from core import clock
from core.database import Sessions, make_engine, make_sessions
from loyalty.stored_versions import AHEAD
from tests.tiers import let_hold, three_tiers
from tests.web.conftest import Visitor, settings_for
from tests.web.house import House, furnish
from wsgi import create_app


@pytest.fixture(scope="module")
def tier_house(
    make_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Flask, House, Sessions]]:
    engine = make_engine(make_database())
    sessions = make_sessions(engine)
    now = clock.now()
    let_hold(sessions, three_tiers(grace_days=31), now.date().replace(month=1, day=1), now=now)
    app = create_app(sessions, settings_for(tmp_path_factory.mktemp("data")))
    yield app, furnish(app, sessions), sessions
    engine.dispose()


@pytest.fixture
def visit(tier_house: tuple[Flask, House, Sessions]) -> Callable[[str], Visitor]:
    app, house, _ = tier_house

    def open_browser(role: str) -> Visitor:
        visitor = Visitor(app.test_client())
        assert visitor.sign_in(house.people[role]).status_code == 302
        return visitor

    return open_browser


@pytest.fixture
def member_id(tier_house: tuple[Flask, House, Sessions]):
    return tier_house[1].members[0]


def form(**changes: str) -> dict[str, str]:
    start = clock.now().date() + timedelta(days=AHEAD + 1)
    entered = {
        "note": "Two steps only",
        "valid_from": start.isoformat(),
        "measure": "spend",
        "period": "anniversary",
        "currency": "CZK",
        "rates": "EUR 25,5",
        "grace_days": "14",
        "warning_days": "30",
        "code_1": "club",
        "threshold_1": "0",
        "name_en_1": "Club",
        "code_2": "star",
        "threshold_2": "5 000,50",
        "name_en_2": "Star",
        "name_cs_2": "Hvězda",
    }
    return {**entered, **changes}


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def seen(visitor: Visitor, address: str) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', visitor.get(address).get_data(as_text=True))
    return found.group(1) if found else ""


class TestThePage:
    def test_says_how_many_stand_where_and_what_holds(self, visit):
        page = text_of(visit("store_manager").get("/tiers/"))
        assert "accounts stand at Gold" in page
        assert "from 300 points" in page
        assert "Nobody is about to lose a tier." in page

    def test_lets_only_those_draft_who_may(self, visit):
        assert "/tiers/new" in visit("marketing").get("/tiers/").get_data(as_text=True)
        assert "/tiers/new" not in visit("desk").get("/tiers/").get_data(as_text=True)


class TestAVersion:
    def test_is_drafted_by_one_and_approved_by_another(self, visit):
        marketing, other = visit("marketing"), visit("administrator")
        answer = marketing.post("/tiers/new", form())
        assert answer.status_code == 303, text_of(answer)
        address = answer.headers["Location"]
        page = text_of(other.get(address))
        assert "Star" in page
        assert re.search(r"CZK.?5,000\.50", page), page
        assert "1 EUR = 25.5 CZK" in page
        own = marketing.post(f"{address}/decision", {"seen": seen(marketing, address), "decision": "approve"})
        assert own.status_code == 422
        done = other.post(f"{address}/decision", {"seen": seen(other, address), "decision": "approve"})
        assert done.status_code == 303
        assert "Planned" in text_of(other.get(address))

    def test_comes_back_as_it_was_entered(self, visit):
        marketing = visit("marketing")
        address = marketing.post("/tiers/new", form(note="To be changed")).headers["Location"]
        page = marketing.get(f"{address}/edit").get_data(as_text=True)
        assert 'value="5000.50"' in page
        assert "EUR 25.5" in page
        answer = marketing.post(
            f"{address}/edit", {**form(note="Changed"), "seen": seen(marketing, f"{address}/edit")}
        )
        assert answer.status_code == 303, text_of(answer)
        assert "Changed" in text_of(marketing.get(address))

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"threshold_2": "many"}, "Enter an amount"),
            ({"name_en_2": ""}, "Enter the English name"),
            ({"code_2": "club"}, "Two tiers have the same code"),
            ({"currency": "KORUNA"}, "Enter a currency code"),
            ({"rates": "EUR many"}, "Enter one currency per line"),
            ({"grace_days": "400"}, "Enter 0 to 180 days"),
            ({"note": ""}, "Say in a sentence"),
            ({"valid_from": "2020-01-01"}, "It can start on"),
        ],
    )
    def test_says_at_the_field_what_is_wrong_and_loses_nothing(self, visit, changes, words):
        answer = visit("marketing").post("/tiers/new", form(**changes))
        assert answer.status_code == 422
        assert words in text_of(answer)
        assert 'value="Hvězda"' in answer.get_data(as_text=True)


class TestAMember:
    def test_sees_where_they_stand_what_is_missing_and_why(self, visit, member_id):
        page = text_of(visit("desk").get(f"/members/{member_id}?tab=tier"))
        assert re.search(r"more for|The highest there is", page)
        assert "reached with" in page

    def test_is_given_a_tier_by_the_desk_with_a_reason(self, visit, member_id):
        desk, address = visit("desk"), f"/members/{member_id}/tier"
        until = (clock.now().date() + timedelta(days=90)).isoformat()
        refused = desk.post(address, {"tier": "gold", "until": until, "reason": ""})
        assert refused.status_code == 422
        assert "Say why" in text_of(refused)
        given = desk.post(address, {"tier": "gold", "until": until, "reason": "Our first customer"})
        assert given.status_code == 303
        page = text_of(desk.get(f"/members/{member_id}?tab=tier"))
        assert "Our first customer" in page
        assert re.search(
            r"desk Tiers: granted M0 Member Was: \w+; Tier: gold", text_of(visit("auditor").get("/audit/"))
        )

    def test_is_given_none_by_an_analyst(self, visit, member_id):
        assert visit("analyst").get(f"/members/{member_id}/tier").status_code == 403


class TestReferrals:
    def test_are_begun_by_marketing_and_members_get_codes(self, visit, member_id):
        marketing = visit("marketing")
        rules = {
            "referrer_points": "400",
            "referred_points": "200",
            "minimum_points": "10",
            "most_per_year": "5",
            "within_days": "60",
        }
        wrong = marketing.post("/referrals/rules", {**rules, "within_days": "0"})
        assert wrong.status_code == 422
        assert marketing.post("/referrals/rules", rules).status_code == 303
        assert 'value="400"' in marketing.get("/referrals/").get_data(as_text=True)
        desk = visit("desk")
        assert "/referrals/rules" not in desk.get("/referrals/").get_data(as_text=True)
        assert desk.post("/referrals/rules", rules).status_code == 403
        assert desk.post(f"/referrals/code/{member_id}").status_code == 303
        assert "Brings others by the code" in text_of(desk.get(f"/members/{member_id}?tab=tier"))


class TestADraft:
    def test_shows_who_would_move(self, visit):
        marketing = visit("marketing")
        higher = form(note="Higher", threshold_1="99999999", threshold_2="999999999")
        address = marketing.post("/tiers/new", higher).headers["Location"]
        page = re.sub(r"\s+", " ", marketing.get(address).get_data(as_text=True))
        assert "Who would move" in page
        assert "if nobody bought anything until then" in page
        assert "Without it" in page or "Nobody would." in page

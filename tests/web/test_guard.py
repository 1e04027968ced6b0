"""Who gets in, who does not, and what every answer carries."""

import re
from uuid import uuid4

import pytest

from tests.web.house import PASSWORD
from web.roles import ANYBODY, CUSTOMER, ROLES, ROUTES, SIGNED_LINKS, STORE_ROLES, may

ARGUMENTS = {
    "category": "Tea",
    "filename": "css/base.css",
    "code": "S1",
    "group_id": "g1",
    "sku": "10452",
    "day": "2026-11-22",
    "receipt_id": uuid4(),
    "member_id": uuid4(),
    "suggestion_id": uuid4(),
    "person_id": uuid4(),
    "run_id": uuid4(),
    "edition_id": uuid4(),
    "copy_id": uuid4(),
    "handover_id": uuid4(),
    "number": 1,
    "place": 1,
    "page": 1,
    "flag_id": 1,
    "quarantine_id": 1,
    "adjustment_id": uuid4(),
    "version": 0,
    "card_number": "2990000009999",
    "alert_id": 1,
    "staff_card_id": 1,
    "event_id": 1,
    "rehearsal_id": uuid4(),
    "reward_code": "MUG",
    "store_code": "S1",
    "redemption_id": uuid4(),
    "batch_code": "NEXT50",
    "voucher_code": "ABCD1234",
    "gift_card_number": "G4Q7M9XKD2R5T8VB",
    "rule_number": 1,
    "edit_id": 1,
    "mail_id": uuid4(),
    "case_number": "1001-9",
    "token": "x" * 44,
    "kind": "fonts",
    "path": "no-such-piece.ttf",
    "decision_id": uuid4(),
    "reaction_id": 1,
}


CUSTOMERS = frozenset({CUSTOMER})


def routes(app, method, *, customers=False):
    """Yield endpoint and address of every screen that knows `method`: the people's, or the `customers`' own."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        theirs = ROUTES.get(rule.endpoint) == CUSTOMERS
        if rule.endpoint in ROUTES and method in rule.methods and theirs == customers:
            values = {name: ARGUMENTS[name] for name in rule.arguments}
            yield rule.endpoint, adapter.build(rule.endpoint, values, method=method)


class TestTheTableOfRoles:
    def test_names_every_screen_and_nothing_else(self, app):
        served = {rule.endpoint for rule in app.url_map.iter_rules()}
        tills = {endpoint for endpoint in served if endpoint.startswith(("pos", "till-", "tills"))}
        screens = {
            endpoint
            for endpoint in served
            if endpoint.partition(".")[0] in {e.partition(".")[0] for e in ROUTES}
        }
        assert screens - tills == set(ROUTES)

    def test_lets_nobody_into_what_it_does_not_name(self):
        assert not any(may(role, "secret.page") for role in (*ROLES, None))


class TestEveryRoute:
    def test_lets_in_who_may_and_nobody_else(self, app, visit):
        wrong = []
        for role in ROLES:
            visitor = visit(role)
            for endpoint, address in routes(app, "GET"):
                status = visitor.get(address).status_code
                if (status == 403) == may(role, endpoint):
                    wrong.append((role, endpoint, status))
        assert wrong == []

    def test_of_the_customers_lets_in_nobody_of_the_people(self, app, visit):
        """Their session counts for nothing there: they are strangers, like everybody else without a code."""
        for role in (None, *ROLES):
            visitor = visit(role)
            for endpoint, address in routes(app, "GET", customers=True):
                answer = visitor.get(address)
                assert answer.headers.get("Location", "").startswith("/my/sign-in"), (role, endpoint)
            for endpoint, address in routes(app, "POST", customers=True):
                answer = visitor.post(address, page="/account/password" if role else "/my/sign-in")
                assert answer.headers.get("Location", "").startswith("/my/sign-in"), (role, endpoint)

    def test_sends_strangers_to_the_door(self, app, visit):
        visitor = visit()
        for endpoint, address in routes(app, "GET"):
            answer = visitor.get(address)
            if endpoint == "confirm.ask":
                assert answer.status_code == 404, "open to anybody, but this link was made by nobody of us"
            elif ROUTES[endpoint] == ANYBODY:
                assert answer.status_code in {200, 302}, endpoint
            else:
                assert answer.headers.get("Location", "").startswith("/sign-in"), endpoint

    def test_tells_a_part_of_a_page_that_the_session_is_over(self, visit):
        assert visit().get("/members/", headers={"HX-Request": "true"}).status_code == 401

    def test_refuses_changes_without_the_page_s_token(self, app, visit):
        for role in ROLES:
            visitor = visit(role)
            for endpoint, address in routes(app, "POST"):
                if endpoint in SIGNED_LINKS:
                    continue
                assert visitor.client.post(address).status_code == 403, (role, endpoint)
                forged = visitor.client.post(address, data={"csrf_token": "x" * 43})
                assert forged.status_code == 403, (role, endpoint)

    def test_lets_a_signed_link_do_its_work_without_a_page_and_no_other(self, app):
        """RFC 8058: mail programs send no cookie and no token; the address itself is the proof."""
        for endpoint, address in routes(app, "POST"):
            if endpoint in SIGNED_LINKS:
                answer = app.test_client().post(address, data={"List-Unsubscribe": "One-Click"})
                assert answer.status_code == 404, endpoint

    def test_lets_nobody_change_what_their_role_may_not(self, app, visit):
        """With a token of their own page: it is the role alone that refuses them."""
        wrong = []
        for role in ROLES:
            visitor = visit(role)
            token = visitor.token()
            for endpoint, address in routes(app, "POST"):
                if not may(role, endpoint):
                    answer = visitor.client.post(address, data={"csrf_token": token})
                    wrong += [(role, endpoint, answer.status_code)] if answer.status_code != 403 else []
        assert token
        assert wrong == []

    def test_marks_its_cookies(self, app, house):
        """They are kept from scripts and from other sites."""
        client = app.test_client()
        page = client.get("/sign-in")
        form = {
            "csrf_token": re.search(r'name="csrf_token" value="([^"]+)"', page.get_data(as_text=True)).group(
                1
            )
        }
        signed_in = client.post("/sign-in", data=form | {"login": house.people["desk"], "password": PASSWORD})
        cookies = [*page.headers.getlist("Set-Cookie"), *signed_in.headers.getlist("Set-Cookie")]
        assert {cookie.partition("=")[0] for cookie in cookies} >= {"regulars_door", "regulars_session"}
        for cookie in cookies:
            assert "HttpOnly" in cookie, cookie
            assert "SameSite=Strict" in cookie or "SameSite=Lax" in cookie, cookie

    def test_refuses_changes_that_come_from_another_site(self, visit):
        visitor = visit("administrator")
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            assert visitor.post("/account/scope", {"weeks": "4"}, headers=headers).status_code == 403

    def test_carries_the_headers_that_keep_browsers_strict(self, app, visit):
        visitor = visit("administrator")
        for method in ("GET", "POST"):
            for endpoint, address in routes(app, method):
                if endpoint == "door.sign_out":
                    continue
                headers = visitor.client.open(address, method=method, buffered=True).headers
                policy = headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy, endpoint
                assert "frame-ancestors 'none'" in policy, endpoint
                assert "unsafe" not in policy, endpoint
                assert headers["X-Content-Type-Options"] == "nosniff", endpoint
                assert "max-age=" in headers["Strict-Transport-Security"], endpoint
                assert headers["Referrer-Policy"] == "same-origin", endpoint

    def test_gives_scripts_a_nonce_of_this_answer_only(self, visit):
        visitor = visit("administrator")
        seen = set()
        for _ in range(3):
            answer = visitor.get("/")
            nonce = re.search(
                r"script-src 'nonce-([\w-]+)'", answer.headers["Content-Security-Policy"]
            ).group(1)
            page = answer.get_data(as_text=True)
            assert re.findall(r"<script(?![^>]*nonce=\"" + re.escape(nonce) + ")", page) == []
            seen.add(nonce)
        assert len(seen) == 3

    def test_keeps_pages_out_of_caches(self, visit):
        assert visit("desk").get("/members/").headers["Cache-Control"] == "no-store"


class TestAnotherStore:
    @pytest.mark.parametrize("role", sorted(STORE_ROLES - {"cashier"}))
    def test_stays_closed_to_people_of_one(self, house, visit, role):
        visitor = visit(role)
        day, receipt_id = house.receipts["S2"]
        assert visitor.get(f"/receipts/{day}/{receipt_id}").status_code == 404
        assert visitor.get(f"/assortment/{house.suggestions['S2']}").status_code == 404
        own_day, own_id = house.receipts["S1"]
        assert visitor.get(f"/receipts/{own_day}/{own_id}").status_code == 200
        assert visitor.get(f"/assortment/{house.suggestions['S1']}").status_code == 200
        assert "000003" not in visitor.get("/receipts/").get_data(as_text=True)
        assert "000001" in visitor.get("/receipts/").get_data(as_text=True)

    def test_s_suggestions_cannot_be_decided(self, house, visit):
        answer = visit("store_manager").post(
            f"/assortment/{house.suggestions['S2']}", {"decision": "accepted", "reason": "because"}
        )
        assert answer.status_code == 404


class TestErrorPages:
    def test_say_what_to_do_next(self, visit):
        page = visit("administrator").get("/nothing/here")
        assert page.status_code == 404
        assert "There is nothing at this address" in page.get_data(as_text=True)

    def test_of_the_tills_stay_problems(self, app, house):
        answer = app.test_client().get("/pos/v1/nothing")
        assert answer.status_code == 404
        assert answer.content_type == "application/problem+json"

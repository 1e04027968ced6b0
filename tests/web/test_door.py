"""Signing in and out: throttle, rotation, idling, and what strangers learn."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import delete, func, select, update

from core import clock
from tests.web.house import PASSWORD
from web.guard import SESSION_COOKIE
from web.models import SignInAttempt, WebSession
from web.operations import ATTEMPTS


@pytest.fixture(autouse=True)
def forgotten_attempts(web_sessions):
    """Every test begins with a fresh throttle."""
    with web_sessions.begin() as session:
        session.execute(delete(SignInAttempt))


class TestSignIn:
    def test_opens_the_screens(self, visit):
        visitor = visit("marketing")
        assert visitor.get("/").status_code == 200

    def test_tells_nobody_whether_the_login_exists(self, visit, house):
        answers = [
            visit().sign_in(login, "wrong password here") for login in (house.people["desk"], "nobody")
        ]
        pages = [answer.get_data(as_text=True) for answer in answers]
        assert [answer.status_code for answer in answers] == [422, 422]
        assert all("do not belong together" in page for page in pages)

    def test_goes_on_to_the_page_that_was_asked_for(self, visit, house):
        visitor = visit()
        form = {"login": house.people["desk"], "password": PASSWORD, "next": "/members/?q=x"}
        assert visitor.post("/sign-in", form, page="/sign-in").headers["Location"] == "/members/?q=x"

    @pytest.mark.parametrize(
        "bad", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "/\r\nA: b"]
    )
    def test_never_leads_to_another_site(self, visit, house, bad):
        form = {"login": house.people["desk"], "password": PASSWORD, "next": bad}
        assert visit().post("/sign-in", form, page="/sign-in").headers["Location"] == "/"

    def test_keeps_the_cookie_from_scripts_and_other_sites(self, visit, house):
        cookie = visit().sign_in(house.people["desk"]).headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie

    def test_gives_a_new_token_and_ends_the_old_one(self, visit, house):
        visitor = visit("desk")
        old = visitor.client.get_cookie(SESSION_COOKIE).value
        visitor.client.set_cookie(SESSION_COOKIE, old)
        visitor.get("/sign-in")
        fixed = visit()
        fixed.client.set_cookie(SESSION_COOKIE, old)
        assert fixed.get("/").status_code == 200
        # Signing in again over the session ends it and begins another.
        token = fixed.token("/account/password")
        fixed.client.post(
            "/sign-in", data={"csrf_token": token, "login": house.people["desk"], "password": PASSWORD}
        )
        new = fixed.client.get_cookie(SESSION_COOKIE).value
        assert new != old
        stale = visit()
        stale.client.set_cookie(SESSION_COOKIE, old)
        assert stale.get("/").status_code == 302

    def test_ignores_a_token_that_a_stranger_chose(self, visit):
        visitor = visit()
        visitor.client.set_cookie(SESSION_COOKIE, "chosen-by-a-stranger")
        visitor.sign_in("desk")
        assert visitor.client.get_cookie(SESSION_COOKIE).value != "chosen-by-a-stranger"

    def test_stores_the_token_as_its_hash_only(self, visit, web_sessions):
        token = visit("desk").client.get_cookie(SESSION_COOKIE).value
        with web_sessions.begin() as session:
            stored = session.scalars(select(WebSession.token_sha256)).all()
        assert len(token) >= 43
        assert token.encode() not in stored


class TestThrottle:
    def test_evaluates_ten_guesses_of_a_quarter_of_an_hour(self, visit, house, web_sessions):
        visitor, login = visit(), house.people["auditor"]
        answers = [
            visitor.sign_in(login, f"guess number {number}").status_code for number in range(ATTEMPTS + 15)
        ]
        assert answers.count(422) == ATTEMPTS
        assert answers.count(429) == 15
        with web_sessions.begin() as session:
            evaluated = session.scalar(select(func.count()).where(SignInAttempt.login == login))
        assert evaluated == ATTEMPTS

    def test_holds_even_for_the_right_password(self, visit, house):
        visitor, login = visit(), house.people["auditor"]
        for number in range(ATTEMPTS):
            visitor.sign_in(login, f"guess number {number}")
        assert visitor.sign_in(login).status_code == 429

    def test_lets_the_owner_in_from_a_browser_that_knows_them(self, visit, house):
        owner, stranger, login = visit("auditor"), visit(), house.people["auditor"]
        owner.post("/sign-out")
        for number in range(ATTEMPTS + 5):
            stranger.sign_in(login, f"guess number {number}")
        assert owner.sign_in(login).status_code == 302

    def test_ends_after_a_quarter_of_an_hour(self, visit, house, web_sessions):
        visitor, login = visit(), house.people["auditor"]
        for number in range(ATTEMPTS + 1):
            visitor.sign_in(login, f"guess number {number}")
        with web_sessions.begin() as session:
            session.execute(
                update(SignInAttempt).values(attempted_at=SignInAttempt.attempted_at - timedelta(minutes=16))
            )
        assert visitor.sign_in(login).status_code == 302

    def test_of_one_account_leaves_others_alone(self, visit, house):
        visitor = visit()
        for number in range(ATTEMPTS + 1):
            visitor.sign_in(house.people["auditor"], f"guess number {number}")
        assert visitor.sign_in(house.people["desk"]).status_code == 302


class TestSession:
    def test_ends_after_half_an_hour_without_a_request(self, visit):
        visitor = visit("desk")
        with time_machine.travel(clock.now() + timedelta(minutes=29), tick=True):
            assert visitor.get("/").status_code == 200
        with time_machine.travel(clock.now() + timedelta(minutes=29 + 31), tick=True):
            assert visitor.get("/").status_code == 302

    def test_ends_after_twelve_hours_in_any_case(self, visit, web_sessions):
        visitor = visit("desk")
        for minutes in range(20, 13 * 60, 20):
            with time_machine.travel(clock.now() + timedelta(minutes=minutes), tick=True):
                status = visitor.get("/jobs/").status_code
            if minutes > 12 * 60:
                assert status == 302

    def test_ends_with_the_sign_out_in_the_database_too(self, visit):
        visitor = visit("desk")
        token = visitor.client.get_cookie(SESSION_COOKIE).value
        visitor.post("/sign-out")
        visitor.client.set_cookie(SESSION_COOKIE, token)
        assert visitor.get("/").status_code == 302

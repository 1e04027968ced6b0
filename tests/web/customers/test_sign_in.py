"""S3 for customers: guesses, spraying, what strangers learn, chosen tokens; and the owner still gets in."""

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import delete, event, func, select, update

from contacts.models import OutgoingMail
from core import clock
from customers.models import Member
from tests.web.conftest import Visitor
from tests.web.house import CARDS
from web.customers.sign_in import ASKS, ASKS_FROM_ONE_PLACE, RETRIES, TRIES, grouped, plain_code
from web.guard import CUSTOMER_COOKIE, SESSION_COOKIE
from web.models import CustomerSession, SignInAttempt, SignInCode
from web.screens.my_door import REQUEST_COOKIE

NOBODYS = "2990000009999"
"""A right number that nobody has."""


@pytest.fixture(autouse=True)
def forgotten_attempts(web_sessions):
    """Every test begins with a fresh throttle and an empty outbox."""
    with web_sessions.begin() as session:
        for table in (SignInAttempt, SignInCode, CustomerSession):
            session.execute(delete(table))
        session.execute(
            update(OutgoingMail)
            .where(OutgoingMail.state == "queued")
            .values(state="cancelled", finished_at=clock.now())
        )


@pytest.fixture
def mails(web_sessions):
    """Return a function that reads the mails with codes that wait to be sent, the oldest first."""

    def read() -> list[OutgoingMail]:
        with web_sessions() as session:
            return list(
                session.scalars(
                    select(OutgoingMail)
                    .where(OutgoingMail.kind == "sign_in_code", OutgoingMail.state == "queued")
                    .order_by(OutgoingMail.queued_at)
                )
            )

    return read


def ask(visitor: Visitor, card: str = CARDS[0], *, page: str = "/my/sign-in", **options):
    return visitor.post("/my/sign-in", {"card_number": card}, page=page, **options)


def enter(visitor: Visitor, code: str, **options):
    return visitor.post("/my/code", {"code": code}, page="/my/code", **options)


def codes_in(mail: OutgoingMail) -> tuple[str, str]:
    """Return the short and the long code that a mail holds."""
    short, long = re.findall(r"\b(?:[0-9A-Z]{4}-)+[0-9A-Z]{2,4}\b", mail.text)
    return short, long


def sign_in(visitor: Visitor, mails, card: str = CARDS[0]) -> Visitor:
    assert ask(visitor, card).status_code == 303
    assert enter(visitor, codes_in(mails()[-1])[0]).status_code == 303
    return visitor


def wrong(code: str) -> str:
    return ("A" if code[0] != "A" else "B") + code[1:]


class TestTheCode:
    def test_comes_by_mail_in_the_member_s_language_and_opens_the_page(self, visit, mails):
        visitor = visit()
        assert ask(visitor).headers["Location"].startswith("/my/code")
        (mail,) = mails()
        assert mail.recipient == "member0@example.org"
        assert mail.language == "cs"
        assert "Žofie" in mail.text
        assert codes_in(mail)[0] not in mail.subject
        answer = enter(visitor, codes_in(mail)[0].lower().replace("-", " "))
        assert (answer.status_code, answer.headers["Location"]) == (303, "/my/")
        assert "Žofie" in visitor.get("/my/").get_data(as_text=True)

    def test_is_good_once(self, visit, mails):
        visitor = visit()
        ask(visitor)
        code, token = codes_in(mails()[0])[0], visitor.client.get_cookie(REQUEST_COOKIE, path="/my").value
        assert enter(visitor, code).status_code == 303
        visitor.post("/my/sign-out", page="/my/choices")
        visitor.client.set_cookie(REQUEST_COOKIE, token, path="/my")
        assert enter(visitor, code).status_code == 422

    def test_is_good_in_the_browser_that_asked_only(self, visit, mails):
        owner, thief = visit(), visit()
        ask(owner)
        code = codes_in(mails()[0])[0]
        assert enter(thief, code).status_code == 422
        ask(thief)
        assert enter(thief, code).status_code == 422
        assert enter(owner, code).status_code == 303

    def test_ends_after_ten_minutes(self, visit, mails):
        visitor = visit()
        ask(visitor)
        with time_machine.travel(clock.now() + timedelta(minutes=10, seconds=5), tick=True):
            assert enter(visitor, codes_in(mails()[0])[0]).status_code == 422

    def test_is_kept_as_a_hash_only(self, visit, mails, web_sessions):
        ask(visit())
        short, long = codes_in(mails()[0])
        with web_sessions() as session:
            row = session.scalars(select(SignInCode)).one()
        kept = b"".join(value for value in vars(row).values() if isinstance(value, bytes))
        assert plain_code(short).encode() not in kept
        assert plain_code(long).encode() not in kept
        assert len(plain_code(short)) == 8
        assert len(plain_code(long)) == 26

    def test_may_be_read_out(self):
        assert plain_code("oil0-1l x") == "011011X"
        assert grouped("ABCD1234EF") == "ABCD-1234-EF"


class TestGuesses:
    def test_of_a_thousand_at_most_ten_are_evaluated_and_the_owner_still_enters(
        self, visit, mails, web_sessions
    ):
        """The thief asks anew whenever a code is used up, from a new browser and a new address each time."""
        owner = visit()
        ask(owner)
        own = codes_in(mails()[0])[0]
        asked, thief = 0, visit()
        token = thief.token("/my/sign-in")
        for number in range(250):
            place = {"REMOTE_ADDR": f"198.51.{number % 100}.7"}
            thief.client.delete_cookie(REQUEST_COOKIE, path="/my")
            form = {"csrf_token": token, "card_number": CARDS[0]}
            thief.client.post("/my/sign-in", data=form, environ_base=place)
            for _ in range(4):
                form = {"csrf_token": token, "code": f"{number:08}"}
                answer = thief.client.post("/my/code", data=form, environ_base=place)
                asked += answer.status_code in {422, 429}
        with web_sessions() as session:
            evaluated = session.scalar(
                select(func.sum(SignInCode.tries)).where(SignInCode.member_id.is_not(None))
            )
        assert asked == 1000
        assert evaluated <= 10
        assert len(mails()) == ASKS
        assert enter(owner, own).status_code == 303

    def test_leave_a_way_in_for_an_owner_who_asks_only_then(self, visit, mails):
        for number in range(ASKS + 3):
            thief = visit()
            ask(thief)
            for _ in range(3):
                enter(thief, f"{number:08}")
        owner = visit()
        assert ask(owner).status_code == 303
        newest = mails()[-1]
        assert len(mails()) == ASKS
        assert enter(owner, codes_in(newest)[0]).status_code in {422, 429}
        assert enter(owner, codes_in(newest)[1]).status_code == 303
        assert owner.get("/my/").status_code == 200

    def test_of_one_code_are_five(self, visit, mails):
        visitor = visit()
        ask(visitor)
        right = codes_in(mails()[0])[0]
        assert [enter(visitor, wrong(right)).status_code for _ in range(TRIES)] == [422] * TRIES
        assert enter(visitor, right).status_code == 422

    def test_of_two_codes_share_what_an_account_has(self, visit, mails):
        first, second = visit(), visit()
        for visitor in (first, second):
            ask(visitor)
            enter(visitor, "00000000")
        assert [enter(first, "00000000").status_code for _ in range(RETRIES)] == [422] * RETRIES
        assert enter(second, codes_in(mails()[1])[0]).status_code == 429

    def test_of_the_long_code_get_nobody_in(self, visit, mails):
        ask(visit())
        stranger = visit()
        assert enter(stranger, wrong(codes_in(mails()[0])[1])).status_code == 422

    def test_do_not_take_the_attempts_of_the_people_s_sign_in(self, visit, house, mails):
        """Nor the other way round: what is typed there as a login counts for nothing here."""
        stranger = visit()
        for number in range(12):
            stranger.sign_in(f"Customer asks {house.members[0]}", f"guess number {number}")
        ask(visit())
        assert len(mails()) == 1


class TestSpraying:
    def test_ends_after_thirty_cards_from_one_place(self, visit):
        visitor = visit()
        answers = [
            ask(visitor, NOBODYS, environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code for _ in range(40)
        ]
        assert answers == [303] * ASKS_FROM_ONE_PLACE + [429] * (40 - ASKS_FROM_ONE_PLACE)
        assert ask(visit(), environ_base={"REMOTE_ADDR": "203.0.113.10"}).status_code == 303

    def test_counts_a_network_of_ipv6_as_one_place(self, visit):
        stranger = visit()
        for number in range(ASKS_FROM_ONE_PLACE):
            ask(stranger, NOBODYS, environ_base={"REMOTE_ADDR": f"2001:db8:0:1::{number:x}"})
        assert ask(visit(), environ_base={"REMOTE_ADDR": "2001:db8:0:1:ffff::1"}).status_code == 429
        assert ask(visit(), environ_base={"REMOTE_ADDR": "2001:db8:0:2::1"}).status_code == 303

    def test_believes_no_header_without_proxies(self, visit):
        for number in range(ASKS_FROM_ONE_PLACE):
            ask(visit(), NOBODYS, headers={"X-Forwarded-For": f"192.0.2.{number}"})
        assert ask(visit(), headers={"X-Forwarded-For": "192.0.2.200"}).status_code == 429


class TestStrangers:
    @pytest.fixture
    def cases(self, web_sessions, house):
        """A card with an address, one whose member has none, and one that nobody has."""
        with web_sessions.begin() as session:
            session.execute(update(Member).where(Member.member_id == house.members[1]).values(email=None))
        yield {"mailed": CARDS[0], "without address": CARDS[1], "unknown": NOBODYS}
        with web_sessions.begin() as session:
            session.execute(
                update(Member).where(Member.member_id == house.members[1]).values(email="member1@example.org")
            )

    def test_are_answered_alike(self, visit, cases):
        answers = set()
        for card in cases.values():
            visitor = visit()
            answer = ask(visitor, card)
            page = visitor.get("/my/code").get_data(as_text=True)
            tried = enter(visitor, "00000000")
            words = re.sub(r'value="[^"]+"', "", page + tried.get_data(as_text=True))
            answers.add((answer.status_code, answer.headers["Location"], tried.status_code, words))
        assert len(answers) == 1

    def test_cost_the_same_questions_to_the_database(self, visit, cases, web_sessions):
        counted = {}
        engine = web_sessions.kw["bind"]
        for name, card in cases.items():
            visitor = visit()
            token = visitor.token("/my/sign-in")
            said: list[str] = []

            def note(_connection, _cursor, statement, *_rest, said=said):
                # One is kept, the other taken back: that is the whole difference.
                plain = re.sub(r"RELEASE|ROLLBACK TO", "END", statement.split("VALUES")[0])
                said.append(re.sub(r"sa_savepoint_\d+", "point", plain))

            event.listen(engine, "before_cursor_execute", note)
            visitor.client.post("/my/sign-in", data={"csrf_token": token, "card_number": card})
            event.remove(engine, "before_cursor_execute", note)
            counted[name] = said
        assert counted["mailed"] == counted["without address"] == counted["unknown"]
        assert any("outgoing_mail" in statement for statement in counted["unknown"])

    def test_leave_no_mail_for_nobody(self, visit, cases, mails):
        for card in cases.values():
            ask(visit(), card)
        assert [mail.recipient for mail in mails()] == ["member0@example.org"]

    @pytest.mark.parametrize(
        "bad",
        ["//evil.example/my/", "/my/\r\nSet-Cookie: a=b", "/my/\0", "/my/\x85", "/my\\evil"],
        ids=["site", "lines", "nul", "control", "backslash"],
    )
    def test_are_never_led_to_another_site(self, visit, mails, bad):
        visitor = visit()
        ask(visitor)
        form = {"code": codes_in(mails()[0])[0], "next": bad}
        assert visitor.post("/my/code", form, page="/my/code").headers["Location"] == "/my/"

    def test_cannot_end_a_customer_s_session_or_read_with_one_of_the_people(self, visit, mails):
        people = visit("administrator")
        assert people.get("/my/").headers["Location"].startswith("/my/sign-in")
        customer = sign_in(visit(), mails)
        assert customer.get("/").headers["Location"].startswith("/sign-in")
        assert customer.get("/members/").headers["Location"].startswith("/sign-in")


class TestSession:
    def test_gets_a_new_token_that_nobody_chose(self, visit, mails):
        visitor = visit()
        visitor.client.set_cookie(CUSTOMER_COOKIE, "chosen-by-a-stranger", path="/my")
        sign_in(visitor, mails)
        first = visitor.client.get_cookie(CUSTOMER_COOKIE, path="/my").value
        assert first != "chosen-by-a-stranger"
        assert len(first) >= 43
        ask(visitor, page="/my/choices")
        enter(visitor, codes_in(mails()[-1])[0])
        assert visitor.client.get_cookie(CUSTOMER_COOKIE, path="/my").value != first
        stale = visit()
        stale.client.set_cookie(CUSTOMER_COOKIE, first, path="/my")
        assert stale.get("/my/").status_code == 302

    def test_is_kept_from_scripts_from_other_sites_and_from_the_people_s_screens(self, visit, mails):
        visitor = visit()
        ask(visitor)
        cookie = enter(visitor, codes_in(mails()[0])[0]).headers["Set-Cookie"]
        assert cookie.startswith(f"{CUSTOMER_COOKIE}=")
        assert all(word in cookie for word in ("HttpOnly", "SameSite=Lax", "Path=/my"))
        assert visitor.client.get_cookie(SESSION_COOKIE) is None

    def test_ends_after_half_an_hour_without_a_request(self, visit, mails):
        visitor = sign_in(visit(), mails)
        with time_machine.travel(clock.now() + timedelta(minutes=29), tick=True):
            assert visitor.get("/my/").status_code == 200
        with time_machine.travel(clock.now() + timedelta(minutes=29 + 31), tick=True):
            assert visitor.get("/my/").status_code == 302

    def test_ends_in_every_browser_at_once(self, visit, mails):
        phone, computer = sign_in(visit(), mails), sign_in(visit(), mails)
        assert computer.get("/my/").status_code == 200
        phone.post("/my/sign-out", {"everywhere": "yes"}, page="/my/choices")
        assert computer.get("/my/").status_code == 302

    def test_of_one_browser_ends_alone(self, visit, mails):
        phone, computer = sign_in(visit(), mails), sign_in(visit(), mails)
        phone.post("/my/sign-out", page="/my/choices")
        assert phone.get("/my/").status_code == 302
        assert computer.get("/my/").status_code == 200

    def test_does_not_use_up_what_strangers_may_ask(self, visit, mails):
        """Whoever signs in and out all day is never told to wait."""
        for _ in range(ASKS + 2):
            sign_in(visit(), mails)

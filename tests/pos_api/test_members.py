"""Members join at the till and get the card on the counter."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from core import clock
from loyalty.referrals.operations import Rules, referral_code_of, set_referral_rules
from loyalty.tiers.queries import account_of_member
from pos_api import examples
from tests.pos_api.conftest import code_of, enrol_with_points

PERSON = examples.MEMBERS["member"]["value"]
NEW = "2990000000040"


def join(till, **changes):
    return till.post("/members", {**PERSON, **changes})


class TestPostMember:
    def test_makes_a_holder_of_a_card_never_seen(self, till):
        answer = join(till)
        assert answer.status_code == 201, answer.get_json()
        card = answer.get_json()["card"]
        assert (card["card_number"], card["state"], card["member"]["greeting"]) == (NEW, "active", "Žofie N.")
        assert till.get(f"/cards/{NEW}").get_json() == card

    def test_leaves_what_an_issued_card_has_earned_to_its_holder(self, till):
        till.post("/receipts", till.sale())
        card = join(till, card_number=examples.CARD_NUMBER).get_json()["card"]
        assert card["points"]["balance"] == 107

    def test_keeps_contact_details_in_their_normal_form_and_consents_with_their_source(self, chain, till):
        join(
            till,
            phone="601 123 456",
            email="Zofie@EXAMPLE.com",
            consents=["email:offers", "sms:offers", "profiling"],
        )
        with chain.sessions() as session:
            kept = session.execute(text("select phone, email, home_store_code from member")).one()
            agreed = session.execute(
                text("select purpose, channel, granted, source from consent order by purpose")
            ).all()
            asked = session.execute(text("select purposes, source from consent_request")).all()
            mails = session.execute(text("select kind, recipient from outgoing_mail")).all()
        assert tuple(kept) == ("+420601123456", "Zofie@example.com", "S1")
        assert [tuple(row) for row in agreed] == [
            ("offers", "sms", True, "till S1/T1"),
            ("profiling", None, True, "till S1/T1"),
        ]
        assert [tuple(row) for row in asked] == [(["offers"], "till S1/T1")], "e-mail is asked of the mailbox"
        assert [tuple(row) for row in mails] == [("consent_confirmation", "Zofie@example.com")]

    def test_takes_the_language_of_the_country_when_none_is_stated(self, chain):
        join(chain.till, language=None)
        with chain.sessions() as session:
            assert session.scalar(text("select language from member")) == "cs"

    def test_gives_a_card_to_one_of_those_who_ask_at_once(self, chain, till):
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: join(till), range(6)))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
        assert {code_of(answer) for answer in answers if answer.status_code == 409} == {"already_registered"}
        with chain.sessions() as session:
            assert session.scalar(text("select count(*) from member")) == 1

    def test_is_done_once_under_one_key(self, till):
        first, again = (till.post("/members", PERSON, headers={"Idempotency-Key": "m-1"}) for _ in range(2))
        assert (again.status_code, again.get_json()) == (201, first.get_json())

    def test_is_refused_on_a_blocked_and_on_a_replaced_card(self, till):
        till.post(f"/cards/{examples.CARD_NUMBER}/block", {"reason": "lost"})
        assert code_of(join(till, card_number=examples.CARD_NUMBER)) == "card_blocked"
        till.post(
            f"/cards/{examples.CARD_NUMBER}/replace", {"reason": "lost", "new_card_number": "2990000000057"}
        )
        assert code_of(join(till, card_number=examples.CARD_NUMBER)) == "card_in_use"

    @pytest.mark.parametrize(
        ("changes", "place"),
        [
            ({"phone": None, "email": None}, ""),
            ({"email": "nobody"}, "/email"),
            ({"phone": "12"}, "/phone"),
            ({"phone": "call me"}, "/phone"),
            ({"card_number": "2990000000041"}, "/card_number"),
            ({"card_number": "4111111111111111"}, "/card_number"),
            ({"family_name": "5555 5555 5555 4444"}, "/family_name"),
            ({"given_name": ""}, "/given_name"),
            ({"language": "de"}, "/language"),
            ({"consents": ["email:spam"]}, "/consents/0"),
            ({"nickname": "Ž"}, "/nickname"),
        ],
        ids=str,
    )
    def test_is_refused_by_name(self, chain, till, changes, place):
        answer = join(till, **changes)
        assert code_of(answer) == "invalid_content"
        assert [error["pointer"] for error in answer.get_json()["errors"]] == [place]
        with chain.sessions() as session:
            assert session.scalar(text("select count(*) from member")) == 0


class TestBlock:
    def test_stops_earning_from_then_on(self, chain, till):
        card = enrol_with_points(chain, 100)
        for reason in ("lost", "stolen"):
            answer = till.post(f"/cards/{card}/block", {"reason": reason})
            assert (answer.status_code, answer.get_json()["state"]) == (200, "blocked")
        sale = till.post(
            "/receipts", till.sale(card_number=card, closed_at="2098-01-01T00:00:00Z")
        ).get_json()
        assert "blocked_card" in {flag["code"] for flag in sale["flags"]}
        assert sale["points"]["earned"] == 0
        with chain.sessions() as session:
            assert session.scalar(text("select blocked_reason from card where state = 'blocked'")) == "lost"
        refused = till.post("/redemptions", {"card_number": card, "points": 1})
        assert (refused.status_code, code_of(refused)) == (409, "card_blocked")

    def test_needs_a_card_and_a_reason(self, till):
        assert code_of(till.post("/cards/2990000000088/block", {"reason": "lost"})) == "not_found"
        assert code_of(till.post(f"/cards/{examples.CARD_NUMBER}/block", {})) == "invalid_content"


class TestReplace:
    def test_lets_everything_follow(self, chain, till):
        card = enrol_with_points(chain, 100)
        answer = till.post(f"/cards/{card}/replace", {"new_card_number": NEW, "reason": "lost"})
        assert answer.status_code == 200, answer.get_json()
        shown = answer.get_json()
        assert (shown["card_number"], shown["state"], shown["points"]["available"]) == (NEW, "active", 100)
        old = till.get(f"/cards/{card}").get_json()
        assert (old["state"], old["points"]) == ("replaced", shown["points"])
        late = till.post("/receipts", till.sale(card_number=card)).get_json()
        assert late["points"]["earned"] == 107
        assert not {"unknown_card", "blocked_card"} & {flag["code"] for flag in late["flags"]}
        assert till.get(f"/cards/{NEW}").get_json()["points"]["balance"] == 207

    def test_takes_a_blocked_card_and_an_issued_one_that_was_never_used(self, chain, till):
        card = enrol_with_points(chain, 0)
        till.post(f"/cards/{card}/block", {"reason": "lost"})
        answer = till.post(
            f"/cards/{card}/replace", {"new_card_number": examples.CARD_NUMBER, "reason": "lost"}
        )
        assert (answer.status_code, answer.get_json()["state"]) == (200, "active")

    def test_is_refused_when_either_card_is_somebody_elses_or_gone(self, chain, till):
        card = enrol_with_points(chain, 0)
        other = enrol_with_points(chain, 0, "2990000000033")
        till.post("/receipts", till.sale())

        def replaced(old, new):
            return code_of(till.post(f"/cards/{old}/replace", {"new_card_number": new, "reason": "lost"}))

        assert replaced(card, other) == "card_in_use"
        assert replaced(card, card) == "card_in_use"
        assert replaced(card, examples.CARD_NUMBER) == "card_in_use"  # it has earned points
        assert replaced("2990000000088", NEW) == "not_found"
        assert replaced(card, "2990000000041") == "invalid_content"
        assert till.post(f"/cards/{card}/replace", {"new_card_number": NEW, "reason": "x"}).status_code == 200
        assert replaced(card, "2990000000057") == "card_in_use"
        assert replaced(other, NEW) == "card_in_use"
        assert code_of(till.post(f"/cards/{card}/block", {"reason": "lost"})) == "card_in_use"
        assert till.get("/cards/2990000000057").status_code == 404


class TestAReferralCode:
    @pytest.fixture
    def code(self, chain, till) -> str:
        """The code of a member, in a chain that rewards who brings others."""
        member_code = join(till).get_json()["member_code"]
        now = clock.now()
        with chain.sessions.begin() as session:
            set_referral_rules(session, rules=Rules(), actor="mara", now=now)
            member_id, _ = account_of_member(session, member_code=member_code)
            return referral_code_of(session, member_id=member_id, now=now)

    def test_is_noted_with_who_joins_by_it(self, till, code):
        friend = {"card_number": "2990000000057", "phone": "601 999 888", "email": "friend@example.com"}
        answer = join(till, **friend, referral_code=code.lower())
        assert answer.status_code == 201, answer.get_json()
        assert answer.get_json()["referral"] == {"state": "waiting", "reason": None}

    def test_is_refused_for_who_is_not_new_who_joins_all_the_same(self, till, code):
        answer = join(till, card_number="2990000000057", email=None, referral_code=code)
        assert answer.status_code == 201
        assert answer.get_json()["referral"] == {"state": "refused", "reason": "phone"}

    def test_that_nobody_has_is_wrong_input_and_enrols_nobody(self, chain, till):
        answer = join(till, referral_code="NOBODY22")
        assert (answer.status_code, code_of(answer)) == (422, "invalid_content")
        assert answer.get_json()["errors"][0]["pointer"] == "/referral_code"
        with chain.sessions() as session:
            assert session.scalar(text("select count(*) from member")) == 0

    def test_is_not_spoken_of_where_there_is_none(self, till):
        assert "referral" not in join(till).get_json()

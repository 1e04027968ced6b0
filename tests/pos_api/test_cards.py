"""Changes of cards at the till: a repeated request whose answer was lost gets that answer."""

import pytest

from tests.pos_api.conftest import MEMBER_CARD, Chain, TillClient, code_of, enrol_with_points

NEW_CARD = "2990000000057"
KEY = {"Idempotency-Key": "c-1"}
REPLACEMENT = {"new_card_number": NEW_CARD, "reason": "lost"}


@pytest.fixture
def card(chain: Chain) -> str:
    return enrol_with_points(chain, 0)


class TestReplacing:
    def test_again_is_refused(self, till: TillClient, card):
        assert till.post(f"/cards/{card}/replace", REPLACEMENT).status_code == 200
        again = till.post(f"/cards/{card}/replace", REPLACEMENT)
        assert (again.status_code, code_of(again)) == (409, "card_in_use")

    def test_again_under_its_key_gets_the_stored_answer(self, till: TillClient, card):
        first, again = (till.post(f"/cards/{card}/replace", REPLACEMENT, headers=KEY) for _ in range(2))
        assert (first.status_code, again.status_code) == (200, 200)
        assert again.get_json() == first.get_json()
        assert first.get_json()["card_number"] == NEW_CARD

    def test_with_another_body_under_its_key_is_refused(self, till: TillClient, card):
        till.post(f"/cards/{card}/replace", REPLACEMENT, headers=KEY)
        other = till.post(f"/cards/{card}/replace", {**REPLACEMENT, "reason": "stolen"}, headers=KEY)
        assert (other.status_code, code_of(other)) == (422, "idempotency_conflict")

    def test_under_the_key_of_a_block_is_refused(self, till: TillClient, card):
        body = {"reason": "lost"}
        first, again = (till.post(f"/cards/{card}/block", body, headers=KEY) for _ in range(2))
        assert (first.status_code, again.get_json()) == (200, first.get_json())
        other = till.post(f"/cards/{card}/replace", REPLACEMENT, headers=KEY)
        assert (other.status_code, code_of(other)) == (422, "idempotency_conflict")
        assert till.get(f"/cards/{MEMBER_CARD}").get_json()["state"] == "blocked"

    def test_that_was_refused_leaves_no_answer_under_its_key(self, till: TillClient, card):
        taken = {"new_card_number": card, "reason": "lost"}
        assert till.post(f"/cards/{card}/replace", taken, headers=KEY).status_code == 409
        assert till.post(f"/cards/{card}/replace", REPLACEMENT, headers=KEY).status_code == 200

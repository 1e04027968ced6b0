"""Redemptions over HTTP: reserved, then given back or handed over, once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from pos_api import examples
from tests.pos_api.conftest import code_of, enrol_with_points


@pytest.fixture
def card(chain) -> str:
    return enrol_with_points(chain, 1000)


def available(till, card) -> int:
    return till.get(f"/cards/{card}").get_json()["points"]["available"]


def reserve(till, card, points=400):
    answer = till.post("/redemptions", {"card_number": card, "points": points})
    assert answer.status_code == 201, answer.get_json()
    return answer.get_json()


def stock(chain, pieces: int) -> None:
    with chain.sessions.begin() as session:
        session.execute(text("insert into reward values ('MUG', '{\"en\": \"Mug\"}', 300)"))
        session.execute(
            text("insert into reward_stock select 'MUG', store_id, :n from store where store_code = 'S1'"),
            {"n": pieces},
        )


class TestPostRedemption:
    def test_holds_points_and_says_what_they_are_worth(self, till, card):
        held = reserve(till, card)
        assert (held["state"], held["points"], held["value_amount"]) == ("reserved", 400, 4000)
        shown = till.get(f"/cards/{card}").get_json()["points"]
        assert (shown["available"], shown["reserved"]) == (600, 400)

    def test_never_overdraws_whoever_asks_at_once(self, till, card):
        with ThreadPoolExecutor(8) as pool:
            answers = list(
                pool.map(lambda _: till.post("/redemptions", {"card_number": card, "points": 300}), range(8))
            )
        won = [answer for answer in answers if answer.status_code == 201]
        lost = [code_of(answer) for answer in answers if answer.status_code == 409]
        assert (len(won), lost) == (3, ["not_enough_points"] * 5)
        assert available(till, card) == 100

    def test_gives_the_last_gift_to_one(self, chain, till, card):
        stock(chain, 1)
        wish = {"card_number": card, "reward_code": "MUG"}
        first = till.post("/redemptions", wish)
        assert (first.status_code, first.get_json()["points"]) == (201, 300)
        second = till.post("/redemptions", wish)
        assert (second.status_code, code_of(second)) == (409, "out_of_stock")

    @pytest.mark.parametrize(
        ("wish", "status", "code"),
        [
            ({"card_number": "2990000000033", "points": 1}, 404, "not_found"),
            ({"card_number": examples.CARD_NUMBER, "points": 1}, 409, "not_registered"),
            ({"card_number": "2990000000026", "points": 1001}, 409, "not_enough_points"),
            ({"card_number": "2990000000026", "reward_code": "YACHT"}, 404, "not_found"),
            ({"voucher_code": "7Q4M-9XKD-2R"}, 404, "not_found"),
            ({"card_number": "2990000000026", "points": 0}, 422, "invalid_content"),
            ({"card_number": "2990000000026", "points": "1"}, 422, "invalid_content"),
            ({"card_number": "2990000000026"}, 422, "invalid_content"),
            ({"points": 1}, 422, "invalid_content"),
            ({"card_number": "2990000000026", "points": 1, "reward_code": "MUG"}, 422, "invalid_content"),
            ({"card_number": "4111111111111111", "points": 1}, 422, "invalid_content"),
            ({}, 422, "invalid_content"),
        ],
        ids=str,
    )
    def test_refuses_for_a_reason(self, till, card, wish, status, code):
        answer = till.post("/redemptions", wish)
        assert (answer.status_code, code_of(answer)) == (status, code)

    def test_is_done_once_under_one_key(self, till, card):
        wish = {"card_number": card, "points": 100}
        headers = {"Idempotency-Key": "r-1"}
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: till.post("/redemptions", wish, headers=headers), range(8)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.get_json()["redemption_id"] for answer in answers}) == 1
        assert available(till, card) == 900
        other = till.post("/redemptions", wish | {"points": 200}, headers=headers)
        assert (other.status_code, code_of(other)) == (422, "idempotency_conflict")
        same = till.post("/redemptions", {**wish, "reward_code": None}, headers=headers)
        assert same.get_json() == answers[0].get_json()

    def test_leaves_the_key_free_when_refused(self, till, card):
        headers = {"Idempotency-Key": "r-1"}
        assert (
            till.post("/redemptions", {"card_number": card, "points": 9999}, headers=headers).status_code
            == 409
        )
        assert (
            till.post("/redemptions", {"card_number": card, "points": 1}, headers=headers).status_code == 201
        )


class TestResolving:
    def test_gives_back_once(self, till, card):
        held = reserve(till, card)
        path = f"/redemptions/{held['redemption_id']}"
        for _ in range(2):
            answer = till.send("POST", f"{path}/release")
            assert (answer.status_code, answer.get_json()) == (200, {**held, "state": "released"})
        assert available(till, card) == 1000
        assert code_of(till.send("POST", f"{path}/post")) == "already_released"
        assert till.get(path).get_json()["state"] == "released"

    def test_hands_over_once(self, till, card):
        held = reserve(till, card)
        path = f"/redemptions/{held['redemption_id']}"
        for _ in range(2):
            answer = till.send("POST", f"{path}/post")
            assert (answer.status_code, answer.get_json()) == (200, {**held, "state": "posted"})
        assert code_of(till.send("POST", f"{path}/release")) == "already_redeemed"
        assert till.get(f"/cards/{card}").get_json()["points"]["balance"] == 600

    def test_happens_on_the_receipt_that_lists_it(self, till, card):
        held = reserve(till, card)
        sale = till.sale(card_number=card, redemption_ids=[held["redemption_id"]])
        sale["totals"] |= {"points_amount": 4000, "payable_amount": 6800}
        sale["tenders"] = [{"type": "cash", "amount": 6800}]
        answer = till.post("/receipts", sale).get_json()
        assert (answer["points"]["spent"], answer["points"]["earned"]) == (400, 67)
        assert till.get(f"/redemptions/{held['redemption_id']}").get_json()["state"] == "posted"
        assert till.post("/receipts", sale).get_json() == {**answer, "replayed": True}

    def test_happens_once_however_often_the_receipt_spells_it(self, till, card):
        held = reserve(till, card)["redemption_id"]
        sale = till.sale(card_number=card, redemption_ids=[held, held.upper(), held.replace("-", "")])
        sale["totals"] |= {"points_amount": 4000, "payable_amount": 6800}
        sale["tenders"] = [{"type": "cash", "amount": 6800}]
        posted = till.post("/receipts", sale)
        assert posted.status_code == 201
        assert posted.get_json()["points"]["spent"] == 400

    def test_of_another_store_is_refused(self, chain, till, card):
        path = f"/redemptions/{reserve(till, card)['redemption_id']}"
        assert chain.neighbour.get(path).status_code == 200
        for answer in (chain.elsewhere.get(path), chain.elsewhere.send("POST", f"{path}/release")):
            assert (answer.status_code, code_of(answer)) == (403, "other_store")

    @pytest.mark.parametrize("redemption_id", ["0190f5a0-7b1e-7c3d-8e4f-5a6b7c8d9e0f", "1", "%00", "x" * 300])
    def test_of_nothing_is_not_found(self, till, redemption_id):
        for answer in (
            till.get(f"/redemptions/{redemption_id}"),
            till.send("POST", f"/redemptions/{redemption_id}/release"),
            till.send("POST", f"/redemptions/{redemption_id}/post"),
        ):
            assert (answer.status_code, code_of(answer)) == (404, "not_found")

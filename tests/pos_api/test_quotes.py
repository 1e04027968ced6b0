"""A till asks what a basket comes to, and pays it."""

from copy import deepcopy
from datetime import UTC, datetime

import pytest

import core.driver
from pos_api import examples
from tests.pos_api.conftest import MEMBER_CARD, code_of, enrol_with_points


def basket(base=examples.QUOTE, **changes):
    body = deepcopy(dict(base)) | changes
    return {name: value for name, value in body.items() if value is not ...}


def with_line(**changes):
    body = basket()
    line = body["lines"][0] | changes
    body["lines"] = [{name: value for name, value in line.items() if value is not ...}]
    return body


def places(response):
    assert code_of(response) == "invalid_content"
    return [place["pointer"] for place in response.get_json()["errors"]]


class TestPostQuote:
    @pytest.mark.parametrize("example", examples.QUOTES.values(), ids=list(examples.QUOTES))
    def test_takes_every_example_of_the_contract(self, till, example):
        assert till.post("/quotes", example["value"]).status_code == 200

    def test_answers_like_the_example(self, till):
        answer = till.post("/quotes", examples.QUOTE).get_json()

        def shape(value):
            if isinstance(value, dict):
                return {name: shape(inner) for name, inner in value.items()}
            return [shape(inner) for inner in value] if isinstance(value, list) else None

        # What offers and the night have to say has tests of its own.
        told_elsewhere = {"lines": None, "not_applied": None, "next_offers": None}
        assert shape(answer) | {"member": None, "messages": []} | told_elsewhere == (
            shape(examples.QUOTE_ANSWER) | {"member": None} | told_elsewhere
        )

    def test_becomes_the_receipt_it_promised(self, chain, till):
        enrol_with_points(chain, 1000)
        quote = till.post("/quotes", basket(card_number=MEMBER_CARD, points_to_spend=300)).get_json()
        reserved = till.post(
            "/redemptions", {"card_number": MEMBER_CARD, "points": quote["points"]["to_spend"]}
        ).get_json()
        now = datetime.now(UTC)
        sale = till.sale(
            card_number=MEMBER_CARD,
            quote_id=quote["quote_id"],
            tenders=...,
            closed_at=now.isoformat(),
            business_date=now.date().isoformat(),
        )
        sale["redemption_ids"] = [reserved["redemption_id"]]
        sale["lines"][0] |= {"discount_amount": 0, "total_amount": 11980, "discounts": []}
        sale["totals"] = {"gross_amount": 11980, "points_amount": 3000, "payable_amount": 8980}
        booked = till.post("/receipts", sale).get_json()
        assert booked["differences"] == []
        assert [flag["code"] for flag in booked["flags"]] == ["unknown_article"]
        assert booked["points"]["earned"] == quote["points"]["to_earn"] == 89
        assert booked["points"]["spent"] == 300
        assert till.post("/receipts", sale).get_json() == booked | {"replayed": True}

    def test_shows_differences_in_the_answer_of_the_receipt(self, till):
        quote = till.post("/quotes", examples.QUOTE).get_json()
        booked = till.post("/receipts", till.sale(quote_id=quote["quote_id"])).get_json()
        assert {difference["field"] for difference in booked["differences"]} == {
            "discount_amount",
            "payable_amount",
            "points_earned",
            "total_amount",
        }

    def test_asks_the_database_no_more_than_three_times(self, till, monkeypatch):
        till.post("/quotes", examples.QUOTE)
        asked = []
        travel = core.driver.travel

        def noted(connection, answers, **options):
            asked.append([answer.statement for answer in answers])
            return travel(connection, answers, **options)

        monkeypatch.setattr(core.driver, "travel", noted)
        assert till.post("/quotes", examples.QUOTE).status_code == 200
        assert 0 < len(asked) <= 3, asked

    def test_refuses_a_gtin_with_a_wrong_check_digit_and_takes_unknown_articles(self, till):
        assert places(till.post("/quotes", with_line(gtin="8594001021513"))) == ["/lines/0/gtin"]
        assert till.post("/quotes", with_line(gtin=..., sku="nobody knows it")).status_code == 200

    @pytest.mark.parametrize(
        ("changes", "place"),
        [
            ({"lines": []}, "/lines"),
            ({"lines": ...}, "/lines"),
            ({"currency": "XXZ"}, "/currency"),
            ({"points_to_spend": -1}, "/points_to_spend"),
            ({"points_to_spend": "5"}, "/points_to_spend"),
            ({"at": "2026-11-21T10:15:00"}, "/at"),
            ({"tenders": []}, "/tenders"),
        ],
    )
    def test_names_what_is_wrong(self, till, changes, place):
        assert place in places(till.post("/quotes", basket(**changes)))

    @pytest.mark.parametrize(
        ("changes", "place"),
        [
            ({"gtin": ..., "sku": ...}, "/lines/0"),
            ({"quantity": "0"}, "/lines/0/quantity"),
            ({"quantity": "999999999", "unit_price": 10**14}, "/lines/0/quantity"),
            ({"unit_price": 59.9}, "/lines/0/unit_price"),
            ({"total_amount": 1}, "/lines/0/total_amount"),
        ],
    )
    def test_names_what_is_wrong_in_a_line(self, till, changes, place):
        assert places(till.post("/quotes", with_line(**changes))) == [place]

    def test_refuses_two_lines_of_one_number(self, till):
        line = examples.QUOTE["lines"][0]
        assert places(till.post("/quotes", basket(lines=[line, line]))) == ["/lines/1/line_number"]

    def test_refuses_numbers_of_payment_cards_but_not_gtins_that_look_like_one(self, till):
        assert places(till.post("/quotes", with_line(name="4111 1111 1111 1111"))) == ["/lines/0/name"]
        assert till.post("/quotes", with_line(gtin="4000000000006")).status_code == 200

    def test_wants_a_key(self, chain):
        assert code_of(chain.nobody.post("/quotes", examples.QUOTE)) == "unauthenticated"
        assert code_of(chain.revoked.post("/quotes", examples.QUOTE)) == "revoked_key"

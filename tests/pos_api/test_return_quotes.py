"""Quoted returns say what the return will do, and do nothing."""

import pytest
from sqlalchemy import text

from pos_api import examples
from tests.pos_api.conftest import code_of, enrol_with_points

ORIGINAL = examples.RETURN["original"]


def quote(till, quantity="1", original=ORIGINAL, line=1):
    return till.post(
        "/returns/quotes",
        {"original": original, "lines": [{"original_line_number": line, "quantity": quantity}]},
    )


@pytest.fixture
def sale(till):
    return till.post("/receipts", till.sale(receipt_number="000123")).get_json()


class TestPostReturnQuote:
    def test_takes_the_example_of_the_contract_and_answers_it(self, till, sale):
        answer = till.post("/returns/quotes", examples.RETURN_QUOTES["one_of_two"]["value"])
        assert (answer.status_code, answer.get_json()) == (200, examples.RETURN_QUOTE_ANSWER)

    def test_says_what_the_return_does(self, till, sale):
        quoted = quote(till).get_json()["points"]
        done = till.post("/receipts", till.sale(examples.RETURN)).get_json()["points"]
        assert (quoted["reversed"], quoted["balance_after"]) == (done["reversed"], done["balance"])

    def test_keeps_nothing(self, chain, till, sale):
        def everything():
            with chain.sessions() as session:
                tables = (
                    "receipt",
                    "receipt_line",
                    "receipt_flag",
                    "receipt_link",
                    "ledger_entry",
                    "ledger_leg",
                )
                counts = [session.scalar(text(f"select count(*) from {table}")) for table in tables]
                return counts, session.execute(text("select * from balance")).all()

        before = everything()
        assert quote(till).status_code == 200
        assert everything() == before

    def test_refunds_exactly_the_line_in_parts(self, till):
        body = till.sale(receipt_number="000123")
        body["lines"][0] |= {"quantity": "3", "unit_price": 3333, "discount_amount": 0, "total_amount": 9999}
        body["lines"][0]["total_amount"] = 10000
        till.post("/receipts", body)
        refunds = []
        for _ in range(3):
            refunds.append(quote(till).get_json()["totals"]["refund_amount"])
            till.post("/receipts", till.sale(examples.RETURN))
        assert sum(refunds) == 10000
        assert quote(till).get_json()["totals"]["refund_amount"] == 0

    def test_cuts_and_flags_what_is_more_than_sold(self, till, sale):
        quoted = quote(till, quantity="5").get_json()
        assert quoted["lines"][0]["quantity"] == "2"
        assert quoted["lines"][0]["refund_amount"] == 10782
        assert [(flag["code"], flag["line_number"]) for flag in quoted["flags"]] == [("over_returned", 1)]
        nothing = quote(till, line=7).get_json()
        assert (nothing["totals"]["refund_amount"], nothing["flags"][0]["code"]) == (0, "over_returned")

    def test_counts_nothing_of_earlier_returns_that_had_no_effect(self, till, sale):
        """Of a line that was not sold, of more than was left, of a sale that is void: none of them says how much came back."""
        stray = till.sale(examples.RETURN)
        stray["lines"].append({**stray["lines"][0], "line_number": 2, "original_line_number": 7})
        till.post("/receipts", stray)
        assert quote(till).get_json()["lines"][0]["quantity"] == "1"
        till.post("/receipts", till.sale(examples.RETURN))
        till.post("/receipts", till.sale(examples.RETURN))
        for line in (1, 7):
            nothing = quote(till, line=line)
            assert nothing.status_code == 200
            assert nothing.get_json()["totals"]["refund_amount"] == 0

    def test_of_a_void_sale_gives_nothing_and_says_so_each_time(self, till, sale):
        till.post("/receipts", till.sale(examples.VOID, original=ORIGINAL))
        for _ in range(2):
            answer = quote(till)
            assert answer.status_code == 200
            quoted = answer.get_json()
            assert (quoted["totals"]["refund_amount"], quoted["points"]["reversed"]) == (0, 0)
            assert "over_returned" in {flag["code"] for flag in quoted["flags"]}
            done = till.post("/receipts", till.sale(examples.RETURN, card_number=None)).get_json()
            assert "over_returned" in {flag["code"] for flag in done["flags"]}

    def test_gives_spent_points_back_instead_of_money(self, chain, till):
        card = enrol_with_points(chain, 1000)
        held = till.post("/redemptions", {"card_number": card, "points": 400}).get_json()
        body = till.sale(receipt_number="000123", card_number=card, redemption_ids=[held["redemption_id"]])
        body["totals"] |= {"points_amount": 4000, "payable_amount": 6800}
        body["tenders"] = [{"type": "cash", "amount": 6800}]
        till.post("/receipts", body)
        quoted = quote(till, quantity="2").get_json()
        assert quoted["points"]["returned"] == 400
        assert quoted["totals"]["refund_amount"] == 10782 - 4000

    def test_may_be_about_a_receipt_of_another_store(self, chain, sale):
        assert quote(chain.elsewhere).get_json()["points"]["reversed"] == 53

    def test_needs_a_receipt(self, till):
        answer = quote(till)
        assert (answer.status_code, code_of(answer)) == (404, "not_found")

    @pytest.mark.parametrize("quantity", ["0", "-1", 1, "1.0001"])
    def test_needs_a_quantity(self, till, sale, quantity):
        assert code_of(quote(till, quantity=quantity)) == "invalid_content"

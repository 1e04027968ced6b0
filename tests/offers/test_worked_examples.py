"""Every worked example of the format, asked of a till: the amounts are those of the text."""

import pytest

from tests.offers.conftest import amount, basket, each, fixed, items, nth, offer, percent, value

TEA = ("tea", 2, 5990)
CHOCOLATES = (("choc", 4, 2990), ("choc2", 1, 1990))
T10 = offer("T10", items("TEA"), percent(10), priority=200)
T20 = offer("T20", items("TEA"), percent(20), priority=100)
ONE_OF_THE_TWO = [one | {"exclusive_group": "TEA"} for one in (T10, T20)]

EXAMPLES = {
    "10 % on tea": ([TEA], [offer("TEA10", items("TEA"), percent(10))], [1198]),
    "10 % on soap, rounded once": ([("soap", 3, 3330)], [offer("SOAP10", items("SOAP"), percent(10))], [999]),
    "1000 off from 3000": (
        [("A", 1, 1000), ("B", 1, 1000), ("C", 1, 1000)],
        [offer("V", value(3000), amount(1000))],
        [334, 333, 333],
    ),
    "three chocolates, the cheapest free": (
        CHOCOLATES,
        [offer("C3", items("CHOC", 3), nth())],
        [2990, 0],
    ),
    "five chocolates, the cheapest free": (CHOCOLATES, [offer("C5", items("CHOC", 5), nth())], [0, 1990]),
    "shampoo and conditioner at a price": (
        [("shampoo", 1, 8900), ("conditioner", 1, 7900)],
        [offer("SET", each(({"skus": ["shampoo"]}, 1), ({"skus": ["conditioner"]}, 1)), fixed(14900))],
        [1007, 893],
    ),
    "10 %, then 20 %": ([TEA], [T20, T10], [3354]),
    "15 % on cheese": (
        [("cheese", "0.754", 29900)],
        [offer("CHEESE15", items("CHEESE"), percent(15))],
        [3382],
    ),
    "5000 an application": ([TEA], [offer("PER", items("TEA"), amount(5000))], [10000]),
    "500 a unit on a pen of 300": ([("pen", 1, 300)], [offer("PEN", items("PEN"), amount(500, "unit"))], [300]),
    "two milks make bread half price": (
        [("milk", 2, 2490), ("bread", 1, 3990)],
        [offer("MILK2", items("MILK", 2), percent(50, select={"categories": ["BREAD"]}))],
        [0, 1995],
    ),
}  # fmt: skip


class TestAWorkedExample:
    @pytest.mark.parametrize(("lines", "offers", "expected"), EXAMPLES.values(), ids=EXAMPLES)
    def test_comes_to_the_cent(self, market, lines, offers, expected):
        market.live(*offers)
        assert market.quote(basket(*lines)).discounts == expected

    @pytest.mark.parametrize(("choice", "expected"), [("first", 1198), ("best", 2396)])
    def test_of_an_exclusive_group_goes_by_the_programme_s_choice(self, market, choice, expected):
        market.live(*ONE_OF_THE_TWO, choice=choice)
        assert market.quote(basket(TEA)).discounts == [expected]

    def test_shows_both_discounts_of_a_line_in_order(self, market):
        market.live(T20, T10)
        assert market.quote(basket(TEA)).shares == [[("T10", 1198), ("T20", 2156)]]

    def test_of_the_contract_answers_as_the_contract_shows(self, market):
        """pos-api.md: TEA10 on two teas is 1198 of 11980, and 107 points are to be earned."""
        card = market.member()
        market.live(
            offer("TEA10", items("TEA"), percent(10), name={"en": "10 % off tea", "cs": "Sleva 10 % na čaj"})
        )
        answer = market.quote(basket(TEA), card_number=card).body
        assert answer["lines"] == [
            {
                "line_number": 1,
                "gross_amount": 11980,
                "discount_amount": 1198,
                "net_amount": 10782,
                "discounts": [
                    {"offer_code": "TEA10", "offer_version": 1, "amount": 1198, "reason": "Sleva 10 % na čaj"}
                ],
            }
        ]
        assert answer["totals"] == {
            "gross_amount": 11980, "discount_amount": 1198, "points_amount": 0, "payable_amount": 10782}  # fmt: skip
        assert answer["points"]["to_earn"] == 107

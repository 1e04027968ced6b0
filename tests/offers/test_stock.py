"""Gifts that run out, and goods of which more would not help."""

from tests.offers.conftest import ALWAYS, basket, items, offer, percent

TEA = basket(("tea", 1, 1000))
GIFT = {"kind": "gift", "reward": "MUG", "quantity": 1}


def with_mugs(market, pieces, *offers):
    rewards = [{"code": "MUG", "name": {"en": "Mug"}, "stock": {"S1": pieces}}]
    market.live(*offers, rewards=rewards)


class TestAGiftThatRanOut:
    def test_does_not_happen_and_leaves_its_group_to_others(self, market):
        with_mugs(
            market,
            0,
            offer("G", items("TEA"), GIFT, priority=200, exclusive_group="X", limits={"uses": 5}),
            offer("P", items("TEA"), percent("10"), exclusive_group="X"),
        )
        quote = market.quote(TEA)
        assert (quote.discounts, quote.body["gifts"]) == ([100], [])
        assert ("G", None) in [(one["offer_code"], one["missing"]) for one in quote.body["not_applied"]]

    def test_is_given_as_often_as_there_are_pieces(self, market):
        with_mugs(market, 1, offer("G", items("TEA"), GIFT))
        quote = market.quote(basket(("tea", 3, 1000)))
        assert [one["quantity"] for one in quote.body["gifts"]] == [1]

    def test_may_cost_no_points_at_all(self, market):
        market.live(offer("G", ALWAYS, GIFT), rewards=[{"code": "MUG", "points": 0, "stock": {"S1": 1}}])
        assert market.quote(TEA).body["gifts"] == [{"offer_code": "G", "reward_code": "MUG", "quantity": 1}]


class TestWhatIsMissing:
    def test_is_nothing_where_the_condition_would_claim_one_more_too(self, market):
        half = percent("50") | {"select": {"categories": ["TEA"]}}
        market.live(offer("H", items("TEA"), half))
        quote = market.quote(TEA)
        assert quote.discounts == [0]
        assert [(one["offer_code"], one["missing"]) for one in quote.body["not_applied"]] == [("H", None)]

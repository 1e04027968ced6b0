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


class TestAReceipt:
    """Gets what lies in the store, be it less than its basket would have."""

    THREE = basket(("tea", 3, 1000))

    def sold(self, market, quote, **rest):
        answer = market.post(market.sale(quote, self.THREE, **rest))
        return [one["quantity"] for one in answer["gifts"]], answer["messages"]

    def test_without_a_quote_gets_the_pieces_that_are_there(self, market):
        with_mugs(market, 2, offer("G", items("TEA"), GIFT, limits={"uses": 10}))
        pieces, messages = self.sold(market, market.quote(self.THREE), quote_id=None)
        assert (pieces, len(messages)) == ([2], 1)
        assert self.on_hand(market) == 0

    def test_gets_whole_lots(self, market):
        with_mugs(market, 5, offer("G", items("TEA"), GIFT | {"quantity": 2}))
        pieces, _ = self.sold(market, market.quote(self.THREE), quote_id=None)
        assert (pieces, self.on_hand(market)) == ([4], 1)

    def test_gets_the_rest_of_what_its_quote_promised(self, market):
        """Another receipt was faster to one of three."""
        with_mugs(market, 3, offer("G", items("TEA"), GIFT, limits={"uses": 10}))
        quote = market.quote(self.THREE, at=...)
        one = market.quote(TEA, at=..., till="S1b")
        market.pay(one, TEA, till="S1b")
        pieces, messages = self.sold(market, quote)
        assert (pieces, len(messages)) == ([2], 1)
        used = "select sum(uses) from offer_use where offer_code = :code"
        assert market.number(used, code=f"{market.prefix}G") == 3

    def test_leaves_the_group_to_others_where_nothing_is_there(self, market):
        points = {"kind": "points", "points": 70}
        with_mugs(
            market,
            0,
            offer("G", items("TEA"), GIFT, priority=200, exclusive_group="X"),
            offer("P", items("TEA", 3), points, exclusive_group="X"),
        )
        card = market.member()
        quote = market.quote(self.THREE, at=..., card_number=card)
        answer = market.post(market.sale(quote, self.THREE, card_number=card, quote_id=None))
        assert (answer["gifts"], answer["points"]["earned"]) == ([], 100)

    @staticmethod
    def on_hand(market):
        return market.number(
            "select sum(on_hand) from reward_stock where reward_code = :code", code=f"{market.prefix}MUG"
        )

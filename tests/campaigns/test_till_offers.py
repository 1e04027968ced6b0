"""What tills are told to offer next, and that they are never told it late, twice or at the price of a sale."""


class TestQuotes:
    def test_tell_three_of_what_was_ranked(self, served):
        served.ranked("honey", "lemon", "bread", "butter")
        told = served.quote("tea")["next_offers"]
        assert [offer["sku"] for offer in told] == ["honey", "lemon", "bread"]
        assert told[0]["headline"] == "Med 500 g"
        assert told[0]["reason"]
        assert told[0]["offer_code"] is None

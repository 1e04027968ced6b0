"""What a quote says besides amounts: what was not applied and what is missing, in the customer's language."""

import pytest

from tests.offers.conftest import ALWAYS, amount, basket, each, items, nth, offer, percent, value

ONE_TEA = basket(("tea", 1, 5990))


def missing(market, offers, lines, **rest):
    market.live(*offers, **rest.pop("more", {}))
    return market.quote(lines, **rest).missing


class TestNotApplied:
    @pytest.mark.parametrize(
        ("one", "lines", "expected"),
        [
            (offer("N", items("CHOC", 3), nth()), [("choc", 2, 2990)], "1"),
            (offer("N", items("CHOC", 3), nth()), [("choc", 1, 2990)], "2"),
            (offer("N", items("CHEESE", 2), percent(10)), [("cheese", "0.754", 29900)], "1.246"),
            (offer("N", items("CHEESE", "1.5"), percent(10)), [("cheese", "0.9", 100), ("cheese2", "0.25", 100)], "0.35"),
            (offer("N", value(10000, "gross"), amount(100)), [("tea", 1, 5990)], "4010"),
            (offer("N", value(10000, "net"), amount(100)), [("tea", 1, 5990)], "4010"),
            (offer("N", each(("TEA", 1), ("BREAD", 2)), percent(10)), [("tea", 1, 5990)], "2"),
        ],
    )  # fmt: skip
    def test_says_how_much_is_missing(self, market, one, lines, expected):
        assert missing(market, [one], basket(*lines)) == {"N": expected}

    def test_counts_from_what_is_left_after_discounts(self, market):
        """2 x 5990 less 10 % is 10782: 218 short of 11000."""
        offers = [
            offer("T10", items("TEA"), percent(10)),
            offer("N", value(11000, "net"), amount(100), stage="basket"),
        ]
        assert missing(market, offers, basket(("tea", 2, 5990))) == {"N": "218"}

    def test_says_nothing_of_what_was_given_or_not_touched(self, market):
        offers = [offer("T10", items("TEA"), percent(10)), offer("SOAP", items("SOAP", 3), percent(10))]
        assert missing(market, offers, ONE_TEA) == {}

    def test_says_nothing_of_what_is_for_others(self, market):
        card = market.member()
        only = {"who": "members", "member_codes": ["somebody else"]}
        assert (
            missing(
                market, [offer("N", items("TEA", 3), percent(10), audience=only)], ONE_TEA, card_number=card
            )
            == {}
        )

    def test_says_null_where_adding_would_not_help(self, market):
        lost = [
            offer("A", items("TEA"), percent(10), priority=200, exclusive_group="G"),
            offer("B", items("TEA"), percent(5), exclusive_group="G"),
            offer("C", items("TEA"), percent(5), limits={"per_receipt": 0}),
            offer("D", items("TEA"), percent(5), audience={"who": "members"}),
        ]
        assert missing(market, lost, ONE_TEA) == {"B": None, "C": None, "D": None}

    def test_names_at_most_twenty_by_priority(self, market):
        many = [offer(f"N{place:02}", items("TEA", 2), percent(1), priority=place) for place in range(30)]
        assert list(missing(market, many, ONE_TEA)) == [f"N{place:02}" for place in range(29, 9, -1)]

    def test_speaks_the_customer_s_language(self, market):
        market.live(offer("N", items("CHOC", 3), nth(), name={"en": "Three for two"}))
        said = {
            language: market.quote(
                basket(("choc", 2, 2990)), card_number=market.member(language=language)
            ).body["not_applied"][0]["reason"]
            for language in ("en", "cs", "sk", "pl")
        }
        assert len(set(said.values())) == 4
        assert "1 more" in said["en"]


class TestAReason:
    def test_is_the_offer_s_name_in_the_customer_s_language(self, market):
        named = {"en": "10 % off tea", "pl": "10 % taniej herbata"}
        market.live(offer("T10", items("TEA"), percent(10), name=named))
        for language, name in (("pl", "10 % taniej herbata"), ("cs", "10 % off tea")):
            quote = market.quote(ONE_TEA, card_number=market.member(language=language))
            assert quote.body["lines"][0]["discounts"][0]["reason"] == name


class TestAQuote:
    def test_says_the_same_twice(self, market):
        market.live(
            offer("T10", items("TEA"), percent(10)), offer("V", value(5000), amount(333), stage="basket")
        )
        lines = basket(("tea", 3, 5990), ("bread", 2, 3990), ("cheese", "0.754", 29900))

        def told():
            body = market.quote(lines).body
            return {name: body[name] for name in ("lines", "totals", "gifts", "vouchers", "not_applied")}

        assert told() == told()

    def test_of_an_inapplicable_offer_more_is_the_same(self, market):
        lines = basket(("tea", 3, 5990), ("bread", 2, 3990))
        offers = [
            offer("T10", items("TEA"), percent(10)),
            offer("V", value(5000), amount(333), stage="basket"),
        ]
        market.live(*offers)
        before = market.quote(lines).shares
        market.live(*offers, offer("ABC", items("SOAP"), percent(50), priority=999, stackable=False))
        assert market.quote(lines).shares == before

    def test_of_very_many_pieces_is_as_right(self, market):
        """33,333 x three for two at 99: 11,111 are free; and 10 % of all, rounded once."""
        market.live(
            offer("N", items("A", 3), nth(), priority=200),
            offer("P", ALWAYS, percent("0.07"), stage="basket"),
        )
        quote = market.quote(basket(("A", 33333, 99)))
        left = 22222 * 99
        assert quote.shares == [[("N", 11111 * 99), ("P", (left * 7 + 5000) // 10000)]]

    def test_shows_the_version_that_was_live(self, market):
        one = offer("T10", items("TEA"), percent(10))
        market.live(one)
        market.bring({"format": 1, "offers": [one | {"code": f"{market.prefix}T10", "benefit": percent(20)}]})
        found = market.quote(ONE_TEA).body["lines"][0]["discounts"][0]
        assert (found["offer_version"], found["amount"]) == (2, 1198)


GIFT = {"kind": "gift", "reward": "MUG", "quantity": 1}


class TestNames:
    """What people read is called by its name, in their language; its code is for machines."""

    NAMES = '{"en": "Five crowns off", "cs": "Pět korun dolů"}'

    def test_are_those_of_offers_that_gave_nothing(self, market):
        market.live(
            offer("N", items("TEA", 3), nth(), name={"en": "Third tea free", "cs": "Třetí čaj zdarma"})
        )
        for language, name in (("cs", "Třetí čaj zdarma"), ("sk", "Third tea free")):
            quote = market.quote(ONE_TEA, card_number=market.member(language=language))
            assert [(one["offer_code"], one["name"]) for one in quote.body["not_applied"]] == [("N", name)]

    def test_are_those_of_batches_that_pay_or_do_not(self, market):
        market.live(
            offer("NONE", items("PEN"), percent(1)),
            vouchers=[{"batch": "PAY", "value_amount": 500, "currency": "CZK", "minimum_amount": 5000,
                       "codes": ["PAY-0001"]}],
        )  # fmt: skip
        renamed = "update voucher_batch set name = cast(:name as jsonb) where batch_code = :code"
        market.execute(renamed, name=self.NAMES, code=f"{market.prefix}PAY")
        rest = {"card_number": market.member(language="cs"), "voucher_codes": ["PAY-0001"]}
        paid = market.quote(ONE_TEA, **rest).body["lines"][0]["discounts"]
        assert [(one["offer_code"], one["reason"]) for one in paid] == [("PAY", "Pět korun dolů")]
        short = market.quote(basket(("tea", 1, 4000)), **rest).body["not_applied"]
        assert [(one["offer_code"], one["name"], one["missing"]) for one in short] == [
            ("PAY", "Pět korun dolů", "1000")
        ]

    def test_are_those_of_the_batch_that_an_offer_asks_for(self, market):
        key = {"kind": "all", "of": [items("TEA"), {"kind": "voucher", "batch": "KEY"}]}
        market.live(offer("K", key, percent(10)), vouchers=[{"batch": "KEY", "codes": ["KEY-0001"]}])
        renamed = "update voucher_batch set name = cast(:name as jsonb) where batch_code = :code"
        market.execute(renamed, name=self.NAMES, code=f"{market.prefix}KEY")
        market.execute("update offer_book set generation = generation + 1")
        quote = market.quote(ONE_TEA, card_number=market.member(language="en"))
        assert [one["reason"] for one in quote.body["not_applied"]] == ["Needs a voucher: Five crowns off"]

    def test_are_those_of_gifts_that_ran_out(self, market):
        mugs = [{"code": "MUG", "name": {"en": "Mug", "cs": "Hrnek"}, "stock": {"S1": 0}}]
        market.live(offer("G", items("TEA"), GIFT), rewards=mugs)
        quote = market.quote(ONE_TEA, card_number=market.member(language="cs"))
        assert quote.body["messages"] == ["Dárek Hrnek už není skladem."]

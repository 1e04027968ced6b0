"""Offers in words: one sentence in every language, and versions compared sentence by sentence."""

import pytest

from core.i18n import LANGUAGES
from web.offers.fields import field_of
from web.offers.names import Names, Teller
from web.offers.words import changes, headline, sentences

TEA = {"categories": ["Tea"]}
NAMES = Names(
    skus={"10452": "Jasmine tea"},
    rewards={"MUG": "Mug"},
    stores={"S1": "Brno"},
    currency="CZK",
    timezone="Europe/Prague",
)
CONDITIONS = {
    "always": {"kind": "always"},
    "items": {"kind": "items", "select": TEA, "quantity": "1"},
    "several": {
        "kind": "items",
        "select": {"brands": ["A", "B"], "except": {"skus": ["10452"]}},
        "quantity": "3",
    },
    "weighed": {"kind": "items", "select": {}, "quantity": "0.5"},
    "each": {
        "kind": "each",
        "of": [{"select": TEA, "quantity": "1"}, {"select": {"skus": ["10452"]}, "quantity": "2"}],
    },
    "value": {"kind": "value", "select": {}, "amount": 30000, "measure": "gross"},
    "net": {"kind": "value", "select": TEA, "amount": 30000, "measure": "net"},
    "voucher": {"kind": "voucher", "batch": "NEXT50"},
    "nested": {
        "kind": "all",
        "of": [
            {"kind": "any", "of": [{"kind": "always"}, {"kind": "voucher", "batch": "NEXT50"}]},
            {"kind": "not", "of": [{"kind": "items", "select": {"types": ["X"]}, "quantity": "1"}]},
        ],
    },
}
BENEFITS = {
    "percent": {"kind": "percent", "off": "12.5", "max_amount": 10000},
    "amount": {"kind": "amount", "off": 500, "per": "unit"},
    "fixed_price": {"kind": "fixed_price", "price": 14900, "per": "application"},
    "unit_price": {"kind": "fixed_price", "price": 1990, "per": "unit", "select": TEA},
    "nth": {"kind": "nth", "off": "100", "which": "cheapest", "count": 1},
    "dearest": {"kind": "nth", "off": "50", "which": "dearest", "count": 2, "select": TEA},
    "points_multiplier": {"kind": "points_multiplier", "times": "2"},
    "points": {"kind": "points", "points": 50},
    "gift": {"kind": "gift", "reward": "MUG", "quantity": 2},
    "voucher": {"kind": "voucher", "batch": "NEXT50"},
}


def offer(condition="items", benefit="percent", **changed):
    return {"code": "X", "condition": CONDITIONS[condition], "benefit": BENEFITS[benefit], **changed}


def english(document):
    return headline(Teller("en", NAMES), document)


class TestHeadline:
    def test_says_who_buys_what_gets_what(self):
        assert english(offer()) == (
            "A shopper who buys something from the category Tea gets a discount of 12.5% on these goods, "
            "at most CZK\N{NO-BREAK SPACE}100.00."
        )
        assert english(offer("several", "nth")) == (
            "A shopper who buys at least 3 pieces of the brands A or B (but nothing of the article Jasmine tea) "
            "gets the cheapest piece free."
        )
        assert english(offer("always", "points_multiplier")) == (
            "On every purchase: 2\N{MULTIPLICATION SIGN} points on the whole purchase."
        )
        assert "buys together 1 piece from the category Tea and 2 pieces" in english(
            offer("each", "fixed_price")
        )
        assert "0.5 kg" in english(offer("weighed"))

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_is_whole_in_every_language_for_every_kind(self, language):
        say = Teller(language, NAMES)
        told = {headline(say, offer(condition, benefit)) for condition in CONDITIONS for benefit in BENEFITS}
        assert len(told) == len(CONDITIONS) * len(BENEFITS)
        for words in told:
            assert "%(" not in words
            assert words.endswith(".")

    @pytest.mark.parametrize("language", ["cs", "sk", "pl"])
    def test_borrows_nothing_from_english(self, language):
        for condition in CONDITIONS:
            for benefit in BENEFITS:
                words = headline(Teller(language, NAMES), offer(condition, benefit))
                assert not {"shopper", "buys", "discount", "cheapest", "gets", "goods"} & set(
                    words.split()
                ), words


class TestSentences:
    def test_name_days_as_people_do(self):
        document = offer(
            valid={
                "from": "2026-11-01T00:00:00+01:00",
                "to": "2026-11-15T00:00:00+01:00",
                "weekdays": [6, 7],
                "hours": [{"from": "22:00", "to": "02:00"}],
            },
            limits={"per_receipt": 1, "uses": 100, "amount": 500000, "per_store_day_uses": 5},
            stores=["S1"],
        )
        said = {one.key: one.words for one in sentences(Teller("en", NAMES), document)}
        assert said["until"] == "from Nov 1, 2026 until and with Nov 14, 2026"
        assert said["hours"] == "Saturday and Sunday, from 22:00 to 02:00"
        assert said["often"] == "once per receipt"
        assert said["where"] == "Brno"
        assert "100 uses in total; 5 uses per store and day" in said["budget"]


class TestChanges:
    def test_are_what_a_version_says_differently(self):
        say = Teller("en", NAMES)
        found = changes(say, offer(), offer(benefit="points"))
        assert [(one.key, one.after) for one in found] == [("then", "50 bonus points")]
        assert changes(say, offer(), offer()) == []


class TestFieldOf:
    def test_leads_from_a_pointer_to_the_field_of_the_builder(self):
        assert field_of("/condition/of/0/quantity") == "condition.of.0.quantity"
        assert field_of("/offers/3/condition/select/categories/1") == "condition.select.q"
        assert field_of("/benefit/select/except/skus/0") == "benefit.select.except.q"
        assert field_of("/stores/0") == "stores"
        assert field_of("/valid/hours/0/from") == "valid.hours"
        assert field_of("/condition/of/1") == "condition.of"
        assert field_of("") == "code"

"""The builder's form: every offer of the format becomes fields and the same offer again."""

import random

import pytest

from rewards.codec import offer_document, read_offer
from tests.web.offers.test_words import BENEFITS, CONDITIONS
from web.offers.forms import filled, read_form
from web.offers.patterns import patterns
from web.offers.trees import reshaped, with_parts

ZONE = {"currency": "CZK", "timezone": "Europe/Prague"}


def canonical(condition, benefit, **more):
    return offer_document(
        read_offer(
            {
                "code": "X",
                "name": {"en": "Offer", "de": "Angebot"},
                "condition": condition,
                "benefit": benefit,
                **more,
            }
        )
    )


def entered(**given):
    return {name.replace("__", "."): [value] for name, value in given.items()}


class TestForm:
    @pytest.mark.parametrize("condition", CONDITIONS)
    @pytest.mark.parametrize("benefit", BENEFITS)
    def test_gives_back_every_kind_of_offer(self, condition, benefit):
        document = canonical(CONDITIONS[condition], BENEFITS[benefit])
        again = read_form(filled(document, **ZONE).given, **ZONE)
        assert again.errors == {}
        assert offer_document(read_offer(again.document)) == document

    def test_gives_back_everything_else_of_an_offer(self):
        document = canonical(
            CONDITIONS["items"],
            BENEFITS["amount"],
            valid={
                "from": "2026-11-01T00:00:00+01:00",
                "to": "2026-11-15T18:30:00+01:00",
                "weekdays": [1, 7],
                "hours": [{"from": "22:00", "to": "02:00"}, {"from": "08:00", "to": "09:00"}],
            },
            stores=["S1"],
            audience={"who": "everyone", "tiers": ["gold"], "phases": ["new"], "member_codes": ["M1"],
                      "birthday_within_days": 0, "first_purchase": True, "staff": True},
            stage="basket",
            priority=-5,
            exclusive_group="Hair care",
            stackable=False,
            limits={"per_receipt": 2, "uses": 100, "amount": 12345, "per_store_week_amount": 0},
        )  # fmt: skip
        again = read_form(filled(document, **ZONE).given, **ZONE)
        assert again.errors == {}
        assert offer_document(read_offer(again.document)) == document

    def test_nests_as_deep_as_the_format(self):
        condition = {"kind": "always"}
        for _ in range(7):
            condition = {"kind": "all", "of": [condition]}
        form = read_form(filled(canonical(condition, BENEFITS["points"]), **ZONE).given, **ZONE)
        assert form.errors == {}
        too_deep = filled({**form.document, "condition": {"kind": "any", "of": [condition]}}, **ZONE)
        assert any("8 deep" in words for words in read_form(too_deep.given, **ZONE).errors.values())

    def test_says_at_each_field_what_is_wrong(self):
        form = read_form(
            {
                "condition.kind": ["items"],
                "condition.quantity": ["0"],
                "benefit.kind": ["amount"],
                "benefit.off": ["1,999"],
                "valid.from": ["2026-02-30"],
                "valid.to_time": ["10:00"],
                "limits.uses": ["many"],
                "limits.amount": ["-1"],
                "priority": ["high"],
                "valid.hours.0.from": ["22:00"],
            },
            **ZONE,
        )
        assert form.document is None
        assert set(form.errors) == {
            "name.en", "condition.quantity", "benefit.off", "valid.from", "valid.to", "limits.uses",
            "limits.amount", "priority", "valid.hours",
        }  # fmt: skip

    def test_takes_amounts_with_a_comma_and_makes_a_code_of_the_name(self):
        form = read_form(
            {
                "name.cs": ["Čtvrtka za 19,90 Łódź"],
                "condition.kind": ["always"],
                "benefit.kind": ["fixed_price"],
                "benefit.price": ["1 019,90"],
                "benefit.per": ["unit"],
            },
            **ZONE,
        )
        assert form.errors == {}
        assert form.document["benefit"]["price"] == 101990
        assert form.document["code"] == "CTVRTKA-ZA-19-90-LODZ"

    def test_never_breaks_on_what_was_never_meant_to_be_entered(self):
        draw = random.Random(20261122)
        names = list(filled(canonical(CONDITIONS["nested"], BENEFITS["nth"]), **ZONE).given)
        texts = [
            "",
            "0",
            "-1",
            "1e9",
            "NaN",
            "Infinity",
            "\N{ARABIC-INDIC DIGIT THREE}",
            "all",
            "each",
            "x" * 500,
            "9" * 40,
            "24:61",
        ]
        for _ in range(300):
            given = {name: [draw.choice(texts)] for name in draw.sample(names, k=draw.randint(0, len(names)))}
            form = read_form(with_parts(given), **ZONE)
            assert (form.document is None) == bool(form.errors)


class TestTrees:
    def test_give_a_set_two_parts_and_a_combination_two_conditions(self):
        assert set(with_parts(entered(condition__kind="each"))) >= {
            "condition.of.0.quantity", "condition.of.1.quantity",
        }  # fmt: skip
        assert with_parts(entered(condition__kind="any"))["condition.of.1.kind"] == ["items"]

    def test_lose_nothing_when_a_part_is_taken_away(self):
        given = filled(canonical(CONDITIONS["nested"], BENEFITS["points"]), **ZONE).given
        grown = reshaped(given, "add:condition.of")
        assert grown["condition.of.2.kind"] == ["items"]
        shrunk = reshaped(grown, "remove:condition.of.0")
        assert shrunk["condition.of.0.kind"] == ["not"]
        assert shrunk["condition.of.1.kind"] == ["items"]
        assert "condition.of.2.kind" not in shrunk


class TestPatterns:
    def test_are_whole_once_their_gaps_are_filled(self):
        for pattern in patterns():
            given = with_parts(pattern.given) | {
                "name.en": ["Offer"],
                "benefit.reward": ["MUG"],
                "benefit.batch": ["NEXT50"],
                "benefit.price": ["10"],
                "condition.amount": ["100"],
                "condition.of.1.amount": ["100"],
            }
            if pattern.given["benefit.kind"] == ["amount"]:
                given["benefit.off"] = ["50"]
            form = read_form(given, **ZONE)
            assert form.errors == {}, pattern.key
            assert read_offer(form.document).code == "OFFER"

import json
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewards.codec import OffersRefused, document_of, offer_document, read_document, read_offer
from rewards.offers import Audience, Limits, Validity, batches_in, has_amounts
from tests.rewards import random_offers

SHORTEST = {
    "code": "TEA10",
    "condition": {"kind": "items", "quantity": "1"},
    "benefit": {"kind": "percent", "off": "10"},
}
LONGEST = {
    "code": "TEA10",
    "name": {"cs": "Sleva", "en": "Off"},
    "valid": {
        "from": "2026-11-01T00:00:00+01:00",
        "to": "2026-12-01T00:00:00+01:00",
        "weekdays": [1, 7],
        "hours": [{"from": "22:00", "to": "02:00"}],
    },
    "stores": ["S1", "S2"],
    "audience": {
        "who": "companies",
        "tiers": ["gold"],
        "groups": ["G1"],
        "phases": ["new"],
        "values": ["vip"],
        "member_codes": ["M1"],
        "birthday_within_days": 3,
        "first_purchase": True,
        "staff": True,
        "companies": True,
    },
    "stage": "voucher",
    "priority": 7,
    "exclusive_group": "tea",
    "stackable": False,
    "limits": {
        "per_receipt": 1,
        "per_member_day": 2,
        "per_member": 3,
        "uses": 4,
        "amount": 5,
        "per_store_day_uses": 6,
        "per_store_day_amount": 7,
        "per_store_week_uses": 8,
        "per_store_week_amount": 9,
    },
    "condition": {
        "kind": "all",
        "of": [
            {"kind": "voucher", "batch": "PAPER"},
            {"kind": "not", "of": [{"kind": "always"}]},
            {
                "kind": "any",
                "of": [
                    {"kind": "each", "of": [{"select": {"types": ["T"]}, "quantity": "2"}]},
                    {
                        "kind": "value",
                        "select": {"brands": ["B"], "except": {"skus": ["1"]}},
                        "amount": 5,
                        "measure": "net",
                    },
                ],
            },
        ],
    },
    "benefit": {"kind": "nth", "off": "12.5", "which": "dearest", "count": 2, "select": {"gtins": ["1"]}},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The longest offer with one place changed."""
    document = json.loads(json.dumps(LONGEST))
    *way, last = path.split("/")
    place = document
    for key in way:
        place = place[int(key)] if isinstance(place, list) else place[key]
    place[int(last) if isinstance(place, list) else last] = value
    return document


class TestReadOffer:
    def test_fills_in_what_is_not_said(self):
        offer = read_offer(SHORTEST)
        assert (offer.name("cs"), offer.stage, offer.priority, offer.stackable) == (
            "TEA10",
            "article",
            100,
            True,
        )
        assert (offer.audience, offer.limits, offer.valid, offer.stores) == (
            Audience(),
            Limits(),
            Validity(),
            (),
        )
        assert offer.audience.who == "members"

    def test_takes_null_for_absent(self):
        document = dict.fromkeys(LONGEST) | SHORTEST
        assert read_offer(document) == read_offer(SHORTEST)

    def test_reads_whatever_it_writes(self):
        assert offer_document(read_offer(LONGEST)) == LONGEST

    @given(st.integers(0, 2**32))
    @settings(max_examples=100)
    def test_reads_its_own_writing_as_the_same(self, seed):
        offer = read_offer(random_offers.offer(Random(seed), "O"))
        written = offer_document(offer)
        assert read_offer(json.loads(json.dumps(written))) == offer
        assert offer_document(read_offer(written)) == written

    def test_writes_the_same_content_alike(self):
        one = read_offer(
            changed("stores", ["S2", "S1", "S2"]) | {"benefit": {"kind": "percent", "off": "10.50"}}
        )
        other = read_offer(changed("stores", ["S1", "S2"]) | {"benefit": {"off": "10.5", "kind": "percent"}})
        assert json.dumps(offer_document(one)) == json.dumps(offer_document(other))

    @pytest.mark.parametrize("times", [1.5, "1.5", "1.50", Decimal("1.5")])
    def test_takes_numbers_with_a_fraction_as_they_are_written(self, times):
        offer = read_offer(SHORTEST | {"benefit": {"kind": "points_multiplier", "times": times}})
        assert offer_document(offer)["benefit"]["times"] == "1.5"

    @pytest.mark.parametrize("quantity", [0.1, 0.3, 1e-3, 0.754])
    def test_takes_the_shortest_number_that_is_read_alike(self, quantity):
        offer = read_offer(SHORTEST | {"condition": {"kind": "items", "quantity": quantity}})
        assert offer.condition.quantity == Decimal(str(quantity))

    @pytest.mark.parametrize("quantity", [float("nan"), float("inf"), 1e300, 0.0001, -0.5, 0.0, True])
    def test_takes_no_other_numbers(self, quantity):
        with pytest.raises(OffersRefused):
            read_offer(SHORTEST | {"condition": {"kind": "items", "quantity": quantity}})

    def test_takes_24_00_for_the_end_of_the_day(self):
        valid = [{"hours": [{"from": "18:00", "to": end}]} for end in ("24:00", "00:00")]
        assert read_offer(SHORTEST | {"valid": valid[0]}) == read_offer(SHORTEST | {"valid": valid[1]})

    def test_takes_whole_numbers_for_decimal_texts(self):
        offer = read_offer(SHORTEST | {"benefit": {"kind": "points_multiplier", "times": 2}})
        assert offer.benefit.times == Decimal(2)

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("code", "tea"),
            ("code", "T" * 33),
            ("code", 7),
            ("colour", "red"),
            ("name", "Tea"),
            ("name/english", "Tea"),
            ("name/en", ""),
            ("valid/from", "2026-11-01"),
            ("valid/from", "2026-11-01T00:00:00"),
            ("valid/to", "2026-10-01T00:00:00+01:00"),
            ("valid/weekdays/0", 8),
            ("valid/hours/0/from", "24:00"),
            ("valid/hours/0/to", "24:01"),
            ("valid/hours/0/till", "23:00"),
            ("stores", "S1"),
            ("audience/who", "all"),
            ("audience/staff", 1),
            ("audience/birthday_within_days", -1),
            ("audience/birthday_within_days", True),
            ("stage", "tender"),
            ("priority", 1.5),
            ("stackable", "yes"),
            ("limits/uses", -1),
            ("limits/uses", "3"),
            ("limits/per_week", 3),
            ("condition/kind", "sometimes"),
            ("condition/of", []),
            ("condition/of/0/batch", "paper"),
            ("condition/of/0/code", "P"),
            ("condition/of/2/of/0/of/0/quantity", "0"),
            ("condition/of/2/of/0/of/0/quantity", "0.0001"),
            ("condition/of/2/of/0/of/0/quantity", 0.0005),
            ("condition/of/2/of/0/of/0/quantity", "1e3"),
            ("condition/of/2/of/0/of/0/quantity", "NaN"),
            ("condition/of/2/of/0/of/0/quantity", True),
            ("condition/of/2/of/0/of/0/select/colours", ["red"]),
            ("condition/of/2/of/1/amount", -5),
            ("condition/of/2/of/1/amount", "5"),
            ("condition/of/2/of/1/measure", "cost"),
            ("condition/of/2/of/1/select/except/skus/0", 7),
            ("benefit/kind", "free"),
            ("benefit/off", "0"),
            ("benefit/off", "100.01"),
            ("benefit/off", "1.001"),
            ("benefit/which", "last"),
            ("benefit/count", 0),
            ("benefit/price", 5),
        ],
    )
    def test_refuses_what_is_wrong_with_a_pointer_to_it(self, path, value):
        with pytest.raises(OffersRefused) as refused:
            read_offer(changed(path, value), "/offers/3")
        assert refused.value.pointer == f"/offers/3/{path}"
        assert str(refused.value) == f"/offers/3/{path}: {refused.value.detail}"

    @pytest.mark.parametrize("key", ["code", "condition", "benefit"])
    def test_refuses_what_must_be_said(self, key):
        with pytest.raises(OffersRefused, match=f"/{key}: is required"):
            read_offer({name: value for name, value in SHORTEST.items() if name != key})

    def test_refuses_conditions_nested_too_deep(self):
        condition = {"kind": "always"}
        for _ in range(7):
            condition = {"kind": "all", "of": [condition]}
        read_offer(SHORTEST | {"condition": condition})
        with pytest.raises(OffersRefused, match="at most 8 deep"):
            read_offer(SHORTEST | {"condition": {"kind": "any", "of": [condition]}})

    @pytest.mark.parametrize(
        "condition",
        [{"kind": "always"}, {"kind": "not", "of": [{"kind": "voucher", "batch": "P"}]}],
    )
    def test_refuses_the_stage_of_vouchers_without_one(self, condition):
        with pytest.raises(OffersRefused, match="/stage: needs a voucher condition"):
            read_offer(SHORTEST | {"stage": "voucher", "condition": condition})

    def test_points_at_keys_with_odd_signs(self):
        with pytest.raises(OffersRefused, match=r"^/a~1b~0c: is not known$"):
            read_offer(SHORTEST | {"a/b~c": 1})


DOCUMENT = {
    "format": 1,
    "choice": "best",
    "vouchers": [
        {
            "batch": "NEXT50",
            "value_amount": 5000,
            "currency": "CZK",
            "minimum_amount": 30000,
            "valid_days": 30,
            "codes": ["HELLO-2026"],
        }
    ],
    "rewards": [{"code": "MUG", "name": {"en": "Mug"}, "points": 500, "stock": {"S1": 20}}],
    "offers": [LONGEST],
}


class TestReadDocument:
    def test_reads_whatever_is_written(self):
        assert document_of(read_document(DOCUMENT)) == DOCUMENT

    def test_takes_a_file_of_nothing(self):
        assert document_of(read_document({"format": 1})) == {
            "format": 1,
            "vouchers": [],
            "rewards": [],
            "offers": [],
        }

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"format": 2}, "/format"),
            ({"format": "1"}, "/format"),
            ({"format": True}, "/format"),
            ({"choice": "worst"}, "/choice"),
            ({"promotions": []}, "/promotions"),
            ({"offers": [SHORTEST, SHORTEST]}, "/offers/1/code"),
            ({"offers": {}}, "/offers"),
            ({"offers": [7]}, "/offers/0"),
            ({"vouchers": [{"batch": "A"}, {"batch": "A"}]}, "/vouchers/1/batch"),
            ({"vouchers": [{"batch": "A", "codes": ["ABCD", "ABCD"]}]}, "/vouchers/0/codes/1"),
            ({"vouchers": [{"batch": "A", "codes": ["ABC"]}]}, "/vouchers/0/codes/0"),
            ({"rewards": [{"code": "A", "points": 1, "stock": {"S1": -1}}]}, "/rewards/0/stock/S1"),
            ({"rewards": [{"code": "A", "points": -1}]}, "/rewards/0/points"),
        ],
    )
    def test_refuses_what_is_wrong_with_a_pointer_to_it(self, changes, pointer):
        with pytest.raises(OffersRefused) as refused:
            read_document(DOCUMENT | changes)
        assert refused.value.pointer == pointer

    @pytest.mark.parametrize("document", [None, [], "offers", 1])
    def test_refuses_what_is_no_object(self, document):
        with pytest.raises(OffersRefused, match="must be an object"):
            read_document(document)


class TestOffers:
    def test_know_the_batches_they_name(self):
        offer = read_offer(LONGEST | {"benefit": {"kind": "voucher", "batch": "NEXT"}})
        assert batches_in(offer) == {"PAPER", "NEXT"}

    def test_know_whether_they_name_amounts(self):
        assert not has_amounts(read_offer(SHORTEST))
        assert has_amounts(read_offer(LONGEST))
        assert has_amounts(read_offer(SHORTEST | {"limits": {"amount": 5}}))

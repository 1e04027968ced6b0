from datetime import date
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.company.prices import BadPrice, OwnPrice, company_code, offers_of
from rewards.codec import read_document

PRICES = [
    OwnPrice(sku="10452", price=4900),
    OwnPrice(sku="20311", price=4900),
    OwnPrice(sku="30777", percent=Decimal("12.50")),
    OwnPrice(category="Tea", percent=Decimal(5), valid_from=date(2026, 12, 1), valid_to=date(2026, 12, 31)),
]


def made(prices=PRICES, buyers=("M-2", "M-1")):
    return offers_of("CZ123", buyers, prices, name="Hotel", timezone="Europe/Prague")


class TestOffersOf:
    def test_are_offers_in_the_format(self):
        offers = read_document(made()).offers
        assert len(offers) == 3
        assert {offer.exclusive_group for offer in offers} == {"OWN-PRICE"}
        assert all(offer.audience.member_codes == ("M-1", "M-2") for offer in offers)
        assert all(offer.code.startswith(company_code("CZ123")) and len(offer.code) <= 32 for offer in offers)

    def test_say_the_price_of_several_articles_once(self):
        (one,) = [offer for offer in made()["offers"] if offer["benefit"]["kind"] == "fixed_price"]
        assert one["benefit"] == {"kind": "fixed_price", "price": 4900, "per": "unit"}
        assert one["condition"]["select"] == {"skus": ["10452", "20311"]}

    def test_hold_to_the_end_of_their_last_day_in_the_store(self):
        (tea,) = [offer for offer in made()["offers"] if "categories" in offer["condition"]["select"]]
        assert tea["valid"] == {"from": "2026-11-30T23:00:00+00:00", "to": "2026-12-31T23:00:00+00:00"}

    @given(st.integers())
    def test_are_the_same_in_whatever_order_the_rows_come(self, seed: int):
        shuffled = list(PRICES)
        Random(seed).shuffle(shuffled)
        assert made(shuffled, ("M-1", "M-2")) == made()


class TestOwnPrice:
    @pytest.mark.parametrize(
        "row",
        [
            {},
            {"sku": "1"},
            {"sku": "1", "category": "Tea", "price": 1},
            {"sku": "1", "price": 1, "percent": Decimal(5)},
            {"sku": "1", "price": -1},
            {"sku": "1", "percent": Decimal(101)},
            {"category": "Tea", "price": 100},
            {"sku": "1", "price": 1, "valid_from": date(2026, 2, 1), "valid_to": date(2026, 1, 1)},
        ],
    )
    def test_is_one_thing_of_each(self, row: dict):
        with pytest.raises(BadPrice):
            OwnPrice(**row)

"""Which baskets an offer can touch: never too few of them."""

from decimal import Decimal
from random import Random

from rewards.applicator import apply_offers
from rewards.book import OfferBook
from rewards.codec import read_offer
from rewards.rehearsals.touch import touch_of
from sales.past_baskets import Goods
from tests.rewards.random_offers import CATEGORIES, cart, occasion, offer

GOODS = {
    number: Goods(
        number,
        f"{category}{1 + number % 2}",
        None,
        None,
        category,
        None,
        f"B{brand}",
        "pcs",
        Decimal(21),
        None,
    )
    for number, (category, brand) in enumerate(
        (category, brand) for category in (*CATEGORIES, "OTHER") for brand in (1, 2) for _ in range(2)
    )
}
BY_LOOKS = {(one.sku, one.category, one.brand): key for key, one in GOODS.items()}


class TestTouch:
    def test_holds_every_basket_that_an_offer_gives_something_on(self, publish):
        seed, given = 20_261_122, 0
        publish(f"touch: seed {seed}")
        random = Random(seed)
        for _ in range(1_500):
            one = read_offer(offer(random, "ONE"))
            touch = touch_of([one], GOODS)
            # As in a rehearsal: no voucher is presented, and the barcode of the sample articles is nobody's.
            basket = tuple(line._replace(gtin=None) for line in cart(random))
            found = apply_offers(basket, OfferBook([one]), occasion(random, presented={}))
            if not found.applications or touch.articles is None:
                continue
            given += 1
            known = {BY_LOOKS.get((line.sku, line.category, line.brand)) for line in basket if line.known}
            assert known & touch.articles or (touch.unknown and not all(line.known for line in basket)), one
        assert given > 50

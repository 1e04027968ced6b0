"""Random baskets under random offers, imported and asked for as shops do it: against the format read a second time."""

import random

from tests.offers.random_offers import random_basket, random_offers, random_presented
from tests.offers.test_properties import expected, sizes
from tests.reliability.rotation import seed_of_run

BY_WIRE, SOAK = 40, 10_000


class TestTheTill:
    @sizes(BY_WIRE, SOAK)
    def test_is_told_what_the_format_says(self, market, publish, cases):
        """The same through an import and `POST /quotes`: ten baskets for each set of offers."""
        seed, done = seed_of_run(), 0
        while done < cases:
            dice = random.Random(f"{seed}-wire-{done}")
            offers, choice = random_offers(dice), dice.choice(["first", "best"])
            keys = [
                {"batch": batch, "value_amount": None, "currency": None, "minimum_amount": None,
                 "valid_days": None, "codes": [f"{batch}-000{number}" for number in range(10)]}
                for batch in ("V1", "V2")
            ]  # fmt: skip
            market.live(*offers, choice=choice, vouchers=keys)
            for _ in range(10):
                lines, presented = random_basket(dice), random_presented(dice)
                quote = market.quote(lines, voucher_codes=[f"{batch}-0000" for batch in presented])
                wanted = expected(lines, offers, choice, presented)["lines"]
                found = {
                    line["line_number"]: {one["offer_code"]: one["amount"] for one in line["discounts"]}
                    for line in quote.body["lines"]
                }
                assert found == wanted, f"seed {seed}, case {done}: {choice} {presented}\n{lines}\n{offers}"
                done += 1
        publish(f"offers: {done} random baskets through POST /pos/v1/quotes, seed {seed}")

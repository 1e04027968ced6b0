"""Lines, as carts state them and as the database keeps them."""

from decimal import Decimal
from random import Random

from rewards.carts import CartLine
from rewards.units import Lines

SEED = 20_261_122


class TestLines:
    def test_is_the_same_from_thousandths_as_from_a_cart(self):
        random = Random(SEED)
        for count in range(1_000):
            numbers = range(7, 7 + count % 4)
            units = [random.choice(("pcs", "pcs", "kg", None)) for _ in numbers]
            quantities = [random.choice((1_000, 3_000, random.randint(1, 20_000))) for _ in numbers]
            prices = [random.randint(-500, 5_000) for _ in numbers]
            lines = Lines.of([
                CartLine(number, Decimal(quantity) / 1_000, unit, price)
                for number, quantity, unit, price in zip(numbers, quantities, units, prices, strict=True)
            ])  # fmt: skip
            measured = [unit == "kg" for unit in units]
            kept = Lines.of_thousandths(numbers, quantities, prices, measured)
            assert list(map(tuple, lines)) == list(map(tuple, kept))

    def test_makes_one_unit_of_what_is_weighed(self):
        lines = Lines.of([CartLine(1, Decimal("0.754"), "kg", 29_900), CartLine(2, Decimal(3), "pcs", 500)])
        assert (lines.counts, lines.lefts) == ((1, 3), (22_545, 500))
        assert (lines.grosses, lines.measures) == ((22_545, 1_500), (754, None))

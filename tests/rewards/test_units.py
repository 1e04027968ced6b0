"""Lines, as carts state them and as the database keeps them."""

from decimal import Decimal
from random import Random

from rewards.carts import CartLine
from rewards.units import Line

SEED = 20_261_122


class TestLine:
    def test_is_the_same_from_thousandths_as_from_a_cart(self):
        random = Random(SEED)
        for _ in range(2_000):
            unit = random.choice(("pcs", "kg", None))
            quantity = random.choice((1_000, 3_000, random.randint(1, 20_000)))
            price = random.randint(-500, 5_000)
            line = Line(CartLine(7, Decimal(quantity) / 1_000, unit, price))
            pieces = unit in {"pcs", None}
            assert told(line) == told(Line.of_thousandths(7, quantity, price, pieces=pieces))


def told(line: Line) -> dict[str, int | None]:
    return {name: getattr(line, name) for name in Line.__slots__}

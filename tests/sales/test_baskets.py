from datetime import UTC, date, datetime
from decimal import Decimal

from sales.baskets import Basket, BasketLine
from sales.receipts import TillIdentity, Totals, stated_flags

NOON = datetime(2026, 11, 21, 11, tzinfo=UTC)
TILL = TillIdentity(1, 1, "S1", "T1", "CZK", "Europe/Prague")


class TestBasket:
    def test_becomes_a_sale_that_adds_up(self):
        lines = (BasketLine(1, Decimal("0.754"), 3990, sku="a"), BasketLine(2, Decimal(3), -300, sku="b"))
        basket = Basket("CZK", lines)
        listed = basket.listed_lines()
        assert [line.total_amount for line in listed] == [3008, -900]
        sale = basket.as_sale(
            closed_at=NOON,
            business_date=date(2026, 11, 21),
            lines=listed,
            totals=Totals(payable_amount=2108, gross_amount=2108),
        )
        assert stated_flags(sale, TILL, now=NOON) == []

    def test_rounds_half_a_minor_unit_away_from_zero(self):
        assert BasketLine(1, Decimal("0.5"), 5).gross_amount == 3
        assert BasketLine(1, Decimal("0.5"), -5).gross_amount == -3

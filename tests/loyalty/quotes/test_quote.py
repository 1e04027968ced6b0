from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.ids import uuid7
from loyalty.quotes.quote import Difference, Quote, QuotedLine, differences
from sales.receipts import PostedLine, PostedReceipt, Totals

MOMENT = datetime(2026, 11, 21, 11, tzinfo=UTC)
QUOTE = Quote(
    quote_id=uuid7(),
    valid_until=MOMENT,
    card_number=None,
    currency="CZK",
    lines={1: QuotedLine(Decimal("2.000"), 500, 1000, 100)},
    points_amount=0,
    payable_amount=900,
    points_to_earn=0,
)


def sale(quantity: str = "2", total: int = 900, **changes) -> PostedReceipt:
    line = PostedLine(1, Decimal(quantity), 500, total, sku="a", discount_amount=100)
    facts = {"lines": (line,), "totals": Totals(payable_amount=total), **changes}
    return PostedReceipt("sale", MOMENT.date(), "1", MOMENT, "CZK", **facts)


class TestHonours:
    def test_until_the_last_moment(self):
        assert QUOTE.honours(MOMENT)
        assert not QUOTE.honours(MOMENT + timedelta(microseconds=1))


class TestDifferences:
    def test_are_none_between_equal_quantities_in_other_words(self):
        assert differences(sale(), QUOTE, earned=0) == []

    def test_name_the_line_and_both_sides(self):
        found = differences(sale("3", 1400), QUOTE, earned=0)
        assert found == [
            Difference("payable_amount", 900, 1400),
            Difference("quantity", "2", "3", 1),
            Difference("total_amount", 900, 1400, 1),
        ]

    def test_tell_a_line_that_was_added(self):
        more = (*sale().lines, PostedLine(7, Decimal(1), 5, 5, sku="b"))
        assert differences(sale(lines=more), QUOTE, earned=0) == [Difference("total_amount", None, 5, 7)]

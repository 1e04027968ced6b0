from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core.ids import uuid7
from loyalty.quotes.quote import Difference, Quote, QuotedLine, differences
from sales.receipts import PostedLine, PostedReceipt, Tender, Totals

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


class TestPointsAsTender:
    QUOTE = replace(QUOTE, points_amount=300, payable_amount=600)

    @pytest.mark.parametrize(
        ("totals", "tenders"),
        [
            (Totals(payable_amount=600, points_amount=300), (Tender("cash", 600),)),
            (Totals(payable_amount=900), (Tender("points", 300), Tender("cash", 600))),
            (Totals(payable_amount=800, points_amount=100), (Tender("points", 200), Tender("cash", 600))),
        ],
    )
    def test_are_no_difference_however_they_are_stated(self, totals, tenders):
        assert differences(sale(totals=totals, tenders=tenders), self.QUOTE, earned=0) == []

    @pytest.mark.parametrize("points", [299, 301])
    def test_of_another_sum_are_one(self, points):
        paid = sale(
            totals=Totals(payable_amount=900),
            tenders=(Tender("points", points), Tender("cash", 900 - points)),
        )
        assert {one.field for one in differences(paid, self.QUOTE, earned=0)} == {
            "points_amount",
            "payable_amount",
        }

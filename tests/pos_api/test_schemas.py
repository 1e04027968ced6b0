"""A receipt's body loads into the words of the domain, or every place that is wrong is named."""

from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from pos_api import examples
from pos_api.problems import Problem
from pos_api.schemas import RECEIPT
from sales.receipts import Discount, Original, Tender, Totals


def places(document) -> dict[str, str]:
    with pytest.raises(Problem) as caught:
        RECEIPT.read(document)
    assert caught.value.code == "invalid_content"
    return dict(caught.value.errors)


def changed(base=examples.SALE, **changes):
    document = deepcopy(dict(base)) | changes
    return {name: value for name, value in document.items() if value is not ...}


def with_line(**changes):
    document = changed()
    line = document["lines"][0] | changes
    document["lines"] = [{name: value for name, value in line.items() if value is not ...}]
    return document


class TestReceiptBody:
    def test_becomes_a_posted_receipt(self):
        receipt = RECEIPT.read(examples.SALE)
        assert (receipt.type, receipt.mode, receipt.offline) == ("sale", "live", False)
        assert receipt.business_date == date(2026, 11, 21)
        assert receipt.closed_at == datetime(2026, 11, 21, 9, 16, 2, tzinfo=UTC)
        assert receipt.totals == Totals(10800, 11980, 1198, 0, 18)
        assert receipt.tenders == (Tender("cash", 10800),)
        (line,) = receipt.lines
        assert (line.quantity, line.tax_rate) == (Decimal(2), Decimal(12))
        assert line.discounts == (Discount("TEA10", 3, 1198),)

    def test_needs_no_more_than_the_contract_says(self):
        receipt = RECEIPT.read(examples.SHORTEST_SALE)
        assert receipt.lines[0].quantity == Decimal("0.754")
        assert receipt.totals == Totals(3008)

    def test_names_the_original_of_a_return(self):
        assert RECEIPT.read(examples.RETURN).original == Original("S1", "T1", date(2026, 11, 21), "000123")

    def test_needs_neither_lines_nor_totals_nor_original_for_a_void(self):
        assert RECEIPT.read(examples.VOID).lines == ()
        assert RECEIPT.read(changed(examples.VOID, original=...)).original is None

    @pytest.mark.parametrize("type_", ["sale", "return"])
    def test_needs_lines_and_what_was_paid_otherwise(self, type_):
        for lines in (..., []):
            found = places(changed(type=type_, lines=lines, totals=...))
            assert set(found) == {"/lines", "/totals/payable_amount"}
        assert set(places(changed(type=type_, totals={"gross_amount": 1}))) == {"/totals/payable_amount"}

    @pytest.mark.parametrize("name", ["type", "business_date", "receipt_number", "closed_at", "currency"])
    def test_needs_its_identity(self, name):
        assert set(places(changed(**{name: ...}))) == {f"/{name}"}

    @pytest.mark.parametrize("name", ["line_number", "quantity", "unit_price", "total_amount", "tax_rate"])
    def test_needs_what_every_line_has(self, name):
        assert set(places(with_line(**{name: ...}))) == {f"/lines/0/{name}"}

    def test_needs_one_of_gtin_and_sku(self):
        RECEIPT.read(with_line(gtin=...))
        RECEIPT.read(with_line(sku=...))
        assert set(places(with_line(gtin=..., sku=...))) == {"/lines/0"}

    def test_numbers_each_line_once(self):
        document = changed()
        document["lines"] = [document["lines"][0] | {"line_number": n} for n in (1, 2, 1, 2)]
        assert set(places(document)) == {"/lines/2/line_number", "/lines/3/line_number"}

    def test_knows_no_other_fields_at_any_depth(self):
        document = with_line(colour="red", discounts=[{"offer_code": "A", "amount": 1, "why": 1}])
        document |= {"a/b~c": 1, "original": {**examples.VOID["original"], "x": 1}}
        document["totals"]["tip"] = 1
        document["tenders"][0]["card"] = "1"
        assert set(places(document)) == {
            "/a~1b~0c",
            "/lines/0/colour",
            "/lines/0/discounts/0/why",
            "/original/x",
            "/tenders/0/card",
            "/totals/tip",
        }

    def test_names_every_fault_at_once(self):
        document = with_line(quantity=2, unit_price="5", tax_rate="12.345") | {
            "type": "gift",
            "business_date": "2100-01-01",
            "closed_at": "2026-11-21T10:16:02",
            "receipt_number": "No 1",
            "currency": "KCS1",
            "offline": "no",
            "tenders": [{"type": "c" * 21, "amount": 1.0}],
            "totals": [],
        }
        assert set(places(document)) == {
            "/business_date",
            "/closed_at",
            "/currency",
            "/lines/0/quantity",
            "/lines/0/tax_rate",
            "/lines/0/unit_price",
            "/offline",
            "/receipt_number",
            "/tenders/0/amount",
            "/tenders/0/type",
            "/totals",
            "/type",
        }

    @pytest.mark.parametrize("value", [None, 1, "text", True, [], [[]], {}])
    @pytest.mark.parametrize("name", sorted(RECEIPT.fields))
    def test_survives_any_type_in_any_place(self, name, value):
        document = changed(**{name: value})
        try:
            RECEIPT.read(document)
            found = []
        except Problem as problem:
            found = list(problem.errors)
        # A body is read, or every place that is wrong is named; for a member that the contract lets be absent null is neither.
        assert all(place.startswith("/") and detail for place, detail in found)
        assert found or value is not True or name == "offline"

    @pytest.mark.parametrize("number", ["1", "000123", "A-1_b.2", "x" * 40])
    def test_takes_receipt_numbers_as_they_are(self, number):
        assert RECEIPT.read(changed(receipt_number=number)).receipt_number == number

    @pytest.mark.parametrize("number", ["", "x" * 41, "1 2", "1/2", "č", "1\n", 123])
    def test_refuses_other_receipt_numbers(self, number):
        assert set(places(changed(receipt_number=number))) == {"/receipt_number"}

    @pytest.mark.parametrize("amount", ["discount_amount", "points_amount"])
    def test_takes_nothing_away_from_nothing(self, amount):
        document = changed()
        document["totals"][amount] = -1
        assert set(places(document)) == {f"/totals/{amount}"}

    def test_takes_deposits(self):
        receipt = RECEIPT.read(with_line(unit_price=-300, total_amount=-600, discount_amount=0))
        assert receipt.lines[0].unit_price == -300

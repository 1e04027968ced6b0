import re
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from sales.poslog import NAMESPACE, TRANSACTION
from sales.poslog_transactions import NoReceipt, NotUnderstood, Place, told

GUIDE = Path(__file__).parents[2] / "docs" / "poslog.md"
LINE = "<LineItem><SequenceNumber>1</SequenceNumber><Sale>{}<RegularSalesUnitPrice>10.00</RegularSalesUnitPrice><ExtendedAmount>{}</ExtendedAmount>{}</Sale></LineItem>"


def read(text, attributes="", head="<EndDateTime>2026-11-21T10:16:02</EndDateTime>", status=""):
    document = fromstring(
        f'<Transaction xmlns="{NAMESPACE}"{attributes}><RetailStoreID>S1</RetailStoreID>{head}'
        f"<RetailTransaction{status}>{text}</RetailTransaction></Transaction>"
    )
    return told(document, {"S1": Place("CZK", "Europe/Prague")}.get)


class TestTold:
    def test_reads_the_guide_s_example(self):
        example = re.search(r"```xml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL).group(1)
        sale, back = (
            told(one, {"S1": Place("CZK", "Europe/Prague")}.get)
            for one in fromstring(example).findall(TRANSACTION)
        )
        assert sale.identity == "S1/T1/2026-11-21/000123"
        assert sale.head["closed_at"] == "2026-11-21T10:16:02+01:00"
        assert sale.head["card_number"] == "2990000000019"
        line = sale.lines[0]
        assert (line["unit_price"], line["discount_amount"], line["total_amount"]) == (
            "5990",
            "1198",
            "10782",
        )
        assert (sale.rounding_amount, sale.payable_amount, sale.tenders) == (18, 10800, [("cash", 10800)])
        assert sale.plain
        assert back.head["type"] == "return"
        assert back.head["original_receipt_number"] == "000123"
        assert back.lines[0]["original_line_number"] == "1"
        assert back.payable_amount == 5391

    def test_takes_modifiers_or_the_lower_price_for_the_discount(self):
        modified = LINE.format(
            "",
            "8.00",
            "<RetailPriceModifier><Amount>3.00</Amount></RetailPriceModifier><RetailPriceModifier><Amount Action='Add'>1.00</Amount></RetailPriceModifier>",
        )
        lower = LINE.format("<ActualSalesUnitPrice>9.00</ActualSalesUnitPrice>", "9.00", "")
        assert read(modified).lines[0]["discount_amount"] == "200"
        assert read(lower).lines[0]["discount_amount"] == "100"

    def test_weighs_by_units(self):
        line = LINE.format('<Quantity UnitOfMeasureCode="KGM" Units="0.754">1</Quantity>', "7.54", "")
        assert (read(line).lines[0]["quantity"], read(line).lines[0]["unit"]) == ("0.754", "kg")

    def test_keeps_a_code_that_is_no_gtin_as_the_sku(self):
        line = LINE.format("<POSIdentity><POSItemID>4711</POSItemID></POSIdentity>", "10.00", "")
        assert (read(line).lines[0]["sku"], read(line).lines[0]["gtin"]) == ("4711", None)

    def test_tells_what_points_paid_from_what_money_did(self):
        paid = read(
            LINE.format("", "10.00", "")
            + '<LineItem><Tender TenderType="LoyaltyPoints"><Amount>4.00</Amount></Tender></LineItem><LineItem><Tender TenderType="CreditDebit"><Amount>6.00</Amount></Tender></LineItem>'
        )
        assert (paid.points_amount, paid.tenders, paid.payable_amount) == (400, [("credit_debit", 600)], 600)
        assert not paid.plain

    @pytest.mark.parametrize(
        ("attributes", "status", "mode"),
        [(' TrainingModeFlag="true"', "", "training"), ("", ' TransactionStatus="Suspended"', "suspended")],
    )
    def test_knows_what_does_not_count(self, attributes, status, mode):
        assert read(LINE.format("", "10.00", ""), attributes, status=status).mode == mode

    def test_forgets_the_lines_of_a_void(self):
        void = read(
            LINE.format("", "10.00", "")
            + '<TransactionLink ReasonCode="Voided"><RetailStoreID>S1</RetailStoreID><SequenceNumber>9</SequenceNumber></TransactionLink>'
        )
        assert (void.head["type"], void.lines, void.head["original_receipt_number"]) == ("void", [], "9")

    def test_says_what_is_no_receipt(self):
        for attributes, status in ((' CancelFlag="true"', ""), ("", ' TransactionStatus="Voided"')):
            with pytest.raises(NoReceipt):
                read(LINE.format("", "10.00", ""), attributes, status=status)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "neither sale nor return lines"),
            (LINE.format("", "1e999", ""), "is no number"),
            (LINE.format("", "NaN", ""), "is no number"),
            (LINE.format("", "", ""), "is no number"),
            (LINE.format("", "1.005", ""), "more decimals"),
        ],
    )
    def test_says_why_it_cannot_be_taken(self, text, words):
        with pytest.raises(NotUnderstood, match=words):
            read(text)

    def test_says_that_a_moment_is_none(self):
        with pytest.raises(NotUnderstood, match="no moment"):
            read(LINE.format("", "10.00", ""), head="<EndDateTime>yesterday</EndDateTime>")

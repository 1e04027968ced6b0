"""What tills send to have a basket quoted."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from pos_api.fields import (
    LARGEST_INTEGER,
    SHORT,
    Amount,
    Code,
    Currency,
    Moment,
    Pattern,
    Quantity,
    Several,
    TaxRate,
    Text,
    Whole,
)
from pos_api.schemas import LONGEST_CARD, LONGEST_LIST, Body, filled, refuse_repeated_numbers
from sales.articlecodes import find_gtin
from sales.baskets import LARGEST_GROSS, Basket, BasketLine


class Gtin(Pattern):
    """A GTIN-8, -12, -13 or -14 whose check digit is right."""

    def __init__(self, **options: Any) -> None:
        super().__init__("([0-9]{8}|[0-9]{12,14})", "Must be a GTIN of 8, 12, 13 or 14 digits.", **options)

    def take(self, value: Any) -> str:
        """Return `value` as what it says."""
        digits = super().take(value)
        if find_gtin(digits) is None:
            raise ValidationError("The check digit of this GTIN is wrong.")
        return digits


class QuoteLineBody(Body):
    """A line of the basket. At least one of `gtin` and `sku` is needed; an article may be unknown."""

    MAKES = BasketLine
    KEYWORDS = {"anyOf": [filled("gtin"), filled("sku")]}  # noqa: RUF012 - never changed

    line_number = Whole(0, LARGEST_INTEGER, required=True, metadata={"description": "Unique in the basket."})
    gtin = Gtin()
    sku = Code()
    name = Text()
    quantity = Quantity(required=True)
    unit = Text(SHORT)
    unit_price = Amount(required=True, metadata={"description": "May be negative: deposits."})
    tax_rate = TaxRate()

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def name_an_article(self, _: Any, document: Any, **__: Any) -> None:
        """Refuse a line that says in no way what it is."""
        if type(document) is dict and "gtin" not in document and "sku" not in document:
            raise ValidationError("One of gtin and sku is needed.")

    @validates_schema
    def stay_within_reason(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a line that comes to more than a receipt can charge."""
        if abs(data["quantity"] * data["unit_price"]) > LARGEST_GROSS:
            raise ValidationError("Quantity and price come to more than a line can charge.", "quantity")


class QuoteBody(Body):
    """A basket that is not paid yet; without a card it is quoted as anybody's."""

    MAKES = Basket

    card_number = Code(LONGEST_CARD)
    card_entry_mode = Text(SHORT)
    currency = Currency(required=True, metadata={"description": "ISO 4217."})
    at = Moment(metadata={"description": "When it would be paid; now, when absent."})
    lines = Several(fields.Nested(QuoteLineBody), required=True, metadata={"minItems": 1})
    voucher_codes = Several(Code(required=True), longest=LONGEST_LIST)
    points_to_spend = Whole(
        0, LARGEST_INTEGER, metadata={"default": 0, "description": "More than can be spent are cut."}
    )

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def have_lines(self, _: Any, document: Any, **__: Any) -> None:
        """Refuse a basket without lines, and one on which two lines have one number."""
        if type(document) is dict and document.get("lines") == []:
            raise ValidationError("A basket needs at least one line.", "lines")
        refuse_repeated_numbers(document)


QUOTE = QuoteBody()
"""Built once; loading does not change it."""

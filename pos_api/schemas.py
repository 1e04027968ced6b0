"""What tills send: the schemas of the request bodies, loading into the words of the domain."""

import functools
from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validates_schema

from contacts.reactions import REACTIONS, SCOPES
from customers.cardnumbers import normalise_card_number
from customers.contact_details import CHANNELS, PURPOSES
from customers.models import LANGUAGES
from loyalty.quotes.returns import Wanted
from pos_api.fields import (
    LARGEST_INTEGER,
    SHORT,
    Amount,
    Checked,
    Choice,
    Code,
    Currency,
    Day,
    Moment,
    Pattern,
    Quantity,
    Several,
    TaxRate,
    Text,
    Truth,
    Whole,
)
from pos_api.problems import invalid_content, pointed
from pos_api.quick_reading import Reading, TooSpecial, make_plainly, quick_reading
from sales.receipts import (
    LIVE,
    RETURN,
    SALE,
    SUSPENDED,
    TRAINING,
    VOID,
    Discount,
    OfflineRedemption,
    Original,
    PostedLine,
    PostedReceipt,
    Tender,
    Totals,
)

LONGEST_CARD = 40
LONGEST_LIST = 1000
"""Entries of the short lists: vouchers, redemptions, tenders, discounts of a line."""

LARGEST_BATCH = 500
NAME = 200
LONGEST_ADDRESS = 254
CONSENTS = ("profiling", *(f"{channel}:{purpose}" for channel in CHANNELS for purpose in PURPOSES))

RECEIPT_NUMBER = "[A-Za-z0-9._-]{1,40}"


class Body(Schema):
    """Takes what it names and nothing else. Nulls are gone before it sees a document: null is absent."""

    class Meta:
        """Unknown fields are an error."""

        unknown = RAISE

    MAKES: ClassVar[Callable[..., Any]] = dict
    """What the content becomes."""

    KEYWORDS: ClassVar[Mapping[str, Any]] = {}
    """JSON Schema for what the fields alone cannot say; stands in the OpenAPI document beside them."""

    make = post_load(make_plainly)

    def read(self, document: Mapping[str, Any]) -> Any:
        """Return what `document` means; raises `invalid_content` with every place that breaks a rule."""
        try:
            return self._read_quickly(document)
        except (KeyError, TooSpecial, ValidationError):
            # Something is wrong with it; only now it matters where.
            return self._read_thoroughly(document)

    @functools.cached_property
    def _read_quickly(self) -> Reading:
        return quick_reading(self)

    def _read_thoroughly(self, document: Mapping[str, Any]) -> Any:
        try:
            return self.load(document)
        except ValidationError as error:
            raise invalid_content(pointed(error.messages)) from error


def filled(*names: str) -> dict[str, Any]:
    """Return JSON Schema that wants these members to be there and not null."""
    return {"required": list(names), "properties": {name: {"not": {"type": "null"}} for name in names}}


class DiscountBody(Body):
    """What an offer took off a line."""

    MAKES = Discount

    offer_code = Code(required=True)
    offer_version = Whole(0, LARGEST_INTEGER)
    amount = Amount(0, required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Discount:
        """Return the discount; a version that is not stated is None."""
        return Discount(data["offer_code"], data.get("offer_version"), data["amount"])


class LineBody(Body):
    """A line as it stands on the receipt, before points. At least one of `gtin` and `sku` is needed."""

    MAKES = PostedLine
    KEYWORDS = {"anyOf": [filled("gtin"), filled("sku")]}  # noqa: RUF012 - never changed

    line_number = Whole(0, LARGEST_INTEGER, required=True, metadata={"description": "Unique in the receipt."})
    gtin = Pattern("[0-9]{1,14}", "Must be 1 to 14 digits.")
    sku = Code()
    name = Text()
    quantity = Quantity(required=True)
    unit = Text(SHORT)
    unit_price = Amount(required=True, metadata={"description": "May be negative: deposits."})
    discount_amount = Amount(0, metadata={"default": 0})
    total_amount = Amount(required=True)
    tax_rate = TaxRate(required=True)
    discounts = Several(fields.Nested(DiscountBody), longest=LONGEST_LIST)
    original_line_number = Whole(
        0, LARGEST_INTEGER, metadata={"description": "On a return: which line comes back."}
    )
    reason = Choice("faulty", "unwanted", "other", metadata={"description": "On a return: why."})

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def name_an_article(self, _: Any, document: Any, **__: Any) -> None:
        """Refuse a line that says in no way what was bought."""
        if type(document) is dict and "gtin" not in document and "sku" not in document:
            raise ValidationError("One of gtin and sku is needed.")


class TenderBody(Body):
    """A means of payment, net of change."""

    MAKES = Tender

    type = Code(
        SHORT,
        required=True,
        metadata={
            "description": "An open name, such as `cash` or `card`. `points` is the value of points where the programme makes "
            "them a means of payment: `points_amount` is then 0 and `payable_amount` the whole bill."
        },
    )
    amount = Amount(required=True)


class TotalsBody(Body):
    """The sums that the till states: payable = gross - discount - points + rounding."""

    MAKES = Totals

    gross_amount = Amount()
    discount_amount = Amount(0, metadata={"default": 0})
    points_amount = Amount(
        0,
        metadata={
            "default": 0,
            "description": "What points took off the bill; on a return, the value of the points given back.",
        },
    )
    rounding_amount = Amount(metadata={"default": 0})
    payable_amount = Amount(metadata={"description": "Needed on a sale and on a return."})


class OriginalBody(Body):
    """The identity of the receipt that a return or a void is about; it may be of any store."""

    MAKES = Original

    store_code = Code(required=True)
    till_code = Code(required=True)
    business_date = Day(required=True)
    receipt_number = Pattern(
        RECEIPT_NUMBER, "Must be 1 to 40 letters, digits, dots, underscores and hyphens.", required=True
    )


class OfflineRedemptionBody(Body):
    """Points spent while the till was offline, within the card's signed allowance."""

    MAKES = OfflineRedemption

    points = Whole(1, LARGEST_INTEGER, required=True)
    allowance = Code(4096, required=True)


class ReceiptBody(Body):
    """A sale, return or void. A sale and a return need `lines` and `totals.payable_amount`; a void needs neither."""

    MAKES = PostedReceipt
    KEYWORDS = {  # noqa: RUF012 - never changed
        "if": {"properties": {"type": {"const": VOID}}},
        "else": {
            "required": ["lines", "totals"],
            "properties": {
                "lines": {"type": "array", "minItems": 1},
                "totals": {"type": "object", **filled("payable_amount")},
            },
        },
    }

    type = Choice(SALE, RETURN, VOID, required=True)
    mode = Choice(LIVE, TRAINING, SUSPENDED, metadata={"default": LIVE})
    offline = Truth(metadata={"default": False})
    business_date = Day(required=True)
    receipt_number = Pattern(
        RECEIPT_NUMBER, "Must be 1 to 40 letters, digits, dots, underscores and hyphens.", required=True
    )
    closed_at = Moment(required=True)
    operator_code = Code()
    card_number = Code(LONGEST_CARD)
    card_entry_mode = Text(SHORT)
    currency = Currency(required=True, metadata={"description": "ISO 4217."})
    quote_id = Code()
    lines = Several(fields.Nested(LineBody))
    redemption_ids = Several(Code(required=True), longest=LONGEST_LIST)
    voucher_codes = Several(Code(required=True), longest=LONGEST_LIST)
    offline_redemptions = Several(fields.Nested(OfflineRedemptionBody), longest=LONGEST_LIST)
    tenders = Several(fields.Nested(TenderBody), longest=LONGEST_LIST)
    totals = fields.Nested(TotalsBody, allow_none=True)
    original = fields.Nested(OriginalBody, allow_none=True)

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def have_what_the_type_needs(self, _: Any, document: Any, **__: Any) -> None:
        """Refuse a sale or return without lines or without what was paid."""
        if type(document) is not dict or document.get("type") not in (SALE, RETURN):
            return
        missing: dict[str, Any] = {}
        if document.get("lines", []) == []:
            missing["lines"] = ["A sale and a return need at least one line."]
        totals = document.get("totals", {})
        if type(totals) is dict and "payable_amount" not in totals:
            missing["totals"] = {"payable_amount": ["A sale and a return need it."]}
        if missing:
            raise ValidationError(missing)

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def number_lines_once(self, _: Any, document: Any, **__: Any) -> None:
        """Refuse a receipt on which two lines have one number."""
        refuse_repeated_numbers(document)


def refuse_repeated_numbers(document: Any) -> None:
    """Raise ValidationError at every line of a body whose number another line before it has."""
    lines = document.get("lines") if type(document) is dict else None
    if type(lines) is not list:
        return
    seen: set[int] = set()
    again: dict[int, Any] = {}
    for index, line in enumerate(lines):
        number = line.get("line_number") if type(line) is dict else None
        if type(number) is int:
            if number in seen:
                again[index] = {"line_number": ["Another line has this number."]}
            seen.add(number)
    if again:
        raise ValidationError({"lines": again})


class BatchBody(Body):
    """Receipts in any order; each is answered by itself, also one that breaks the schema."""

    KEYWORDS = {  # noqa: RUF012 - never changed
        "properties": {
            "receipts": {
                "type": "array",
                "maxItems": LARGEST_BATCH,
                "items": {"description": "A `Receipt`; what is none is answered with its own problem."},
            }
        }
    }

    receipts = Several(fields.Raw(allow_none=True), required=True)


class RedemptionBody(Body):
    """What a card's holder wants to use: points, a reward, or a voucher."""

    KEYWORDS = {  # noqa: RUF012 - never changed
        "oneOf": [
            filled("card_number", "points"),
            filled("card_number", "reward_code"),
            filled("voucher_code"),
        ]
    }

    card_number = Code(LONGEST_CARD)
    points = Whole(1, LARGEST_INTEGER)
    reward_code = Code()
    voucher_code = Code()

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def want_one_thing(self, _: Any, document: Any, **__: Any) -> None:
        """Refuse to guess which of several things is wanted, or for whom."""
        if type(document) is not dict:
            return
        by_card = [
            name for name in ("points", "reward_code") if name in document and "card_number" in document
        ]
        if len(by_card) + ("voucher_code" in document) != 1:
            raise ValidationError("Either card_number with one of points and reward_code, or voucher_code.")


CARD_NUMBER = "ISO/IEC 7812 with Luhn's check digit, or an in-house EAN-13 that begins with 2."


class MemberBody(Body):
    """A person who joins at the till; a phone number or an e-mail address is needed."""

    KEYWORDS = {"anyOf": [filled("phone"), filled("email")]}  # noqa: RUF012 - never changed

    card_number = Checked(
        normalise_card_number, LONGEST_CARD, required=True, metadata={"description": CARD_NUMBER}
    )
    given_name = Code(NAME, required=True)
    family_name = Code(NAME, required=True)
    phone = Code(SHORT * 2, metadata={"description": "With its country, or as it is dialled at home."})
    email = Code(LONGEST_ADDRESS)
    language = Choice(*LANGUAGES, metadata={"description": "Otherwise that of the store's country."})
    consents = Several(
        Choice(*CONSENTS, required=True), longest=LONGEST_LIST, metadata={"description": "channel:purpose"}
    )
    referral_code = Code(
        SHORT, metadata={"description": "The code of the member who brought them, as it was typed."}
    )

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def be_reachable(self, _: Any, document: Any, **__: Any) -> None:
        """Refuse a member whom nobody could reach."""
        if type(document) is dict and "phone" not in document and "email" not in document:
            raise ValidationError("One of phone and email is needed.")


class BlockBody(Body):
    """Why a card is blocked."""

    reason = Code(required=True)


class ReplacementBody(Body):
    """Which card takes a card's place, and why."""

    new_card_number = Checked(
        normalise_card_number, LONGEST_CARD, required=True, metadata={"description": CARD_NUMBER}
    )
    reason = Code(required=True)


class WantedBody(Body):
    """So much of a line of the sale is to come back."""

    MAKES = Wanted

    original_line_number = Whole(0, LARGEST_INTEGER, required=True)
    quantity = Quantity(required=True)


class ReturnQuoteBody(Body):
    """A return that is thought of; the original may be of any store."""

    original = fields.Nested(OriginalBody, required=True)
    lines = Several(fields.Nested(WantedBody), required=True, longest=LONGEST_LIST)


SUBJECTS = ("decision_id", "sku", "offer_code")


class ReactionBody(Body):
    """What a card's holder answered to an offer; only an answer about everything needs nothing to be about."""

    KEYWORDS = {  # noqa: RUF012 - never changed
        "anyOf": [
            *(filled(name) for name in SUBJECTS),
            {"required": ["scope"], "properties": {"scope": {"const": "all"}}},
        ],
        "not": {"anyOf": [filled(*pair) for pair in combinations(SUBJECTS, 2)]},
    }

    card_number = Code(LONGEST_CARD, required=True)
    decision_id = Code(metadata={"description": "As it stood in `next_offers`."})
    sku = Code()
    offer_code = Code()
    reaction = Choice(*REACTIONS, required=True)
    scope = Choice(*SCOPES, metadata={"default": "item"})

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def be_about_one_thing(self, _: Any, document: Any, **__: Any) -> None:
        """Refuse to guess what the answer is about."""
        if type(document) is not dict:
            return
        about = [name for name in SUBJECTS if name in document]
        if len(about) > 1 or (not about and document.get("scope") != "all"):
            raise ValidationError("One of decision_id, sku and offer_code is needed.")


RECEIPT = ReceiptBody()
BATCH = BatchBody()
REDEMPTION = RedemptionBody()
MEMBER = MemberBody()
BLOCK = BlockBody()
REPLACEMENT = ReplacementBody()
RETURN_QUOTE = ReturnQuoteBody()
REACTION = ReactionBody()
"""Built once; loading does not change them."""

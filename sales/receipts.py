"""Receipts as tills state them, what they mean, and what is odd about one that needs no database to see."""

import json
from collections.abc import Collection, Iterator
from dataclasses import field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from core.clock import business_day
from core.ids import is_uuid
from core.money import half_up
from core.payment_cards import SHORTEST, mask_payment_cards, payment_card_numbers
from core.records import record
from sales.articlecodes import find_gtin

SALE, RETURN, VOID = "sale", "return", "void"
LIVE, TRAINING, SUSPENDED = "live", "training", "suspended"

CLOCK_TOLERANCE = timedelta(minutes=5)
LATE_AFTER = timedelta(hours=24)


@record
class TillIdentity:
    """Which till speaks, with what its store decides: the currency of amounts and the zone of business days."""

    till_id: int
    store_id: int
    store_code: str
    till_code: str
    currency: str
    timezone: str

    @property
    def actor(self) -> str:
        """How trails name what this till does."""
        return f"till {self.store_code}/{self.till_code}"


@record
class Discount:
    """A part of a line's discount, by the offer that gave it; the amount is in minor units."""

    offer_code: str
    offer_version: int | None
    amount: int


@record
class PostedLine:
    """One line, stated before points; amounts in minor units, `total_amount` after discounts and tax included."""

    line_number: int
    quantity: Decimal
    unit_price: int
    total_amount: int
    tax_rate: Decimal | None = None
    gtin: str | None = None
    sku: str | None = None
    name: str | None = None
    unit: str | None = None
    discount_amount: int = 0
    discounts: tuple[Discount, ...] = ()
    original_line_number: int | None = None
    reason: str | None = None


@record
class Tender:
    """What was paid with, net of change."""

    type: str
    amount: int


@record
class Totals:
    """What the till added up; an amount that it did not state is None where it has no default."""

    payable_amount: int | None = None
    gross_amount: int | None = None
    discount_amount: int = 0
    points_amount: int = 0
    rounding_amount: int = 0


@record
class Original:
    """The identity of the receipt that a return or a void names; it may be of any store."""

    store_code: str
    till_code: str
    business_date: date
    receipt_number: str

    @property
    def identity(self) -> str:
        """The identity as one text, the same for all who name this receipt."""
        return identity(self.store_code, self.till_code, self.business_date, self.receipt_number)


@record
class OfflineRedemption:
    """Points spent while the till was offline, within a card's signed allowance."""

    points: int
    allowance: str


@record
class PostedReceipt:
    """A receipt as a till states it; moments are aware, absent lists are empty."""

    type: str
    business_date: date
    receipt_number: str
    closed_at: datetime
    currency: str
    mode: str = LIVE
    offline: bool = False
    operator_code: str | None = None
    card_number: str | None = None
    card_entry_mode: str | None = None
    quote_id: str | None = None
    lines: tuple[PostedLine, ...] = ()
    redemption_ids: tuple[str, ...] = ()
    voucher_codes: tuple[str, ...] = ()
    offline_redemptions: tuple[OfflineRedemption, ...] = ()
    tenders: tuple[Tender, ...] = ()
    totals: Totals = field(default_factory=Totals)
    original: Original | None = None


@record
class Flag:
    """Something odd about a receipt that is accepted all the same."""

    code: str
    detail: str
    line_number: int | None = None


def identity(store_code: str, till_code: str, business_date: date, receipt_number: str) -> str:
    """Return a receipt's permanent identity as one text."""
    return f"{store_code}/{till_code}/{business_date.isoformat()}/{receipt_number}"


def own_identity(posted: PostedReceipt, till: TillIdentity) -> str:
    """Return the identity of the receipt that `till` posts."""
    return identity(till.store_code, till.till_code, posted.business_date, posted.receipt_number)


def fingerprint(receipt: PostedReceipt, till: TillIdentity, *, cards: Collection[str] | None = None) -> bytes:
    """
    Return the SHA-256 of what `receipt` of `till` means.

    Two bodies are the same receipt exactly when these agree: the order of keys,
    absent or default, "2" or "2.0", one instant in two offsets make no difference,
    nor do `offline` and `quote_id`. Payment-card numbers go in masked, so that
    nobody can find one by trying; who has looked for them gives what was found, or nothing, as `cards`.
    """
    clean = cards is not None and not cards
    meaning = receipt_document(receipt if clean else masked(receipt))
    meaning.pop("offline", None)
    meaning.pop("quote_id", None)
    meaning["till"] = [till.store_code, till.till_code]
    return sha256(_CANONICAL.encode(meaning).encode()).digest()


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False)


def receipt_document(receipt: PostedReceipt) -> dict[str, Any]:
    """Return `receipt` as the contract's JSON object in canonical form: defaults and nulls left out."""
    document = {
        "type": receipt.type,
        "mode": None if receipt.mode == LIVE else receipt.mode,
        "offline": receipt.offline or None,
        "business_date": receipt.business_date.isoformat(),
        "receipt_number": receipt.receipt_number,
        "closed_at": receipt.closed_at.astimezone(UTC).isoformat(),
        "operator_code": receipt.operator_code,
        "card_number": receipt.card_number,
        "card_entry_mode": receipt.card_entry_mode,
        "currency": receipt.currency,
        "quote_id": receipt.quote_id,
        "lines": [_line_document(line) for line in receipt.lines],
        "redemption_ids": list(receipt.redemption_ids),
        "voucher_codes": list(receipt.voucher_codes),
        "offline_redemptions": [
            {"points": spent.points, "allowance": spent.allowance} for spent in receipt.offline_redemptions
        ],
        "tenders": [{"type": tender.type, "amount": tender.amount} for tender in receipt.tenders],
        "totals": _totals_document(receipt.totals),
        "original": _original_document(receipt.original),
    }
    return _stated(document)


def _line_document(line: PostedLine) -> dict[str, Any]:
    # As `_stated` would leave it; lines are many.
    document: dict[str, Any] = {
        "line_number": line.line_number,
        "quantity": _plain(line.quantity),
        "unit_price": line.unit_price,
        "total_amount": line.total_amount,
    }
    if line.gtin is not None:
        document["gtin"] = line.gtin
    if line.sku is not None:
        document["sku"] = line.sku
    if line.name is not None:
        document["name"] = line.name
    if line.unit is not None:
        document["unit"] = line.unit
    if line.discount_amount:
        document["discount_amount"] = line.discount_amount
    if line.tax_rate is not None:
        document["tax_rate"] = _plain(line.tax_rate)
    if line.discounts:
        document["discounts"] = [_discount_document(discount) for discount in line.discounts]
    if line.original_line_number is not None:
        document["original_line_number"] = line.original_line_number
    if line.reason is not None:
        document["reason"] = line.reason
    return document


def _discount_document(discount: Discount) -> dict[str, Any]:
    return _stated(
        {
            "offer_code": discount.offer_code,
            "offer_version": discount.offer_version,
            "amount": discount.amount,
        }
    )


def _totals_document(totals: Totals) -> dict[str, Any]:
    return _stated(
        {
            "gross_amount": totals.gross_amount,
            "discount_amount": totals.discount_amount or None,
            "points_amount": totals.points_amount or None,
            "rounding_amount": totals.rounding_amount or None,
            "payable_amount": totals.payable_amount,
        }
    )


def _original_document(original: Original | None) -> dict[str, Any] | None:
    if original is None:
        return None
    return {
        "store_code": original.store_code,
        "till_code": original.till_code,
        "business_date": original.business_date.isoformat(),
        "receipt_number": original.receipt_number,
    }


def _stated(document: dict[str, Any]) -> dict[str, Any]:
    return {
        key: content for key, content in document.items() if content is not None and content not in ([], {})
    }


def _plain(number: Decimal) -> str:
    """Return `number` as a decimal string in one form: "2" for 2.0, "0.5" for 0.50, "0" for minus zero."""
    text = str(number)
    if text.isdigit():
        return text
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def typed_texts(receipt: PostedReceipt, *, shortest: int = 1) -> list[str]:
    """Return every text of `receipt` that somebody may have typed or scanned, not its identity; `shortest` characters or more."""
    texts = [
        receipt.card_number,
        receipt.card_entry_mode,
        receipt.operator_code,
        *[tender.type for tender in receipt.tenders],
        *receipt.voucher_codes,
    ]
    for line in receipt.lines:
        texts += (line.name, line.unit, line.reason)
        for discount in line.discounts:
            texts.append(discount.offer_code)
    stated = [text for text in texts if text is not None and len(text) >= shortest]
    # One in some thousand of our own ids has digits that would pass as a payment card.
    ids = (receipt.quote_id, *receipt.redemption_ids)
    stated += [name for name in ids if name and len(name) >= shortest and not is_uuid(name)]
    for line in receipt.lines:
        sku = line.sku
        if sku and len(sku) >= shortest and not find_gtin(sku):
            stated.append(sku)
    return stated


def payment_cards_in(receipt: PostedReceipt) -> set[str]:
    """Return the payment-card numbers that stand in texts of `receipt`."""
    # Looked at together: nearly always there is none, and a line's end parts the numbers of two texts.
    texts = typed_texts(receipt, shortest=SHORTEST)
    return set(payment_card_numbers("\n".join(texts))) if texts else set()


def masked(receipt: PostedReceipt, *, spare: Collection[str] = ()) -> PostedReceipt:
    """Return `receipt` with the payment-card numbers in its texts masked, except those in `spare`."""
    if not payment_cards_in(receipt) - set(spare):
        return receipt

    def mask_stated(text: str) -> str:
        return mask_payment_cards(text, own=spare)

    def mask(text: str | None) -> str | None:
        return None if text is None else mask_stated(text)

    def mask_name(name: str) -> str:
        return name if is_uuid(name) else mask_stated(name)

    def mask_code(code: str | None) -> str | None:
        # A GTIN may look like a payment card by chance; in the place of a code it is none.
        return code if code is None or find_gtin(code) else mask_stated(code)

    return replace(
        receipt,
        card_number=mask(receipt.card_number),
        card_entry_mode=mask(receipt.card_entry_mode),
        operator_code=mask(receipt.operator_code),
        quote_id=mask_name(receipt.quote_id) if receipt.quote_id else receipt.quote_id,
        voucher_codes=tuple(map(mask_stated, receipt.voucher_codes)),
        redemption_ids=tuple(map(mask_name, receipt.redemption_ids)),
        tenders=tuple(replace(tender, type=mask_stated(tender.type)) for tender in receipt.tenders),
        lines=tuple(
            replace(
                line,
                name=mask(line.name),
                unit=mask(line.unit),
                reason=mask(line.reason),
                sku=mask_code(line.sku),
                discounts=tuple(replace(d, offer_code=mask_stated(d.offer_code)) for d in line.discounts),
            )
            for line in receipt.lines
        ),
    )


def stated_flags(posted: PostedReceipt, till: TillIdentity, *, now: datetime) -> list[Flag]:
    """Return what is odd about `posted` by itself: its sums, its currency, its clock."""
    return [*_sum_flags(posted, till), *_clock_flags(posted, till, now)]


def _sum_flags(posted: PostedReceipt, till: TillIdentity) -> Iterator[Flag]:
    if posted.currency != till.currency:
        yield Flag("totals_mismatch", f"the currency is {posted.currency}, the store's is {till.currency}")
    gross = discount = net = 0
    for line in posted.lines:
        made = line_gross(line)
        gross += made
        discount += line.discount_amount
        net += line.total_amount
        if line.total_amount != made - line.discount_amount:
            yield Flag(
                "totals_mismatch",
                f"the line says {line.total_amount}, its quantity, price and discount make {made - line.discount_amount}",
                line.line_number,
            )
    for name, said, expected in _sums(posted, gross=gross, discount=discount, net=net):
        if said != expected:
            yield Flag("totals_mismatch", f"{name} says {said}, the receipt makes {expected}")


def _sums(posted: PostedReceipt, *, gross: int, discount: int, net: int) -> Iterator[tuple[str, int, int]]:
    """Yield each sum that `posted` states: its name, what is said, and what the sums over its lines make of it."""
    totals = posted.totals
    if not posted.lines and totals.payable_amount is None:
        return
    # A till may state no more than what was paid; then its lines speak for gross and discount.
    if totals.gross_amount is not None:
        yield "gross_amount", totals.gross_amount, gross
    if totals.gross_amount is not None or totals.discount_amount:
        yield "discount_amount", totals.discount_amount, discount
    if totals.payable_amount is not None:
        if totals.gross_amount is not None:
            net = totals.gross_amount - totals.discount_amount
        yield "payable_amount", totals.payable_amount, net - totals.points_amount + totals.rounding_amount
        if posted.tenders:
            yield "tenders", sum([tender.amount for tender in posted.tenders]), totals.payable_amount


def _clock_flags(posted: PostedReceipt, till: TillIdentity, now: datetime) -> Iterator[Flag]:
    if posted.closed_at > now + CLOCK_TOLERANCE:
        yield Flag("clock_skew", "it was closed later than it came")
    local = business_day(posted.closed_at, till.timezone)
    if abs((posted.business_date - local).days) > 1:
        yield Flag("clock_skew", f"the business date is far from {local.isoformat()}, when it was closed")
    if now - posted.closed_at > LATE_AFTER:
        yield Flag("late", "it came more than a day after it was closed")


def line_gross(line: PostedLine) -> int:
    """Return quantity times unit price in minor units, halves rounded away from zero."""
    return line.unit_price if line.quantity == 1 else half_up(line.quantity * line.unit_price)

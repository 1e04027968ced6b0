"""
What one transaction of a POSLog says, in the words of a receipts file. Pure.

The subset is described in docs/poslog.md; elements that it does not name are passed over.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from xml.etree.ElementTree import Element

from babel.numbers import get_currency_precision

from core.clock import zone
from core.money import half_up
from sales.articlecodes import find_gtin
from sales.poslog import NAMESPACE
from sales.receipts import LIVE, RETURN, SALE, SUSPENDED, TRAINING, VOID

NS = f"{{{NAMESPACE}}}"
UNITS = {"": None, "EA": "pcs", "PCE": "pcs", "PCS": "pcs", "KGM": "kg", "KG": "kg", "LTR": "l", "L": "l"}
REASONS = {"faulty": "faulty", "defective": "faulty", "damaged": "faulty", "unwanted": "unwanted"}
_TRUE = {"true", "1"}
POINTS_TENDERS = {"loyaltypoints", "points", "loyalty"}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

Cells = dict[str, str | None]


class NotUnderstood(Exception):  # noqa: N818 - becomes the reason of a refused transaction
    """The transaction cannot be taken, in words for a person."""


class NoReceipt(Exception):  # noqa: N818 - says that there is nothing to take
    """The transaction is no receipt: it was cancelled, or controls the till or its money."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the file leaves to the store: its currency and its time zone."""

    currency: str
    timezone: str


FindPlace = Callable[[str], Place | None]


@dataclass(slots=True)
class Told:
    """A transaction as cells of a receipts file, with what such a file has no columns for."""

    head: Cells
    mode: str = LIVE
    lines: list[Cells] = field(default_factory=list)
    points_amount: int = 0
    rounding_amount: int = 0
    payable_amount: int | None = None
    tenders: list[tuple[str, int]] = field(default_factory=list)

    @property
    def plain(self) -> bool:
        """Whether it is a live sale that nothing but money paid."""
        return (
            self.head["type"] == SALE
            and self.mode == LIVE
            and not self.points_amount
            and all(kind != "points" for kind, _ in self.tenders)
        )

    @property
    def identity(self) -> str:
        """The receipt's identity as one text."""
        names = ("store_code", "till_code", "business_date", "receipt_number")
        return "/".join(self.head[name] or "" for name in names)


def identity_cells(transaction: Element) -> Cells:
    """Return what the transaction says of its identity, however malformed."""
    store = _text(transaction, "RetailStoreID") or _text(transaction, "BusinessUnit", "UnitID")
    return {
        "store_code": store,
        "till_code": _text(transaction, "WorkstationID"),
        "business_date": _text(transaction, "BusinessDayDate"),
        "receipt_number": _text(transaction, "SequenceNumber"),
    }


def told(transaction: Element, find_place: FindPlace) -> Told:
    """Return what a transaction says; raises `NotUnderstood` or `NoReceipt`."""
    retail = transaction.find(f"{NS}RetailTransaction")
    if retail is None or _flag(transaction, "CancelFlag") or retail.get("TransactionStatus") == "Voided":
        raise NoReceipt
    head = identity_cells(transaction)
    place = find_place(head["store_code"] or "")
    if place is None:
        raise NotUnderstood("there is no store of this code")
    currency = _text(transaction, "CurrencyCode") or place.currency
    moment = _text(transaction, "EndDateTime") or _text(transaction, "BeginDateTime")
    head |= {
        "type": SALE,
        "closed_at": _moment(moment, place.timezone),
        "operator_code": _text(transaction, "OperatorID"),
        "currency": currency,
        "card_number": _card(retail),
        **{f"original_{name}": None for name in _LINK},
    }
    found = Told(head, _mode(transaction, retail))
    _read_lines(found, retail, currency)
    _read_total(found, retail, currency)
    if found.head["type"] == RETURN:
        # What is handed back is positive, whichever way the till wrote it.
        found.payable_amount = abs(found.payable_amount or 0)
        found.tenders = [(kind, abs(amount)) for kind, amount in found.tenders]
    link = retail.find(f"{NS}TransactionLink")
    if link is not None and (link.get("ReasonCode") or "") in {"Voided", "PostVoid", "Void"}:
        _become_void(found, link)
    elif not found.lines:
        raise NotUnderstood("neither sale nor return lines")
    return found


def _mode(transaction: Element, retail: Element) -> str:
    if _flag(transaction, "TrainingModeFlag"):
        return TRAINING
    return SUSPENDED if retail.get("TransactionStatus") == "Suspended" else LIVE


def _card(retail: Element) -> str | None:
    for account in retail.iter(f"{NS}LoyaltyAccount"):
        for name in ("LoyaltyID", "AccountID", "CustomerID"):
            if number := _text(account, name):
                return number
    return None


def _read_lines(found: Told, retail: Element, currency: str) -> None:
    kinds: set[str] = set()
    for item in retail.findall(f"{NS}LineItem"):
        if item.get("VoidFlag") in _TRUE or item.get("CancelFlag") in _TRUE:
            continue
        for part in item:
            kind = part.tag.removeprefix(NS)
            if kind in {"Sale", "Return"}:
                kinds.add(kind)
                found.lines.append(_line(found, item, part, currency))
            elif kind == "Tender":
                _add_tender(found, part, currency)
            elif kind == "Rounding":
                found.rounding_amount += _minor(_amount_text(part), currency, "the rounding")
    if len(kinds) > 1:
        raise NotUnderstood("sale and return lines in one transaction")
    if kinds == {"Return"}:
        found.head["type"] = RETURN


def _line(found: Told, item: Element, part: Element, currency: str) -> Cells:
    sku, scanned = _text(part, "ItemID"), _text(part, "POSIdentity", "POSItemID")
    gtin = scanned if scanned and find_gtin(scanned) else None
    quantity, unit = _quantity(part)
    price, discount, total = _amounts(part, quantity, currency)
    cells: Cells = {
        "line_number": _text(item, "SequenceNumber"),
        "sku": sku or (None if gtin else scanned),
        "gtin": gtin,
        "name": _text(part, "Description"),
        "quantity": quantity,
        "unit": unit,
        "unit_price": str(price),
        "discount_amount": str(discount),
        "total_amount": str(total),
        "tax_rate": _tax_rate(part, item),
        "original_line_number": None,
        "return_reason": None,
    }
    if part.tag == f"{NS}Return":
        _read_return(found, part, cells)
    return cells


def _quantity(part: Element) -> tuple[str, str | None]:
    element = part.find(f"{NS}Quantity")
    if element is None:
        return "1", None
    code = (element.get("UnitOfMeasureCode") or "").upper()
    unit = UNITS.get(code, code.lower() or None)
    # A piece that is weighed counts as one quantity of so many units.
    text = element.get("Units") if element.get("Units") and unit not in {None, "pcs"} else element.text
    number = _number(text, "the quantity")
    if part.tag == f"{NS}Return":
        number = abs(number)
    return format(number, "f"), unit


def _amounts(part: Element, quantity: str, currency: str) -> tuple[int, int, int]:
    """Return unit price, discount and total of a line, in minor units."""
    sign = -1 if part.tag == f"{NS}Return" and (_text(part, "ExtendedAmount") or "").startswith("-") else 1
    regular = _text(part, "RegularSalesUnitPrice") or _text(part, "ActualSalesUnitPrice")
    total = sign * _minor(_text(part, "ExtendedAmount"), currency, "ExtendedAmount")
    if regular is None:
        raise NotUnderstood("a line without RegularSalesUnitPrice or ActualSalesUnitPrice")
    price = _minor(regular, currency, "the unit price")
    stated = list(_discounts(part, currency))
    discount = sum(stated)
    if not stated and _text(part, "RegularSalesUnitPrice") and _text(part, "ActualSalesUnitPrice"):
        discount = max(0, half_up(Decimal(quantity) * price) - total)
    return price, discount, total


def _discounts(part: Element, currency: str) -> Iterator[int]:
    if (stated := _text(part, "ExtendedDiscountAmount")) is not None:
        yield abs(_minor(stated, currency, "ExtendedDiscountAmount"))
        return
    for modifier in part.findall(f"{NS}RetailPriceModifier"):
        amount = modifier.find(f"{NS}Amount")
        if amount is not None:
            added = amount.get("Action") == "Add"
            minor = abs(_minor(amount.text, currency, "a price modifier"))
            yield -minor if added else minor


def _tax_rate(part: Element, item: Element) -> str | None:
    for place in (part, item):
        tax = place.find(f"{NS}Tax")
        if tax is not None and (percent := _text(tax, "Percent")) is not None:
            return format(_number(percent, "the tax rate").normalize(), "f")
    return None


def _read_return(found: Told, part: Element, cells: Cells) -> None:
    if (reason := _text(part, "Reason") or _text(part, "ReasonCode")) is not None:
        cells["return_reason"] = REASONS.get(reason.lower(), "other")
    link = part.find(f"{NS}TransactionLink")
    if link is None:
        return
    original = _original(link)
    known = {name: found.head[name] for name in original}
    if any(known.values()) and known != original:
        raise NotUnderstood("return lines name several originals")
    found.head |= original
    cells["original_line_number"] = _text(link, "LineItemSequenceNumber")


def _become_void(found: Told, link: Element) -> None:
    found.head |= {"type": VOID, **_original(link)}
    found.lines, found.tenders = [], []
    found.points_amount = found.rounding_amount = 0
    found.payable_amount = None


_LINK = ("store_code", "till_code", "business_date", "receipt_number")


def _original(link: Element) -> Cells:
    return {f"original_{name}": text for name, text in identity_cells(link).items()}


def _add_tender(found: Told, tender: Element, currency: str) -> None:
    kind = tender.get("TenderType") or tender.get("TypeCode") or "other"
    amount = _minor(_text(tender, "Amount"), currency, "a tender")
    for change in tender.findall(f"{NS}TenderChange"):
        amount -= abs(_minor(_text(change, "Amount"), currency, "the change"))
    if kind.lower() in POINTS_TENDERS:
        found.points_amount += amount
    else:
        found.tenders.append((_CAMEL.sub("_", kind).lower()[:20], amount))


def _read_total(found: Told, retail: Element, currency: str) -> None:
    for total in retail.findall(f"{NS}Total"):
        if total.get("TotalType") == "TransactionGrandAmount":
            found.payable_amount = _minor(total.text, currency, "the total")
            return
    lines = sum(int(cells["total_amount"] or 0) for cells in found.lines)
    found.payable_amount = lines - found.points_amount + found.rounding_amount


def _moment(text: str | None, timezone: str) -> str | None:
    """Return a moment with its offset; without one it is the store's own time."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise NotUnderstood(f"{text!r} is no moment") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone(timezone))
    return moment.isoformat()


def _flag(element: Element, name: str) -> bool:
    stated = element.get(name) or _text(element, name) or ""
    return stated.lower() in _TRUE


def _text(element: Element, *path: str) -> str | None:
    for name in path:
        found = element.find(NS + name)
        if found is None:
            return None
        element = found
    return (element.text or "").strip() or None


def _amount_text(element: Element) -> str | None:
    return _text(element, "Amount") or (element.text or "").strip() or None


@lru_cache(maxsize=100_000)
def _number(text: str | None, what: str) -> Decimal:
    try:
        number = Decimal((text or "").strip())
    except InvalidOperation as error:
        raise NotUnderstood(f"{what} is no number") from error
    if not number.is_finite() or abs(number.adjusted()) > 20:
        raise NotUnderstood(f"{what} is no number")
    return number


@lru_cache(maxsize=100_000)
def _minor(text: str | None, currency: str, what: str) -> int:
    """Return an amount in minor units; POSLog writes the major one with its decimals."""
    amount = _number(text, what).scaleb(_precision(currency))
    if amount != amount.to_integral_value():
        raise NotUnderstood(f"{what} has more decimals than {currency} has")
    return int(amount)


@lru_cache(maxsize=256)
def _precision(currency: str) -> int:
    return int(get_currency_precision(currency))

"""Prices for the typesetter: taken apart by the rules of currency and language, with the price per unit."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, lru_cache

from babel import Locale
from babel.numbers import (
    format_currency,
    format_decimal,
    get_currency_precision,
    get_currency_symbol,
    get_decimal_symbol,
)

from catalogs.pages import Price
from core.i18n import set_off, translations
from core.money import Money, half_up

HARD = "\N{NO-BREAK SPACE}"

PIECE = "piece"
"""The unit of what is counted: eggs, rolls of paper."""

# What a size on a package is counted in, and per how much of it prices are compared. Pounds are left
# out: where they are in use, sizes in pounds are those of the case that the shop got, not of what is sold.
_SIZES: dict[str, tuple[str, Decimal]] = {
    "g": ("kg", Decimal("0.001")),
    "dkg": ("kg", Decimal("0.01")),
    "dag": ("kg", Decimal("0.01")),
    "kg": ("kg", Decimal(1)),
    "ml": ("l", Decimal("0.001")),
    "cl": ("l", Decimal("0.01")),
    "dl": ("l", Decimal("0.1")),
    "l": ("l", Decimal(1)),
    "oz": ("oz", Decimal(1)),
    "ozs": ("oz", Decimal(1)),
    "fl oz": ("fl oz", Decimal(1)),
    "ga": ("gal", Decimal(1)),
    "gal": ("gal", Decimal(1)),
}
# What is counted, in the four languages and in what tills write.
_PIECES: dict[str, Decimal] = dict.fromkeys(
    ("ks", "kus", "kusy", "kusů", "kusov", "szt", "sztuk", "sztuki", "ct", "pc", "pcs", "count", "role", "rolí", "rolky",
     "roliek", "rolek", "rolls"),
    Decimal(1),
) | dict.fromkeys(("dz", "doz", "dozen"), Decimal(12))  # fmt: skip
_AMOUNT = (
    r"(?<![\w.,/])(?<!\d[-\u2013])(?:(?P<packs>\d{1,2})\s?[x\u00d7]\s?)?"
    r"(?:(?P<amount>\d{1,4}(?:[.,]\d{1,3})?)(?:\s(?P<half>\d/[248]))?|(?P<part>\d/[248]))\s?"
)
_SIZE = re.compile(_AMOUNT + r"(?P<unit>fl oz|dkg|dag|kg|g|ml|cl|dl|l|ozs?|gal|ga)\b\.?", re.IGNORECASE)
_COUNT = re.compile(_AMOUNT + rf"(?P<unit>{'|'.join(_PIECES)})\b\.?", re.IGNORECASE)
# Whether the size is that of the pack or of what is in it, nobody can tell.
_PACKED = re.compile(r"\d\s?pk\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Measure:
    """How much of what is in one package: 0.25 kg, 1 gal."""

    amount: Decimal
    unit: str


def find_measure(text: str) -> Measure | None:
    """
    Return the measure that `text` states, such as "250 g", "6 x 0,5 l" or "10 ks"; None when it states none.

    The last one stands, since names of articles end in their size; what is weighed is not counted.
    Sizes of packs of packs ("12 pk 12 oz") are not read, since they may be those of one or of all, nor are those that may be
    in thousands ("1 500 ml", "1.000 g"), nor ranges ("9-14 kg").
    """
    if _PACKED.search(text):
        return None
    for pattern in (_SIZE, _COUNT):
        if found := list(pattern.finditer(text)):
            measure = _measure(found[-1])
            return measure if measure.amount and not _in_thousands(found[-1], text) else None
    return None


def _in_thousands(found: re.Match[str], text: str) -> bool:
    """Return whether a size may be one in thousands: "1.000 g", or "1 000 g", which may be 000 g of number 1 as well."""
    if found["packs"] or found["half"] or found["part"]:
        return False
    if found["unit"].lower() in {"g", "ml", *_PIECES} and re.search(r"[.,]\d{3}$", found["amount"]):
        return True
    return (
        re.fullmatch(r"\d{3}", found["amount"]) is not None
        and re.search(r"(?<![\w.,])\d{1,2}\s$", text[: found.start()]) is not None
    )


def _measure(found: re.Match[str]) -> Measure:
    size = found["unit"].lower()
    unit, factor = _SIZES[size] if size in _SIZES else (PIECE, _PIECES[size])
    amount = Decimal((found["amount"] or "0").replace(",", "."))
    if fraction := found["half"] or found["part"]:
        over, _, under = fraction.partition("/")
        amount += Decimal(over) / Decimal(under)
    return Measure(amount * int(found["packs"] or 1) * factor, unit)


def set_price(
    amount: Money, language: str, *, measure: Measure | None = None, sold_by: str = "pcs", mark: str = ""
) -> Price:
    """
    Return `amount` taken apart; with the price per unit where `measure` is known.

    `sold_by` is the unit that the amount is for, when an article is weighed or measured at the till
    (kg, l, m): the amount is then itself a price per unit.
    """
    figure = _figure(amount.minor, amount.currency, language)
    unit = _per_unit(amount, language, measure, sold_by)
    return replace(figure, mark=mark, unit=unit) if mark or unit else figure


@lru_cache(maxsize=10_000)
def _figure(minor: int, currency: str, language: str) -> Price:
    """Return an amount taken apart; shops ask for the same few thousand again and again."""
    digits = get_currency_precision(currency)
    whole = int(Decimal(minor).scaleb(-digits))
    grouped = format_decimal(whole, format="#,##0", locale=language)
    return Price(
        whole=grouped.replace("\N{NARROW NO-BREAK SPACE}", HARD),
        separator=get_decimal_symbol(language) if digits else "",
        decimals=f"{abs(minor) % 10**digits:0{digits}d}" if digits else "",
        symbol=get_currency_symbol(currency, locale=language),
        symbol_first=_symbol_first(language),
    )


@cache
def _symbol_first(language: str) -> bool:
    """Return whether the language writes the currency before the amount."""
    return bool(str(Locale.parse(language).currency_formats["standard"].pattern).startswith("¤"))


def _per_unit(amount: Money, language: str, measure: Measure | None, sold_by: str) -> str:
    if sold_by in {"kg", "l", "m"}:
        return f"1{HARD}{sold_by}"
    if measure is None or (measure.unit == PIECE and measure.amount == 1):
        return ""
    unit = translations(language).pgettext("unit", "pc") if measure.unit == PIECE else measure.unit
    if measure.amount == 1:
        return f"1{HARD}{unit}"
    minor = half_up(Decimal(amount.minor) / measure.amount)
    return f"1{HARD}{unit}{HARD}={HARD}{_written(minor, amount.currency, language)}" if minor else ""


@lru_cache(maxsize=10_000)
def _written(minor: int, currency: str, language: str) -> str:
    """Return an amount as the language writes it, unbreakable."""
    major = Decimal(minor).scaleb(-get_currency_precision(currency))
    return set_off(format_currency(major, currency, locale=language)).replace(" ", HARD)

"""Prices for the typesetter: taken apart by the rules of currency and language, with the price per unit."""

import re
from dataclasses import dataclass
from decimal import Decimal

from babel import Locale
from babel.numbers import (
    format_currency,
    format_decimal,
    get_currency_precision,
    get_currency_symbol,
    get_decimal_symbol,
)

from catalogs.pages import Price
from core.money import Money, half_up

HARD = "\N{NO-BREAK SPACE}"

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
    "fl oz": ("fl oz", Decimal(1)),
    "ga": ("gal", Decimal(1)),
    "gal": ("gal", Decimal(1)),
}
_SIZE = re.compile(
    r"(?<![\w.,])(?:(?P<packs>\d{1,2})\s?[x\u00d7]\s?)?(?P<amount>\d{1,4}(?:[.,]\d{1,3})?)\s?"
    r"(?P<unit>fl oz|dkg|dag|kg|g|ml|cl|dl|l|oz|gal|ga)\b\.?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Measure:
    """How much of what is in one package: 0.25 kg, 1 gal."""

    amount: Decimal
    unit: str


def find_measure(text: str) -> Measure | None:
    """
    Return the measure that `text` states, such as "250 g" or "6 x 0,5 l"; None when it states none.

    The last one stands, since names of articles end in their size.
    """
    found = list(_SIZE.finditer(text))
    if not found:
        return None
    last = found[-1]
    unit, factor = _SIZES[last["unit"].lower()]
    amount = Decimal(last["amount"].replace(",", ".")) * int(last["packs"] or 1) * factor
    return Measure(amount, unit) if amount else None


def set_price(
    amount: Money, language: str, *, measure: Measure | None = None, sold_by: str = "pcs", mark: str = ""
) -> Price:
    """
    Return `amount` taken apart; with the price per unit where `measure` is known.

    `sold_by` is the unit that the amount is for, when an article is weighed or measured at the till
    (kg, l, m): the amount is then itself a price per unit.
    """
    digits = get_currency_precision(amount.currency)
    major = Decimal(amount.minor).scaleb(-digits)
    whole = int(major)
    decimals = f"{abs(amount.minor) % 10**digits:0{digits}d}" if digits else ""
    grouped = format_decimal(whole, format="#,##0", locale=language).replace(
        "\N{NARROW NO-BREAK SPACE}", HARD
    )
    return Price(
        whole=grouped,
        separator=get_decimal_symbol(language) if digits else "",
        decimals=decimals,
        symbol=get_currency_symbol(amount.currency, locale=language),
        symbol_first=_symbol_first(language),
        mark=mark,
        unit=_per_unit(amount, language, measure, sold_by),
    )


def _symbol_first(language: str) -> bool:
    """Return whether the language writes the currency before the amount."""
    return bool(str(Locale.parse(language).currency_formats["standard"].pattern).startswith("¤"))


def _per_unit(amount: Money, language: str, measure: Measure | None, sold_by: str) -> str:
    if sold_by in {"kg", "l", "m"}:
        return f"1{HARD}{sold_by}"
    if measure is None or measure.amount == 1:
        return f"1{HARD}{measure.unit}" if measure else ""
    digits = get_currency_precision(amount.currency)
    minor = half_up(Decimal(amount.minor) / measure.amount)
    price = format_currency(Decimal(minor).scaleb(-digits), amount.currency, locale=language)
    return f"1{HARD}{measure.unit}{HARD}={HARD}{price.replace(' ', HARD)}"

"""
A company's own prices (C-6) as offers: a price list becomes offers of fixed prices and percentages for its buyers.

Nothing else has to know of them: the engine applies them at stage article, the till explains them, a receipt
names them, and a change of the list is another version. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from core.clock import day_start
from core.errors import Refused

GROUP: Final = "OWN-PRICE"
"""A unit has one own price: that of the article goes before that of its category."""
PREFIX: Final = "OWN-"
ARTICLE_PRIORITY: Final = 1000
CATEGORY_PRIORITY: Final = 900


class BadPrice(Refused):
    """A row of a price list says nothing that could be a price."""


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """One row of a price list: an article or a category, and a price in minor units or a percentage off."""

    sku: str | None = None
    category: str | None = None
    price: int | None = None
    percent: Decimal | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    """The last day."""

    def __post_init__(self) -> None:
        if (self.sku is None) == (self.category is None):
            raise BadPrice("a row is about a sku or a category, not both")
        if (self.price is None) == (self.percent is None):
            raise BadPrice("a row has a price or a percent, not both")
        if self.price is not None and self.price < 0:
            raise BadPrice("a price is not below zero")
        if self.percent is not None and not 0 < self.percent <= 100:
            raise BadPrice("a percent lies above 0 and not above 100")
        if self.price is not None and self.category is not None:
            raise BadPrice("a category has a percent: its articles cost different prices")
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            raise BadPrice("valid_from is after valid_to")


def company_code(company: str) -> str:
    """Return what the codes of a company's offers begin with."""
    return f"{PREFIX}{sha256(company.encode()).hexdigest()[:10].upper()}-"


def offers_of(
    company: str, buyers: Sequence[str], prices: Iterable[OwnPrice], *, name: str, timezone: str
) -> dict[str, Any]:
    """
    Return the offers document of a company's price list, for the member codes of its `buyers`.

    Rows that say the same of several articles are one offer; its code depends on what it gives and when,
    so that the same list makes the same codes in whatever order its rows come.
    """
    grouped: dict[tuple[Any, ...], set[str]] = {}
    for one in prices:
        kind, subject = ("skus", one.sku) if one.sku is not None else ("categories", one.category)
        assert subject is not None
        grouped.setdefault((kind, one.price, one.percent, one.valid_from, one.valid_to), set()).add(subject)
    offers = [
        _offer(company, sorted(buyers), key, sorted(subjects), name=name, timezone=timezone)
        for key, subjects in grouped.items()
    ]
    return {"format": 1, "offers": sorted(offers, key=lambda offer: str(offer["code"]))}


def _offer(
    company: str,
    buyers: Sequence[str],
    key: tuple[Any, ...],
    subjects: Sequence[str],
    *,
    name: str,
    timezone: str,
) -> Mapping[str, Any]:
    kind, price, percent, valid_from, valid_to = key
    told = "/".join("" if part is None else str(part) for part in key)
    benefit = (
        {"kind": "percent", "off": format(percent.normalize(), "f")}
        if price is None
        else {"kind": "fixed_price", "price": price, "per": "unit"}
    )
    return {
        "code": company_code(company) + sha256(told.encode()).hexdigest()[:12].upper(),
        "name": {"en": f"Own price of {name}", "cs": f"Vlastní cena: {name}"},
        "valid": {
            "from": valid_from and day_start(valid_from, timezone).isoformat(),
            "to": valid_to and day_start(date.fromordinal(valid_to.toordinal() + 1), timezone).isoformat(),
        },
        "audience": {"who": "companies", "companies": True, "member_codes": list(buyers)},
        "stage": "article",
        "priority": ARTICLE_PRIORITY if kind == "skus" else CATEGORY_PRIORITY,
        "exclusive_group": GROUP,
        "condition": {"kind": "items", "select": {kind: list(subjects)}, "quantity": "1"},
        "benefit": benefit,
    }

"""Short ways to say baskets and offers in tests."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rewards.applicator import Evaluation, apply_offers
from rewards.book import OfferBook
from rewards.carts import CartLine, Occasion, Shopper
from rewards.codec import read_offer
from rewards.offers import Names, Offer

MEMBER = Shopper("M1")
SATURDAY = datetime(2026, 11, 21, 9, 15, tzinfo=UTC)


def line(number: int, quantity: str, price: int, category: str = "TEA", **more: Any) -> CartLine:
    """A line of a known article whose sku is its category and number."""
    told = {"unit": "pcs", "sku": f"{category}{number}", "category": category} | more
    return CartLine(number, Decimal(quantity), unit_price=price, **told)


def offer(code: str, condition: dict[str, Any], benefit: dict[str, Any], **more: Any) -> Offer:
    """An offer for everyone, unless said otherwise."""
    document = {
        "code": code,
        "audience": {"who": "everyone"},
        "condition": condition,
        "benefit": benefit,
    }
    return read_offer(document | more)


def items(category: str = "TEA", quantity: str = "1") -> dict[str, Any]:
    return {"kind": "items", "select": {"categories": [category]}, "quantity": quantity}


def percent(off: str, **more: Any) -> dict[str, Any]:
    return {"kind": "percent", "off": off, **more}


def amount(off: int, per: str = "application", **more: Any) -> dict[str, Any]:
    return {"kind": "amount", "off": off, "per": per, **more}


def nth(off: str = "100", which: str = "cheapest", **more: Any) -> dict[str, Any]:
    return {"kind": "nth", "off": off, "which": which, **more}


def points(number: int = 10, **more: Any) -> dict[str, Any]:
    return {"kind": "points", "points": number, **more}


def times(number: str, **more: Any) -> dict[str, Any]:
    return {"kind": "points_multiplier", "times": number, **more}


def occasion(**changed: Any) -> Occasion:
    told: dict[str, Any] = {
        "at": SATURDAY,
        "timezone": "Europe/Prague",
        "store_code": "S1",
        "currency": "CZK",
        "shopper": MEMBER,
    }
    return Occasion(**(told | changed))


def evaluate(cart: list[CartLine], *offers: Offer, choice: str = "first", **changed: Any) -> Evaluation:
    left = changed.pop("left", {})
    names = Names(articles=changed.pop("article_names", {}))
    return apply_offers(tuple(cart), OfferBook(offers, choice, names), occasion(**changed), left)


def discounts(cart: list[CartLine], *offers: Offer, **changed: Any) -> list[int]:
    """What comes off each line."""
    return [each.discount for each in evaluate(cart, *offers, **changed).lines]


def applied(cart: list[CartLine], *offers: Offer, **changed: Any) -> dict[str, int]:
    """How often each offer was applied."""
    return {each.offer_code: each.times for each in evaluate(cart, *offers, **changed).applications}

"""Patterns to begin an offer with: what most offers are, with the sentence ready and its gaps to be filled."""

from dataclasses import dataclass
from typing import Final

from web.offers.fields import Given
from web.words import gettext as _


@dataclass(frozen=True, slots=True)
class Pattern:
    """One kind of offer: its key, what it is called, an example, and the fields it fills."""

    key: str
    title: str
    example: str
    icon: str
    given: Given


_SHAPES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "percent": (
        "tags",
        {
            "condition.kind": "items",
            "condition.quantity": "1",
            "benefit.kind": "percent",
            "benefit.off": "10",
        },
    ),
    "nth_free": (
        "circle-plus",
        {
            "condition.kind": "items",
            "condition.quantity": "3",
            "benefit.kind": "nth",
            "benefit.off": "100",
            "benefit.which": "cheapest",
            "benefit.count": "1",
        },
    ),
    "bundle": (
        "package-search",
        {
            "condition.kind": "each",
            "condition.of.0.quantity": "1",
            "condition.of.1.quantity": "1",
            "benefit.kind": "fixed_price",
            "benefit.per": "application",
        },
    ),
    "with_other": (
        "link",
        {
            "condition.kind": "items",
            "condition.quantity": "1",
            "benefit.kind": "percent",
            "benefit.off": "50",
            "benefit.on": "other",
        },
    ),
    "basket": (
        "receipt",
        {
            "condition.kind": "value",
            "benefit.kind": "amount",
            "benefit.per": "application",
            "stage": "basket",
            "limits.per_receipt": "1",
        },
    ),
    "fixed": (
        "scan-barcode",
        {
            "condition.kind": "items",
            "condition.quantity": "1",
            "benefit.kind": "fixed_price",
            "benefit.per": "unit",
        },
    ),
    "double_points": (
        "coins",
        {
            "condition.kind": "items",
            "condition.quantity": "1",
            "benefit.kind": "points_multiplier",
            "benefit.times": "2",
            "stage": "points",
        },
    ),
    "bonus_points": (
        "arrow-up",
        {
            "condition.kind": "value",
            "benefit.kind": "points",
            "benefit.points": "50",
            "stage": "points",
            "limits.per_receipt": "1",
        },
    ),
    "gift": (
        "gift",
        {
            "condition.kind": "value",
            "benefit.kind": "gift",
            "benefit.quantity": "1",
            "stage": "points",
            "limits.per_receipt": "1",
        },
    ),
    "voucher": (
        "ticket-percent",
        {
            "condition.kind": "value",
            "benefit.kind": "voucher",
            "stage": "points",
            "limits.per_receipt": "1",
        },
    ),
    "birthday": (
        "user-round",
        {
            "condition.kind": "always",
            "benefit.kind": "percent",
            "benefit.off": "10",
            "stage": "basket",
            "audience.birthday_within_days": "3",
            "limits.per_member_day": "1",
        },
    ),
    "own": (
        "shapes",
        {
            "condition.kind": "all",
            "condition.of.0.kind": "items",
            "condition.of.0.quantity": "1",
            "condition.of.1.kind": "value",
            "benefit.kind": "percent",
            "benefit.off": "10",
        },
    ),
}


def patterns() -> tuple[Pattern, ...]:
    """Return the patterns in the reader's language, the most frequent first."""
    said = {
        "percent": (_("Percent off"), _("10 % off a category")),
        "nth_free": (_("Buy three, pay two"), _("The cheapest of three is free")),
        "bundle": (_("Set for one price"), _("Shampoo and conditioner together for 149")),
        "with_other": (_("Buy this, save on that"), _("Half price bread with two of milk")),
        "basket": (_("Money off the basket"), _("50 off from a basket of 500")),
        "fixed": (_("Special price"), _("Each piece for 19.90")),
        "double_points": (_("Double points"), _("Twice the points for a brand")),
        "bonus_points": (_("Bonus points"), _("50 points on top from a basket of 300")),
        "gift": (_("Gift with purchase"), _("A mug from a basket of 800")),
        "voucher": (_("Voucher for next time"), _("A voucher for the next visit from a basket of 500")),
        "birthday": (_("Birthday"), _("10 % off everything around the birthday")),
        "own": (_("Several conditions"), _("This and that, this or that, and not that")),
    }
    return tuple(
        Pattern(key, *said[key], icon, {name: [text] for name, text in shape.items()} | _usual(shape))
        for key, (icon, shape) in _SHAPES.items()
    )


def pattern_of(key: str) -> Pattern | None:
    """Return the pattern called `key`, if there is one."""
    return next((one for one in patterns() if one.key == key), None)


def _usual(shape: dict[str, str]) -> Given:
    """Return what every new offer begins with, where its pattern says nothing else."""
    usual = {"audience.who": "members", "stage": "article", "priority": "100", "stackable": "yes"}
    return {name: [text] for name, text in usual.items() if name not in shape}

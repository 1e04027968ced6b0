"""The tiers of the demonstration."""

from decimal import Decimal

from loyalty.tiers.scheme import CALENDAR_YEAR, SPEND, Scheme, Tier

NAMES = {
    "green": {"en": "Green", "cs": "Zelená", "sk": "Zelená", "pl": "Zielony"},
    "silver": {"en": "Silver", "cs": "Stříbrná", "sk": "Strieborná", "pl": "Srebrny"},
    "gold": {"en": "Gold", "cs": "Zlatá", "sk": "Zlatá", "pl": "Złoty"},
}
THRESHOLDS = {"green": 0, "silver": 60_000, "gold": 250_000}
"""Of what is bought in a year, in minor units."""


def demonstration_tiers(currency: str) -> Scheme:
    """Return green, silver and gold, by what is bought in a calendar year, with a month of grace."""
    return Scheme(
        tiers=tuple(Tier(code, names, THRESHOLDS[code]) for code, names in NAMES.items()),
        measure=SPEND,
        period=CALENDAR_YEAR,
        currencies={currency: Decimal(1)},
        grace_days=31,
        warning_days=60,
    )

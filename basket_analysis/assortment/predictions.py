"""What a suggestion foretold of the sales that its decision is measured by."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Prediction:
    """What doing the suggested thing was said to change per week, in minor units: less is negative."""

    middle: int
    low: int
    high: int


def prediction(kind: str, shown: dict[str, Any]) -> Prediction:
    """
    Return what was predicted for what is measured: sales of the article's kind, or of the article to be placed.

    A delisting loses what is not caught; the halo that was shown too lies in other categories, so its
    share is taken out of value and interval.
    """
    value, low, high = (int(shown.get(name) or 0) for name in ("value_per_week", "low", "high"))
    if kind in {"list", "place_together"}:
        return Prediction(value, low, high)
    evidence = shown.get("evidence") or {}
    halo = float(evidence.get("halo_per_week") or 0)
    share = min(1.0, max(0.0, 1 - halo / value)) if value > 0 else 1.0
    return Prediction(-round(value * share), -round(high * share), -round(low * share))

"""Tiers for tests: a scheme of three, and the words to let it hold."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from core.database import Sessions
from loyalty.tiers.changes import approve_scheme, draft_scheme
from loyalty.tiers.scheme import Scheme, Tier

NAMES: Mapping[str, Mapping[str, str]] = {
    "basic": {"en": "Basic", "cs": "Základní"},
    "silver": {"en": "Silver", "cs": "Stříbrná"},
    "gold": {"en": "Gold", "cs": "Zlatá"},
}


def three_tiers(*thresholds: int, **changes: Any) -> Scheme:
    """Basic, silver and gold from these thresholds on, of points if nothing else is said."""
    steps = thresholds or (0, 100, 300)
    tiers = tuple(Tier(code, names, step) for (code, names), step in zip(NAMES.items(), steps, strict=True))
    if changes.get("measure") == "spend":
        changes.setdefault("currencies", {"CZK": Decimal(1)})
    return Scheme(tiers=tiers, **changes)


def let_hold(sessions: Sessions, scheme: Scheme, valid_from: date, *, now: datetime) -> int:
    """Let `scheme` hold from a day on, by two persons, and return its number."""
    with sessions.begin() as session:
        number = draft_scheme(
            session, scheme=scheme, valid_from=valid_from, note="test", actor="first", now=now
        )
        approve_scheme(session, version=number, seen=now, actor="second", now=now)
    return number

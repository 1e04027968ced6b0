"""What members are told of points that end soon: thirty and seven days before, in their language. Pure."""

from datetime import date
from typing import Final

from core.i18n import show_date, show_number, translations
from loyalty.lots import Position

WARNED_BEFORE: Final = (30, 7)
"""Days before the last day of points on which their members are told, each once."""


def ending_soon(position: Position, today: date) -> tuple[date, int] | None:
    """
    Return the next last day within thirty days and the points that would be lost after it.

    Points that pay a debt when they end are not lost: no more is lost than the balance.
    """
    for day, points in position.expiring:
        lost = min(points, position.balance)
        if lost > 0 and (day - today).days <= WARNED_BEFORE[0]:
            return day, lost
    return None


def expiry_messages(language: str, position: Position, today: date) -> list[str]:
    """Return what a cashier is shown to say of points that end soon; nothing when none do."""
    soon = ending_soon(position, today)
    if soon is None:
        return []
    day, points = soon
    ngettext = translations(language).ngettext
    if (day - today).days <= WARNED_BEFORE[1]:
        words = ngettext(
            "Last days: %(num)s point expires after %(day)s",
            "Last days: %(num)s points expire after %(day)s",
            points,
        )
    else:
        words = ngettext("%(num)s point expires after %(day)s", "%(num)s points expire after %(day)s", points)
    return [words % {"num": show_number(points, language), "day": show_date(day, language)}]

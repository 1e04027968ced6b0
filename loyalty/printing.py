"""What the till prints below a receipt, in the member's language."""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from core.i18n import show_date, show_number, translations
from loyalty.lots import Position
from loyalty.returns.booked_sale import Moved

LANGUAGE_OF_ZONE = {"Europe/Prague": "cs", "Europe/Bratislava": "sk", "Europe/Warsaw": "pl"}


def language_of_store(timezone: str) -> str:
    """Return the language to speak where the member's is not known: that of the store's country."""
    return LANGUAGE_OF_ZONE.get(timezone, "en")


def greeting(given_name: str, family_name: str) -> str:
    """Return the name for a till's display, which others see too: Žofie N."""
    return f"{given_name} {family_name[:1]}." if family_name else given_name


def head_line(name: str, tier: str | None) -> str:
    """Return the first line of what is printed: whom it is for."""
    return f"{name}  {tier}" if tier else name


def receipt_text(
    language: str,
    *,
    name: str | None,
    moved: Moved,
    position: Position | None,
    pending_until: date | None,
    today: date,
    tier: str | None = None,
) -> list[str]:
    """
    Return the lines to print `today`, the store's day; none when there is neither a name nor an account.

    The name of the member's `tier` stands behind theirs.
    """
    lines = [head_line(name, tier)] if name else []
    if position is not None:
        # Points of a receipt that came late may be there to spend already, or have ended.
        waits = pending_until if pending_until and pending_until > today else None
        lines += _account_lines(language, moved, position, waits)
    return lines


def _account_lines(
    language: str, moved: Moved, position: Position, pending_until: date | None
) -> Iterator[str]:
    ngettext = translations(language).ngettext

    def tell(words: str, points: int, **more: str) -> str:
        return words % {"num": show_number(points, language), **more}

    if moved.earned:
        words = ngettext("%(num)s point earned", "%(num)s points earned", moved.earned)
        yield tell(words, moved.earned)
    if moved.spent:
        words = ngettext("%(num)s point spent", "%(num)s points spent", moved.spent)
        yield tell(words, moved.spent)
    if moved.reversed:
        words = ngettext("%(num)s point taken back", "%(num)s points taken back", moved.reversed)
        yield tell(words, moved.reversed)
    if moved.returned:
        words = ngettext("%(num)s point given back", "%(num)s points given back", moved.returned)
        yield tell(words, moved.returned)
    words = ngettext("Balance: %(num)s point", "Balance: %(num)s points", abs(position.balance))
    yield tell(words, position.balance)
    if moved.earned and pending_until and position.pending:
        words = ngettext(
            "%(num)s point of this purchase can be spent from %(day)s",
            "%(num)s points of this purchase can be spent from %(day)s",
            moved.earned,
        )
        yield tell(words, moved.earned, day=_day(pending_until, language))
    for day, points in position.expiring[:1]:
        words = ngettext(
            "%(num)s point can be spent until %(day)s", "%(num)s points can be spent until %(day)s", points
        )
        yield tell(words, points, day=_day(day, language))


@lru_cache(maxsize=10_000)
def _day(day: date, language: str) -> str:
    return show_date(day, language)

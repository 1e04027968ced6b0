"""Words and formats in the languages of the members: English, Czech, Slovak, Polish."""

import gettext
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision

from core.clock import zone
from core.money import Money

LANGUAGES = ("en", "cs", "sk", "pl")
"""The language codes in use; English is the source, so its words need no catalogue."""

_ROOT = Path(__file__).resolve().parent.parent


@lru_cache(maxsize=len(LANGUAGES) + 1)
def translations(language: str) -> gettext.NullTranslations:
    """
    Return the words of all packages in `language`; what is not translated comes back as it is.

    Every package keeps its own `locale/<language>.po`; they are compiled in memory,
    so there is no build step to forget.
    """
    words: Catalog | None = None
    for path in sorted(_ROOT.glob(f"*/locale/{language}.po")):
        with path.open("rb") as file:
            of_package = read_po(file, locale=language)
        if words is None:
            words = of_package
            continue
        # One catalogue of all: as fallbacks of each other every word would be looked up in one after another.
        for message in of_package:
            if message.id and message.string and words.get(message.id, message.context) is None:
                words[message.id] = message
    if words is None:
        return gettext.NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, words)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def called(names: Mapping[str, str] | None, language: str, code: str) -> str:
    """Return what a thing of a `code` is called in `language`, else in English, else its code."""
    return (names or {}).get(language) or (names or {}).get("en") or code


def show_money(amount: Money, language: str) -> str:
    """Return `amount` as a person writes it: "1 234,50 Kč"."""
    return set_off(format_currency(major(amount), amount.currency, locale=language))


_LETTERS_TO_FIGURE = re.compile(r"(?<=[^\W\d_])(?=\d)")


def set_off(written: str) -> str:
    """Return an amount with a space that does not break between letters of its currency and its figure: "CZK 12.50"."""
    return _LETTERS_TO_FIGURE.sub("\N{NO-BREAK SPACE}", written, count=1)


def major(amount: Money) -> Decimal:
    """Return `amount` in the currency's major unit: 1990 of CZK is 19.90, 1990 of JPY is 1990."""
    return Decimal(amount.minor).scaleb(-get_currency_precision(amount.currency))


def show_number(number: float | Decimal, language: str, *, digits: int | None = None) -> str:
    """Return `number` grouped as in `language`, with exactly `digits` decimals when given."""
    if type(number) is int and not digits:
        return f"{number:,}".replace(",", _between_groups(language))
    return _show_number(number, language, digits)


@lru_cache(maxsize=len(LANGUAGES) + 1)
def _between_groups(language: str) -> str:
    """Return what stands between groups of three digits in `language`; to have it written anew each time takes a hundred calls."""
    return _show_number(1000, language, None).removeprefix("1").removesuffix("000")


def _show_number(number: float | Decimal, language: str, digits: int | None) -> str:
    pattern = None if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(number, format=pattern, locale=language)


def show_percent(share: float | Decimal, language: str, *, digits: int = 0) -> str:
    """Return `share` (0.123) as a percentage (12 %) with `digits` decimals."""
    pattern = format_percent(0, locale=language).replace(
        "0", "#,##0" + ("." + "0" * digits if digits else "")
    )
    return format_percent(share, format=pattern, locale=language)


def show_date(day: date, language: str, *, style: str = "medium") -> str:
    """Return `day` in the CLDR `style` short, medium, long or full."""
    return _show_date(day, language, style)


@lru_cache(maxsize=4096)
def _show_date(day: date, language: str, style: str) -> str:
    return format_date(day, format=style, locale=language)


def show_moment(moment: datetime, language: str, timezone: str, *, style: str = "short") -> str:
    """
    Return `moment` on the clock of `timezone`.

    A short one has the year in full: of CLDR's own, English and Czech write two digits that look like a day.
    """
    if style != "short":
        return format_datetime(moment, format=style, tzinfo=zone(timezone), locale=language)
    local = moment.astimezone(zone(timezone))
    time = format_time(local, format="short", locale=language)
    return str(Locale.parse(language).datetime_formats["medium"]).format(
        time, show_date(local.date(), language)
    )

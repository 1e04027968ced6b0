"""Words, numbers and dates in the reader's language, for screens and for Python that speaks to people."""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_skeleton, format_timedelta
from babel.numbers import format_compact_decimal, format_currency
from flask import g, has_request_context, request

from basket_analysis.groups.naming import SHORTHAND
from core import i18n
from core.clock import zone
from core.money import Money
from web.state import now, reader

LANGUAGE_COOKIE = "regulars_language"
NOTHING = "\N{EN DASH}"
"""What stands where there is nothing to say."""


_ONE_LETTER = {
    "cs": re.compile(r"(?<![\w)%])([kosuvzai]) (?=\S)", re.IGNORECASE),
    "sk": re.compile(r"(?<![\w)%])([kosuvzai]) (?=\S)", re.IGNORECASE),
    "pl": re.compile(r"(?<![\w)%])([owzuia]) (?=\S)", re.IGNORECASE),
}
"""Words of one letter, which in these languages never end a line; behind a placeholder stands none."""


@lru_cache(maxsize=8192)
def bound(text: str, tongue: str) -> str:
    """Return `text` of our own with its one-letter words bound to the next by a space that does not break."""
    pattern = _ONE_LETTER.get(tongue)
    return pattern.sub("\\1\N{NO-BREAK SPACE}", text) if pattern else text


def language() -> str:
    """Return the language of this request: the person's, the browser's choice, or English."""
    if not has_request_context():
        return "en"
    if "language" not in g:
        person = reader()
        chosen = person.language if person else request.cookies.get(LANGUAGE_COOKIE, "")
        if chosen not in i18n.LANGUAGES:
            chosen = request.accept_languages.best_match(i18n.LANGUAGES) or "en"
        g.language = chosen
    return str(g.language)


def gettext(message: str, **values: Any) -> str:
    """Return `message` in the reader's language with `values` put in."""
    translated = bound(i18n.translations(language()).gettext(message), language())
    return translated % values if values else translated


def ngettext(singular: str, plural: str, number: int, **values: Any) -> str:
    """Return the form that fits `number`; %(num)s is the number as the language writes it."""
    translated = plain_ngettext(singular, plural, number)
    return translated % {"num": number_text(number), **values}


def plain_ngettext(singular: str, plural: str, number: int) -> str:
    """Return the form that fits `number`, for templates that put the values in themselves."""
    return bound(i18n.translations(language()).ngettext(singular, plural, number), language())


def number_text(value: float | Decimal | None, digits: int | None = None) -> str:
    """Return `value` grouped; nothing at all is a dash."""
    return NOTHING if value is None else i18n.show_number(value, language(), digits=digits)


def short_number(value: float) -> str:
    """Return `value` as 12K or 1.4M, as the language writes it."""
    return format_compact_decimal(value, locale=language(), fraction_digits=1)


def money_text(minor: int | None, currency: str) -> str:
    """Return an amount in minor units as the language writes it."""
    return NOTHING if minor is None else _set(i18n.show_money(Money(minor, currency), language()))


SMALL_AMOUNT = 10
"""In major units; below it the decimals of an estimate are most of what it says."""


def money_whole(minor: float | None, currency: str) -> str:
    """Return an estimated amount without its decimals, which would pretend to be known."""
    if minor is None:
        return NOTHING
    pattern = Locale.parse(language()).currency_formats["standard"].pattern.replace(".00", "")
    amount = i18n.major(Money(round(minor), currency))
    text = format_currency(amount, currency, format=pattern, locale=language(), currency_digits=False)
    return _set(i18n.set_off(text))


def money_estimate(minor: float | None, currency: str) -> str:
    """Return an estimated amount: whole, unless it is so small that nothing would be left of it."""
    if minor is not None and abs(i18n.major(Money(round(minor), currency))) < SMALL_AMOUNT:
        return money_text(round(minor), currency)
    return money_whole(minor, currency)


def _set(text: str) -> str:
    """Set an amount as print does: a true minus that no line ends with."""
    return re.sub(r"^-", "\N{MINUS SIGN}\N{WORD JOINER}", text)


def percent_text(share: float | None, digits: int = 0) -> str:
    """Return a share of one as a percentage."""
    return NOTHING if share is None else i18n.show_percent(share, language(), digits=digits)


def date_text(day: date | None, style: str = "medium") -> str:
    """Return a day."""
    return NOTHING if day is None else _unbroken(i18n.show_date(day, language(), style=style))


def day_month(day: date) -> str:
    """Return day and month without the year, for the axis of a chart."""
    return format_skeleton("MMMd", datetime(day.year, day.month, day.day), locale=language())  # noqa: DTZ001


def month_text(month: date) -> str:
    """Return month and year: "Nov 2026"."""
    return format_skeleton("yMMM", month, locale=language())


def moment_text(moment: datetime | None, timezone: str | None = None, style: str = "short") -> str:
    """Return a moment on the clock of `timezone`, or of the reader's store."""
    if moment is None:
        return NOTHING
    return _unbroken(i18n.show_moment(moment, language(), timezone or reader_timezone(), style=style))


def end_text(moment: datetime) -> str:
    """Return an end that is not part of the time: the day before it where it is a midnight of the reader's clock."""
    here = moment.astimezone(zone(reader_timezone()))
    if here.time() == time(0):
        return date_text(here.date() - timedelta(days=1))
    return moment_text(moment)


def ago(moment: datetime | None) -> str:
    """Return how long ago `moment` was: "3 minutes ago"."""
    return (
        NOTHING if moment is None else format_timedelta(moment - now(), add_direction=True, locale=language())
    )


def duration_text(seconds: float | None) -> str:
    """Return how long something took: "0.4 s", "3 min 12 s"."""
    if seconds is None:
        return NOTHING
    if seconds < 10:
        return f"{number_text(round(seconds, 1), 1)}\N{NO-BREAK SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}\N{NO-BREAK SPACE}h {minutes}\N{NO-BREAK SPACE}min"
    seconds_left = f"{rest}\N{NO-BREAK SPACE}s"
    return f"{minutes}\N{NO-BREAK SPACE}min {seconds_left}" if minutes else seconds_left


def _unbroken(day: str) -> str:
    """Return `day` with what follows its ordinals bound to them: no line ends in "31." or "31. 7."."""
    return day.replace(". ", ".\N{NO-BREAK SPACE}")


def size_text(size: int) -> str:
    """Return the size of a file: "184 kB", "1.2 MB"."""
    if size < 1_000_000:
        return f"{number_text(max(1, round(size / 1000)))} kB"
    return f"{number_text(size / 1_000_000, 1)} MB"


def reader_timezone() -> str:
    """Return the time zone in which the reader lives."""
    person = reader()
    return person.timezone if person else "UTC"


def readable(words: str | None) -> str:
    """Return a category as a sentence can carry it: "FRZN MEAT/MEAT DINNERS" becomes "Frozen meat / meat dinners"."""
    if not words:
        return NOTHING
    if not words.isupper():
        return words
    parts = re.split(r"(\W+)", words.lower())
    text = "".join(SHORTHAND.get(part, part) for part in parts).strip()
    text = re.sub(r"\s+-\s+", ", ", re.sub(r"\s*/\s*", " / ", text))
    return text[:1].upper() + text[1:]


def country_name(code: str) -> str:
    """Return what the viewer calls a country: "Poland" of PL; what is no code is called as stores call it."""
    return str(Locale.parse(language()).territories.get(code.upper()) or code)


def language_name(code: str) -> str:
    """Return a language's name in that language: "čeština"."""
    name = Locale.parse(code).display_name or code
    return name[:1].upper() + name[1:]

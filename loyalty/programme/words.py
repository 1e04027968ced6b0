"""The programme's rules as sentences, in the reader's language: what marketing decided, said so that anybody can check it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.i18n import show_money, show_number, show_percent, translations
from core.money import Money
from loyalty.programme.rules import DAY, DISCOUNT, MONTH_END, NEVER, YEAR_END, Excluded, Programme

MOST_NAMED = 12
"""Excluded codes that a sentence names; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a version says about one thing: `key` names it across versions and languages."""

    key: str
    title: str
    words: str


@dataclass(frozen=True, slots=True)
class Change:
    """A sentence beside the one it takes the place of; `before` is None where nothing was said of it."""

    title: str
    before: str | None
    after: str | None


def sentences(programme: Programme, currencies: Sequence[str], language: str) -> list[Sentence]:
    """Return what a version says, about earning and spending in each of `currencies`."""
    shown = sorted({*currencies, *programme.currencies})
    return [
        *(_earning(programme, currency, language) for currency in shown),
        *_base(programme, language),
        *_time(programme, language),
        *(_value(programme, currency, language) for currency in shown),
        *_spending(programme, language),
    ]


def changes(before: Programme, after: Programme, currencies: Sequence[str], language: str) -> list[Change]:
    """Return what `after` says differently from `before`, in the order of its sentences."""
    shown = sorted({*currencies, *before.currencies, *after.currencies})
    was = {one.key: one.words for one in sentences(before, shown, language)}
    return [
        Change(one.title, was.get(one.key), one.words)
        for one in sentences(after, shown, language)
        if was.get(one.key) != one.words
    ]


def _earning(programme: Programme, currency: str, language: str) -> Sentence:
    rule = programme.rule(currency)
    words = translations(language)
    said = words.ngettext(
        "%(num)s point for every %(amount)s", "%(num)s points for every %(amount)s", rule.points
    )
    return Sentence(
        f"earning.{currency}",
        words.gettext("Earned in %(currency)s") % {"currency": currency},
        said
        % {
            "num": show_number(rule.points, language),
            "amount": _money(rule.per, currency, language),
        },
    )


def _base(programme: Programme, language: str) -> Iterator[Sentence]:
    gettext = translations(language).gettext
    yield Sentence(
        "net_of_tax",
        gettext("Counted on"),
        gettext("prices after discounts, without tax")
        if programme.net_of_tax
        else gettext("prices after discounts, tax included"),
    )
    yield Sentence(
        "earn_on_points",
        gettext("Paid with points"),
        gettext("that part of a bill earns as well")
        if programme.earn_on_points
        else gettext("that part of a bill earns nothing"),
    )
    yield Sentence("excluded", gettext("Earns nothing"), _excluded(programme.excluded, language))


def _excluded(excluded: Excluded, language: str) -> str:
    gettext = translations(language).gettext
    if not excluded:
        return gettext("nothing is left out")
    parts = (
        (gettext("departments: %(names)s"), excluded.departments),
        (gettext("categories: %(names)s"), excluded.categories),
        (gettext("articles: %(names)s"), excluded.articles),
    )
    return "; ".join(words % {"names": _names(names, language)} for words, names in parts if names)


def _names(names: frozenset[str], language: str) -> str:
    ordered = sorted(names)
    left = len(ordered) - MOST_NAMED
    if left <= 0:
        return ", ".join(ordered)
    more = translations(language).ngettext("and %(num)s more", "and %(num)s more", left)
    return ", ".join(ordered[:MOST_NAMED]) + " " + more % {"num": show_number(left, language)}


def _time(programme: Programme, language: str) -> Iterator[Sentence]:
    words = translations(language)
    pending = words.gettext("on the day of the purchase")
    if programme.pending_days:
        pending = words.ngettext(
            "%(num)s day after the purchase", "%(num)s days after the purchase", programme.pending_days
        ) % {"num": show_number(programme.pending_days, language)}
    yield Sentence("pending", words.gettext("Can be spent from"), pending)
    yield Sentence("ending", words.gettext("End"), _ending(programme, language))


def _ending(programme: Programme, language: str) -> str:
    words = translations(language)
    if programme.ending == NEVER:
        return words.gettext("never")
    number = programme.ending_months
    said = {
        MONTH_END: words.ngettext(
            "with the month that is %(num)s month after the purchase",
            "with the month that is %(num)s months after the purchase",
            number,
        ),
        DAY: words.ngettext(
            "to the day, %(num)s month after the purchase",
            "to the day, %(num)s months after the purchase",
            number,
        ),
        YEAR_END: words.ngettext(
            "with the year that it is in %(num)s month after the purchase",
            "with the year that it is in %(num)s months after the purchase",
            number,
        ),
    }[programme.ending]
    return said % {"num": show_number(number, language)}


def _value(programme: Programme, currency: str, language: str) -> Sentence:
    gettext = translations(language).gettext
    worth = _money(programme.rule(currency).point_value, currency, language)
    return Sentence(
        f"value.{currency}",
        gettext("Worth in %(currency)s") % {"currency": currency},
        gettext("%(amount)s for a point") % {"amount": worth},
    )


def _money(minor: int, currency: str, language: str) -> str:
    """Return an amount as a person writes it."""
    return show_money(Money(minor, currency), language)


def _spending(programme: Programme, language: str) -> Iterator[Sentence]:
    words = translations(language)
    counted = _counter(language)
    yield Sentence(
        "points_as",
        words.gettext("Spent as"),
        words.gettext("a discount: tax is due on what is left to pay")
        if programme.points_as == DISCOUNT
        else words.gettext("a means of payment: tax is due on the whole bill"),
    )
    least = words.ngettext("at least %(num)s point", "at least %(num)s points", programme.minimum)
    step = words.ngettext("in steps of %(num)s", "in steps of %(num)s", programme.step)
    share = words.gettext("up to %(share)s of the bill") % {
        "share": show_percent(Decimal(programme.share_percent) / 100, language)
    }
    if programme.share_percent == 100:
        share = words.gettext("up to the whole bill")
    yield Sentence(
        "limits",
        words.gettext("At once"),
        f"{counted(least, programme.minimum)}, {counted(step, programme.step)}, {share}",
    )
    held = words.ngettext("%(num)s minute", "%(num)s minutes", programme.hold_minutes)
    yield Sentence("hold", words.gettext("Reserved for"), counted(held, programme.hold_minutes))
    yield Sentence(
        "unregistered",
        words.gettext("Cards without a member"),
        words.gettext("earn and can spend")
        if programme.unregistered_spend
        else words.gettext("earn, and spend once they are registered"),
    )


def _counter(language: str) -> Callable[[str, int], str]:
    return lambda words, number: words % {"num": show_number(number, language)}

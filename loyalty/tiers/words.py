"""Tiers in words, in the language of who reads them. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from core.i18n import show_date, show_money, show_number, translations
from core.money import Money
from loyalty.programme.words import Change, Sentence
from loyalty.tiers.scheme import ANNIVERSARY, CALENDAR_YEAR, DAY, NO_TIER, SPEND, VISITS, Scheme
from loyalty.tiers.state import TierState


def amount_words(scheme: Scheme, amount: int, language: str) -> str:
    """Return so much of what a scheme measures: points, visits, or money of its own currency."""
    words = translations(language)
    if scheme.measure == SPEND:
        return show_money(Money(amount, next(iter(scheme.currencies), "EUR")), language)
    if scheme.measure == VISITS:
        said = words.ngettext("%(num)s visit", "%(num)s visits", amount)
    else:
        said = words.ngettext("%(num)s point", "%(num)s points", amount)
    return said % {"num": show_number(amount, language)}


def tier_messages(language: str, tier: TierState | None, currency: str) -> list[str]:
    """Return what a cashier is shown to say of a tier that will soon be lost; nothing when none will."""
    if tier is None or tier.earned != tier.code:
        return []
    scheme, rank = tier.scheme, tier.scheme.rank(tier.code)
    if rank == NO_TIER:
        return []
    gettext = translations(language).gettext
    named = {"tier": scheme.tiers[rank].name(language)}
    if tier.grace_until is not None and tier.grace_until >= tier.day:
        return [
            gettext("%(tier)s is kept until %(day)s; reach it again to keep it longer")
            % {**named, "day": show_date(tier.grace_until, language)}
        ]
    if tier.warned_for is None or tier.warned_for != tier.period_end or tier.warned_for <= tier.day:
        return []
    missing = scheme.missing(rank - 1, tier.qualifying, currency)
    if not missing:
        return []
    said = amount_words(scheme, missing, language)
    if scheme.measure == SPEND and currency in scheme.currencies:
        said = show_money(Money(missing, currency), language)
    return [
        gettext("%(tier)s ends after %(day)s: %(missing)s more keeps it")
        % {**named, "day": show_date(tier.warned_for - DAY, language), "missing": said}
    ]


def tier_sentences(scheme: Scheme, language: str) -> list[Sentence]:
    """Return what a version of the tiers says."""
    return list(_sentences(scheme, language))


def tier_changes(before: Scheme, after: Scheme, language: str) -> list[Change]:
    """Return what `after` says differently from `before`; what is gone too."""
    was = {one.key: one for one in tier_sentences(before, language)}
    now = {one.key: one for one in tier_sentences(after, language)}
    changed = [
        Change(one.title, was[key].words if key in was else None, one.words)
        for key, one in now.items()
        if key not in was or was[key].words != one.words
    ]
    return changed + [Change(one.title, one.words, None) for key, one in was.items() if key not in now]


def _sentences(scheme: Scheme, language: str) -> Iterator[Sentence]:
    gettext = translations(language).gettext
    if not scheme.tiers:
        yield Sentence("tiers", gettext("Tiers"), gettext("none"))
        return
    for tier in scheme.tiers:
        words = gettext("from %(amount)s") % {"amount": amount_words(scheme, tier.threshold, language)}
        yield Sentence(
            f"tier.{tier.code}", tier.name(language), words if tier.threshold else gettext("everybody")
        )
    yield Sentence("measure", gettext("What counts"), measure_words(scheme, language))
    yield Sentence("period", gettext("Counted over"), period_words(scheme, language))
    yield Sentence("down", gettext("When it was not enough"), _down(scheme, language))
    yield Sentence("warning", gettext("Warning"), _days_before(scheme.warning_days, language))


def measure_words(scheme: Scheme, language: str) -> str:
    """Return what counts towards a tier."""
    gettext = translations(language).gettext
    if scheme.measure == VISITS:
        return gettext("days with a purchase")
    if scheme.measure != SPEND:
        return gettext("points earned with purchases, whether they are spent or end")
    own, *others = scheme.currencies
    said = gettext("what was bought, after discounts, in %(currency)s") % {"currency": own}
    rates = [f"1 {code} = {_rate(scheme.currencies[code], language)} {own}" for code in others]
    return "; ".join([said, *rates])


def period_words(scheme: Scheme, language: str) -> str:
    """Return over which time it is counted."""
    gettext = translations(language).gettext
    if scheme.period == CALENDAR_YEAR:
        return gettext("a calendar year")
    if scheme.period == ANNIVERSARY:
        return gettext("a year from each anniversary of joining")
    return gettext("the last twelve months; a tier is looked at twelve months after it was reached")


def _down(scheme: Scheme, language: str) -> str:
    words = translations(language)
    if not scheme.grace_days:
        return words.gettext("down at the end of the period, to what was reached in it")
    said = words.ngettext(
        "kept for %(num)s more day, then down to what was reached",
        "kept for %(num)s more days, then down to what was reached",
        scheme.grace_days,
    )
    return said % {"num": show_number(scheme.grace_days, language)}


def _days_before(days: int, language: str) -> str:
    said = translations(language).ngettext(
        "%(num)s day before a tier ends", "%(num)s days before a tier ends", days
    )
    return said % {"num": show_number(days, language)}


def _rate(rate: Decimal, language: str) -> str:
    digits = max(0, -int(rate.normalize().as_tuple().exponent))
    return show_number(rate, language, digits=digits)


class Event(Protocol):
    """Something that happened to a tier."""

    @property
    def kind(self) -> str:
        """One of the kinds that the history has."""

    @property
    def before(self) -> str | None:
        """The tier before."""

    @property
    def after(self) -> str | None:
        """The tier after."""

    @property
    def detail(self) -> Mapping[str, Any]:
        """What else there is to say."""


def event_words(scheme: Scheme, event: Event, language: str) -> str:
    """Return what happened in a sentence; tiers of other versions are named as they are here."""
    gettext = translations(language).gettext
    sentences = {
        "up": gettext("%(after)s reached with %(amount)s"),
        "down": gettext("down from %(before)s to %(after)s"),
        "kept": gettext("%(after)s kept with %(amount)s"),
        "grace": gettext("not enough for %(after)s; kept until %(until)s"),
        "warned": gettext("%(missing)s more needed to keep %(after)s"),
        "granted": gettext("%(after)s given until %(until)s: %(reason)s"),
        "grant_ended": gettext("%(before)s ended, %(after)s holds"),
        "joined": gettext("%(after)s kept until %(until)s when accounts were joined"),
    }
    detail = event.detail
    until = detail.get("until")
    said = sentences[event.kind] % {
        "before": tier_name(scheme, event.before, language),
        "after": tier_name(scheme, event.after, language),
        "amount": amount_words(scheme, int(detail.get("qualifying") or 0), language),
        "missing": amount_words(scheme, int(detail.get("missing") or 0), language),
        "until": show_date(date.fromisoformat(until), language) if until else "",
        "reason": detail.get("reason", ""),
    }
    if detail.get("corrected"):
        said += " (" + gettext("a receipt was voided or counted anew") + ")"
    return said


def tier_name(scheme: Scheme, code: str | None, language: str) -> str:
    """Return the name of a tier; of none, and of one that there is no more, what can be said of it."""
    if code is None:
        return translations(language).gettext("no tier")
    rank = scheme.rank(code)
    return code if rank == NO_TIER else scheme.tiers[rank].name(language)

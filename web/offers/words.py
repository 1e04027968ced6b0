"""
An offer as sentences in any of the languages: what it says to whom, where, when and how often.

Made from the document of format 1, so that a draft that was never stored reads like a live one,
and two versions can be compared sentence by sentence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from babel.dates import format_date

from web.offers.benefit_words import benefit_words
from web.offers.condition_words import condition_words
from web.offers.names import Json, Teller
from web.words import language_name

STAGES: Final = ("article", "basket", "points", "voucher")
_MONDAY: Final = date(2024, 1, 1)
_WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class Sentence:
    """What an offer says about one thing: `key` names it across versions and languages."""

    key: str
    title: str
    words: str


@dataclass(frozen=True, slots=True)
class Change:
    """A sentence beside the one it takes the place of; None where nothing was said of it."""

    key: str
    title: str
    before: str | None
    after: str | None


def headline(say: Teller, offer: Json) -> str:
    """Return the offer in one sentence: who buys what gets what."""
    condition = offer["condition"]
    given = benefit_words(say, offer["benefit"], condition)
    if condition["kind"] == "always":
        words = say.gettext("On every purchase: %(given)s.", given=given)
    else:
        words = say.gettext(
            "A shopper who %(condition)s gets %(given)s.",
            condition=condition_words(say, condition),
            given=given,
        )
    return words


def offer_name(say: Teller, offer: Json) -> str:
    """Return what the offer is called: in the language, else in English, else in any, else its code."""
    names = offer.get("name") or {}
    return str(names.get(say.language) or names.get("en") or next(iter(names.values()), "") or offer["code"])


def sentences(say: Teller, offer: Json) -> list[Sentence]:
    """Return all that the offer says, in the order of "when, then, for, until"."""
    condition = offer["condition"]
    when = condition_words(say, condition)
    return [
        Sentence("name", say.gettext("Name of the offer"), _all_names(offer)),
        Sentence("when", say.gettext("When a shopper"), when),
        Sentence("then", say.gettext("Then they get"), benefit_words(say, offer["benefit"], condition)),
        Sentence("for", say.gettext("For whom"), audience_words(say, offer.get("audience") or {})),
        Sentence("where", say.gettext("Where"), _stores(say, offer)),
        Sentence("until", say.gettext("From when until when"), period_words(say, offer.get("valid") or {})),
        Sentence("hours", say.gettext("Days and hours"), hours_words(say, offer.get("valid") or {})),
        Sentence("often", say.gettext("How often"), _often(say, offer)),
        Sentence("budget", say.gettext("Budget"), _budget(say, offer)),
        Sentence("order", say.gettext("Beside other offers"), order_words(say, offer)),
    ]


def changes(say: Teller, before: Json | None, after: Json) -> list[Change]:
    """Return what `after` says differently; everything, with nothing before it, of a first version."""
    was = {one.key: one.words for one in sentences(say, before)} if before else {}
    return [
        Change(one.key, one.title, was.get(one.key), one.words)
        for one in sentences(say, after)
        if was.get(one.key) != one.words
    ]


def audience_words(say: Teller, audience: Json) -> str:
    """Return for whom it is."""
    who = {
        "everyone": say.gettext("everybody, with a card or without"),
        "members": say.gettext("members with a card"),
        "companies": say.gettext("companies only"),
    }[audience.get("who") or "members"]
    return ", ".join([who, *_narrowed(say, audience)])


def _narrowed(say: Teller, audience: Json) -> Iterator[str]:
    lists = (
        ("tiers", "tiers", say.gettext("of the tier %(names)s")),
        ("groups", "groups", say.gettext("of the shopper group %(names)s")),
        ("phases", "", say.gettext("in the phase %(names)s")),
        ("values", "", say.gettext("of the value class %(names)s")),
    )
    for key, kind, words in lists:
        codes = list(audience.get(key) or ())
        if codes:
            named = say.codes(kind, codes) if kind else say.either([class_words(say, code) for code in codes])
            yield words % {"names": named}
    chosen = audience.get("member_codes") or ()
    if chosen:
        yield say.ngettext("%(num)s member by name", "%(num)s members by name", len(chosen))
    days = audience.get("birthday_within_days")
    if days is not None:
        yield (
            say.ngettext(
                "up to %(num)s day before or after their birthday",
                "up to %(num)s days before or after their birthday",
                days,
            )
            if days
            else say.gettext("on their birthday")
        )
    if audience.get("first_purchase"):
        yield say.gettext("on their first purchase")
    if audience.get("staff"):
        yield say.gettext("staff too")
    if audience.get("companies") and audience.get("who") != "companies":
        yield say.gettext("companies too")


def class_words(say: Teller, code: str) -> str:
    """Return a phase of the lifecycle or a class of value in words."""
    known = {
        "new": say.gettext("new"),
        "growing": say.gettext("growing"),
        "peak": say.gettext("at its peak"),
        "fading": say.gettext("fading"),
        "lost": say.gettext("lost"),
        "won_back": say.gettext("won back"),
        "vip": say.gettext("VIP"),
        "potential": say.gettext("with potential"),
        "steady": say.gettext("steady"),
        "low": say.gettext("low"),
    }
    return known.get(code.lower(), code)


def period_words(say: Teller, valid: Json) -> str:
    """Return from when until when, both days included where they are days."""
    start, end = valid.get("from"), valid.get("to")
    if start and end:
        return say.gettext(
            "from %(start)s until and with %(end)s", start=say.moment(start), end=say.last_moment(end)
        )
    if start:
        return say.gettext("from %(start)s until it is stopped", start=say.moment(start))
    if end:
        return say.gettext("at once, until and with %(end)s", end=say.last_moment(end))
    return say.gettext("at once, until it is stopped")


def hours_words(say: Teller, valid: Json) -> str:
    """Return on which days of the week and at which hours of the store's clock."""
    parts = []
    days = sorted(valid.get("weekdays") or ())
    if days and len(days) < _WEEK:
        parts.append(say.both([day_name(say, day) for day in days]))
    hours = valid.get("hours") or ()
    if hours:
        parts.append(
            say.both(
                [say.gettext("from %(start)s to %(end)s", start=one["from"], end=one["to"]) for one in hours]
            )
        )
    return ", ".join(parts) if parts else say.gettext("every day at any hour")


def day_name(say: Teller, weekday: int) -> str:
    """Return the name of a day of the week, 1 for Monday."""
    return format_date(_MONDAY + timedelta(days=weekday - 1), "cccc", locale=say.language)


def _stores(say: Teller, offer: Json) -> str:
    codes = offer.get("stores") or ()
    return say.codes("stores", list(codes)) if codes else say.gettext("in all stores")


def _often(say: Teller, offer: Json) -> str:
    limits = offer.get("limits") or {}
    parts = []
    if limits.get("per_receipt") is not None:
        parts.append(say.ngettext("once per receipt", "%(num)s times per receipt", limits["per_receipt"]))
    if limits.get("per_member_day") is not None:
        parts.append(
            say.ngettext(
                "once per member and day",
                "%(num)s times per member and day",
                limits["per_member_day"],
            )
        )
    if limits.get("per_member") is not None:
        parts.append(
            say.ngettext("once per member in all", "%(num)s times per member in all", limits["per_member"])
        )
    return ", ".join(parts) if parts else say.gettext("as often as its condition holds")


def _budget(say: Teller, offer: Json) -> str:
    limits = offer.get("limits") or {}
    parts = [
        _budget_of(say, limits, "", say.gettext("in total")),
        _budget_of(say, limits, "per_store_day_", say.gettext("per store and day")),
        _budget_of(say, limits, "per_store_week_", say.gettext("per store and week")),
    ]
    said = [part for part in parts if part]
    return "; ".join(said) if said else say.gettext("without a limit")


def _budget_of(say: Teller, limits: Json, prefix: str, scope: str) -> str:
    parts: list[Any] = []
    if limits.get(f"{prefix}amount") is not None:
        parts.append(say.money(limits[f"{prefix}amount"]))
    if limits.get(f"{prefix}uses") is not None:
        parts.append(say.ngettext("%(num)s use", "%(num)s uses", limits[f"{prefix}uses"]))
    return f"{say.both(parts)} {scope}" if parts else ""


def order_words(say: Teller, offer: Json) -> str:
    """Return when the offer has its turn and what it goes together with."""
    stage, priority = offer.get("stage") or "article", offer.get("priority", 100)
    turn = {
        "article": say.gettext("takes its turn with the offers on articles"),
        "basket": say.gettext("takes its turn with the offers on the whole basket"),
        "points": say.gettext("takes its turn with the offers of points"),
        "voucher": say.gettext("takes its turn with the vouchers"),
    }[stage]
    parts = [turn, say.gettext("priority %(number)s", number=say.number(priority))]
    if offer.get("exclusive_group"):
        parts.append(
            say.gettext("a piece gets only one offer of the group %(group)s", group=offer["exclusive_group"])
        )
    if offer.get("stackable", True):
        parts.append(say.gettext("adds to other discounts"))
    else:
        parts.append(say.gettext("only on goods without another discount, and none after it"))
    return ", ".join(parts)


def _all_names(offer: Json) -> str:
    names = offer.get("name") or {}
    return " · ".join(f"{language_name(code)}: {name}" for code, name in sorted(names.items())) or str(
        offer["code"]
    )

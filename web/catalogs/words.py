"""What runs of catalogs are called on screens: their states, channels, ways out of the house, and what changed."""

from collections.abc import Mapping, Sequence
from typing import Any

from catalogs.runs.results import PERSONAL
from catalogs.runs.run import Change
from web.words import country_name, language_name, number_text
from web.words import gettext as _


def run_state(state: str) -> tuple[str, str, str]:
    """Return words, meaning and icon of a run's state."""
    return {
        "draft": (_("Draft"), "", "pencil"),
        "proofed": (_("Proof to approve"), "accent", "file-text"),
        "approved": (_("Approved"), "good", "circle-check"),
        "running": (_("Running"), "accent", "loader"),
        "stopped": (_("Stopped"), "caution", "pause"),
        "finished": (_("Made"), "good", "circle-check"),
        "cancelled": (_("Cancelled"), "bad", "octagon-alert"),
    }.get(state, (state, "", "circle"))


def copy_state(state: str) -> tuple[str, str, str]:
    """Return words, meaning and icon of a copy's state."""
    return {
        "made": (_("In the archive"), "", "circle"),
        "sent": (_("Sent"), "good", "circle-check"),
        "dropped": (_("Dropped"), "caution", "ban"),
        "held_back": (_("Not sent"), "caution", "ban"),
    }.get(state, (state, "", "circle"))


def channel_words(channels: Sequence[str]) -> str:
    """Return by which ways a run goes out."""
    names = {"print": _("On paper"), "email": _("E-mail")}
    return ", ".join(names.get(channel, channel) for channel in channels)


def countries_words(countries: Sequence[str]) -> str:
    """Return in which countries a run's readers shop; empty where it goes to all of them."""
    return ", ".join(sorted(country_name(country) for country in countries))


def handover_kind(kind: str) -> str:
    """Return what a way out of the house is called."""
    return {
        "print": _("File for the printer"),
        "zip": _("ZIP of single files"),
        "email": _("By e-mail"),
    }.get(kind, kind)


def handover_state(state: str) -> tuple[str, str, str]:
    """Return words, meaning and icon of a hand-over's state."""
    return {
        "waiting": (_("Being prepared"), "accent", "loader"),
        "prepared": (_("Ready"), "good", "circle-check"),
        "handed": (_("Handed over"), "good", "circle-check"),
        "stale": (_("Out of date"), "caution", "triangle-alert"),
    }.get(state, (state, "", "circle"))


def why_words(words: Sequence[str], copy_language: str) -> str:
    """Return what a copy of a proof was chosen for."""
    known = {
        "longest_name": _("the longest name"),
        "odd_name": _("unusual signs in the name"),
        "many_picks": _("much bought"),
        "few_picks": _("little bought"),
        "many_points": _("most points"),
        "no_points": _("no points"),
        "currency": _("its currency"),
        "language": language_name(copy_language),
        "group": _("its group"),
        "tier": _("its tier"),
        "other": _("unlike the others"),
    }
    return ", ".join(known.get(word, word) for word in words)


def left_out_words(why: str) -> str:
    """Return why somebody of an audience gets no copy after all."""
    return {
        "objected": _("Objection to profiling"),
        "withdrew": _("Consent withdrawn"),
        "refuses": _("Refuses every offer"),
        "nothing": _("Nothing to show in their store"),
    }.get(why, why)


def page_words(page: int) -> str:
    """Return what a page is called; the member's own has no number."""
    return _("Own page") if page == PERSONAL else _("Page %(number)s", number=number_text(page))


def part_words(part: str) -> str:
    """Return what a part of a run or of an edition is called."""
    if part.startswith("page "):
        number, _colon, what = part.removeprefix("page ").partition(": ")
        page = _("Page %(number)s", number=number)
        return f"{page}: {part_words(what)}" if what else page
    return {
        "name": _("Name"),
        "theme": _("Theme"),
        "size": _("Size"),
        "channels": _("Goes out by"),
        "valid_from": _("First day"),
        "valid_to": _("Until before"),
        "voucher_batches": _("Vouchers"),
        "hold_out": _("Held out"),
        "first_part": _("First part"),
        "countries": _("Countries"),
        "edition": _("Edition"),
        "layout": _("Layout"),
        "headline": _("Headline"),
        "articles": _("Articles"),
        "pinned": _("Pinned"),
        "ranking": _("Ranking of articles"),
        "categories": _("Categories"),
        "colour": _("Colour"),
    }.get(part, part)


def change_words(change: Change, articles: Mapping[int, str]) -> tuple[str, str]:
    """Return before and after of a change; of articles what came and what went."""
    if change.part == "ranking":
        return "", _("changed")
    if change.part.endswith(("articles", "pinned")):
        before, after = list(change.before or ()), list(change.after or ())
        gone = [articles.get(one, str(one)) for one in before if one not in after]
        came = [articles.get(one, str(one)) for one in after if one not in before]
        return ", ".join(gone), ", ".join(came) if came or gone else _("another order")
    return _plain(change.before), _plain(change.after)


def articles_in(changes: Sequence[Change]) -> set[int]:
    """Return the articles that changes speak of."""
    return {
        article
        for change in changes
        if change.part.endswith(("articles", "pinned"))
        for article in (*(change.before or ()), *(change.after or ()))
    }


def _plain(value: Any) -> str:
    match value:
        case None:
            return ""
        case dict():
            return "; ".join(f"{key}: {text}" for key, text in value.items())
        case list() | tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)

"""A member's history as sentences: when, what, in which channel, and which way it went; narrowed as the reader asks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaigns.decision_lists import decisions_of_member
from contacts.history import MOST, history_of_member
from contacts.queries import ContactView
from contacts.reactions import TAKEN_BACK
from loyalty.warnings import warned_of_member
from sales.models import Article
from web.contact_words import case_kind, channel_name, direction_name, mail_kind
from web.groups.shown import GroupsShown
from web.groups.standing_words import phase_name, value_name
from web.tables import Choice
from web.wording import purpose_name
from web.words import date_text, ngettext
from web.words import gettext as _

SHOWN = 100


@dataclass(frozen=True, slots=True)
class ContactShown:
    """One event of a member's history: when, what, in which channel and direction, all in words."""

    at: datetime
    title: str
    note: str
    channel: str
    direction: str


@dataclass(frozen=True, slots=True)
class HistoryShown:
    """The newest events that fit, and what the reader may narrow them by: (key, label, choices, chosen)."""

    events: list[ContactShown]
    filters: list[tuple[str, str, list[Choice], str]]
    more: int
    """How many more there are that fit and are not shown."""


def history_shown(
    session: Session, *, member_id: UUID, groups: GroupsShown, timezone: str, wanted: Mapping[str, str]
) -> HistoryShown:
    """Return a member's history, newest first; `wanted` may name a channel, a direction and a kind."""
    events = [
        *history_of_member(session, member_id=member_id, timezone=timezone),
        *_offered(session, member_id),
        *warned_of_member(session, member_id=member_id),
    ]
    events.sort(key=lambda event: event.at, reverse=True)
    names: tuple[tuple[str, str, Callable[[str], str]], ...] = (
        ("channel", _("Channel"), channel_name),
        ("direction", _("Direction"), direction_name),
        ("kind", _("What"), kind_name),
    )
    filters = []
    for key, label, name_of in names:
        there = sorted({getattr(event, key) for event in events}, key=name_of)
        chosen = wanted.get(key, "")
        filters.append((key, label, [Choice(one, name_of(one)) for one in there], chosen))
        if chosen:
            events = [event for event in events if getattr(event, key) == chosen]
    named = _names(session, events[:SHOWN])
    shown = [_shown(replace(event, detail=named | event.detail), groups) for event in events[:SHOWN]]
    return HistoryShown(shown, filters, max(0, len(events) - SHOWN))


def _names(session: Session, events: Sequence[ContactView]) -> dict[str, Any]:
    """Return the names of the articles that events name by number only."""
    skus = {event.detail["sku"] for event in events if event.detail.get("sku")}
    rows = session.execute(select(Article.sku, Article.name).where(Article.sku.in_(skus)))
    return {"names": {row.sku: row.name for row in rows}}


def kind_name(kind: str) -> str:
    """Return what a kind of event is called."""
    return {
        "reaction": _("Answers to offers"),
        "offered": _("Offers shown"),
        "mail": _("Mail"),
        "catalog": _("Catalogs"),
        "case_opened": _("Cases opened"),
        "case_resolved": _("Cases resolved"),
        "consent": _("Consents"),
        "joined": _("Joining"),
        "return": _("Returns"),
        "expiry_warning": _("Points that end"),
        "phase": _("Phase"),
        "value_class": _("Value class"),
        "group": _("Shopper group"),
    }.get(kind, kind.replace("_", " ").capitalize())


def _offered(session: Session, member_id: UUID) -> list[ContactView]:
    return [
        ContactView(
            0,
            one.at,
            one.channel,
            "outbound",
            "offered",
            {"name": one.name, "sku": one.sku, "offer_code": one.offer_code},
        )
        for one in decisions_of_member(session, member_id, limit=MOST)
    ]


def _shown(event: ContactView, groups: GroupsShown) -> ContactShown:
    title, note = _said(event.kind, event.detail, groups)
    return ContactShown(event.at, title, note, channel_name(event.channel), direction_name(event.direction))


def _said(kind: str, detail: Mapping[str, Any], groups: GroupsShown) -> tuple[str, str]:
    moves: dict[str, tuple[str, Callable[[str], str]]] = {
        "phase": (_("Phase"), phase_name),
        "value_class": (_("Value class"), value_name),
        "group": (_("Shopper group"), lambda code: groups.words(code) or code),
    }
    if kind in moves:
        title, name = moves[kind]
        return title, _("%(before)s → %(after)s", before=name(detail["from"]), after=name(detail["to"]))
    sentences: dict[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
        "reaction": _answer,
        "offered": lambda one: (_("Was offered %(what)s", what=one["name"]), one["offer_code"] or ""),
        "mail": _mail,
        "catalog": lambda one: (_("Got a catalog"), str(one.get("edition") or one.get("copy_code") or "")),
        "case_opened": lambda one: (_("Case %(number)s was opened", number=one["number"]), _case(one)),
        "case_resolved": lambda one: (
            _("Case %(number)s was settled, with thanks", number=one["number"]),
            _case(one),
        ),
        "consent": _consent,
        "joined": lambda _one: (_("Joined the programme"), ""),
        "return": _return,
        "expiry_warning": _warning,
    }
    return sentences[kind](detail) if kind in sentences else (kind_name(kind), "")


def _answer(detail: Mapping[str, Any]) -> tuple[str, str]:
    about = {
        "all": _("about all that could be offered"),
        "category": _("all of %(category)s", category=detail["category"]) if detail.get("category") else "",
    }
    said = {
        "accepted": _("Accepted an offer"),
        "not_now": _("Does not want it now"),
        "never": _("Never wants it"),
        "wrong_product": _("Says that it is the wrong product"),
        TAKEN_BACK: _("Took an answer back"),
    }.get(detail["reaction"], detail["reaction"])
    article = detail["names"].get(detail.get("sku")) or detail.get("sku")
    return said, about.get(detail["scope"]) or article or detail.get("offer_code") or ""


def _mail(detail: Mapping[str, Any]) -> tuple[str, str]:
    title = _("Was sent a mail: %(subject)s", subject=detail["subject"])
    doubt = _("it may not have arrived") if detail["state"] == "uncertain" else ""
    return title, " · ".join(part for part in (mail_kind(detail["mail"]), doubt) if part)


def _case(detail: Mapping[str, Any]) -> str:
    return " · ".join(part for part in (case_kind(detail["kind"]), detail.get("article")) if part)


def _consent(detail: Mapping[str, Any]) -> tuple[str, str]:
    name = purpose_name(detail["purpose"], detail["channel"])
    return (_("Agreed"), name) if detail["granted"] else (_("Withdrew consent"), name)


def _return(detail: Mapping[str, Any]) -> tuple[str, str]:
    what = ", ".join(detail["what"])
    title = _("Brought back as faulty: %(what)s", what=what) if detail["faulty"] else ""
    title = title or _("Brought back: %(what)s", what=what)
    return title, f"{detail['store']} · {detail['receipt_number']}"


def _warning(detail: Mapping[str, Any]) -> tuple[str, str]:
    title = ngettext("Told that %(num)s point ends", "Told that %(num)s points end", detail["points"])
    return title, _("after %(day)s", day=date_text(detail["last_day"]))

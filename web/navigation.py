"""The places of the navigation, by role, and the scope chosen in the top bar."""

from dataclasses import dataclass
from typing import Final

from flask import current_app, request, url_for

from web.roles import may
from web.state import viewer_or_none
from web.words import gettext as _


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation; `key` after g leads there."""

    label: str
    icon: str
    href: str
    key: str
    current: bool


@dataclass(frozen=True, slots=True)
class Section:
    """Some places under one title; the first has none."""

    title: str
    places: tuple[Place, ...]


def _layout() -> tuple[tuple[str, tuple[tuple[str, str, str, str], ...]], ...]:
    return (
        ("", (("overview.home", _("Overview"), "layout-dashboard", "o"),)),
        (
            _("Shoppers"),
            (
                ("groups.index", _("Shopper groups"), "shapes", "g"),
                ("members.index", _("Members"), "users-round", "m"),
                ("catalogs.index", _("Catalogs"), "book-open-text", "c"),
            ),
        ),
        (
            _("Shops"),
            (
                ("assortment.index", _("Assortment"), "package-search", "a"),
                ("receipts.index", _("Receipts"), "receipt", "r"),
                ("articles.index", _("Articles"), "tags", "i"),
                ("queue.index", _("Work queue"), "inbox", "q"),
                ("till.simulator", _("Till simulator"), "scan-barcode", "t"),
            ),
        ),
        (
            _("Administration"),
            (
                ("jobs.index", _("Jobs"), "activity", "j"),
                ("stores.index", _("Stores and tills"), "store", "s"),
                ("people.index", _("People and roles"), "shield-check", "p"),
                ("audit.index", _("Audit trail"), "history", "l"),
                ("design.gallery", _("Design"), "palette", "d"),
            ),
        ),
    )


def sections() -> tuple[Section, ...]:
    """Return the places that the reader's role may enter, in their sections."""
    person = viewer_or_none()
    here = request.blueprint
    found: list[Section] = []
    for title, entries in _layout():
        places = tuple(
            Place(label, icon, url_for(endpoint), key, endpoint.partition(".")[0] == here)
            for endpoint, label, icon, key in entries
            if person and may(person.role, endpoint) and endpoint in current_app.view_functions
        )
        if places:
            found.append(Section(title, places))
    return tuple(found)


PERIODS: Final = (4, 13, 26, 52)
"""Weeks that the scope can look back."""

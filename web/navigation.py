"""The places of the navigation, by role, and the scope chosen in the top bar."""

from dataclasses import dataclass
from typing import Final

from flask import current_app, g, request, url_for

from sales.work_queue import MOST_COUNTED, waiting
from web.roles import may
from web.state import transaction, viewer, viewer_or_none
from web.words import gettext as _


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation; `key` after g leads there."""

    label: str
    icon: str
    href: str
    key: str
    current: bool
    count: str = ""
    """How much waits there for a person; nothing where nothing does."""


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
                ("cards.index", _("Cards"), "credit-card", "k"),
                ("gift_cards.index", _("Gift cards"), "credit-card", "3"),
                ("cases.index", _("Cases"), "info", "4"),
                ("adjustments.index", _("Adjustments"), "circle-plus", "u"),
                ("liability.index", _("Points owed"), "file-text", "w"),
                ("catalogs.index", _("Catalogs"), "book-open-text", "c"),
                ("programme.index", _("Programme"), "coins", "b"),
                ("tiers.index", _("Tiers"), "chevrons-up-down", "z"),
                ("offers.index", _("Offers"), "badge-percent", "n"),
                ("offer_plan.calendar", _("Calendar"), "calendar-range", "x"),
                ("voucher_batches.index", _("Vouchers"), "ticket-percent", "v"),
            ),
        ),
        (
            _("Shops"),
            (
                ("store_page.index", _("Store at a glance"), "store", "2"),
                ("store_offers.index", _("Offers today"), "clock", "h"),
                ("rewards.index", _("Rewards and stock"), "gift", "y"),
                ("pickups.index", _("Gifts to hand over"), "clock", "1"),
                ("assortment.index", _("Assortment"), "package-search", "a"),
                ("receipts.index", _("Receipts"), "receipt", "r"),
                ("articles.index", _("Articles"), "tags", "i"),
                ("queue.index", _("Work queue"), "inbox", "q"),
                ("alerts.index", _("Alerts"), "triangle-alert", "f"),
                ("till.simulator", _("Till simulator"), "scan-barcode", "t"),
            ),
        ),
        (
            _("Administration"),
            (
                ("jobs.index", _("Jobs"), "activity", "j"),
                ("stores.index", _("Stores and tills"), "store", "s"),
                ("barcodes.index", _("Bar codes"), "scan-barcode", "6"),
                ("staff.index", _("Staff cards"), "user-round", "e"),
                ("people.index", _("People and roles"), "shield-check", "p"),
                ("outbox.index", _("Outbox"), "inbox", "5"),
                ("audit.index", _("Audit trail"), "history", "l"),
                ("design.gallery", _("Design"), "palette", "d"),
            ),
        ),
    )


_PART_OF: Final = {
    "catalog_runs": "catalogs",
    "catalog_proofs": "catalogs",
    "catalog_results": "catalogs",
    "bodies": "queue",
    "unknown_articles": "queue",
    "member_tiers": "members",
    "referrals": "tiers",
    "offer_builder": "offers",
    "offer_files": "offers",
    "company_prices": "offers",
    "rehearsals": "offers",
    "rehearsal_pairs": "offers",
    "analysis_quality": "groups",
    "group_edits": "groups",
    "group_map": "groups",
    "group_moves": "groups",
    "rules": "groups",
    "store_prints": "store_page",
    "vouchers": "voucher_batches",
    "reward_kinds": "rewards",
}
"""Screens that have no place of their own, and whose place they are part of."""


def sections() -> tuple[Section, ...]:
    """Return the places that the reader's role may enter, in their sections."""
    person = viewer_or_none()
    here = _PART_OF.get(request.blueprint or "", request.blueprint)
    found: list[Section] = []
    for title, entries in _layout():
        places = tuple(
            Place(
                label,
                icon,
                url_for(endpoint),
                key,
                endpoint.partition(".")[0] == here,
                _count() if endpoint == "queue.index" else "",
            )
            for endpoint, label, icon, key in entries
            if person and may(person.role, endpoint) and endpoint in current_app.view_functions
        )
        if places:
            found.append(Section(title, places))
    return tuple(found)


def _count() -> str:
    """Return how many entries of the work queue wait for the reader; asked once per page."""
    if "queue_count" not in g:
        with transaction() as session:
            found = waiting(session, store_id=viewer().store_id)
        g.queue_count = "" if not found else f"{MOST_COUNTED}+" if found >= MOST_COUNTED else str(found)
    return str(g.queue_count)


PERIODS: Final = (4, 13, 26, 52)
"""Weeks that the scope can look back."""

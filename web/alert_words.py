"""Alerts said in the reader's words: what was seen, in one sentence, and what may be behind it."""

from loyalty.alerts import AlertRow
from loyalty.watching import (
    MOST_BLIND_RETURNS_IN_A_WEEK,
    MOST_IN_A_DAY,
    MOST_IN_TEN_MINUTES,
    MOST_OF_A_CASHIER_IN_A_DAY,
    MOST_OF_A_CASHIER_IN_A_WEEK,
)
from web.words import date_text, ngettext
from web.words import gettext as _


def alert_kind(kind: str) -> str:
    """Return what a kind of alert is called."""
    return {
        "velocity": _("Card used very often"),
        "own_card": _("Operator's own card"),
        "cashier_card": _("One card, one cashier"),
        "blind_returns": _("Returns without a receipt"),
    }.get(kind, kind)


def alert_state(state: str) -> tuple[str, str]:
    """Return words and meaning of the state of an alert."""
    return {
        "open": (_("Open"), "caution"),
        "confirmed": (_("Confirmed"), "bad"),
        "dismissed": (_("Dismissed"), ""),
    }.get(state, (state, ""))


def what_was_seen(alert: AlertRow) -> str:
    """Return in one sentence what an alert is about."""
    values = {
        "store": alert.store_name,
        "operator": alert.operator_code or "",
        "day": date_text(alert.day),
    }
    count = alert.receipts
    if alert.kind == "velocity":
        return ngettext(
            "The card was on %(num)s receipt in %(store)s on %(day)s.",
            "The card was on %(num)s receipts in %(store)s on %(day)s.",
            count,
            **values,
        )
    if alert.kind == "own_card":
        return ngettext(
            "Operator %(operator)s rang %(num)s basket with a card of their own in %(store)s on %(day)s.",
            "Operator %(operator)s rang %(num)s baskets with a card of their own in %(store)s on %(day)s.",
            count,
            **values,
        )
    if alert.kind == "cashier_card":
        return ngettext(
            "The card was on %(num)s receipt that operator %(operator)s rang in %(store)s from %(day)s on.",
            "The card was on %(num)s receipts that operator %(operator)s rang in %(store)s from %(day)s on.",
            count,
            **values,
        )
    return ngettext(
        "Operator %(operator)s took %(num)s return without a receipt in %(store)s in the week from %(day)s.",
        "Operator %(operator)s took %(num)s returns without a receipt in %(store)s in the week from %(day)s.",
        count,
        **values,
    )


def why_it_matters(kind: str) -> list[str]:
    """Return why a kind of alert is raised, what has happened by itself, and what may be harmless about it."""
    return {
        "velocity": [
            _(
                "Raised above %(minutes)s receipts in ten minutes, or %(day)s of one store in a day.",
                minutes=MOST_IN_TEN_MINUTES,
                day=MOST_IN_A_DAY,
            ),
            _("The points were given. Friends who share a card, or a split purchase, look like this too."),
        ],
        "own_card": [
            _("Nobody rings a basket on a card of their own: these earned no points."),
            _("A wrong operator's code at the till looks like this too."),
        ],
        "cashier_card": [
            _(
                "Raised above %(day)s receipts in a day, or %(week)s in a week, of one card with one cashier.",
                day=MOST_OF_A_CASHIER_IN_A_DAY,
                week=MOST_OF_A_CASHIER_IN_A_WEEK,
            ),
            _("The points were given. A neighbour who comes every day looks like this too."),
        ],
        "blind_returns": [
            _(
                "Raised above %(most)s returns without a receipt in a week of one cashier.",
                most=MOST_BLIND_RETURNS_IN_A_WEEK,
            ),
            _("They moved no points. A cashier at the returns desk looks like this too."),
        ],
    }.get(kind, [])

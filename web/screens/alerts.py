"""Alerts: what looks like misuse of a card or a till, with its receipts; a person decides."""

from typing import cast

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from werkzeug.exceptions import BadRequest

from core.audit import record_event
from core.clock import business_day
from core.payment_cards import payment_card_numbers
from customers.enrolment import CardInUse
from loyalty.alerts import (
    KINDS,
    STATES,
    AlertRow,
    AlreadyDecided,
    Decision,
    ReasonMissing,
    blind_returns,
    decide,
    evidence,
    list_alerts,
    open_alerts,
    read_alert,
)
from web import alert_words
from web.cells import badge
from web.export import respond
from web.notices import go
from web.roles import may
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.transactions import transact
from web.words import gettext as _

blueprint = Blueprint("alerts", __name__, url_prefix="/alerts")
LONGEST_REASON = 300


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the alerts, and how many returns without a receipt each cashier took."""
    store_id = viewer().store_id
    with transaction() as session:
        table = Table(
            name="alerts",
            find=_("Card number or operator's code"),
            default_sort="-raised_at",
            columns=_columns(),
            filters=(
                Filter(
                    key="state",
                    label=_("State"),
                    choices=tuple(Choice(one, alert_words.alert_state(one)[0]) for one in STATES),
                ),
                Filter(
                    key="kind",
                    label=_("What was seen"),
                    choices=tuple(Choice(one, alert_words.alert_kind(one)) for one in KINDS),
                ),
            ),
            fetch=lambda ask: list_alerts(session, ask, store_id=store_id),
            href=lambda row: url_for("alerts.show", alert_id=row.alert_id),
            empty=Empty(
                _("Nothing looks like misuse"),
                _(
                    "Cards that are used very often and tills that are used oddly are listed here; nobody is blocked."
                ),
                "shield-check",
            ),
        )
        return respond(
            "screens/alerts.html",
            table,
            counts=open_alerts(session, store_id=store_id),
            returns=blind_returns(session, today=business_day(now(), viewer().timezone), store_id=store_id),
            alert_words=alert_words,
        )


@blueprint.get("/<int:alert_id>")
def show(alert_id: int) -> ResponseReturnValue:
    """Show one alert with its receipts; the look is recorded."""
    return _page(alert_id)


@blueprint.post("/<int:alert_id>")
def settle(alert_id: int) -> ResponseReturnValue:
    """Decide about an alert: it was misuse, with or without blocking the card, or nothing was wrong."""
    wanted = request.form.get("decision", "")
    reason = request.form.get("reason", "").strip()
    if wanted not in {"confirmed", "dismissed", "block"}:
        raise BadRequest
    if len(reason) > LONGEST_REASON or payment_card_numbers(reason):
        words = _("Use at most 300 characters, and no payment-card numbers.")
        return _page(alert_id, reason=reason, errors={"reason": words}), 422
    decision = cast("Decision", "confirmed" if wanted == "block" else wanted)
    try:
        transact(
            lambda session: decide(
                session,
                alert_id=alert_id,
                decision=decision,
                reason=reason,
                now=now(),
                actor=viewer().login,
                store_id=viewer().store_id,
                block=wanted == "block",
            )
        )
    except ReasonMissing:
        return _page(alert_id, errors={"reason": _("Say why: others will read it here.")}), 422
    except AlreadyDecided:
        return go(
            url_for("alerts.index", state="open"), _("Somebody has decided about it already."), "caution"
        )
    except CardInUse:
        words = _("The card was replaced or is out of use: there is nothing to block.")
        return _page(alert_id, reason=reason, errors={"reason": words}), 422
    said = {
        "confirmed": _("Confirmed."),
        "dismissed": _("Dismissed: nothing was wrong."),
        "block": _("Confirmed, and the card is blocked."),
    }[wanted]
    return go(url_for("alerts.index", state="open"), said)


def _page(alert_id: int, *, reason: str = "", errors: dict[str, str] | None = None) -> str:
    with transaction() as session:
        alert = read_alert(session, alert_id=alert_id, store_id=viewer().store_id)
        record_event(
            session,
            now=now(),
            actor=viewer().login,
            action="alert.view",
            subject_kind="alert",
            subject_id=str(alert_id),
        )
        return render_template(
            "screens/alert.html",
            alert=alert,
            receipts=evidence(session, alert),
            alert_words=alert_words,
            reason=reason,
            errors=errors or {},
            decides=alert.state == "open" and may(viewer().role, "alerts.settle"),
        )


def _columns() -> tuple[Column[AlertRow], ...]:
    return (
        Column(
            key="kind",
            title=_("What was seen"),
            value=lambda row: alert_words.alert_kind(row.kind),
            second=alert_words.what_was_seen,
            sort=True,
        ),
        Column(key="card_number", title=_("Card"), value=lambda row: row.card_number, kind="code"),
        Column(key="operator_code", title=_("Operator"), value=lambda row: row.operator_code, kind="code"),
        Column(key="store_code", title=_("Store"), value=lambda row: row.store_name, sort=True),
        Column(key="receipts", title=_("Receipts"), value=lambda row: row.receipts, kind="number", sort=True),
        Column(key="raised_at", title=_("Raised"), value=lambda row: row.raised_at, kind="moment", sort=True),
        Column(
            key="state",
            title=_("State"),
            value=lambda row: alert_words.alert_state(row.state)[0],
            figure=_state,
        ),
        Column(key="decided_by", title=_("By"), value=lambda row: row.decided_by, shown=False),
        Column(key="reason", title=_("Reason"), value=lambda row: row.reason, shown=False),
    )


def _state(row: AlertRow) -> Markup:
    return badge(*alert_words.alert_state(row.state))

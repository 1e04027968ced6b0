"""The work queue: accepted receipts that something is odd about, until a person has dealt with them."""

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from werkzeug.exceptions import BadRequest

from sales.figures import open_flags
from sales.receipt_lists import FlagRow, list_flags, settle_flag
from web import wording
from web.cells import badge
from web.export import respond
from web.guard import csrf_token
from web.notices import go
from web.roles import may
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import gettext as _

blueprint = Blueprint("queue", __name__, url_prefix="/queue")
_CODES = (
    "unknown_card",
    "blocked_card",
    "unknown_article",
    "unknown_offer",
    "offer_not_valid",
    "totals_mismatch",
    "clock_skew",
    "late",
    "quote_expired",
    "over_redeemed",
    "original_missing",
    "over_returned",
    "suspicious",
    "masked",
)


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List what waits, and on demand what was dealt with."""
    with transaction() as session:
        counts = open_flags(session, store_id=viewer().store_id)
        table = Table(
            name="queue",
            find=_("Receipt number"),
            default_sort="-flagged_at",
            columns=_columns(),
            filters=(
                Filter(
                    key="state",
                    label=_("State"),
                    choices=tuple(
                        Choice(state, wording.flag_state(state)[0])
                        for state in ("open", "resolved", "dismissed")
                    ),
                ),
                Filter(
                    key="code",
                    label=_("Reason"),
                    choices=tuple(Choice(code, wording.flag_name(code)) for code in _CODES),
                ),
            ),
            fetch=lambda ask: list_flags(session, ask, store_id=viewer().store_id),
            href=lambda row: url_for(
                "receipts.show", day=row.business_date.isoformat(), receipt_id=row.receipt_id
            ),
            empty=Empty(
                _("Nothing waits for you"),
                _(
                    "A paid sale is never refused. What is odd about it is written here for a person to decide."
                ),
                "circle-check",
            ),
        )
        return respond("screens/queue.html", table, counts=counts)


@blueprint.post("/<int:flag_id>")
def settle(flag_id: int) -> ResponseReturnValue:
    """Take an entry out of the queue, as resolved or as harmless."""
    state = request.form.get("state", "")
    if state not in {"resolved", "dismissed"}:
        raise BadRequest
    with transaction() as session:
        settle_flag(
            session, flag_id=flag_id, state=state, store_id=viewer().store_id, actor=viewer().login, now=now()
        )
    said = _("Resolved.") if state == "resolved" else _("Dismissed: nothing was wrong.")
    return go(url_for("queue.index", state="open"), said)


def _columns() -> tuple[Column[FlagRow], ...]:
    columns: tuple[Column[FlagRow], ...] = (
        Column(
            key="code",
            title=_("What is odd"),
            value=lambda row: wording.flag_name(row.code),
            second=lambda row: row.detail,
            sort=True,
        ),
        Column(
            key="receipt",
            title=_("Receipt"),
            value=lambda row: row.receipt_number,
            kind="code",
            second=lambda row: f"{row.store_code} · {row.till_code}",
        ),
        Column(key="business_date", title=_("Day"), value=lambda row: row.business_date, kind="date"),
        Column(key="store_code", title=_("Store"), value=lambda row: row.store_name, sort=True, shown=False),
        Column(
            key="flagged_at", title=_("Flagged"), value=lambda row: row.flagged_at, kind="moment", sort=True
        ),
        Column(
            key="amount",
            title=_("Paid"),
            value=lambda row: row.payable_amount,
            kind="money",
            currency=lambda row: row.currency,
        ),
        Column(
            key="state", title=_("State"), value=lambda row: wording.flag_state(row.state)[0], figure=_state
        ),
        Column(key="resolved_by", title=_("By"), value=lambda row: row.resolved_by, shown=False),
    )
    if not may(viewer().role, "queue.settle"):
        return columns
    return (*columns, Column(key="decide", title="", value=lambda row: row.flag_id, figure=_decide))


def _state(row: FlagRow) -> Markup:
    return badge(*wording.flag_state(row.state))


def _decide(row: FlagRow) -> Markup | str:
    if row.state != "open":
        return ""
    return Markup(
        '<form method="post" action="{}" class="row" hx-boost="false"><input type="hidden" name="csrf_token" value="{}">'
        '<button class="button button-small" name="state" value="resolved">{}</button>'
        '<button class="button button-small button-plain" name="state" value="dismissed">{}</button></form>'
    ).format(url_for("queue.settle", flag_id=row.flag_id), csrf_token(), _("Resolve"), _("Dismiss"))

"""The work queue: accepted receipts that something is odd about, until a person has dealt with them."""

from dataclasses import dataclass
from functools import partial

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from customers.cardnumbers import BadCardNumber, normalise_card_number
from customers.queries import CardNotFound
from loyalty.linking import CardCannotEarn, HasAccount, link_card
from loyalty.statements import points_of_receipt
from sales.figures import open_flags
from sales.known_articles import count_known, resolve_known
from sales.quarantine import open_bodies
from sales.receipt_lists import read_receipt
from sales.work_queue import (
    STATES,
    FlagRow,
    list_flags,
    read_flag,
    reopen_flag,
    settle_flags,
    steps_of,
)
from web import wording
from web.cells import badge
from web.export import respond
from web.flag_words import flag_detail
from web.notices import go
from web.queue_words import explanation
from web.roles import may
from web.screens.decisions import settle_chosen_ones, settle_one
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Pick, Table
from web.words import gettext as _
from web.words import ngettext

blueprint = Blueprint("queue", __name__, url_prefix="/queue")
FORM = "chosen"
CODES = (
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


@dataclass(frozen=True, slots=True)
class Tabs:
    """What waits, by kind, for the tabs above both lists of the queue."""

    flags: dict[str, int]
    bodies: int


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List what waits, and on demand what was dealt with."""
    store_id = viewer().store_id
    with transaction() as session:
        tabs = Tabs(open_flags(session, store_id=store_id), open_bodies(session, store_id=store_id))
        known = count_known(session, store_id=store_id) if "unknown_article" in tabs.flags else 0
        table = Table(
            name="queue",
            find=_("Receipt or card number"),
            default_sort="-flagged_at",
            columns=_columns(),
            filters=(
                state_filter(),
                Filter(
                    key="code",
                    label=_("Reason"),
                    choices=tuple(Choice(code, wording.flag_name(code)) for code in CODES),
                ),
                Filter(key="since", label=_("From day"), kind="day"),
                Filter(key="until", label=_("To day"), kind="day"),
            ),
            fetch=lambda ask: list_flags(session, ask, store_id=store_id),
            href=lambda row: url_for("queue.show", flag_id=row.flag_id),
            pick=_pick() if may(viewer().role, "queue.settle_chosen") else None,
            empty=Empty(
                _("Nothing waits for you"),
                _(
                    "A paid sale is never refused. What is odd about it is written here for a person to decide."
                ),
                "circle-check",
            ),
        )
        return respond("screens/queue.html", table, tabs=tabs, known=known)


@blueprint.get("/<int:flag_id>")
def show(flag_id: int) -> ResponseReturnValue:
    """Explain one entry: what happened, what the till sent, what was booked, what one can do."""
    return _page(flag_id)


@blueprint.post("/<int:flag_id>")
def settle(flag_id: int) -> ResponseReturnValue:
    """Take an entry out of the queue: accepted as it is, or dismissed with a reason."""
    return settle_one(
        _settle, flag_id, page=partial(_page, flag_id), back=url_for("queue.index", state="open")
    )


@blueprint.post("/chosen")
def settle_chosen() -> ResponseReturnValue:
    """Take the chosen entries out of the queue, all for one reason."""
    back = url_for("queue.index", state="open", code=request.form.get("code") or None)
    return settle_chosen_ones(_settle, back=back)


def _settle(session: Session, ids: list[int], *, state: str, note: str) -> int:
    return settle_flags(
        session,
        flag_ids=ids,
        state=state,
        note=note,
        store_id=viewer().store_id,
        actor=viewer().login,
        now=now(),
    )


@blueprint.post("/<int:flag_id>/card")
def link(flag_id: int) -> ResponseReturnValue:
    """Give the receipt of an entry to a card, and book its points late."""
    wrong = ""
    try:
        number = normalise_card_number(request.form.get("card_number", ""))
        with transaction() as session:
            row = read_flag(session, flag_id=flag_id, store_id=viewer().store_id)
            linked = link_card(
                session,
                business_date=row.business_date,
                receipt_id=row.receipt_id,
                card_number=number,
                now=now(),
                actor=viewer().login,
            )
    except BadCardNumber:
        wrong = _("This is no card number: its length or its check digit is wrong.")
    except CardNotFound:
        wrong = _("No card of this number was ever issued. Register it first, then link it.")
    except CardCannotEarn:
        wrong = _("This card was blocked or out of date when the receipt was closed.")
    except HasAccount:
        wrong = _("The receipt belongs to an account already. Somebody was faster.")
    if wrong:
        return _page(flag_id, errors={"card_number": wrong}), 422
    points = linked.earned - linked.reversed
    said = ngettext("Linked: %(num)s point was booked.", "Linked: %(num)s points were booked.", points)
    return go(url_for("queue.index", state="open"), said)


@blueprint.post("/<int:flag_id>/reopen")
def reopen(flag_id: int) -> ResponseReturnValue:
    """Put an entry back into the queue."""
    with transaction() as session:
        reopen_flag(session, flag_id=flag_id, store_id=viewer().store_id, actor=viewer().login, now=now())
    return go(url_for("queue.index", state="open"), _("It is in the queue again."))


@blueprint.post("/articles")
def find_articles() -> ResponseReturnValue:
    """Let lines that were sold as unknown find the articles that are known by now."""
    with transaction() as session:
        found = resolve_known(session, store_id=viewer().store_id, actor=viewer().login, now=now())
    said = ngettext("%(num)s line found its article.", "%(num)s lines found their articles.", found)
    return go(url_for("queue.index", state="open"), said)


def state_filter() -> Filter:
    """Return the filter by state, which both lists of the queue have."""
    return Filter(
        key="state",
        label=_("State"),
        choices=tuple(Choice(state, wording.flag_state(state)[0]) for state in STATES),
    )


def _page(flag_id: int, errors: dict[str, str] | None = None) -> str:
    with transaction() as session:
        flag = read_flag(session, flag_id=flag_id, store_id=viewer().store_id)
        receipt = read_receipt(session, business_date=flag.business_date, receipt_id=flag.receipt_id)
        points = points_of_receipt(session, business_date=flag.business_date, receipt_id=flag.receipt_id)
        steps = steps_of(session, kind="flag", entry_id=flag_id)
    return render_template(
        "screens/queue_entry.html",
        flag=flag,
        receipt=receipt,
        line=next((line for line in receipt.lines if line.line_number == flag.line_number), None),
        points=points,
        steps=steps,
        said=explanation(flag.code),
        errors=errors or {},
    )


def _pick() -> Pick[FlagRow]:
    return Pick(
        form=FORM,
        value=lambda row: str(row.flag_id) if row.state == "open" else None,
        label=lambda row: _(
            "Choose %(reason)s of receipt %(number)s",
            reason=wording.flag_name(row.code),
            number=row.receipt_number,
        ),
    )


def _columns() -> tuple[Column[FlagRow], ...]:
    return (
        Column(
            key="code",
            title=_("What is odd"),
            value=lambda row: wording.flag_name(row.code),
            second=lambda row: flag_detail(row.detail, currency=row.currency, timezone=row.timezone),
            sort=True,
        ),
        Column(
            key="receipt",
            title=_("Receipt"),
            value=lambda row: row.receipt_number,
            kind="code",
            second=lambda row: f"{row.store_code} · {row.till_code}",
        ),
        Column(key="card", title=_("Card"), value=lambda row: row.card_number, kind="code", shown=False),
        Column(key="business_date", title=_("Day"), value=lambda row: row.business_date, kind="date"),
        Column(key="store_code", title=_("Store"), value=lambda row: row.store_name, sort=True, shown=False),
        Column(
            key="flagged_at",
            title=_("Flagged"),
            value=lambda row: row.flagged_at,
            kind="moment",
            sort=True,
            lesser=True,
        ),
        Column(
            key="payable_amount",
            title=_("Paid"),
            value=lambda row: row.payable_amount,
            kind="money",
            currency=lambda row: row.currency,
            sort=True,
        ),
        Column(
            key="state", title=_("State"), value=lambda row: wording.flag_state(row.state)[0], figure=_state
        ),
        Column(key="resolved_by", title=_("By"), value=lambda row: row.resolved_by, shown=False),
        Column(key="note", title=_("Note"), value=lambda row: row.note, shown=False),
    )


def _state(row: FlagRow) -> Markup:
    return badge(*wording.flag_state(row.state))

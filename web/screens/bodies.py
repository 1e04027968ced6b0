"""Second bodies under one receipt's identity: kept, never booked, shown beside what was stored."""

from functools import partial

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from sales.figures import open_flags
from sales.quarantine import (
    BodyRow,
    compared,
    list_bodies,
    open_bodies,
    read_body,
    reopen_body,
    settle_bodies,
)
from sales.work_queue import steps_of
from web import wording
from web.cells import badge
from web.export import respond
from web.notices import go
from web.queue_words import field_name
from web.roles import may
from web.screens.decisions import settle_chosen_ones, settle_one
from web.screens.queue import FORM, Tabs, state_filter
from web.state import now, transaction, viewer
from web.tables import Column, Empty, Pick, Table
from web.words import gettext as _

blueprint = Blueprint("bodies", __name__, url_prefix="/queue/bodies")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the bodies that came under a receipt's identity and said something else."""
    store_id = viewer().store_id
    with transaction() as session:
        tabs = Tabs(open_flags(session, store_id=store_id), open_bodies(session, store_id=store_id))
        table = Table(
            name="bodies",
            find=_("Receipt number"),
            default_sort="-received_at",
            columns=_columns(),
            filters=(state_filter(),),
            fetch=lambda ask: list_bodies(session, ask, store_id=store_id),
            href=lambda row: url_for("bodies.show", quarantine_id=row.quarantine_id),
            in_panel=False,
            pick=_pick() if may(viewer().role, "bodies.settle_chosen") else None,
            empty=Empty(
                _("No second bodies"),
                _(
                    "When a till sends another content under a number that is taken, the first one stands and the second is kept here."
                ),
                "circle-check",
            ),
        )
        return respond("screens/bodies.html", table, tabs=tabs)


@blueprint.get("/<int:quarantine_id>")
def show(quarantine_id: int) -> ResponseReturnValue:
    """Show the stored receipt and the second body side by side."""
    return _page(quarantine_id)


@blueprint.post("/<int:quarantine_id>")
def settle(quarantine_id: int) -> ResponseReturnValue:
    """Take a body out of the queue; the stored receipt stands."""
    return settle_one(
        _settle, quarantine_id, page=partial(_page, quarantine_id), back=url_for("bodies.index", state="open")
    )


@blueprint.post("/chosen")
def settle_chosen() -> ResponseReturnValue:
    """Take the chosen bodies out of the queue, all for one reason."""
    return settle_chosen_ones(_settle, back=url_for("bodies.index", state="open"))


def _settle(session: Session, ids: list[int], *, state: str, note: str) -> int:
    return settle_bodies(
        session,
        quarantine_ids=ids,
        state=state,
        note=note,
        store_id=viewer().store_id,
        actor=viewer().login,
        now=now(),
    )


@blueprint.post("/<int:quarantine_id>/reopen")
def reopen(quarantine_id: int) -> ResponseReturnValue:
    """Put a body back into the queue."""
    with transaction() as session:
        reopen_body(
            session,
            quarantine_id=quarantine_id,
            store_id=viewer().store_id,
            actor=viewer().login,
            now=now(),
        )
    return go(url_for("bodies.index", state="open"), _("It is in the queue again."))


def _page(quarantine_id: int, errors: dict[str, str] | None = None) -> str:
    with transaction() as session:
        row = read_body(session, quarantine_id=quarantine_id, store_id=viewer().store_id)
        fields = compared(session, row)
        steps = steps_of(session, kind="body", entry_id=quarantine_id)
    return render_template(
        "screens/body.html",
        row=row,
        differences=[(field_name(one.pointer), one) for one in fields if one.differs],
        agreements=[(field_name(one.pointer), one) for one in fields if not one.differs],
        steps=steps,
        errors=errors or {},
    )


def _pick() -> Pick[BodyRow]:
    return Pick(
        form=FORM,
        value=lambda row: str(row.quarantine_id) if row.state == "open" else None,
        label=lambda row: _("Choose receipt %(number)s", number=row.receipt_number),
    )


def _columns() -> tuple[Column[BodyRow], ...]:
    return (
        Column(
            key="receipt_number",
            title=_("Receipt"),
            value=lambda row: row.receipt_number,
            kind="code",
            second=lambda row: f"{row.store_code} · {row.till_code}",
        ),
        Column(
            key="business_date", title=_("Day"), value=lambda row: row.business_date, kind="date", sort=True
        ),
        Column(key="store_code", title=_("Store"), value=lambda row: row.store_name, sort=True, shown=False),
        Column(
            key="stored_at",
            title=_("First body"),
            value=lambda row: row.payable_amount,
            kind="money",
            currency=lambda row: row.currency,
        ),
        Column(
            key="second",
            title=_("Second body"),
            value=lambda row: row.other_payable,
            kind="money",
            currency=lambda row: row.currency,
        ),
        Column(
            key="received_at",
            title=_("Second came"),
            value=lambda row: row.received_at,
            kind="moment",
            timezone=lambda row: row.timezone,
            sort=True,
        ),
        Column(
            key="state", title=_("State"), value=lambda row: wording.flag_state(row.state)[0], figure=_state
        ),
        Column(key="resolved_by", title=_("By"), value=lambda row: row.resolved_by, shown=False),
        Column(key="note", title=_("Note"), value=lambda row: row.note, shown=False),
    )


def _state(row: BodyRow) -> Markup:
    return badge(*wording.flag_state(row.state))

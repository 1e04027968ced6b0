"""Adjustments of points: asked for on a member's page, and above the limit approved by somebody else."""

from uuid import UUID, uuid4

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from core.audit import record_event
from core.errors import Conflict
from customers.member_lists import read_member
from loyalty.adjustment_lists import (
    AdjustmentRow,
    change_of,
    list_adjustments,
    read_adjustment,
    waiting_adjustments,
)
from loyalty.adjustments import (
    LONGEST_NOTE,
    REASONS,
    BadAdjustment,
    MoreThanThereIs,
    Wish,
    approve_adjustment,
    limit_of,
    reject_adjustment,
    request_adjustment,
    withdraw_adjustment,
)
from loyalty.explanations import adjustment_reason
from loyalty.queries import position_of_account
from web import wording
from web.cells import badge
from web.export import respond
from web.notices import go
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import gettext as _
from web.words import language, ngettext, number_text

blueprint = Blueprint("adjustments", __name__, url_prefix="/adjustments")
STATES = ("requested", "approved", "rejected", "withdrawn")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List adjustments; names are in it, so the look is recorded."""
    with transaction() as session:
        _record(session, "adjustment.list")
        table = Table(
            name="adjustments",
            default_sort="-requested_at",
            columns=_columns(),
            filters=(
                Filter(
                    key="state",
                    label=_("State"),
                    choices=tuple(Choice(state, wording.adjustment_state(state)[0]) for state in STATES),
                ),
                Filter(
                    key="reason",
                    label=_("Reason"),
                    choices=tuple(
                        Choice(reason, adjustment_reason(reason, language())) for reason in REASONS
                    ),
                ),
            ),
            fetch=lambda ask: list_adjustments(session, ask),
            href=lambda row: url_for("adjustments.show", adjustment_id=row.adjustment_id),
            empty=Empty(
                _("No points were adjusted"),
                _(
                    "Open a member and choose “Adjust points”. Above the limit it waits here for a second person."
                ),
                "circle-check",
            ),
        )
        return respond(
            "screens/adjustments.html",
            table,
            on_export=lambda: _record(session, "adjustment.export"),
            waiting=waiting_adjustments(session),
        )


@blueprint.get("/<uuid:adjustment_id>")
def show(adjustment_id: UUID) -> ResponseReturnValue:
    """Show one adjustment and, while it waits, what approving it would change now."""
    return _page(adjustment_id)


@blueprint.get("/new/<uuid:member_id>")
def new(member_id: UUID) -> ResponseReturnValue:
    """Show the form for a member's points."""
    return _form(member_id, {"adjustment_id": str(uuid4())}, {})


@blueprint.post("/new/<uuid:member_id>")
def add(member_id: UUID) -> ResponseReturnValue:
    """Take up what is to be adjusted: it is booked at once, or waits for a second person."""
    given = {
        key: request.form.get(key, "").strip()
        for key in ("adjustment_id", "direction", "points", "reason", "note")
    }
    points = _points(given)
    if points is None:
        return _form(member_id, given, {"points": _("Enter a whole number of points, 1 or more")}), 422
    try:
        adjustment_id = UUID(given["adjustment_id"])
    except ValueError as error:
        raise BadRequest from error
    try:
        with transaction() as session:
            member = read_member(session, member_id=member_id).row
            state = request_adjustment(
                session,
                adjustment_id=adjustment_id,
                wish=Wish(member.account_id, member_id, points, given["reason"], given["note"]),
                actor=viewer().login,
                role=viewer().role,
                now=now(),
            )
    except BadAdjustment as refusal:
        return _form(member_id, given, {refusal.field: _refusal(refusal)}), 422
    except MoreThanThereIs as refusal:
        return _form(member_id, given, {"points": _only(refusal.there)}), 422
    except Conflict:
        given["adjustment_id"] = str(uuid4())
        return _form(
            member_id, given, {"note": _("This form was sent before. Check the list, then send it again.")}
        ), 409
    if state == "approved":
        return go(
            url_for("members.show", member_id=member_id),
            _("Booked: %(points)s points.", points=wording.signed(points)),
        )
    return go(
        url_for("adjustments.show", adjustment_id=adjustment_id),
        _("It is above your limit and waits for somebody else to approve it."),
        "caution",
    )


@blueprint.post("/<uuid:adjustment_id>/approve")
def approve(adjustment_id: UUID) -> ResponseReturnValue:
    """Approve what a colleague asked for; it is booked at once."""
    return _decide(adjustment_id, "approved")


@blueprint.post("/<uuid:adjustment_id>/reject")
def reject(adjustment_id: UUID) -> ResponseReturnValue:
    """Reject what a colleague asked for."""
    return _decide(adjustment_id, "rejected")


@blueprint.post("/<uuid:adjustment_id>/withdraw")
def withdraw(adjustment_id: UUID) -> ResponseReturnValue:
    """Take back one's own request."""
    return _decide(adjustment_id, "withdrawn")


def _decide(adjustment_id: UUID, state: str) -> ResponseReturnValue:
    note = request.form.get("decision_note", "")
    here = url_for("adjustments.show", adjustment_id=adjustment_id)
    who = {"adjustment_id": adjustment_id, "actor": viewer().login, "now": now()}
    try:
        with transaction() as session:
            if state == "approved":
                approve_adjustment(session, **who, note=note)  # type: ignore[arg-type]
            elif state == "rejected":
                reject_adjustment(session, **who, note=note)  # type: ignore[arg-type]
            else:
                withdraw_adjustment(session, **who)  # type: ignore[arg-type]
    except BadAdjustment as refusal:
        return _page(adjustment_id, note=note, errors={"decision_note": _refusal(refusal)}), 422
    except MoreThanThereIs as refusal:
        return go(here, _only(refusal.there), "bad")
    except Conflict:
        return go(
            here, _("Nothing was changed: somebody has decided already, or it is not yours to decide."), "bad"
        )
    said = {
        "approved": _("Approved and booked."),
        "rejected": _("Rejected. No points moved."),
        "withdrawn": _("Withdrawn. No points moved."),
    }
    return go(here, said[state])


def _page(adjustment_id: UUID, *, note: str = "", errors: dict[str, str] | None = None) -> str:
    with transaction() as session:
        row = read_adjustment(session, adjustment_id=adjustment_id)
        record_event(
            session,
            now=now(),
            actor=viewer().login,
            action="adjustment.view",
            subject_kind="adjustment",
            subject_id=str(adjustment_id),
        )
        change = None
        if row.state == "requested":
            change = change_of(session, account_id=row.account_id, points=row.points, now=now())
    return render_template(
        "screens/adjustment.html",
        row=row,
        change=change,
        reason=adjustment_reason(row.reason, language()),
        own=row.requested_by == viewer().login,
        note=note,
        errors=errors or {},
    )


def _form(member_id: UUID, given: dict[str, str], errors: dict[str, str]) -> str:
    with transaction() as session:
        member = read_member(session, member_id=member_id).row
        record_event(
            session,
            now=now(),
            actor=viewer().login,
            action="member.view",
            subject_kind="member",
            subject_id=member.member_code,
        )
        position = position_of_account(session, account_id=member.account_id, now=now())
        limit = limit_of(session, role=viewer().role)
    return render_template(
        "screens/adjustment_new.html",
        member=member,
        points=position,
        limit=limit,
        given=given,
        errors=errors,
        reasons=[(reason, adjustment_reason(reason, language())) for reason in REASONS],
        directions=[("give", _("Give points")), ("take", _("Take points"))],
        longest=LONGEST_NOTE,
    )


def _record(session: Session, action: str) -> None:
    record_event(
        session,
        now=now(),
        actor=viewer().login,
        action=action,
        subject_kind="list",
        subject_id=request.query_string.decode()[:300] or "all",
    )


def _points(given: dict[str, str]) -> int | None:
    """Return the points with their sign; None when what was entered is no number."""
    digits = "".join(given["points"].split())
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18 and int(digits)):
        return None
    return -int(digits) if given["direction"] == "take" else int(digits)


def _only(there: int) -> str:
    return ngettext("Only %(num)s point can be taken", "Only %(num)s points can be taken", there)


def _refusal(refusal: BadAdjustment) -> str:
    if refusal.field == "points":
        return _("Enter a whole number of points, 1 or more, up to ten million")
    if refusal.field == "reason":
        return _("Choose a reason")
    text = request.form.get(refusal.field, "").strip()
    if not text:
        return _("Say why in a few words")
    if len(text) > LONGEST_NOTE:
        return _("At most %(num)s characters", num=number_text(LONGEST_NOTE))
    return _("A payment-card number stands here; take it out")


def _columns() -> tuple[Column[AdjustmentRow], ...]:
    return (
        Column(
            key="points",
            title=_("Points"),
            value=lambda row: row.points,
            kind="number",
            figure=lambda row: wording.signed(row.points),
            sort=True,
        ),
        Column(
            key="member",
            title=_("Member"),
            value=lambda row: row.name,
            second=lambda row: row.member_code,
        ),
        Column(
            key="reason",
            title=_("Reason"),
            value=lambda row: adjustment_reason(row.reason, language()),
            second=lambda row: row.note,
        ),
        Column(key="note", title=_("Words"), value=lambda row: row.note, shown=False),
        Column(
            key="state",
            title=_("State"),
            value=lambda row: wording.adjustment_state(row.state)[0],
            figure=_state,
        ),
        Column(key="requested_by", title=_("Asked for by"), value=lambda row: row.requested_by),
        Column(
            key="requested_at",
            title=_("Asked for"),
            value=lambda row: row.requested_at,
            kind="moment",
            sort=True,
        ),
        Column(key="decided_by", title=_("Decided by"), value=lambda row: row.decided_by),
        Column(
            key="decided_at",
            title=_("Decided"),
            value=lambda row: row.decided_at,
            kind="moment",
            sort=True,
            shown=False,
        ),
    )


def _state(row: AdjustmentRow) -> Markup:
    return badge(*wording.adjustment_state(row.state))

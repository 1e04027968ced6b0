"""One voucher: found by its code, what happened to it, printed again, cancelled."""

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from core.audit import record_event
from rewards.codes import typed
from rewards.vouchers.batches import batch_of
from rewards.vouchers.changes import cancel_vouchers
from rewards.vouchers.lists import voucher_row, voucher_story
from web import gift_words
from web.export import respond
from web.notices import go
from web.state import now, transaction, viewer
from web.typed import wrong_text
from web.voucher_shown import printed, table_of_vouchers
from web.words import gettext as _
from web.words import language

blueprint = Blueprint("vouchers", __name__, url_prefix="/vouchers/codes")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List all vouchers; members' names are in it, so the look is recorded."""
    with transaction() as session:
        _record(session, "voucher.list")
        return respond(
            "screens/vouchers.html",
            table_of_vouchers(session),
            on_export=lambda: _record(session, "voucher.export"),
        )


@blueprint.get("/<voucher_code>")
def show(voucher_code: str) -> ResponseReturnValue:
    """Show a voucher and everything that happened to it."""
    code = typed(voucher_code)
    with transaction() as session:
        row = voucher_row(session, code)
        story = voucher_story(session, code)
        batch_name = batch_of(session, row.batch_code).name(language())
        record_event(
            session,
            now=now(),
            actor=viewer().login,
            action="voucher.view",
            subject_kind="voucher",
            subject_id=code,
        )
    return render_template(
        "screens/voucher.html",
        row=row,
        story=story,
        batch_name=batch_name,
        state=gift_words.voucher_states()[row.state],
        events=gift_words.voucher_events(),
    )


@blueprint.post("/<voucher_code>/print")
def print_again(voucher_code: str) -> ResponseReturnValue:
    """Return a voucher as a sheet; it stays what it is, and that it was printed is written down."""
    with transaction() as session:
        row = voucher_row(session, voucher_code)
        if row.state not in {"issued", "reserved"}:
            here = url_for("vouchers.show", voucher_code=voucher_code)
            return go(here, _("Only open vouchers are printed."), "caution")
        content = printed(session, [voucher_code])
    headers = {"Content-Disposition": f'inline; filename="{voucher_code}.pdf"'}
    return Response(content, mimetype="application/pdf", headers=headers)


@blueprint.post("/<voucher_code>/cancel")
def cancel(voucher_code: str) -> ResponseReturnValue:
    """Cancel a voucher that nobody has used."""
    here = url_for("vouchers.show", voucher_code=voucher_code)
    reason = request.form.get("reason", "").strip()
    if words := wrong_text(reason, needed=True):
        return go(here, words, "bad")
    with transaction() as session:
        cancelled = cancel_vouchers(
            session, codes=[voucher_code], reason=reason, actor=viewer().login, now=now()
        )
    if not cancelled:
        return go(here, _("Nothing was changed: it was used or cancelled already."), "caution")
    return go(here, _("Cancelled."))


def _record(session: Session, action: str) -> None:
    record_event(
        session,
        now=now(),
        actor=viewer().login,
        action=action,
        subject_kind="list",
        subject_id=request.query_string.decode()[:300] or "all",
    )

"""The proof room: ten sample copies side by side, page by page; a second person approves, or sends back."""

from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalogs.copy_files import read_archived
from catalogs.pdf.page_images import page_image
from catalogs.runs.lists import Proof, proof_file, read_proof, read_run
from catalogs.runs.operations import ChangedSinceProof, OwnRun, approve_run, content_of_run, send_back
from catalogs.runs.run import BadRun, changes_between
from core.audit import record_event
from core.errors import Conflict, NotFound
from sales.models import Article
from web.catalogs.words import articles_in, change_words, countries_words, part_words, run_state, why_words
from web.groups.shown import groups_now
from web.notices import go
from web.roles import may
from web.state import now, state, transaction, viewer
from web.words import gettext as _
from web.words import language_name

blueprint = Blueprint("catalog_proofs", __name__, url_prefix="/catalogs/runs/<uuid:run_id>/proof")

WIDTHS = (420, 1_000)
"""Pixels: beside others, and alone."""


class NoProof(NotFound):
    """The run has no proof yet."""


@blueprint.get("/")
def show(run_id: UUID) -> ResponseReturnValue:
    """Show the newest proof: all its copies at one page, or one copy alone; and what changed since the one before."""
    with transaction() as session:
        run = read_run(session, run_id=run_id)
        proof = read_proof(session, run_id=run_id, number=run.proof)
        if proof is None or not proof.copies:
            raise NoProof("There is no proof of this run yet")
        pages = max(copy.pages for copy in proof.copies)
        page = min(max(_number("page", 1), 1), pages)
        alone = next((copy for copy in proof.copies if copy.place == _number("copy", 0)), None)
        before = read_proof(session, run_id=run_id, number=proof.number - 1) if proof.number > 1 else None
        _look(session, run.run_code, proof)
        return render_template(
            "screens/catalog_proof.html",
            run=run,
            proof=proof,
            page=page,
            pages=pages,
            alone=alone,
            changed=proof.content != content_of_run(session, run_id),
            changes=_changes(session, before, proof),
            before=before,
            may_decide=may(viewer().role, "catalog_proofs.approve") and run.state == "proofed",
            mine=run.made_by == viewer().login,
            why_words=why_words,
            countries_words=countries_words,
            language_name=language_name,
            run_state=run_state,
        )


def _look(session: Session, run_code: str, proof: Proof) -> None:
    """Write down that somebody looked at copies, which name members."""
    record_event(
        session,
        now=now(),
        actor=viewer().login,
        action="catalog_proof.view",
        subject_kind="catalog_run",
        subject_id=run_code,
        detail={"proof": proof.number, "members": [copy.member_code for copy in proof.copies]},
    )


def _changes(session: Session, before: Proof | None, proof: Proof) -> list[tuple[str, str, str, str]]:
    """Return group, part, before and after of what differs from the proof before."""
    if before is None:
        return []
    found = changes_between(before.content, proof.content)
    rows = session.execute(
        select(Article.article_id, Article.name).where(Article.article_id.in_(articles_in(found)))
    )
    names = {row.article_id: row.name for row in rows}
    shown = groups_now(session)
    return [
        (shown.words(change.edition) or change.edition, part_words(change.part), *change_words(change, names))
        for change in found
    ]


@blueprint.get("/<int:number>/<int:place>/<int:page>.png")
def picture(run_id: UUID, number: int, place: int, page: int) -> ResponseReturnValue:
    """Send a page of a copy as a picture; what it shows never changes."""
    response = make_response(page_image(_content(run_id, number, place), page, width=_width()))
    response.headers["Content-Type"] = "image/png"
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response


@blueprint.get("/<int:number>/<int:place>.pdf")
def document(run_id: UUID, number: int, place: int) -> ResponseReturnValue:
    """Send a copy of a proof."""
    with transaction() as session:
        path, _digest = proof_file(session, run_id=run_id, number=number, place=place)
    _content(run_id, number, place)
    return send_file(
        state().data.resolve() / path,
        mimetype="application/pdf",
        as_attachment=True,
        download_name=f"proof-{number}-{place}.pdf",
    )


@blueprint.post("/<int:number>/approve")
def approve(run_id: UUID, number: int) -> ResponseReturnValue:
    """Approve the run as this proof shows it."""
    back = url_for("catalog_proofs.show", run_id=run_id)
    try:
        with transaction() as session:
            approve_run(session, run_id=run_id, actor=viewer().login, now=now(), proof=number)
    except OwnRun:
        return go(back, _("Somebody else approves what you made."), "bad")
    except ChangedSinceProof:
        return go(back, _("It was changed since this proof. Look at a new one first."), "caution")
    except Conflict:
        return go(back, _("It was decided already."), "caution")
    return go(url_for("catalog_runs.show", run_id=run_id), _("Approved. Its copies can be made now."))


@blueprint.post("/send-back")
def return_it(run_id: UUID) -> ResponseReturnValue:
    """Send the run back to its maker with a comment."""
    back = url_for("catalog_proofs.show", run_id=run_id)
    try:
        with transaction() as session:
            send_back(
                session,
                run_id=run_id,
                comment=request.form.get("comment", ""),
                actor=viewer().login,
                now=now(),
            )
    except BadRun:
        return go(back, _("Say what is to be changed."), "bad")
    except Conflict:
        return go(back, _("It was decided already."), "caution")
    return go(url_for("catalog_runs.show", run_id=run_id), _("Sent back."))


def _content(run_id: UUID, number: int, place: int) -> bytes:
    with transaction() as session:
        path, digest = proof_file(session, run_id=run_id, number=number, place=place)
    return read_archived(state().data, path, digest)


def _width() -> int:
    wanted = _number("width", WIDTHS[0])
    return wanted if wanted in WIDTHS else WIDTHS[0]


def _number(name: str, default: int) -> int:
    value: Any = request.args.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 6 else default

"""A customer's catalogs: every copy that was made for them, and each as its PDF."""

from io import BytesIO
from uuid import UUID

from flask import Blueprint, Response, render_template, send_file
from flask.typing import ResponseReturnValue

from catalogs.pdf.page_images import page_image
from core.audit import record_event
from web.customers.catalogs import document_of, is_made_again, own_copies, own_copy
from web.state import customer, now, transaction

blueprint = Blueprint("my_catalogs", __name__, url_prefix="/my/catalogs")
COVER_WIDTH = 420
"""Pixels: twice what a cover is wide on the page."""


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show all copies of the customer."""
    with transaction() as session:
        return render_template(
            "my/catalogs.html",
            copies=own_copies(session, customer(), now=now()),
            made_again=is_made_again(session, customer(), now=now()),
        )


@blueprint.get("/<uuid:copy_id>.pdf")
def download(copy_id: UUID) -> ResponseReturnValue:
    """Send one of the customer's copies exactly as it was made; that it was opened is recorded."""
    with transaction() as session:
        copy = own_copy(session, copy_id=copy_id, person=customer(), now=now())
        record_event(
            session,
            now=now(),
            actor=customer().actor,
            action="catalog.download",
            subject_kind="member",
            subject_id=copy.member_code,
            detail={"copy_code": copy.copy_code},
        )
    return send_file(
        BytesIO(document_of(copy)),
        mimetype="application/pdf",
        as_attachment=False,
        download_name=f"{copy.copy_code}.pdf",
    )


@blueprint.get("/<uuid:copy_id>.png")
def cover(copy_id: UUID) -> ResponseReturnValue:
    """Show the cover of one of the customer's copies."""
    with transaction() as session:
        copy = own_copy(session, copy_id=copy_id, person=customer(), now=now())
    response = Response(page_image(document_of(copy), 1, width=COVER_WIDTH), mimetype="image/png")
    # What was made never changes; nobody but this browser keeps it.
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response

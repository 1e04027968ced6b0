"""Offers as a file: the document of format 1, taken away and brought back, with each refusal at its place."""

import json
from typing import Any, Final

from flask import Blueprint, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from core.audit import record_event
from rewards.codec import OffersRefused
from rewards.document_reading import read_json
from rewards.offer_operations import import_document
from rewards.offer_queries import export_document
from web.notices import go
from web.roles import ADMINISTRATOR, MARKETING
from web.state import now, transaction, viewer
from web.words import gettext as _
from web.words import ngettext

blueprint = Blueprint("offer_files", __name__, url_prefix="/offers/file")
LARGEST: Final = 10_000_000


@blueprint.get("/")
def choose() -> ResponseReturnValue:
    """Show what can be taken away, and the form that brings a file back."""
    return _page()


@blueprint.get("/offers.json")
def export() -> ResponseReturnValue:
    """Return the offers with their vouchers and rewards as the file that an import reads; codes only for some."""
    with transaction() as session:
        document = export_document(session, now=now(), with_codes=_sees_codes())
        codes = sum(len(batch.get("codes", ())) for batch in document.get("vouchers", ()))
        _record(session, "offer.export", {"offers": len(document["offers"]), "codes": codes})
    answer = jsonify(document)
    answer.headers["Content-Disposition"] = 'attachment; filename="offers.json"'
    return answer


@blueprint.post("/")
def upload() -> ResponseReturnValue:
    """Read a file: drafts, or live at once for administrators who say so; all of it or nothing."""
    file = request.files.get("file")
    content = file.stream.read(LARGEST + 1) if file else b""
    if not content or len(content) > LARGEST:
        words = _("Choose a file of at most 10 MB") if not content else _("The file is larger than 10 MB")
        return _page(words), 422
    try:
        document = read_json(content)
    except ValueError as error:
        words = _("This is no JSON: %(detail)s", detail=str(error)[:200])
        return _page(words), 422
    live = request.form.get("live") == "1" and viewer().role == ADMINISTRATOR
    try:
        with transaction() as session:
            done = import_document(session, document=document, actor=viewer().login, now=now(), live=live)
    except OffersRefused as refusal:
        place = _place(document, refusal.pointer)
        told = {"pointer": refusal.pointer, "detail": refusal.detail, "place": place}
        return _page(_("Nothing was imported: there is a fault in the file"), told), 422
    return go(url_for("offers.index"), _said(len(done.versions), len(done.unchanged), live=live))


def _page(error: str = "", refusal: dict[str, str] | None = None) -> str:
    errors = {"file": error} if error else {}
    return render_template(
        "screens/offer_files.html", refusal=refusal, errors=errors, sees_codes=_sees_codes()
    )


def _sees_codes() -> bool:
    """Return whether codes may leave the house with the viewer: who has one has its value."""
    return viewer().role in {MARKETING, ADMINISTRATOR}


def _said(fresh: int, unchanged: int, *, live: bool) -> str:
    made = (
        ngettext("%(num)s offer is live.", "%(num)s offers are live.", fresh)
        if live
        else ngettext("%(num)s draft was made.", "%(num)s drafts were made.", fresh)
    )
    same = ngettext("%(num)s offer was the same already.", "%(num)s offers were the same already.", unchanged)
    return f"{made} {same}" if unchanged else made


def _place(document: Any, pointer: str) -> str:
    """Return what stands at the place of a refusal, or around it, as it stands in the file; cut where it is long."""
    found = document
    for part in [one.replace("~1", "/").replace("~0", "~") for one in pointer.split("/")[1:]]:
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            break
    try:
        written = json.dumps(found, ensure_ascii=False, indent=2, default=float)
    except RecursionError:
        return ""
    text = written.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= 600 else text[:600] + " …"


def _record(session: Session, action: str, detail: dict[str, Any]) -> None:
    record_event(
        session,
        now=now(),
        actor=viewer().login,
        action=action,
        subject_kind="offer",
        subject_id="*",
        detail=detail,
    )

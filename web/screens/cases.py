"""Cases: complaints, return disputes, grievances and questions; opened from the member, settled with thanks."""

from datetime import date
from typing import Any, cast
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from contacts.case_lists import CaseView, list_cases, owners, read_case
from contacts.cases import KINDS, LONGEST_TEXT, AlreadyResolved, Kind, open_case, resolve_case
from core.audit import record_event
from core.ids import find_uuid
from customers.member_lists import MemberRow, read_member
from sales.queries import find_article
from sales.receipt_lists import NoSuchReceipt, ReceiptView, read_receipt
from web import contact_words
from web.cells import badge
from web.export import respond
from web.notices import go
from web.roles import may
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.typed import wrong_text
from web.words import gettext as _

blueprint = Blueprint("cases", __name__)


@blueprint.get("/cases/")
def index() -> ResponseReturnValue:
    """List cases, open ones by default; the look at names is recorded."""
    with transaction() as session:
        table = Table(
            name="cases",
            find=_("Case number or member code"),
            default_sort="-opened_at",
            columns=_columns(),
            filters=(
                Filter(
                    key="state",
                    label=_("State"),
                    choices=tuple(
                        Choice(one, contact_words.case_state(one)[0]) for one in ("open", "resolved")
                    ),
                ),
                Filter(
                    key="kind",
                    label=_("Kind"),
                    choices=tuple(Choice(one, contact_words.case_kind(one)) for one in KINDS),
                ),
                Filter(
                    key="owner", label=_("Owner"), choices=tuple(Choice(one, one) for one in owners(session))
                ),
            ),
            fetch=lambda ask: list_cases(session, ask),
            href=lambda row: url_for("cases.show", case_number=row.case_number),
            empty=Empty(
                _("No cases"),
                _(
                    "Whoever complains or asks gets a case on their page, which stays open until it is settled."
                ),
                "circle-check",
            ),
        )
        _record(session, "case.list", "cases")
        return respond("screens/cases.html", table)


@blueprint.get("/cases/<case_number>")
def show(case_number: str) -> ResponseReturnValue:
    """Show one case; the look is recorded."""
    return _page(case_number)


@blueprint.post("/cases/<case_number>")
def resolve(case_number: str) -> ResponseReturnValue:
    """Settle a case; the member is thanked and told how."""
    resolution = request.form.get("resolution", "").strip()
    wrong = wrong_text(resolution, needed=True, longest=LONGEST_TEXT)
    if wrong:
        return _page(case_number, resolution=resolution, errors={"resolution": wrong}), 422
    with transaction() as session:
        member_id = read_case(session, case_number).member_id
        back = url_for("members.show", member_id=member_id, tab="cases")
        try:
            resolve_case(
                session,
                case_number=case_number,
                resolution=resolution,
                channel="desk",
                actor=viewer().login,
                now=now(),
            )
        except AlreadyResolved:
            return go(back, _("Somebody has settled it already."), "caution")
    return go(back, _("Settled. The member is thanked, and told by mail if there is an address."))


@blueprint.get("/members/<uuid:member_id>/cases/new")
def new(member_id: UUID) -> ResponseReturnValue:
    """Ask what the case is about; a receipt may be named, whose articles are offered then."""
    return _form(member_id, dict(request.args), {})


@blueprint.post("/members/<uuid:member_id>/cases/new")
def open_new(member_id: UUID) -> ResponseReturnValue:
    """Open a case."""
    given = {name: value.strip() for name, value in request.form.items()}
    errors = {}
    if wrong := wrong_text(given.get("text", ""), needed=True, longest=LONGEST_TEXT):
        errors["text"] = wrong
    if given.get("kind") not in KINDS:
        errors["kind"] = _("Choose what it is")
    if wrong := wrong_text(given.get("sku", "")):
        errors["sku"] = wrong
    with transaction() as session:
        row = read_member(session, member_id=member_id).row
        article = find_article(session, given["sku"]) if given.get("sku") and not wrong else None
        if given.get("sku") and article is None:
            errors.setdefault("sku", _("No article has this number."))
        receipt = _own_receipt(session, row, given)
        if not errors:
            number = open_case(
                session,
                member_id=member_id,
                kind=cast("Kind", given["kind"]),
                text=given["text"],
                article_id=article.article_id if article else None,
                receipt=(receipt.row.business_date, receipt.row.receipt_id) if receipt else None,
                channel="desk",
                actor=viewer().login,
                now=now(),
            )
    if errors:
        return _form(member_id, given, errors), 422
    return go(
        url_for("members.show", member_id=member_id, tab="cases"),
        _("Case %(number)s is open. Its article is not promoted to this member meanwhile.", number=number)
        if article
        else _("Case %(number)s is open.", number=number),
    )


def _receipt_of(given: dict[str, str]) -> tuple[date, UUID] | None:
    receipt_id = find_uuid(given.get("receipt", ""))
    try:
        day = date.fromisoformat(given.get("day", ""))
    except ValueError:
        return None
    return (day, receipt_id) if receipt_id else None


def _form(member_id: UUID, given: dict[str, str], errors: dict[str, str]) -> str:
    with transaction() as session:
        member = read_member(session, member_id=member_id)
        _record(session, "member.view", member.row.member_code)
        named = _receipt_of(given)
        return render_template(
            "screens/case_new.html",
            bought_on=named[0] if named else None,
            row=member.row,
            given=given,
            errors=errors,
            kinds=[(one, contact_words.case_kind(one)) for one in KINDS],
            articles=_bought(session, member.row, given),
        )


def _own_receipt(session: Session, row: MemberRow, given: dict[str, str]) -> ReceiptView | None:
    """Return the receipt that is named, None when none is; raises `NoSuchReceipt` for what is not this member's."""
    named = _receipt_of(given)
    if named is None:
        return None
    receipt = read_receipt(session, business_date=named[0], receipt_id=named[1])
    if receipt.row.member_id != row.member_id:
        raise NoSuchReceipt("this member has no such receipt")
    return receipt


def _bought(session: Session, row: MemberRow, given: dict[str, str]) -> list[tuple[str, str]]:
    """Return the articles of the receipt that the case is about."""
    receipt = _own_receipt(session, row, given)
    lines = receipt.lines if receipt else ()
    found = {line.sku: line.name or line.sku for line in lines if line.sku and line.article_id}
    return sorted(found.items(), key=lambda one: one[1])


def _page(case_number: str, *, resolution: str = "", errors: dict[str, str] | None = None) -> str:
    with transaction() as session:
        case = read_case(session, case_number)
        _record(session, "case.view", case_number, kind="case")
        context: dict[str, Any] = {
            "case": case,
            "contact_words": contact_words,
            "resolution": resolution,
            "errors": errors or {},
            "settles": case.state == "open" and may(viewer().role, "cases.resolve"),
        }
        return render_template("screens/case.html", **context)


def _record(session: Session, action: str, subject: str, *, kind: str = "list") -> None:
    record_event(
        session,
        now=now(),
        actor=viewer().login,
        action=action,
        subject_kind="member" if action == "member.view" else kind,
        subject_id=subject,
    )


def _columns() -> tuple[Column[CaseView], ...]:
    return (
        Column(
            key="case_number",
            title=_("Case"),
            value=lambda row: row.case_number,
            second=lambda row: contact_words.case_kind(row.kind),
            kind="code",
            sort=True,
        ),
        Column(
            key="state",
            title=_("State"),
            value=lambda row: contact_words.case_state(row.state)[0],
            figure=_state,
        ),
        Column(
            key="member",
            title=_("Member"),
            value=lambda row: row.member_name,
            second=lambda row: row.member_code,
            personal=True,
        ),
        Column(key="article", title=_("Article"), value=lambda row: row.article_name),
        Column(key="owner", title=_("Owner"), value=lambda row: row.owner, sort=True),
        Column(key="opened_at", title=_("Opened"), value=lambda row: row.opened_at, kind="moment", sort=True),
        Column(
            key="resolved_at",
            title=_("Resolved"),
            value=lambda row: row.resolved_at,
            kind="moment",
            sort=True,
        ),
    )


def _state(row: CaseView) -> Markup:
    return badge(*contact_words.case_state(row.state))

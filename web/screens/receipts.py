"""Receipts: the list, and one receipt down to its lines, points and flags."""

from datetime import date
from uuid import UUID

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from customers.member_lists import MemberRow, NoSuchMember, read_member
from loyalty.statements import points_of_receipt
from sales.receipt_lists import ReceiptRow, list_receipts, read_receipt
from web import wording
from web.cells import badge
from web.export import respond
from web.roles import NAMELESS_ROLES, may
from web.state import transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import gettext as _
from web.words import number_text

blueprint = Blueprint("receipts", __name__, url_prefix="/receipts")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List receipts, the newest first; people of one store see theirs."""
    with transaction() as session:
        table = Table(
            name="receipts",
            find=_("Receipt or card number"),
            default_sort="-business_date",
            columns=columns(),
            filters=filters(),
            fetch=lambda ask: list_receipts(session, ask, store_id=viewer().store_id),
            href=address_of,
            empty=Empty(
                _("No receipts yet"),
                _("They come from the tills, or from a file of past sales."),
                "receipt",
                command="regulars receipts import FILE",
            ),
        )
        return respond("screens/receipts.html", table)


@blueprint.get("/<day>/<uuid:receipt_id>")
def show(day: str, receipt_id: UUID) -> ResponseReturnValue:
    """Show one receipt."""
    with transaction() as session:
        receipt = read_receipt(
            session, business_date=_date(day), receipt_id=receipt_id, store_id=viewer().store_id
        )
        points = points_of_receipt(session, business_date=_date(day), receipt_id=receipt_id)
        member: MemberRow | None = None
        if receipt.row.member_id and may(viewer().role, "members.show"):
            try:
                member = read_member(session, member_id=receipt.row.member_id).row
            except NoSuchMember:
                member = None
    return render_template(
        "screens/receipt.html",
        receipt=receipt,
        points=points,
        member=member,
        names=viewer().role not in NAMELESS_ROLES,
    )


def address_of(row: ReceiptRow) -> str:
    """Return where a receipt is shown."""
    return url_for("receipts.show", day=row.business_date.isoformat(), receipt_id=row.receipt_id)


def columns() -> tuple[Column[ReceiptRow], ...]:
    """Return the columns of a list of receipts."""
    return (
        Column(
            key="receipt_number",
            title=_("Receipt"),
            value=lambda row: row.receipt_number,
            kind="code",
            second=lambda row: f"{row.store_code} · {row.till_code}",
            sort=True,
        ),
        Column(
            key="business_date", title=_("Day"), value=lambda row: row.business_date, kind="date", sort=True
        ),
        Column(
            key="closed_at",
            title=_("Closed"),
            value=lambda row: row.closed_at,
            kind="moment",
            timezone=lambda row: row.timezone,
            shown=False,
        ),
        Column(key="store", title=_("Store"), value=lambda row: row.store_name),
        Column(key="till", title=_("Till"), value=lambda row: row.till_code, kind="code", shown=False),
        Column(key="card", title=_("Card"), value=lambda row: row.card_number, kind="code"),
        Column(
            key="type",
            title=_("Type"),
            value=lambda row: wording.receipt_type(row.type)[0],
            figure=_type_badge,
        ),
        Column(key="flags", title=_("Flags"), value=lambda row: row.flags, kind="number", figure=_flags),
        Column(
            key="payable_amount",
            title=_("Paid"),
            value=lambda row: -row.payable_amount if row.type == "return" else row.payable_amount,
            kind="money",
            currency=lambda row: row.currency,
            sort=True,
        ),
    )


def filters() -> tuple[Filter, ...]:
    """Return what a list of receipts can be narrowed by."""
    return (
        Filter(
            key="type",
            label=_("Type"),
            choices=tuple(Choice(kind, wording.receipt_type(kind)[0]) for kind in ("sale", "return", "void")),
        ),
        Filter(
            key="card",
            label=_("Card"),
            choices=(Choice("yes", _("With card")), Choice("no", _("Without card"))),
        ),
        Filter(
            key="mode",
            label=_("Mode"),
            choices=tuple(
                Choice(mode, wording.receipt_mode(mode)) for mode in ("live", "training", "suspended")
            ),
        ),
        Filter(key="since", label=_("From day"), kind="day"),
        Filter(key="until", label=_("To day"), kind="day"),
    )


def _type_badge(row: ReceiptRow) -> Markup:
    words, meaning = wording.receipt_type(row.type)
    mark = badge(words, meaning)
    return mark if row.mode == "live" else mark + " " + badge(wording.receipt_mode(row.mode))


def _flags(row: ReceiptRow) -> Markup | str:
    return badge(number_text(row.flags), "caution", "triangle-alert") if row.flags else ""


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min

"""A member's points in full: the statement that explains every entry, and all lots."""

from uuid import UUID

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from core.audit import record_event
from core.keyset import Ask, Page
from customers.member_lists import MemberRow, read_member
from loyalty.explanations import explain, pieces_in_words
from loyalty.lot_lists import LotRow, list_lots
from loyalty.models import REASONS
from loyalty.queries import position_of_account
from loyalty.statements import StatementLine, list_statement
from web import wording
from web.cells import badge
from web.export import respond
from web.roles import NAMELESS_ROLES, may
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import NOTHING, language
from web.words import gettext as _

blueprint = Blueprint("points", __name__, url_prefix="/members")


@blueprint.get("/<uuid:member_id>/statement")
def statement(member_id: UUID) -> ResponseReturnValue:
    """Show every entry of the member's account with its reason; the look is recorded."""
    names = viewer().role not in NAMELESS_ROLES
    with transaction() as session:
        member = _look(session, member_id, "member.statement")
        lot = request.args.get("lot", "")

        def fetch(ask: Ask) -> Page[StatementLine]:
            if lot:
                ask = Ask(
                    **{name: getattr(ask, name) for name in ask.__slots__}
                    | {"filters": {**ask.filters, "lot": lot}}
                )
            return list_statement(session, ask, account_id=member.account_id)

        table = Table(
            name="statement",
            default_sort="-booked_at",
            names=names,
            columns=_entry_columns(),
            filters=(
                Filter(key="since", label=_("From day"), kind="day"),
                Filter(key="until", label=_("To day"), kind="day"),
                Filter(
                    key="reason",
                    label=_("Reason"),
                    choices=tuple(Choice(reason, wording.entry_reason(reason)) for reason in REASONS),
                ),
            ),
            fetch=fetch,
            href=_address if may(viewer().role, "receipts.show") else None,
            empty=Empty(
                _("Nothing booked yet"),
                _("Points are booked when a receipt with the card comes from a till."),
                "coins",
            ),
        )
        return respond(
            "screens/statement.html",
            table,
            on_export=lambda: _record(session, "member.export", member),
            member=member,
            title=_title(member, names=names),
            points=position_of_account(session, account_id=member.account_id, now=now()),
            of_lot=bool(lot),
        )


@blueprint.get("/<uuid:member_id>/lots")
def lots(member_id: UUID) -> ResponseReturnValue:
    """Show the lots of the member's account: what can be spent when, and until when; the look is recorded."""
    names = viewer().role not in NAMELESS_ROLES
    with transaction() as session:
        member = _look(session, member_id, "member.lots")
        table = Table(
            name="lots",
            default_sort="expires_at",
            columns=_lot_columns(),
            filters=(
                Filter(
                    key="held", label=_("Points"), choices=(Choice("yes", _("Only lots that hold some")),)
                ),
            ),
            fetch=lambda ask: list_lots(session, ask, account_id=member.account_id),
            href=lambda row: url_for("points.statement", member_id=member_id, lot=row.lot_id),
            in_panel=False,
            empty=Empty(_("No lots yet"), _("Every receipt that earns makes one."), "coins"),
        )
        return respond(
            "screens/lots.html",
            table,
            on_export=lambda: _record(session, "member.export", member),
            member=member,
            title=_title(member, names=names),
            points=position_of_account(session, account_id=member.account_id, now=now()),
        )


def lot_state(row: LotRow) -> Markup:
    """Return what became of a lot as a badge."""
    return badge(*wording.lot_state(row.state(now())))


def _look(session: Session, member_id: UUID, action: str) -> MemberRow:
    member = read_member(session, member_id=member_id).row
    _record(session, action, member)
    return member


def _record(session: Session, action: str, member: MemberRow) -> None:
    record_event(
        session,
        now=now(),
        actor=viewer().login,
        action=action,
        subject_kind="member",
        subject_id=member.member_code,
    )


def _title(member: MemberRow, *, names: bool) -> str:
    return member.name if names else _("Member %(code)s", code=member.member_code)


def _address(row: StatementLine) -> str:
    """Return where an entry leads down to: its receipt, or the adjustment that it books."""
    if row.receipt is not None:
        return url_for(
            "receipts.show", day=row.receipt.business_date.isoformat(), receipt_id=row.receipt.receipt_id
        )
    if row.adjustment is not None and may(viewer().role, "adjustments.show"):
        return url_for("adjustments.show", adjustment_id=row.adjustment.adjustment_id)
    return ""


def _signed(points: int) -> Markup | str:
    if not points:
        return Markup('<span class="none">{}</span>').format(NOTHING)
    text = wording.signed(points)
    return (
        Markup('<span class="strong good">{}</span>').format(text)
        if points > 0
        else Markup("<span class='strong'>{}</span>").format(text)
    )


def _note(row: StatementLine) -> str | None:
    return row.adjustment.note if row.adjustment and viewer().role not in NAMELESS_ROLES else None


def _entry_columns() -> tuple[Column[StatementLine], ...]:
    return (
        Column(key="booked_at", title=_("Booked"), value=lambda row: row.booked_at, kind="moment", sort=True),
        Column(
            key="business_date", title=_("Day"), value=lambda row: row.business_date, kind="date", shown=False
        ),
        Column(
            key="reason", title=_("Reason"), value=lambda row: wording.entry_reason(row.reason), shown=False
        ),
        Column(
            key="what",
            title=_("What happened"),
            value=lambda row: explain(row, language()),
            second=_note,
        ),
        Column(key="note", title=_("Words"), value=_note, shown=False, personal=True),
        Column(key="lots", title=_("Lots"), value=lambda row: pieces_in_words(row, language()) or None),
        Column(
            key="store",
            title=_("Store"),
            value=lambda row: row.receipt.store_name if row.receipt else None,
            shown=False,
        ),
        Column(
            key="receipt",
            title=_("Receipt"),
            value=lambda row: row.receipt.receipt_number if row.receipt else None,
            kind="code",
            shown=False,
        ),
        Column(
            key="reserved",
            title=_("Set aside"),
            value=lambda row: row.reserved,
            kind="number",
            figure=lambda row: _signed(row.reserved),
            shown=False,
        ),
        Column(
            key="points",
            title=_("Points"),
            value=lambda row: row.points,
            kind="number",
            figure=lambda row: _signed(row.points),
        ),
        Column(key="balance", title=_("Balance"), value=lambda row: row.balance, kind="number"),
    )


def _lot_columns() -> tuple[Column[LotRow], ...]:
    return (
        Column(
            key="business_date",
            title=_("From"),
            value=lambda row: row.business_date,
            kind="date",
            second=_lot_origin,
            sort=True,
        ),
        Column(
            key="state",
            title=_("State"),
            value=lambda row: wording.lot_state(row.state(now()))[0],
            figure=lot_state,
        ),
        Column(
            key="available_at",
            title=_("Can be spent from"),
            value=lambda row: row.available_at,
            kind="moment",
            timezone=lambda row: row.receipt.timezone if row.receipt else viewer().timezone,
            sort=True,
        ),
        Column(key="expires_at", title=_("Last day"), value=lambda row: row.last_day, kind="date", sort=True),
        Column(key="earned", title=_("At first"), value=lambda row: row.earned, kind="number", sort=True),
        Column(key="remaining", title=_("Left"), value=lambda row: row.remaining, kind="number", sort=True),
    )


def _lot_origin(row: LotRow) -> str:
    if row.receipt is not None:
        return _(
            "receipt %(number)s, %(store)s", number=row.receipt.receipt_number, store=row.receipt.store_name
        )
    return _("given by a person") if row.earned else _("below zero")

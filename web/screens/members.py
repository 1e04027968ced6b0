"""Members: found by what they bring along, and one member's points, receipts, group, consents and catalogs."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from catalogs.copy_lists import copies_of_member
from contacts.case_lists import cases_of_member
from core.audit import record_event
from core.clock import business_day
from core.i18n import LANGUAGES
from core.keyset import Ask, Page
from customers import objections
from customers.member_lists import (
    MemberRow,
    list_members,
    read_member,
)
from customers.models import PHASES, VALUE_CLASSES
from loyalty.expiry import ending_soon
from loyalty.explanations import explain
from loyalty.lot_lists import endings, lots_of
from loyalty.programme.versions import programmes
from loyalty.queries import position_of_account
from loyalty.referrals.queries import brought_by, known_referral_code
from loyalty.statements import balances, list_statement
from loyalty.warnings import warnings_of
from sales.receipt_lists import ReceiptRow, list_receipts
from web import contact_words, scope
from web.cells import badge
from web.export import respond
from web.groups.shown import GroupsShown, groups_now, why_of
from web.groups.standing_words import phase_name, phase_tone, standing_shown, value_name
from web.history_words import history_shown
from web.notices import go
from web.roles import NAMELESS_ROLES
from web.screens import receipts
from web.screens.member_consents import consents_shown
from web.screens.member_offers import offers_context
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.tiers_shown import tier_shown
from web.words import gettext as _
from web.words import language, language_name

blueprint = Blueprint("members", __name__, url_prefix="/members")
TABS = ("points", "offers", "cases", "receipts", "tier", "history", "profile", "catalogs")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List members, of one group if the address names it; every look at names is recorded."""
    names = viewer().role not in NAMELESS_ROLES
    with transaction() as session:
        groups = groups_now(session)
        points: dict[UUID, int] = {}

        def fetch(ask: Ask) -> Page[MemberRow]:
            wanted = ask.filters.get("group")
            page = list_members(session, ask, run_id=groups.run_id, group_id=wanted, names=names)
            points.update(balances(session, {row.account_id for row in page.rows}))
            if names and page.rows:
                _record(
                    session, "member.list", "list", ask.words or request.query_string.decode()[:300] or "all"
                )
            return page

        table = Table(
            name="members",
            names=names,
            find=_("Card, phone, e-mail, name or member code") if names else _("Card number or member code"),
            default_sort="name" if names else "member_code",
            columns=_columns(groups, points),
            filters=_filters(groups),
            fetch=fetch,
            href=lambda row: url_for("members.show", member_id=row.member_id),
            in_panel=False,
            empty=Empty(
                _("No members yet"),
                _("They enrol at the till, or come from a file with their cards and consents."),
                "users-round",
                command="regulars members import FILE",
            ),
        )
        return respond(
            "screens/members.html",
            table,
            on_export=lambda: _record(session, "member.export", "list", request.query_string.decode()[:300]),
            names=names,
        )


@blueprint.get("/<uuid:member_id>")
def show(member_id: UUID) -> ResponseReturnValue:
    """Show one member; the look is recorded."""
    names = viewer().role not in NAMELESS_ROLES
    tab = request.args.get("tab", "points")
    with transaction() as session:
        groups = groups_now(session)
        member = read_member(session, member_id=member_id, run_id=groups.run_id)
        _record(session, "member.view", "member", member.row.member_code)
        account_id = member.row.account_id
        position = position_of_account(session, account_id=account_id, now=now())
        chosen = scope.read(session)
        programme, currency, timezone = programmes(session).on(now().date()), chosen.currency, chosen.timezone
        context: dict[str, Any] = {
            "member": member,
            "title": member.row.name if names else _("Member %(code)s", code=member.row.member_code),
            "names": names,
            "tab": tab if tab in TABS else "points",
            "points": position,
            "soon": ending_soon(position, now().date()),
            "group": groups.mark(member.row.group_id, link=True),
            "why": why_of(session, member_id),
            "standing": standing_shown(session, member_id=member_id, run_id=groups.run_id),
            "value": lambda points: programme.value_of(points, currency),
            "currency": currency,
            "cases": cases_of_member(session, member_id),
            "contact_words": contact_words,
            **_standing(session, member_id, account_id, business_day(now(), timezone)),
        }
        if context["tab"] == "receipts":
            table = _receipts(session, account_id)
            return respond("screens/member.html", table, **context)
        newest = Ask(sort="booked_at", descending=True, limit=25)
        entries = list_statement(session, newest, account_id=account_id)
        if context["tab"] == "offers":
            context |= offers_context(session, member.row)
        elif context["tab"] == "profile":
            context["consents"] = consents_shown(session, member, now=now())
        elif context["tab"] == "history":
            context["history"] = history_shown(
                session, member_id=member_id, groups=groups, timezone=timezone, wanted=request.args
            )
        return render_template(
            "screens/member.html",
            **context,
            endings=endings(lots_of(session, account_id=account_id), now()),
            entries=[(entry, explain(entry, language())) for entry in entries.rows],
            warned=warnings_of(session, account_id=account_id, now=now()),
            copies=copies_of_member(session, member_id=member_id),
        )


@blueprint.post("/<uuid:member_id>/profiling")
def object_to_profiling(member_id: UUID) -> ResponseReturnValue:
    """Note at the desk that a member does not want to be profiled, or does not mind any more."""
    withdrawn = request.form.get("decision") == "withdraw"
    work = objections.withdraw_objection if withdrawn else objections.object_to_profiling
    with transaction() as session:
        member_code = read_member(session, member_id=member_id).row.member_code
        work(session, member_code=member_code, now=now(), actor=viewer().login)
    return go(
        url_for("members.show", member_id=member_id, tab="profile"),
        _("Noted. The member may be profiled again.")
        if withdrawn
        else _("Noted. The member is not profiled any more."),
    )


def _receipts(session: Session, account_id: UUID) -> Table[ReceiptRow]:
    return Table(
        name="member-receipts",
        find=_("Receipt number"),
        default_sort="-business_date",
        columns=receipts.columns(),
        filters=receipts.filters(),
        fetch=lambda ask: list_receipts(session, ask, account_id=account_id),
        href=receipts.address_of,
        empty=Empty(_("No receipts yet"), _("They appear with the first purchase with a card."), "receipt"),
    )


def _standing(session: Session, member_id: UUID, account_id: UUID, today: date) -> dict[str, Any]:
    """Return the member's tier, and the code by which they bring others."""
    return {
        "referral_code": known_referral_code(session, member_id=member_id),
        "brought": brought_by(session, member_id=member_id),
        "tier": tier_shown(session, account_id=account_id, today=today),
    }


def _record(session: Session, action: str, kind: str, subject: str) -> None:
    record_event(
        session, now=now(), actor=viewer().login, action=action, subject_kind=kind, subject_id=subject
    )


def _filters(groups: GroupsShown) -> tuple[Filter, ...]:
    return (
        Filter(
            key="group",
            label=_("Group"),
            choices=tuple(
                Choice(group.group_id, groups.words(group.group_id) or "") for group in groups.groups
            ),
        ),
        Filter(
            key="phase",
            label=_("Phase"),
            choices=tuple(Choice(phase, phase_name(phase)) for phase in PHASES),
        ),
        Filter(
            key="value",
            label=_("Value"),
            choices=tuple(Choice(value, value_name(value)) for value in VALUE_CLASSES),
        ),
        Filter(
            key="language",
            label=_("Language"),
            choices=tuple(Choice(code, language_name(code)) for code in LANGUAGES),
        ),
    )


def _email(row: MemberRow) -> Markup | str | None:
    """Where a column is narrow, an address breaks at its sign."""
    box, sign, place = (row.email or "").rpartition("@")
    return Markup("{}{}<wbr>{}").format(box, sign, place) if row.email else None


def _columns(groups: GroupsShown, points: dict[UUID, int]) -> tuple[Column[MemberRow], ...]:
    return (
        Column(
            key="name",
            title=_("Name"),
            value=lambda row: row.name,
            second=lambda row: row.member_code,
            sort=True,
            personal=True,
        ),
        Column(
            key="member_code",
            title=_("Member code"),
            value=lambda row: row.member_code,
            kind="code",
            sort=True,
            shown=viewer().role in NAMELESS_ROLES,
        ),
        Column(
            key="email",
            title=_("E-mail"),
            value=lambda row: row.email,
            figure=_email,
            second=lambda row: row.phone,
            personal=True,
        ),
        Column(
            key="phone",
            title=_("Phone"),
            value=lambda row: row.phone,
            kind="code",
            shown=False,
            personal=True,
        ),
        Column(
            key="group",
            title=_("Group"),
            value=lambda row: groups.words(row.group_id),
            figure=lambda row: (
                groups.mark(row.group_id) or Markup("<span class='none'>{}</span>").format(_("none"))
            ),
        ),
        Column(
            key="phase",
            title=_("Phase"),
            value=lambda row: phase_name(row.phase) if row.phase else None,
            figure=lambda row: badge(phase_name(row.phase), phase_tone(row.phase)) if row.phase else Markup(),
        ),
        Column(
            key="value_class",
            lesser=True,
            title=_("Value"),
            value=lambda row: value_name(row.value_class) if row.value_class else None,
            figure=lambda row: (
                badge(value_name(row.value_class), phase_tone(row.value_class))
                if row.value_class
                else Markup()
            ),
        ),
        Column(
            key="home_store_code",
            title=_("Home store"),
            value=lambda row: row.home_store_code,
            sort=True,
            shown=False,
        ),
        Column(
            key="language",
            title=_("Language"),
            value=lambda row: language_name(row.language),
            sort=True,
            shown=False,
        ),
        Column(
            key="joined_on",
            title=_("Joined"),
            value=lambda row: row.joined_on,
            kind="date",
            sort=True,
            lesser=True,
        ),
        Column(
            key="points",
            title=_("Points"),
            value=lambda row: points.get(row.account_id, 0),
            kind="number",
        ),
    )

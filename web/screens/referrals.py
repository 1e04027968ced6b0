"""Referrals: who brought whom and what became of it, the rules, and members' codes."""

from uuid import UUID

from flask import Blueprint, make_response, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from core.audit import record_event
from customers.member_lists import read_member
from loyalty.referrals.operations import (
    REASONS,
    STATES,
    BadReferralRules,
    Rules,
    referral_code_of,
    referral_rules,
    set_referral_rules,
)
from loyalty.referrals.queries import ReferralRow, list_referrals, points_for_referrals, referrals_by_state
from web import wording
from web.cells import badge
from web.export import respond
from web.notices import go
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import gettext as _

blueprint = Blueprint("referrals", __name__, url_prefix="/referrals")
FIELDS = ("referrer_points", "referred_points", "minimum_points", "most_per_year", "within_days")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List referrals, with their rules and how many there are of each state."""
    return _page({}, {})


@blueprint.post("/rules")
def rules() -> ResponseReturnValue:
    """Change what bringing somebody is rewarded with."""
    given = {name: request.form.get(name, "").strip() for name in FIELDS}
    errors = {
        name: _("Enter a whole number")
        for name, text in given.items()
        if not text.isascii() or not text.isdigit() or len(text) > 9
    }
    if errors:
        return make_response(_page(given, errors), 422)
    try:
        with transaction() as session:
            wanted = Rules(**{name: int(text) for name, text in given.items()})
            set_referral_rules(session, rules=wanted, actor=viewer().login, now=now())
    except BadReferralRules as refusal:
        return make_response(_page(given, {refusal.field: _("This is too much or too little")}), 422)
    return go(url_for("referrals.index"), _("Changed. It holds for what is decided from now on."))


@blueprint.post("/code/<uuid:member_id>")
def make_code(member_id: UUID) -> ResponseReturnValue:
    """Give a member the code by which they bring others."""
    with transaction() as session:
        read_member(session, member_id=member_id)
        code = referral_code_of(session, member_id=member_id, now=now())
        record_event(
            session,
            now=now(),
            actor=viewer().login,
            action="referral.code",
            subject_kind="member",
            subject_id=str(member_id),
        )
    return go(url_for("members.show", member_id=member_id, tab="tier"), _("The code is %(code)s.", code=code))


def _page(given: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    with transaction() as session:
        held = referral_rules(session)
        shown = held or Rules()
        counts = referrals_by_state(session)
        table = Table(
            name="referrals",
            default_sort="-made_at",
            columns=_columns(),
            filters=(
                Filter(
                    key="state",
                    label=_("State"),
                    choices=tuple(Choice(state, wording.referral_state(state)[0]) for state in STATES),
                ),
                Filter(
                    key="reason",
                    label=_("Reason"),
                    choices=tuple(
                        Choice(reason, wording.referral_reason(reason)) for reason in (*REASONS, "capped")
                    ),
                ),
            ),
            fetch=lambda ask: list_referrals(session, ask),
            empty=Empty(
                _("Nobody was brought yet"),
                _("A member gives their code to somebody who joins with it at the till or at the desk."),
                "link",
            ),
        )
        return respond(
            "screens/referrals.html",
            table,
            held=held,
            given=given or {name: str(getattr(shown, name)) for name in FIELDS},
            errors=errors,
            counts=counts,
            states=STATES,
            points=points_for_referrals(session),
        )


def _columns() -> tuple[Column[ReferralRow], ...]:
    def who(member_id: UUID, code: str) -> Markup:
        address = url_for("members.show", member_id=member_id, tab="tier")
        return Markup('<a class="code" href="{}">{}</a>').format(address, code)

    return (
        Column(key="made_at", title=_("Joined"), value=lambda row: row.made_at, kind="moment", sort=True),
        Column(
            key="referrer",
            title=_("Brought by"),
            value=lambda row: row.referrer_code,
            figure=lambda row: who(row.referrer_id, row.referrer_code),
        ),
        Column(
            key="referred",
            title=_("New member"),
            value=lambda row: row.referred_code,
            figure=lambda row: who(row.referred_id, row.referred_code),
        ),
        Column(
            key="state",
            title=_("State"),
            value=lambda row: wording.referral_state(row.state)[0],
            figure=lambda row: badge(*wording.referral_state(row.state)),
        ),
        Column(
            key="reason",
            title=_("Reason"),
            value=lambda row: wording.referral_reason(row.reason) if row.reason else None,
        ),
        Column(key="business_date", title=_("Purchase"), value=lambda row: row.business_date, kind="date"),
        Column(
            key="referrer_points",
            title=_("Points of who brought"),
            value=lambda row: row.referrer_points,
            kind="number",
        ),
        Column(
            key="referred_points",
            title=_("Points of the new member"),
            value=lambda row: row.referred_points,
            kind="number",
        ),
        Column(
            key="decided_at", title=_("Decided"), value=lambda row: row.decided_at, kind="moment", shown=False
        ),
        Column(key="made_by", title=_("Noted by"), value=lambda row: row.made_by, shown=False),
    )

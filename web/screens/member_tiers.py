"""Tiers that people give to members: which one, until when, and why."""

from datetime import date
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from core.clock import business_day
from customers.member_lists import read_member
from loyalty.tiers.grants import LONGEST_YEARS, BadGrant, grant_tier
from loyalty.tiers.versions import read_schemes
from web import scope
from web.notices import go
from web.state import now, transaction, viewer
from web.words import gettext as _
from web.words import language

blueprint = Blueprint("member_tiers", __name__, url_prefix="/members/<uuid:member_id>/tier")


@blueprint.get("")
def new_grant(member_id: UUID) -> ResponseReturnValue:
    """Ask which tier a member is to have, until when, and why."""
    return _grant_form(member_id, {}, {})


@blueprint.post("")
def give(member_id: UUID) -> ResponseReturnValue:
    """Give a member at least a tier until a day."""
    given = {name: request.form.get(name, "").strip() for name in ("tier", "until", "reason")}
    try:
        until = date.fromisoformat(given["until"])
    except ValueError:
        return _grant_form(member_id, given, {"until": _("Enter the last day on which it holds")}), 422
    try:
        with transaction() as session:
            member = read_member(session, member_id=member_id, run_id=None)
            grant_tier(
                session,
                account_id=member.row.account_id,
                member_id=member_id,
                tier_code=given["tier"],
                valid_until=until,
                reason=given["reason"],
                actor=viewer().login,
                now=now(),
            )
    except BadGrant as refusal:
        words = {
            "tier": _("Choose a tier"),
            "until": _("It ends between today and %(years)s years from now", years=LONGEST_YEARS),
        }
        said = words.get(refusal.field) or _("Say why in a few words, without any payment-card number")
        return _grant_form(member_id, given, {refusal.field: said}), 422
    return go(url_for("members.show", member_id=member_id, tab="tier"), _("Given. Tills know at once."))


def _grant_form(member_id: UUID, given: dict[str, str], errors: dict[str, str]) -> str:
    with transaction() as session:
        member = read_member(session, member_id=member_id, run_id=None)
        scheme = read_schemes(session).on(business_day(now(), scope.read(session).timezone))
        return render_template(
            "screens/tier_grant.html",
            member=member,
            choices=[(tier.code, tier.name(language())) for tier in scheme.tiers],
            given=given,
            errors=errors,
        )

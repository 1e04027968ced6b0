"""A member's household at the desk: invited, joined, left, with roles; and cards that were used without a name."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from core.audit import record_event
from core.errors import RegularsError
from customers.cardnumbers import BadCardNumber
from customers.enrolment import CardInUse
from customers.households import (
    VALID_FOR,
    HouseholdFull,
    InAnotherHousehold,
    LastOwner,
    NoHousehold,
    NoInvitation,
    NotOwner,
    change_role,
    invite,
    open_invitations,
    take_invitations_back,
)
from customers.member_lists import read_member
from customers.models import ACCOUNT_ROLES
from customers.queries import CardNotFound
from loyalty.households import adopt_card, join_household, leave_household
from loyalty.joining import PointsReserved, TooFewPoints
from loyalty.queries import position_of_account
from web import wording
from web.notices import go
from web.state import now, transaction, viewer
from web.transactions import transact
from web.words import gettext as _
from web.words import ngettext

blueprint = Blueprint("households", __name__, url_prefix="/members/<uuid:member_id>/household")

Errors = dict[str, str]


@blueprint.get("")
def show(member_id: UUID) -> ResponseReturnValue:
    """Show whom a member shares the account with, and what can be done about it; the look is recorded."""
    return _page(member_id)


@blueprint.post("/invite")
def invite_one(member_id: UUID) -> ResponseReturnValue:
    """Make an invitation; its code is shown once, on this page."""
    role = request.form.get("role", "")
    try:
        code = transact(
            lambda session: invite(session, owner_id=member_id, role=role, now=now(), actor=viewer().login)
        )
    except RegularsError as refusal:
        return _page(member_id, errors={"invite": _why(refusal)}), 422
    return _page(member_id, code=code)


@blueprint.post("/uninvite")
def uninvite(member_id: UUID) -> ResponseReturnValue:
    """Take the open invitations back."""

    def work(session: Session) -> int:
        return take_invitations_back(session, owner_id=member_id, now=now(), actor=viewer().login)

    return _done(member_id, "invite", work, lambda _count: _("The invitations are worth nothing any more."))


@blueprint.post("/join")
def join(member_id: UUID) -> ResponseReturnValue:
    """Let the member join the household that invited them, with all their points and cards."""
    code = request.form.get("code", "").strip()

    def work(session: Session) -> int:
        return join_household(
            session, member_id=member_id, code=code, place=viewer(), now=now(), actor=viewer().login
        )

    return _done(
        member_id,
        "code",
        work,
        lambda points: ngettext("Joined, with %(num)s point.", "Joined, with %(num)s points.", points),
    )


@blueprint.post("/leave")
def leave(member_id: UUID) -> ResponseReturnValue:
    """Let the member leave for an account of their own, with the points that the household hands over."""
    typed = request.form.get("points", "").strip() or "0"
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 9):
        return _page(member_id, errors={"points": _("Enter a whole number, or nothing.")}), 422

    def work(session: Session) -> int:
        leave_household(
            session,
            member_id=member_id,
            place=viewer(),
            now=now(),
            actor=viewer().login,
            points=int(typed),
        )
        return int(typed)

    return _done(
        member_id,
        "points",
        work,
        lambda points: ngettext("Left, with %(num)s point.", "Left, with %(num)s points.", points),
    )


@blueprint.post("/role")
def role(member_id: UUID) -> ResponseReturnValue:
    """Give somebody of the household another role, as the member, its owner, wants it."""
    other, wanted = request.form.get("member", ""), request.form.get("role", "")

    def work(session: Session) -> int:
        change_role(
            session,
            member_id=_uuid(other) or member_id,
            role=wanted,
            owner_id=member_id,
            now=now(),
            actor=viewer().login,
        )
        return 0

    return _done(member_id, "roles", work, lambda _nothing: _("Changed. It holds from the next purchase on."))


@blueprint.post("/card")
def adopt(member_id: UUID) -> ResponseReturnValue:
    """Give the member a card that was used without a name, with what it has earned."""
    number = request.form.get("card_number", "").strip()

    def work(session: Session) -> int:
        return adopt_card(
            session, member_id=member_id, card_number=number, place=viewer(), now=now(), actor=viewer().login
        )

    return _done(
        member_id,
        "card_number",
        work,
        lambda points: ngettext(
            "The card is theirs now, with %(num)s point.",
            "The card is theirs now, with %(num)s points.",
            points,
        ),
    )


def _done(
    member_id: UUID, field: str, work: Callable[[Session], int], said: Callable[[int], str]
) -> ResponseReturnValue:
    try:
        result = transact(work)
    except RegularsError as refusal:
        return _page(member_id, errors={field: _why(refusal)}, given=dict(request.form)), 422
    return go(url_for("households.show", member_id=member_id), said(result))


def _page(
    member_id: UUID,
    *,
    code: str = "",
    errors: Errors | None = None,
    given: dict[str, str] | None = None,
) -> str:
    with transaction() as session:
        member = read_member(session, member_id=member_id)
        record_event(
            session,
            now=now(),
            actor=viewer().login,
            action="member.view",
            subject_kind="member",
            subject_id=member.row.member_code,
            detail={"part": "household"},
        )
        account_id = member.row.account_id
        return render_template(
            "screens/household.html",
            member=member,
            shared=len(member.household) > 1,
            points=position_of_account(session, account_id=account_id, now=now()),
            invitations=open_invitations(session, account_id=account_id, now=now()),
            roles=[(one, wording.account_role(one)) for one in ACCOUNT_ROLES],
            days=VALID_FOR.days,
            code=code,
            errors=errors or {},
            given=given or {},
        )


def _why(refusal: RegularsError) -> str:
    """Return why the desk's wish was refused, in the reader's words."""
    words: dict[type[RegularsError], str] = {
        NotOwner: _("Only an owner of the household decides that."),
        NoInvitation: _("There is no such invitation: it is over, was used, or was taken back."),
        LastOwner: _("A household needs an owner: make somebody else one first."),
        NoHousehold: _("The member shares the account with nobody."),
        InAnotherHousehold: _("The member shares an account already, and leaves that household first."),
        HouseholdFull: _("The household has as many members as there may be."),
        PointsReserved: _("Points are held for a purchase: try again when it is paid, or in ten minutes."),
        TooFewPoints: _("The household has fewer points to spend than that."),
        BadCardNumber: _("This is no card number: its length or its check digit is wrong."),
        CardNotFound: _("No card of this number was ever seen."),
        CardInUse: _("This card is in somebody's hands, or not in use."),
    }
    return words.get(type(refusal), str(refusal))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

"""Consents at the desk: what a member says there is kept at once, but mail is asked of the mailbox first."""

from datetime import datetime
from uuid import UUID

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from contacts.confirmations import Question, ask_to_confirm, open_questions
from contacts.consents import decide_consent
from customers.member_lists import ConsentView, MemberView, read_member
from web.customers.consent_words import ASKED
from web.notices import go
from web.state import now, transaction, viewer
from web.words import gettext as _

blueprint = Blueprint("member_consents", __name__, url_prefix="/members")
SOURCE = "desk"
TEXT_VERSION = "desk"
"""Which words were agreed to: those that the desk read out or handed over."""


@blueprint.post("/<uuid:member_id>/consents")
def decide(member_id: UUID) -> ResponseReturnValue:
    """Keep what a member decided about a purpose in a channel; agreeing to mail waits for the mailbox."""
    purpose, channel = request.form.get("purpose", ""), request.form.get("channel", "")
    granted = request.form.get("granted") == "yes"
    if channel not in dict(ASKED).get(purpose, ()):
        abort(422)
    words = _("Noted. It holds from this moment on.")
    with transaction() as session:
        row = read_member(session, member_id=member_id).row
        if granted and channel == "email":
            asked = ask_to_confirm(
                session,
                member_code=row.member_code,
                purposes=[purpose],
                source=SOURCE,
                text_version=TEXT_VERSION,
                actor=viewer().login,
                now=now(),
            )
            words = _asked_words(asked, row.email)
        else:
            decide_consent(
                session,
                member_id=member_id,
                purpose=purpose,
                channel=channel,
                granted=granted,
                source=SOURCE,
                text_version=TEXT_VERSION,
                actor=viewer().login,
                now=now(),
            )
    return go(url_for("members.show", member_id=member_id, tab="profile", _anchor="consents"), words)


def consents_shown(
    session: Session, member: MemberView, *, now: datetime
) -> list[tuple[str, str | None, ConsentView | None, Question | None]]:
    """Return everything that is asked for, and what else was decided: each with the decision, or the open question."""
    decided = {(consent.purpose, consent.channel): consent for consent in member.consents}
    waiting = open_questions(session, member_id=member.row.member_id, now=now)
    asked = [(purpose, channel) for purpose, channels in ASKED for channel in channels]
    return [
        (
            purpose,
            channel,
            decided.get((purpose, channel)),
            waiting.get(purpose) if channel == "email" else None,
        )
        for purpose, channel in [*asked, *(key for key in decided if key not in asked)]
    ]


def _asked_words(asked: UUID | None, email: str | None) -> str:
    if email is None:
        return _("There is no e-mail address to ask.")
    if asked is None:
        return _("The mailbox was asked within the last day. It holds once the link in that mail is clicked.")
    return _("A mail asks the mailbox. It holds once the link in it is clicked.")

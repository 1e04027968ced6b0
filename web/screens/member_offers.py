"""What is offered to a member at the desk, what they answer, and what they refuse; answers can be taken back."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from campaigns.decisions import NextOffer, next_offers
from contacts.operations import AlreadyTakenBack, record_reaction, take_back
from contacts.reaction_lists import AnswerView, answers_of_member
from contacts.reactions import REACTIONS, SCOPES
from core.ids import find_uuid
from customers.member_lists import MemberRow, read_member
from sales.models import Store
from web import contact_words
from web.notices import go, toast
from web.roles import may
from web.state import now, transaction, viewer
from web.words import gettext as _
from web.words import language

blueprint = Blueprint("member_offers", __name__, url_prefix="/members/<uuid:member_id>/answers")
SHOWN = 6


@dataclass(frozen=True, slots=True)
class OffersShown:
    """What may be offered to a member now, and what they said to offers before."""

    offers: list[NextOffer]
    refused: list[AnswerView]
    everything: AnswerView | None
    """The refusal of all that could be offered, if it stands."""


def offers_shown(session: Session, row: MemberRow) -> OffersShown:
    """
    Return the member's open offers, said in the reader's language and logged as shown at the desk.

    Who cannot pass on what the member answers is shown none: nothing was offered by their look.
    """
    answers = answers_of_member(session, row.member_id, now())
    refused = [answer for answer in answers if answer.standing]
    return OffersShown(
        offers=next_offers(
            session,
            member_id=row.member_id,
            account_id=row.account_id,
            store_id=_home_store(session, row),
            channel="desk",
            language=language(),
            now=now(),
            count=SHOWN,
        )
        if may(viewer().role, "member_offers.answer")
        else [],
        refused=refused,
        everything=next((answer for answer in refused if answer.scope == "all"), None),
    )


@blueprint.post("")
def answer(member_id: UUID) -> ResponseReturnValue:
    """Keep what a member answers at the desk to an article, an offer, or all that could be offered."""
    reaction, scope = request.form.get("reaction", ""), request.form.get("scope", "item")
    sku = request.form.get("sku", "").strip() or None
    offer_code = request.form.get("offer_code", "").strip() or None
    if reaction not in REACTIONS or scope not in SCOPES or (scope != "all" and not (sku or offer_code)):
        raise BadRequest
    with transaction() as session:
        row = read_member(session, member_id=member_id).row
        record_reaction(
            session,
            member_id=member_id,
            reaction=reaction,
            scope=scope,
            sku=None if scope == "all" else sku,
            offer_code=None if scope == "all" else offer_code,
            decision_id=find_uuid(request.form.get("decision_id", "")),
            channel="desk",
            actor=viewer().login,
            now=now(),
        )
    said = {
        "accepted": _("Noted: accepted."),
        "not_now": _("Noted. It is not offered for 30 days, anywhere."),
        "never": _("Noted. It is not offered any more, anywhere, and the member is thanked."),
        "wrong_product": _("Noted. It is not offered any more, anywhere, and the member is thanked."),
    }[reaction]
    return _answered(row, said)


@blueprint.post("/<int:reaction_id>")
def take_back_answer(member_id: UUID, reaction_id: int) -> ResponseReturnValue:
    """Keep that a member takes an answer back; from now on it may be offered again."""
    with transaction() as session:
        row = read_member(session, member_id=member_id).row
        try:
            take_back(
                session,
                reaction_id=reaction_id,
                member_id=member_id,
                channel="desk",
                actor=viewer().login,
                now=now(),
            )
        except AlreadyTakenBack:
            return _answered(row, _("It was taken back before."), "caution")
    return _answered(row, _("Taken back. It may be offered again."))


def offers_context(session: Session, row: MemberRow) -> dict[str, Any]:
    """Return what the part with offers and refusals needs."""
    return {
        "shown": offers_shown(session, row),
        "row": row,
        "reactions": [(one, contact_words.reaction_name(one)) for one in REACTIONS],
        "scopes": [(one, contact_words.scope_name(one)) for one in SCOPES],
        "contact_words": contact_words,
    }


def _answered(row: MemberRow, said: str, meaning: str = "good") -> ResponseReturnValue:
    """Return the part anew where a script asked for it, else the way back to the page."""
    if not request.headers.get("HX-Request"):
        return go(url_for("members.show", member_id=row.member_id, tab="offers"), said, meaning)
    with transaction() as session:
        part = render_template("parts/member_offers.html", **offers_context(session, row))
    return toast(part, said, meaning)


def _home_store(session: Session, row: MemberRow) -> int | None:
    return session.scalar(select(Store.store_id).where(Store.store_code == row.home_store_code))

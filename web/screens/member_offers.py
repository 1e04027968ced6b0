"""What is offered to a member at the desk, what they answer, and what they refuse; answers can be taken back."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from campaigns.decision_lists import DecisionView, answerable, open_offers
from campaigns.decisions import NextOffer, next_offers
from contacts.operations import AlreadyTakenBack, record_reaction, take_back
from contacts.reaction_lists import AnswerView, answers_of_member
from contacts.reactions import REACTIONS, SCOPES
from core.ids import find_uuid
from customers.member_lists import MemberRow, read_member
from rewards.offer_queries import is_offer
from sales.models import Store
from sales.queries import find_article
from web import contact_words
from web.notices import go, toast
from web.roles import may
from web.state import now, transaction, viewer
from web.typed import wrong_text
from web.words import gettext as _
from web.words import language

blueprint = Blueprint("member_offers", __name__, url_prefix="/members/<uuid:member_id>/answers")
SHOWN = 6


@dataclass(frozen=True, slots=True)
class OffersShown:
    """What may be offered to a member now, and what they said to offers before."""

    offers: list[NextOffer] | None
    """None while nobody can say."""
    told: list[DecisionView]
    """What else was offered in any channel lately and still stands."""
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
    told = open_offers(session, row.member_id, now=now())
    offers: list[NextOffer] | None = []
    if may(viewer().role, "member_offers.answer"):
        offers = next_offers(
            session,
            member_id=row.member_id,
            account_id=row.account_id,
            store_id=_home_store(session, row),
            channel="desk",
            language=language(),
            now=now(),
            count=SHOWN,
        )
    offered = {offer.article_id for offer in offers or ()}
    return OffersShown(
        offers=offers,
        told=[one for one in told if one.article_id not in offered],
        refused=refused,
        everything=next((answer for answer in refused if answer.scope == "all"), None),
    )


@blueprint.post("")
def answer(member_id: UUID) -> ResponseReturnValue:
    """Keep what a member answers at the desk to an article, an offer, or all that could be offered."""
    reaction, scope = request.form.get("reaction", ""), request.form.get("scope", "item")
    if reaction not in REACTIONS or scope not in SCOPES:
        raise BadRequest
    with transaction() as session:
        row = read_member(session, member_id=member_id).row
        subject, wrong = _subject(session, row)
        if scope != "all" and not wrong and not (subject.sku or subject.offer_code):
            raise BadRequest
        if not wrong:
            record_reaction(
                session,
                member_id=member_id,
                reaction=reaction,
                scope=scope,
                sku=None if scope == "all" else subject.sku,
                offer_code=None if scope == "all" else subject.offer_code,
                decision_id=subject.decision_id,
                channel="desk",
                actor=viewer().login,
                now=now(),
            )
    if wrong:
        return _answered(row, wrong, "bad")
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


@dataclass(frozen=True, slots=True)
class _Subject:
    """What an answer is about."""

    sku: str | None = None
    offer_code: str | None = None
    decision_id: UUID | None = None


def _subject(session: Session, row: MemberRow) -> tuple[_Subject, str]:
    """
    Return what the form's answer is about, and what is wrong with it in words.

    Of an offer that was made, its decision says what it is about; raises `NoSuchDecision` when it was not made to
    this member. What is typed must be known: an answer stays for ever.
    """
    if named := request.form.get("decision_id", "").strip():
        decision_id = find_uuid(named)
        if decision_id is None:
            raise BadRequest
        offer = answerable(session, decision_id, member_id=row.member_id, account_id=row.account_id)
        return _Subject(offer.sku, offer.offer_code, decision_id), ""
    sku = request.form.get("sku", "").strip() or None
    offer_code = request.form.get("offer_code", "").strip() or None
    if wrong := wrong_text(sku or "") or wrong_text(offer_code or ""):
        return _Subject(), wrong
    if sku and find_article(session, sku) is None:
        return _Subject(), _("No article has this number.")
    if offer_code and not is_offer(session, offer_code):
        return _Subject(), _("No offer has this code.")
    return _Subject(sku, offer_code), ""


def _answered(row: MemberRow, said: str, meaning: str = "good") -> ResponseReturnValue:
    """Return the part anew where a script asked for it, else the way back to the page."""
    if not request.headers.get("HX-Request"):
        return go(url_for("members.show", member_id=row.member_id, tab="offers"), said, meaning)
    with transaction() as session:
        part = render_template("parts/member_offers.html", **offers_context(session, row))
    return toast(part, said, meaning)


def _home_store(session: Session, row: MemberRow) -> int | None:
    return session.scalar(select(Store.store_id).where(Store.store_code == row.home_store_code))

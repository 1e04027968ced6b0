"""What customers say to offers on their own page, and what they told us so far, to be taken back."""

from typing import cast, get_args
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from campaigns.decision_lists import answerable
from contacts.operations import record_reaction, take_back
from contacts.reaction_lists import answers_of_member
from contacts.reactions import React, Scope
from web import answer_words
from web.customers.offers import CHANNEL, answered_now, offers_now, prices_now, refuses_everything
from web.notices import go
from web.state import customer, now, transaction
from web.transactions import transact
from web.words import gettext as _

blueprint = Blueprint("my_answers", __name__, url_prefix="/my")


@blueprint.get("/told")
def index() -> ResponseReturnValue:
    """Show every answer that the customer gave, anywhere; those that stand can be taken back."""
    with transaction() as session:
        answers = answers_of_member(session, customer().member_id, now())
    return render_template(
        "my/told.html",
        standing=[answer for answer in answers if answer.standing],
        past=[answer for answer in answers if not answer.standing][:50],
        words=answer_words,
    )


@blueprint.post("/offers/<uuid:decision_id>")
def react(decision_id: UUID) -> ResponseReturnValue:
    """Keep what the customer says to an offer; from the next moment on it holds everywhere."""
    reaction, scope = request.form.get("reaction", ""), request.form.get("scope", "item")
    if reaction not in get_args(React) or scope not in get_args(Scope):
        abort(422)
    person = customer()

    def work(session: Session) -> int:
        offer = answerable(session, decision_id, member_id=person.member_id, account_id=person.account_id)
        return record_reaction(
            session,
            member_id=person.member_id,
            reaction=cast("React", reaction),
            scope=cast("Scope", scope),
            sku=offer.sku,
            offer_code=offer.offer_code,
            decision_id=decision_id,
            channel=CHANNEL,
            actor=person.actor,
            now=now(),
        )

    return _offers(str(transact(work)))


@blueprint.post("/told/<int:reaction_id>")
def withdraw(reaction_id: int) -> ResponseReturnValue:
    """Take one of the customer's answers back."""
    person = customer()
    transact(
        lambda session: take_back(
            session,
            reaction_id=reaction_id,
            member_id=person.member_id,
            channel=CHANNEL,
            actor=person.actor,
            now=now(),
        )
    )
    if request.form.get("back") == "offers":
        return _offers("")
    return go(url_for("my_answers.index"), _("Taken back. It may be offered to you again."))


def _offers(answered: str) -> ResponseReturnValue:
    """Return the offers as they are now, in place where the page can, else by way of the page."""
    if not request.headers.get("HX-Request"):
        return redirect(url_for("my.home", answered=answered or None, _anchor="offers"), code=303)
    with transaction() as session:
        offers = offers_now(session)
        return render_template(
            "my/offers.html",
            offers=offers,
            prices=prices_now(session, offers),
            answered=answered_now(session, answered),
            refused_all=refuses_everything(session),
            taken_back=not answered,
            words=answer_words,
        )

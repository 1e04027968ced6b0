"""
Agreeing to mail by the link that was sent to the mailbox: the page asks, its button agrees.

A GET changes nothing, since scanners open every link of a mail. The signed link stands for a sign-in.
"""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from contacts.confirmations import Question, confirm, read_question
from core.clock import business_day
from sales.business_days import chain_timezone
from web.customers.consent_words import purpose_words
from web.state import now, transaction

blueprint = Blueprint("confirm", __name__, url_prefix="/confirm")


@blueprint.get("/<token>")
def ask(token: str) -> ResponseReturnValue:
    """Ask whether the mailbox may be written to; a link that is not ours is not found."""
    with transaction() as session:
        return _page(session, token, read_question(session, token, now=now()))


@blueprint.post("/<token>")
def agree(token: str) -> ResponseReturnValue:
    """Agree to what the link asks, once."""
    with transaction() as session:
        return _page(session, token, confirm(session, token, now=now()))


def _page(session: Session, token: str, question: Question) -> ResponseReturnValue:
    # Nobody is signed in here, so days are those of the chain.
    timezone = chain_timezone(session)
    expired = question.state == "over" and question.valid_until <= now()
    return render_template(
        "screens/confirm.html",
        token=token,
        state=question.state,
        asked=business_day(question.asked_at, timezone),
        expired=expired,
        last=business_day(question.valid_until, timezone),
        confirmed=question.confirmed_at and business_day(question.confirmed_at, timezone),
        purposes=[purpose_words(purpose) for purpose in question.purposes],
    )

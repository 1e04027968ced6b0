"""
Unsubscribing by the link in a mail (RFC 8058): the page asks, a POST withdraws.

Mail programs POST without a page of ours and without a cookie; the signed link is what lets them. A GET changes
nothing, since scanners open every link of a mail.
"""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from contacts.unsubscribing import unsubscribe
from web.contact_words import purpose_of_mail
from web.state import now, transaction

blueprint = Blueprint("unsubscribe", __name__, url_prefix="/unsubscribe")


@blueprint.get("/<token>")
def ask(token: str) -> ResponseReturnValue:
    """Ask whether to unsubscribe."""
    return render_template("screens/unsubscribe.html", token=token, done="")


@blueprint.post("/<token>")
def withdraw(token: str) -> ResponseReturnValue:
    """Withdraw the consent that the link names, at once; a link that is not ours is not found."""
    with transaction() as session:
        purpose = unsubscribe(session, token, now=now())
    return render_template("screens/unsubscribe.html", token=token, done=purpose_of_mail(purpose))

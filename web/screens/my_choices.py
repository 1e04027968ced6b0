"""A customer's choices: what they agree to be sent, profiling, language and look, and all that is kept of them."""

import json

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from contacts.confirmations import open_questions
from contacts.consents import decide_consent
from core.audit import record_event
from core.i18n import LANGUAGES
from customers import objections
from customers.member_lists import ConsentView, read_member
from customers.preferences import choose_language
from web.customers import consent_words
from web.customers.consent_words import ASKED, TEXT_VERSION
from web.customers.export import everything_about
from web.guard import secure_cookies
from web.notices import go
from web.state import customer, now, transaction
from web.theme import THEME_COOKIE, THEMES
from web.words import gettext as _

blueprint = Blueprint("my_choices", __name__, url_prefix="/my")
SOURCE = "account"
_YEAR = 31_536_000


@blueprint.get("/choices")
def index() -> ResponseReturnValue:
    """Show what the customer agreed to and may change."""
    with transaction() as session:
        member = read_member(session, member_id=customer().member_id)
        asked = open_questions(session, member_id=customer().member_id, now=now())
    decided = {(consent.purpose, consent.channel): consent for consent in member.consents}
    return render_template(
        "my/choices.html",
        member=member,
        purposes=[
            (purpose, consent_words.purpose_words(purpose), _channels(purpose, channels, decided))
            for purpose, channels in ASKED
        ],
        asked=asked,
        words=consent_words,
    )


@blueprint.post("/choices/consent")
def decide() -> ResponseReturnValue:
    """Keep one decision; a withdrawal holds at once."""
    purpose, channel = request.form.get("purpose", ""), request.form.get("channel", "")
    granted = request.form.get("granted") == "yes"
    if channel not in dict(ASKED).get(purpose, ()):
        abort(422)
    if granted and channel == "email" and not customer().email_is_proven:
        return go(
            url_for("my_choices.index"),
            _("Your e-mail address has changed since you signed in. Sign in again first."),
            "caution",
        )
    with transaction() as session:
        decide_consent(
            session,
            member_id=customer().member_id,
            purpose=purpose,
            channel=channel,
            granted=granted,
            source=SOURCE,
            text_version=TEXT_VERSION,
            actor=customer().actor,
            now=now(),
        )
    words = _("Thank you. It is noted.") if granted else _("Withdrawn. It holds from this moment on.")
    return go(url_for("my_choices.index", _anchor=purpose), words)


@blueprint.post("/choices/profiling")
def profiling() -> ResponseReturnValue:
    """Note that the customer does not want to be profiled, or does not mind any more."""
    withdrawn = request.form.get("decision") == "withdraw"
    work = objections.withdraw_objection if withdrawn else objections.object_to_profiling
    with transaction() as session:
        work(session, member_code=customer().member_code, now=now(), actor=customer().actor)
    words = (
        _("Thank you. Offers and catalogs can be made for you again.")
        if withdrawn
        else _("Noted. Your purchases are not looked through any more.")
    )
    return go(url_for("my_choices.index", _anchor="profiling"), words)


@blueprint.post("/choices/preferences")
def preferences() -> ResponseReturnValue:
    """Keep the theme in this browser, the language with the member: mails and catalogs come in it too."""
    response = make_response(redirect(url_for("my_choices.index"), code=303))
    theme, language = request.form.get("theme"), request.form.get("language")
    if theme in THEMES:
        response.set_cookie(
            THEME_COOKIE, theme, max_age=_YEAR, samesite="Lax", httponly=True, secure=secure_cookies()
        )
    if language in LANGUAGES:
        person = customer()
        with transaction() as session:
            choose_language(
                session, member_id=person.member_id, language=str(language), actor=person.actor, now=now()
            )
    return response


@blueprint.get("/everything.json")
def export() -> ResponseReturnValue:
    """Send all that is kept of the customer, as a file; that it was taken is recorded."""
    with transaction() as session:
        _record(session, "member.export", {"by": "themselves"})
        found = everything_about(session, customer(), now=now())
    body = json.dumps(found, ensure_ascii=False, indent=2, default=str)
    response = Response(body, mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{customer().member_code}.json"'
    return response


def _channels(
    purpose: str, channels: tuple[str, ...], decided: dict[tuple[str, str | None], ConsentView]
) -> list[tuple[str, ConsentView | None]]:
    return [(channel, decided.get((purpose, channel))) for channel in channels]


def _record(session: Session, action: str, detail: dict[str, str]) -> None:
    record_event(
        session,
        now=now(),
        actor=customer().actor,
        action=action,
        subject_kind="member",
        subject_id=customer().member_code,
        detail=detail,
    )

"""The customers' door: a card number, the code from the mailbox, and the way out."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from core.i18n import LANGUAGES
from customers.cardnumbers import BadCardNumber, normalise_card_number
from web.customers.sessions import end_all_sessions, end_customer_session
from web.customers.sign_in import CODE_LENGTH, PASS_VALID, NoOpenCode, ask_for_code, enter, plain_code
from web.guard import CUSTOMER_COOKIE, secure_cookies
from web.operations import TooManyAttempts
from web.sources import source
from web.state import customer, customer_or_none, now, transaction
from web.words import LANGUAGE_COOKIE, ngettext
from web.words import gettext as _

blueprint = Blueprint("my_door", __name__, url_prefix="/my")
REQUEST_COOKIE = "regulars_my_request"
"""Which request for a code this browser made."""
PATH = "/my"
LONGEST = 80
_YEAR = 31_536_000


@blueprint.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Ask for the card's number, or go on to the page."""
    if customer_or_none():
        return redirect(_next())
    return render_template("my/sign_in.html", card_number="", errors={}, next=_next())


@blueprint.post("/sign-in")
def ask() -> ResponseReturnValue:
    """Send a code to the holder of the card, if there is one; the answer is the same if there is none."""
    typed = request.form.get("card_number", "").replace("\0", "").strip()[:LONGEST]
    if not typed:
        return _again_card(typed, _("Enter the number of your card"))
    try:
        number = normalise_card_number(typed)
    except BadCardNumber:
        return _again_card(typed, _("This is not a card number. Check it for typing mistakes"))
    try:
        with transaction() as session:
            token = ask_for_code(session, card_number=number, source=source(), now=now())
    except TooManyAttempts as refusal:
        return _again_card(typed, _too_many(refusal), status=429)
    response = make_response(redirect(url_for("my_door.code", next=_next()), code=303))
    _keep(response, REQUEST_COOKIE, token, age=int(PASS_VALID.total_seconds()))
    return response


@blueprint.get("/code")
def code() -> ResponseReturnValue:
    """Ask for the code."""
    return render_template("my/code.html", typed="", errors={}, next=_next())


@blueprint.post("/code")
def enter_code() -> ResponseReturnValue:
    """Try the code; the right one begins a session."""
    typed = request.form.get("code", "").replace("\0", "").strip()[:LONGEST]
    if len(plain_code(typed)) < CODE_LENGTH:
        return _again_code(_("The code has %(number)s letters and digits", number=CODE_LENGTH), typed=typed)
    try:
        with transaction() as session:
            new = enter(
                session,
                token=request.cookies.get(REQUEST_COOKIE, ""),
                typed=typed,
                source=source(),
                previous_token=request.cookies.get(CUSTOMER_COOKIE),
                now=now(),
            )
    except NoOpenCode:
        return _again_code(_("No code waits for this browser any more. Ask for a new one."))
    except TooManyAttempts as refusal:
        long_code = _("The long code in the same mail works at once.")
        return _again_code(f"{_too_many(refusal)} {long_code}", status=429)
    if new is None:
        return _again_code(_("This is not the code that was sent. Take the newest mail."), typed=typed)
    response = make_response(redirect(_next(), code=303))
    _keep(response, CUSTOMER_COOKIE, new.token, age=None)
    response.delete_cookie(REQUEST_COOKIE, path=PATH)
    return response


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session, here or in every browser."""
    with transaction() as session:
        if request.form.get("everywhere"):
            end_all_sessions(
                session,
                member_id=customer().member_id,
                member_code=customer().member_code,
                actor=customer().actor,
                now=now(),
            )
        end_customer_session(session, token=request.cookies.get(CUSTOMER_COOKIE, ""))
    response = make_response(redirect(url_for("my_door.sign_in"), code=303))
    response.delete_cookie(CUSTOMER_COOKIE, path=PATH)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@blueprint.get("/language/<code>")
def language(code: str) -> ResponseReturnValue:
    """Keep the language of the sign-in in this browser."""
    response = make_response(redirect(url_for("my_door.sign_in", next=request.args.get("next"))))
    if code in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE, code, max_age=_YEAR, httponly=True, samesite="Lax", secure=secure_cookies()
        )
    return response


def _keep(response: Response, name: str, value: str, *, age: int | None) -> None:
    response.set_cookie(
        name, value, max_age=age, path=PATH, httponly=True, samesite="Lax", secure=secure_cookies()
    )


def _too_many(refusal: TooManyAttempts) -> str:
    minutes = max(1, round((refusal.until - now()).total_seconds() / 60 + 0.5))
    return ngettext(
        "Too many attempts. Try again in %(num)s minute.",
        "Too many attempts. Try again in %(num)s minutes.",
        minutes,
    )


def _again_card(typed: str, words: str, *, status: int = 422) -> ResponseReturnValue:
    page = render_template("my/sign_in.html", card_number=typed, errors={"card_number": words}, next=_next())
    return page, status


def _again_code(words: str, *, typed: str = "", status: int = 422) -> ResponseReturnValue:
    return render_template("my/code.html", typed=typed, errors={"code": words}, next=_next()), status


def _next() -> str:
    """Return where to go after the sign-in: one of the customers' own pages, nothing else."""
    wanted = request.values.get("next", "")
    ours = wanted.startswith(f"{PATH}/") and wanted.isprintable() and "\\" not in wanted
    return wanted if ours and not wanted.startswith(f"{PATH}/sign-") else url_for("my.home")

"""Sign-in and sign-out."""

import secrets
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from core.i18n import LANGUAGES
from web.guard import SESSION_COOKIE, secure_cookies
from web.operations import TooManyAttempts, begin_session, claim_attempt, end_session
from web.passwords import LONGEST, browser_mark, is_browser_mark, is_password
from web.queries import person_by_login
from web.state import now, transaction, viewer_or_none
from web.words import LANGUAGE_COOKIE, ngettext
from web.words import gettext as _

blueprint = Blueprint("door", __name__)
MARK_COOKIE = "regulars_browser"
_YEAR = 31_536_000


@blueprint.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Show the form, or go on to the screens."""
    if viewer_or_none():
        return redirect(_next())
    return render_template("screens/sign_in.html", login="", errors={}, next=_next())


@blueprint.post("/sign-in")
def enter() -> ResponseReturnValue:
    """Evaluate a login and its password, at most ten times a quarter of an hour; begin a new session."""
    login = request.form.get("login", "").replace("\0", "").strip().casefold()[:LONGEST]
    password = request.form.get("password", "")[: LONGEST + 1]
    if not login or not password:
        missing = {"login": _("Enter your login")} if not login else {}
        missing |= {"password": _("Enter your password")} if not password else {}
        return _again(login, missing)
    with transaction() as session:
        person = person_by_login(session, login=login)
        password_hash = person.password_hash if person and person.disabled_at is None else None
    known = password_hash is not None and is_browser_mark(
        request.cookies.get(MARK_COOKIE, ""), login, password_hash
    )
    try:
        with transaction() as session:
            attempt_id = claim_attempt(
                session, bucket=f"{login} (known browser)" if known else login, now=now()
            )
    except TooManyAttempts as refusal:
        minutes = max(1, round((refusal.until - now()).total_seconds() / 60 + 0.5))
        words = ngettext(
            "Too many attempts. Try again in %(num)s minute.",
            "Too many attempts. Try again in %(num)s minutes.",
            minutes,
        )
        return _again(login, {"login": words}, status=429)
    if not is_password(password, password_hash) or person is None:
        return _again(login, {"login": _("This login and password do not belong together")})
    with transaction() as session:
        new = begin_session(
            session,
            person_id=person.person_id,
            attempt_id=attempt_id,
            previous_token=request.cookies.get(SESSION_COOKIE),
            now=now(),
        )
    response = make_response(redirect(_next()))
    _keep(response, SESSION_COOKIE, new.token, age=None)
    _keep(
        response, MARK_COOKIE, browser_mark(login, person.password_hash, secrets.token_urlsafe(12)), age=_YEAR
    )
    return response


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session, here and in the database."""
    with transaction() as session:
        end_session(session, token=request.cookies.get(SESSION_COOKIE, ""))
    response = make_response(redirect(url_for("door.sign_in")))
    response.delete_cookie(SESSION_COOKIE)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@blueprint.get("/language/<code>")
def language(code: str) -> ResponseReturnValue:
    """Keep the language of the sign-in page in this browser."""
    response = make_response(redirect(url_for("door.sign_in", next=request.args.get("next"))))
    if code in LANGUAGES:
        _keep(response, LANGUAGE_COOKIE, code, age=_YEAR)
    return response


def _keep(response: Response, name: str, value: str, *, age: int | None) -> None:
    response.set_cookie(name, value, max_age=age, httponly=True, samesite="Lax", secure=secure_cookies())


def _again(login: str, errors: dict[str, str], *, status: int = 422) -> ResponseReturnValue:
    return render_template("screens/sign_in.html", login=login, errors=errors, next=_next()), status


def _next() -> str:
    """Return where to go after the sign-in: a path of ours, never another site."""
    wanted = request.values.get("next", "")
    parts = urlsplit(wanted)
    ours = (
        wanted.startswith("/")
        and not wanted.startswith(("//", "/\\"))
        and not parts.scheme
        and not parts.netloc
        and wanted.isprintable()
    )
    return wanted if ours and "\\" not in wanted else url_for("overview.home")

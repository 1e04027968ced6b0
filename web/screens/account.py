"""What everybody sets for themselves: theme, language, scope, password."""

from urllib.parse import urlsplit

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from core.i18n import LANGUAGES
from web import scope
from web.guard import secure_cookies
from web.notices import go
from web.operations import claim_attempt, set_language, set_password
from web.passwords import WeakPassword, is_password
from web.queries import person_by_login
from web.state import now, transaction, viewer
from web.theme import THEME_COOKIE, THEMES
from web.words import gettext as _

blueprint = Blueprint("account", __name__, url_prefix="/account")
_YEAR = 31_536_000


@blueprint.post("/preferences")
def preferences() -> ResponseReturnValue:
    """Keep the theme in this browser, the language with the person."""
    response = make_response(redirect(_back(), code=303))
    theme, language = request.form.get("theme"), request.form.get("language")
    if theme in THEMES:
        response.set_cookie(
            THEME_COOKIE, theme, max_age=_YEAR, samesite="Lax", httponly=True, secure=secure_cookies()
        )
    if language in LANGUAGES:
        with transaction() as session:
            set_language(session, person_id=viewer().person_id, language=language)
    return response


@blueprint.post("/scope")
def choose_scope() -> ResponseReturnValue:
    """Keep the store and the period that the figures are about."""
    response = make_response(redirect(_back(), code=303))
    content = scope.pack(request.form.get("store", ""), request.form.get("weeks", ""))
    response.set_cookie(
        scope.COOKIE, content, max_age=_YEAR, samesite="Lax", httponly=True, secure=secure_cookies()
    )
    return response


@blueprint.get("/password")
def password() -> ResponseReturnValue:
    """Show the form for a new password."""
    return render_template("screens/password.html", errors={})


@blueprint.post("/password")
def change_password() -> ResponseReturnValue:
    """Change one's own password; the present one is asked for, under the same throttle as the sign-in."""
    present, wanted = request.form.get("present", ""), request.form.get("wanted", "")
    with transaction() as session:
        claim_attempt(session, bucket=f"{viewer().login} (password)", now=now())
    errors: dict[str, str] = {}
    with transaction() as session:
        person = person_by_login(session, login=viewer().login)
        if person is None or not is_password(present, person.password_hash):
            errors["present"] = _("This is not your present password")
        elif wanted != request.form.get("again", ""):
            errors["again"] = _("The two new passwords differ")
        else:
            try:
                set_password(
                    session, person_id=person.person_id, password=wanted, actor=viewer().login, now=now()
                )
            except WeakPassword:
                errors["wanted"] = _(
                    "Use at least 12 characters, not your login and not one letter over and over"
                )
    if errors:
        return render_template("screens/password.html", errors=errors), 422
    return go(url_for("door.sign_in"), _("Your password is changed. Sign in again."))


def _back() -> str:
    wanted = request.form.get("back", "")
    parts = urlsplit(wanted)
    ours = (
        wanted.startswith("/")
        and not wanted.startswith(("//", "/\\"))
        and not parts.scheme
        and not parts.netloc
    )
    return wanted.rstrip("?") if ours else url_for("overview.home")

"""What a person sees when something is not there, not allowed, or broken."""

import logging
from typing import Final

import psycopg
from flask import Flask, g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from psycopg.errors import NumericValueOutOfRange
from sqlalchemy.exc import DataError, InterfaceError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from contacts.unsubscribing import BadLink
from core.errors import Conflict, NotFound, Refused, RegularsError
from web.guard import recognise
from web.state import is_customers
from web.words import gettext as _

_log = logging.getLogger(__name__)
_LINKS: Final = ("/confirm/", "/unsubscribe/")
"""Where the links of mails lead: customers read what is there."""
_UNREACHABLE: tuple[type[Exception], ...] = (
    OperationalError,
    InterfaceError,
    InternalError,
    PoolTimeout,
    # From questions that are put to the driver itself.
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.InternalError,
)


def register(app: Flask) -> None:
    """Answer every error that no other blueprint answers with a page."""
    app.register_error_handler(HTTPException, _on_http)
    app.register_error_handler(BadLink, _on_bad_link)
    app.register_error_handler(RegularsError, _on_refusal)
    for kind in _UNREACHABLE:
        app.register_error_handler(kind, _on_database)
    app.register_error_handler(DataError, _on_data)
    app.register_error_handler(psycopg.DataError, _on_data)
    app.register_error_handler(Exception, _on_anything)


def _on_http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    status = error.code or 500
    response = make_response(page(status, stale=error.description == "csrf"), status)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _on_refusal(error: RegularsError) -> ResponseReturnValue:
    status = {NotFound: 404, Conflict: 409, Refused: 422}
    code = next((number for family, number in status.items() if isinstance(error, family)), 422)
    return page(code), code


def _on_bad_link(_error: BadLink) -> ResponseReturnValue:
    """Answer a link of a mail that is not whole: its reader is a customer, whoever is signed in here."""
    title = _("This link is not complete")
    words = _("Perhaps it was cut off on the way. Open it from the mail again, or copy the whole of it.")
    return render_template("my/error.html", status=404, title=title, words=words), 404


def _on_database(error: SQLAlchemyError | psycopg.Error) -> ResponseReturnValue:
    _log.warning("the database is not available: %s", str(error).partition("\n")[0])
    g.viewer = g.customer = None
    return page(503), 503, {"Retry-After": "5"}


def _on_data(error: DataError | psycopg.DataError) -> ResponseReturnValue:
    """Answer a text that holds NUL, or a number that no column holds: they were sent, by no form of ours."""
    cause = error.orig if isinstance(error, DataError) else error
    if isinstance(cause, NumericValueOutOfRange):
        code = 404 if any(isinstance(part, int) for part in (request.view_args or {}).values()) else 422
        return page(code), code
    return (page(422), 422) if "NUL" in str(cause) else _on_anything(error)


def _on_anything(error: Exception) -> ResponseReturnValue:
    _log.error("unexpected error at %s", request.path, exc_info=error)
    return page(500), 500


def page(status: int, *, stale: bool = False) -> str:
    """Return the page of an error: what happened and what to do next."""
    if status not in {500, 503}:
        recognise()
    title, words = _words(status, stale=stale)
    if is_customers() or request.path.startswith(_LINKS):
        title, words = _customer_words(status) if not stale else (title, words)
        return render_template("my/error.html", status=status, title=title, words=words)
    signed_in = g.get("viewer") is not None and status < 500
    template = "screens/error.html" if signed_in else "screens/error_bare.html"
    return render_template(template, status=status, title=title, words=words)


def _customer_words(status: int) -> tuple[str, str]:
    """Return what a customer reads, who has nobody to ask and nothing to search."""
    if status < 500:
        return _("This page is not here"), _(
            "It may be over, or it belongs to somebody else. Nothing was changed."
        )
    if status == 503:
        return _("Back in a moment"), _("Your points are safe; try again in a few seconds.")
    return _("Something broke on our side"), _("It has been written down. Nothing was half-done; try again.")


def _words(status: int, *, stale: bool) -> tuple[str, str]:
    if stale:
        return (
            _("This page was open for too long"),
            _("Nothing was changed. Go back, load the page again, and repeat what you did."),
        )
    known = {
        401: (_("Sign in first"), _("Your session has ended.")),
        403: (
            _("This is not for your role"),
            _("An administrator can see who may do this, under People and roles."),
        ),
        404: (
            _("There is nothing at this address"),
            _(
                "It may have been moved, or belong to another store. The search finds members, receipts and articles."
            ),
        ),
        405: (_("This address cannot be used in this way"), _("Go back and try again.")),
        409: (
            _("Somebody was faster"),
            _("What you wanted to change has changed in the meantime. Load the page again."),
        ),
        413: (_("That was too much at once"), _("Nothing was changed.")),
        422: (_("This cannot be done"), _("Nothing was changed. Go back and check what you entered.")),
        503: (
            _("Back in a moment"),
            _("The database cannot be reached. What was saved is safe; try again in a few seconds."),
        ),
    }
    broken = (
        _("Something broke on our side"),
        _("It has been written down. Nothing was half-done; try again."),
    )
    return known.get(status, broken if status >= 500 else known[422])

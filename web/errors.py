"""What a person sees when something is not there, not allowed, or broken."""

import structlog
from flask import Flask, Response, g, has_request_context, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from core.errors import Conflict, NotFound, Refused
from web.guard import is_screen, recognise
from web.words import gettext as _

log = structlog.get_logger()
_OTHERS = ("/pos/", "/healthz", "/readyz", "/docs", "/openapi.json")


def concerns_people() -> bool:
    """Return whether the request was for a screen, so that its error is a page."""
    return is_screen() or not request.path.startswith(_OTHERS)


def register(app: Flask) -> None:
    """Answer the errors of the screens with pages; those of other blueprints are left to them."""
    from web.screens import SCREENS  # noqa: PLC0415

    for blueprint in SCREENS:
        blueprint.register_error_handler(HTTPException, page_of)
    app.register_error_handler(HTTPException, page_of)

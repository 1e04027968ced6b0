"""Every "no" that a till can hear, as RFC 9457 problem documents with stable types."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from flask import Blueprint, Flask, Response, request
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from core.errors import NotFound, Refused, RegularsError

TYPES = "https://regulars.example/problems/"
"""What every `type` begins with; the last segment is the code, and codes never change."""

RETRY_AFTER = "2"
"""Seconds that a till should wait before it asks again."""

MOST_ERRORS = 100
LONGEST_NAME = 200

PROBLEMS: Mapping[str, tuple[int, str]] = {
    "malformed": (400, "The body cannot be read"),
    "unauthenticated": (401, "No valid till key"),
    "revoked_key": (403, "The till key is revoked"),
    "other_store": (403, "This belongs to another store"),
    "not_found": (404, "There is no such thing"),
    "method_not_allowed": (405, "This address does not know the method"),
    "not_enough_points": (409, "The account has too few points"),
    "not_enough_money": (409, "The gift card holds too little"),
    "other_currency": (409, "The gift card holds another currency"),
    "out_of_stock": (409, "There is none left"),
    "already_redeemed": (409, "It is redeemed already"),
    "already_released": (409, "It is released already"),
    "expired": (409, "It has expired"),
    "not_registered": (409, "The card has no registered member"),
    "already_registered": (409, "The card has a holder already"),
    "card_in_use": (409, "The card is in use"),
    "card_blocked": (409, "The card is blocked"),
    "in_progress": (409, "The same request is still being worked on"),
    "too_large": (413, "The body is too large"),
    "unsupported_media_type": (415, "The body must be JSON"),
    "invalid_content": (422, "The body breaks a rule"),
    "receipt_conflict": (422, "Another receipt has this identity"),
    "idempotency_conflict": (422, "The Idempotency-Key came with another body"),
    "too_many_requests": (429, "Too many requests"),
    "internal": (500, "Something went wrong here"),
    "unavailable": (503, "Not available at the moment"),
}
"""Status and title of each code."""

UNREACHABLE: tuple[type[Exception], ...] = (
    OperationalError,
    InterfaceError,
    InternalError,
    PoolTimeout,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.InternalError,
)
"""What is raised when the database cannot work at the moment, rather than will not."""

_log = logging.getLogger(__name__)


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """An answer other than success; `errors` are (JSON pointer, detail) pairs about the body."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return PROBLEMS[self.code][0]

    def document(self) -> dict[str, Any]:
        """Return the problem as RFC 9457 wants it."""
        status, title = PROBLEMS[self.code]
        document: dict[str, Any] = {
            "type": TYPES + self.code,
            "title": title,
            "status": status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = [{"pointer": p, "detail": d} for p, d in self.errors[:MOST_ERRORS]]
        return document

    def response(self) -> Response:
        """Return the problem as the whole answer."""
        answer = Response(
            json.dumps(self.document()), self.status, self.headers, mimetype="application/problem+json"
        )
        answer.headers["Cache-Control"] = "no-store"
        if self.status == 401:
            answer.headers.setdefault("WWW-Authenticate", 'Bearer realm="regulars"')
        if self.status in {429, 503} or self.code == "in_progress":
            answer.headers.setdefault("Retry-After", RETRY_AFTER)
        return answer


def invalid_content(errors: Iterable[tuple[str, str]]) -> Problem:
    """Return the problem of a body that breaks the schema or a rule at these pointers."""
    found = tuple(errors)
    several = f"{len(found)} places break a rule." if len(found) > 1 else "One place breaks a rule."
    return Problem("invalid_content", several, errors=found)


def pointer(*path: str | int) -> str:
    """Return the JSON pointer (RFC 6901) of `path`; it ends above a name too long to repeat."""
    parts = []
    for step in path:
        part = str(step)
        if len(part) > LONGEST_NAME:
            break
        parts.append("/" + part.replace("~", "~0").replace("/", "~1"))
    return "".join(parts)


def pointed(messages: Any, *path: str | int) -> Iterator[tuple[str, str]]:
    """Yield marshmallow's nested `messages` as (JSON pointer, detail) pairs."""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            here = path if name == "_schema" and not isinstance(inner, dict) else (*path, name)
            yield from pointed(inner, *here)
    elif isinstance(messages, list):
        for message in messages:
            yield pointer(*path), str(message)
    else:
        yield pointer(*path), str(messages)


def of_refusal(error: RegularsError, codes: Mapping[type[RegularsError], str]) -> Problem:
    """Return the problem for what the domain refused; `codes` names the concrete classes."""
    for kind in type(error).__mro__:
        if kind in codes:
            return Problem(codes[kind], str(error))
    for family, code in ((NotFound, "not_found"), (Refused, "invalid_content")):
        if isinstance(error, family):
            return Problem(code, str(error))
    raise LookupError(f"{type(error).__name__} has no code in the contract") from error


@contextmanager
def refusals(codes: Mapping[type[RegularsError], str]) -> Iterator[None]:
    """Turn what the domain refuses inside the block into problems; `codes` names the concrete classes."""
    try:
        yield
    except RegularsError as error:
        raise of_refusal(error, codes) from error


def _of_routing(error: HTTPException) -> Problem:
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        return Problem("method_not_allowed", f"Here only {allowed} is known.", headers={"Allow": allowed})
    return Problem("not_found", "The contract knows no such address.")


def _on_http(error: HTTPException) -> Response:
    codes = {413: "too_large", 404: "not_found", 405: "method_not_allowed", 415: "unsupported_media_type"}
    code = codes.get(error.code or 500, "malformed" if (error.code or 500) < 500 else "internal")
    return Problem(code, error.description or error.name).response()


def of_outage(error: Exception) -> Problem:
    """Return the problem of a database that cannot work at the moment."""
    _log.warning("the database is not available: %s", str(error).partition("\n")[0])
    return Problem("unavailable", "The database cannot be reached; ask again.")


def of_surprise(error: Exception) -> Problem:
    """Return the problem of a fault of ours; it is logged, and nothing of it is told."""
    _log.error("unexpected error", exc_info=error)
    return Problem("internal", "The request was not carried out; ask again.")


def answer_errors(blueprint: Blueprint) -> None:
    """Answer every error of `blueprint` with a problem."""
    blueprint.register_error_handler(Problem, Problem.response)
    blueprint.register_error_handler(HTTPException, _on_http)
    for kind in UNREACHABLE:
        blueprint.register_error_handler(kind, lambda error: of_outage(error).response())
    blueprint.register_error_handler(Exception, lambda error: of_surprise(error).response())


def answer_routing_errors(app: Flask, prefix: str) -> None:
    """
    Answer every wrong address or method under `prefix` with a problem.

    Errors of routing belong to no blueprint, so they are answered before the
    request is dispatched, whatever error pages the rest of `app` has.
    """

    @app.before_request
    def answer_routing_error() -> Response | None:
        error = request.routing_exception
        if error is None or not (request.path + "/").startswith(prefix + "/"):
            return None
        return _of_routing(error).response()

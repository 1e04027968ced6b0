"""Whether the process lives and whether it can do its work; no key needed."""

from flask import Blueprint, Response, jsonify

from core.database import current_revision, newest_revision
from pos_api.problems import Problem, answer_errors
from pos_api.transactions import transact

health = Blueprint("pos_health", __name__)
answer_errors(health)


@health.get("/healthz")
def alive() -> Response:
    """Answer that the process lives, whatever else does not."""
    return jsonify(status="alive")


@health.get("/readyz")
def ready() -> Response:
    """Answer whether the database can be reached and has the schema of this version; 503 otherwise."""
    newest = newest_revision()
    found = transact(lambda session: current_revision(session.connection()))
    if found != newest:
        raise Problem("unavailable", f"The database is at revision {found}, this version needs {newest}.")
    return jsonify(status="ready", revision=found)

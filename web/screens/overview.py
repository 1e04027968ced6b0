"""The first page: what happened, and what needs a person, by role."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

blueprint = Blueprint("overview", __name__)


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Show the programme at a glance."""
    return render_template("screens/overview.html")

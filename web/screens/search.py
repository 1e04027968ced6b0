"""The search in the top bar."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

blueprint = Blueprint("search", __name__)


@blueprint.get("/search")
def find() -> ResponseReturnValue:
    """Show what fits the words."""
    return render_template("screens/overview.html")

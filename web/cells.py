"""Pieces of a page that Python makes: badges and names of groups, for cells of tables."""

from flask import url_for
from markupsafe import Markup, escape

from web.assets import asset


def icon(name: str) -> Markup:
    """Return an icon of the sprite."""
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>').format(
        asset("icons.svg"), name
    )


def badge(words: str, meaning: str = "", icon_name: str | None = None) -> Markup:
    """Return a badge; `meaning` is good, caution, bad, accent or nothing."""
    kind = f"badge badge-{meaning}" if meaning else "badge"
    return Markup('<span class="{}">{}{}</span>').format(kind, icon(icon_name) if icon_name else "", words)


def group_name(name: str, colour: int | str, group_id: str | None = None) -> Markup:
    """Return a group's name with its dot, leading to the group when its id is given."""
    words = escape(name)
    if group_id is not None:
        words = Markup('<a href="{}">{}</a>').format(url_for("groups.show", group_id=group_id), name)
    return Markup('<span class="group-name"><span class="dot series-{}"></span>{}</span>').format(
        colour, words
    )


def with_number(figure: Markup, text: str) -> Markup:
    """Return a figure with its number beside it."""
    return Markup('{} <span class="number">{}</span>').format(figure, text)

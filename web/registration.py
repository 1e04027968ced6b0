"""Puts the screens into an application: templates and their words, the guard, the routes, the error pages."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from flask import Blueprint, Flask, request
from markupsafe import Markup

from core.database import Sessions
from core.i18n import LANGUAGES
from web import address_parts, errors, figures, guard, navigation, notices, wording, words
from web.assets import asset
from web.flag_words import flag_detail
from web.groups.shown import kept_name
from web.roles import may, unlisted
from web.screens import SCREENS
from web.state import State, customer_or_none, now, reader, viewer_or_none
from web.theme import THEMES, theme

_YEAR: Final = 31_536_000


class Assets(Blueprint):
    """Our own files; each address carries the file's fingerprint, so browsers keep them for a year."""

    def get_send_file_max_age(self, filename: str | None) -> int | None:  # noqa: ARG002 - Flask's interface
        """Return a year in seconds."""
        return _YEAR


assets = Assets("assets", __name__, static_folder="static", static_url_path="/static")


class UnlistedRoute(RuntimeError):  # noqa: N818 - says what is wrong, as the others do
    """A screen's route is not in the table of roles; nobody may be let in by forgetting it."""


def register(
    app: Flask, sessions: Sessions, *, data: Path, secure_cookies: bool = False, proxies: int = 0
) -> None:
    """Make `app` serve the screens, from `sessions` and the files in the folder `data`."""
    app.extensions["web"] = State(
        sessions=sessions, data=data, secure_cookies=secure_cookies, proxies=proxies
    )
    _furnish(app)
    app.before_request(guard.enter)
    app.after_request(guard.leave)
    app.after_request(notices.forget)
    address_parts.register(app)
    app.register_blueprint(assets)
    for blueprint in SCREENS:
        app.register_blueprint(blueprint)
    errors.register(app)
    ours = {"assets", *(blueprint.name for blueprint in SCREENS)}
    forgotten = unlisted(
        rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[0] in ours
    )
    if forgotten:
        raise UnlistedRoute(", ".join(forgotten))


def _furnish(app: Flask) -> None:
    environment = app.jinja_env
    environment.add_extension("jinja2.ext.i18n")
    environment.install_gettext_callables(words.gettext, words.plain_ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.globals |= {
        "asset": asset,
        "csrf_token": guard.csrf_token,
        "nonce": guard.nonce,
        "sections": navigation.sections,
        "viewer": viewer_or_none,
        "customer": customer_or_none,
        "language": words.language,
        "languages": LANGUAGES,
        "theme": theme,
        "themes": THEMES,
        "now": now,
        "wording": wording,
        "flag_detail": flag_detail,
        "figures": figures,
        "in_panel": in_panel,
        "can": can,
        "notices": notices.notices,
        "htmx_config": htmx_config,
        "NOTHING": words.NOTHING,
    }
    environment.filters |= {
        "number": words.number_text,
        "short_number": words.short_number,
        "money": words.money_text,
        "money_whole": words.money_whole,
        "money_estimate": words.money_estimate,
        "percent": words.percent_text,
        "date": words.date_text,
        "day_month": words.day_month,
        "moment": words.moment_text,
        "end": words.end_text,
        "ago": words.ago,
        "duration": words.duration_text,
        "size": words.size_text,
        "language_name": words.language_name,
        "readable": words.readable,
        "average": average,
        "kept_name": kept_name,
    }


def in_panel() -> bool:
    """Return whether the answer goes into the side panel instead of being a page."""
    return request.headers.get("HX-Target") == "panel"


def can(endpoint: str) -> bool:
    """Return whether the reader may enter the route called `endpoint`, so that no link leads to a refusal."""
    person = reader()
    return may(person.role if person else None, endpoint)


def average(values: Iterable[float]) -> float | None:
    """Return the mean of `values`; None of nothing."""
    found = list(values)
    return sum(found) / len(found) if found else None


def htmx_config() -> Markup:
    """Return the settings under which htmx runs nothing that a page could smuggle in."""
    settings = {
        "includeIndicatorStyles": False,
        "allowEval": False,
        "allowScriptTags": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
        "scrollBehavior": "auto",
        "defaultSwapStyle": "innerHTML",
        "timeout": 30_000,
    }
    return Markup(json.dumps(settings))  # noqa: S704 - constants of ours, put into a single-quoted attribute

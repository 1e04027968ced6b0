"""The form of a new catalog run: what may be chosen, and what was typed read back."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from flask import request
from sqlalchemy.orm import Session

from catalogs.layouts import THEMES
from catalogs.opening import PERIOD, THEME, next_monday
from catalogs.queries import countries_of_stores
from catalogs.runs.drafting import faults_of
from catalogs.runs.run import CHANNELS, HOLD_OUT, SIZES, BadRun, Recipe
from core.clock import business_day
from rewards.vouchers.batches import batches
from web import scope
from web.catalogs.words import channel_words
from web.groups.shown import groups_now, name_of
from web.state import now
from web.words import country_name, date_text, language
from web.words import gettext as _

MOST_DIGITS: Final = 9


def form_of_run(session: Session, errors: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form of a new run shows: what may be chosen, what was typed, and what is wrong with it."""
    first = next_monday(business_day(now(), scope.read(session).timezone))
    given = request.form
    return {
        "errors": errors,
        "groups": [
            (view.group_id, name_of(view), view.members)
            for view in groups_now(session).groups
            if view.members
        ],
        "chosen": given.getlist("group_ids"),
        "themes": [(theme, theme.capitalize()) for theme in _themes()],
        "sizes": [(size, size) for size in SIZES],
        "channels": [(channel, channel_words([channel])) for channel in CHANNELS],
        "chosen_channels": given.getlist("channels") if given else list(CHANNELS),
        "countries": [
            (country, country_name(country), stores, ", ".join(currencies))
            for country, (stores, currencies) in countries_of_stores(session).items()
        ],
        "chosen_countries": given.getlist("countries"),
        "batches": [(batch.batch_code, batch.name(language())) for batch in batches(session).values()],
        "chosen_batches": given.getlist("voucher_batches"),
        "form": {
            "name": given.get("name", _("Catalog from %(day)s", day=date_text(first))),
            "theme": given.get("theme", THEME),
            "size": given.get("size", "A4"),
            "first_day": given.get("first_day", first.isoformat()),
            "last_day": given.get("last_day", (first + PERIOD - timedelta(days=1)).isoformat()),
            "hold_out": given.get("hold_out", f"{(HOLD_OUT * 100).normalize():f}"),
            "first_part": given.get("first_part", ""),
            "standing": "standing" in given,
        },
    }


def _themes() -> list[str]:
    return sorted(folder.name for folder in THEMES.iterdir() if (folder / "theme.toml").is_file())


def read_recipe(session: Session, errors: dict[str, str]) -> Recipe | None:
    """Return what the form says, or None with the words of everything that is wrong added to `errors`, by field."""
    given = request.form
    first, last = _day("first_day", errors), _day("last_day", errors)
    part = _whole("first_part", errors)
    hold_out = _percent(given.get("hold_out", ""))
    if not hold_out.is_finite():
        errors["hold_out"] = _("Enter a share in percent.")
    if given.get("theme", "") not in _themes():
        errors["theme"] = _("There is no such theme.")
    if not given.getlist("group_ids") and "standing" not in given:
        errors["group_ids"] = _("Choose at least one group.")
    # What cannot be read is said above; in its place stands something harmless, so that the rest is looked at too.
    begin = first or last or now().date()
    recipe = Recipe(
        name=given.get("name", ""),
        theme=given.get("theme", ""),
        size=given.get("size", ""),
        channels=tuple(dict.fromkeys(given.getlist("channels"))),
        valid_from=begin,
        valid_to=(last or begin) + timedelta(days=1),
        group_ids=tuple(dict.fromkeys(given.getlist("group_ids"))),
        voucher_batches=tuple(dict.fromkeys(given.getlist("voucher_batches"))),
        hold_out=hold_out if hold_out.is_finite() else HOLD_OUT,
        first_part=part,
        countries=tuple(dict.fromkeys(given.getlist("countries"))),
    )
    for bad in faults_of(session, recipe):
        errors.setdefault(field_of(bad), bad_words(bad))
    return None if errors else recipe


def _percent(typed: str) -> Decimal:
    """Return the share that was typed in percent; what is no number at all is not finite."""
    try:
        return Decimal(typed.strip().rstrip("%").replace(",", ".")) / 100
    except ArithmeticError:
        return Decimal("NaN")


def _whole(name: str, errors: dict[str, str]) -> int | None:
    """Return a whole number that may be left out."""
    typed = request.form.get(name, "").strip()
    # More digits than any count of copies has are not read at all.
    if typed and not (typed.isdecimal() and len(typed) <= MOST_DIGITS):
        errors[name] = _("Enter a whole number, 1 or more")
        return None
    return int(typed) if typed else None


def _day(name: str, errors: dict[str, str]) -> date | None:
    try:
        day = date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        day = date.max
    # The calendar's last day has no day after it, which a period ends with.
    if day == date.max:
        errors[name] = _("Enter a day.")
        return None
    return day


def field_of(bad: BadRun) -> str:
    """Return in which field of the form the part of a run is typed that is wrong."""
    return {"valid_to": "last_day"}.get(bad.field, bad.field)


def bad_words(bad: BadRun) -> str:
    """Return what is wrong with a run as the house says it."""
    return {
        "name": _("Give it a name of up to 120 signs."),
        "size": _("There is no such size."),
        "channels": _("Choose at least one way out."),
        "valid_to": _("The last day comes after the first, at most three months later."),
        "voucher_batches": _("Choose up to eight batches that exist."),
        "hold_out": _("Between 0 and 50 percent, with one decimal."),
        "first_part": _("Enter a whole number, 1 or more"),
        "group_ids": _("One of these groups is not there any more."),
        "countries": _("There is no store in one of these countries any more."),
    }.get(bad.field, str(bad))

"""The form of a programme version: what marketing enters, read into rules, and what is wrong with it in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from babel.numbers import get_currency_precision
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.i18n import major
from core.money import Money
from loyalty.programme.codec import ENDINGS, MOST_EXCLUDED, PAYMENTS, BadRules, read_rules, rules_document
from loyalty.programme.rules import Programme
from sales.models import Article
from web.words import gettext as _
from web.words import number_text

NUMBERS: Final = ("pending_days", "ending_months", "minimum", "step", "share_percent", "hold_minutes")
EXCLUDED: Final = ("excluded_departments", "excluded_categories", "excluded_articles")
_COLUMNS: Final = {
    "excluded_departments": Article.department,
    "excluded_categories": Article.category,
    "excluded_articles": Article.sku,
}
LONGEST_LIST: Final = 200_000


@dataclass(slots=True)
class VersionForm:
    """What was entered, as text by field; `errors` by field, in words."""

    given: dict[str, str]
    currencies: tuple[str, ...]
    errors: dict[str, str] = field(default_factory=dict)
    programme: Programme | None = None
    valid_from: date | None = None

    @property
    def note(self) -> str:
        """What the version is for."""
        return self.given.get("note", "").strip()


def filled(
    programme: Programme, currencies: Sequence[str], *, valid_from: date | None, note: str = ""
) -> VersionForm:
    """Return the form as it is shown for the rules of `programme`."""
    shown = tuple(sorted({*currencies, *programme.currencies}))
    document = rules_document(programme)
    given = {name: str(document[name]) for name in (*NUMBERS, "ending", "points_as")}
    given |= {name: "\n".join(document[name]) for name in EXCLUDED}
    given |= {
        name: "1" if document[name] else "" for name in ("net_of_tax", "earn_on_points", "unregistered_spend")
    }
    for currency in shown:
        rule = programme.rule(currency)
        given[f"points_{currency}"] = str(rule.points)
        given[f"per_{currency}"] = _amount(rule.per, currency)
        given[f"value_{currency}"] = _amount(rule.point_value, currency)
    given |= {"valid_from": valid_from.isoformat() if valid_from else "", "note": note}
    return VersionForm(given, shown, programme=programme, valid_from=valid_from)


def read_form(session: Session, entered: Mapping[str, str], currencies: Sequence[str]) -> VersionForm:
    """Return the form with what was entered, its rules when nothing is wrong with them, and errors."""
    shown = tuple(sorted({*currencies, *entered.get("currencies", "").split()} - {""}))
    form = VersionForm({name: text.strip() for name, text in entered.items()}, shown)
    document = _document(session, form)
    try:
        rules = read_rules(document)
    except BadRules as bad:
        # What was noted already says more of its field.
        form.errors = {_field_of(name): _words_of(name) for name in bad.errors} | form.errors
    else:
        form.programme = None if form.errors else rules
    try:
        form.valid_from = date.fromisoformat(form.given.get("valid_from", ""))
    except ValueError:
        form.errors["valid_from"] = _("Enter the first day of the new rules")
    if not form.note:
        form.errors["note"] = _("Say in a sentence what this version is for")
    return form


def _document(session: Session, form: VersionForm) -> dict[str, Any]:
    """Return the rules as JSON; where something is no number or unknown, with that noted among the errors."""
    given = form.given
    document: dict[str, Any] = {
        name: _chosen(given.get(name, ""), among)
        for name, among in (("ending", ENDINGS), ("points_as", PAYMENTS))
    }
    document |= {
        name: bool(given.get(name)) for name in ("net_of_tax", "earn_on_points", "unregistered_spend")
    }
    for name in NUMBERS:
        document[name] = _whole(form, name)
    for name in EXCLUDED:
        document[name] = _codes(session, form, name)
    document["currencies"] = {
        currency: {
            "points": _whole(form, f"points_{currency}"),
            "per": _minor(form, f"per_{currency}", currency),
            "point_value": _minor(form, f"value_{currency}", currency),
        }
        for currency in form.currencies
    }
    return document


def _chosen(text: str, among: Sequence[str]) -> str:
    return text if text in among else among[0]


def _whole(form: VersionForm, name: str) -> int:
    text = form.given.get(name, "").replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        form.errors[name] = _words_of(name)
        return 0
    return int(text)


def _minor(form: VersionForm, name: str, currency: str) -> int:
    """Return an amount entered in the major unit, with a comma or a point, in minor units."""
    precision = get_currency_precision(currency)
    text = form.given.get(name, "").replace(" ", "").replace("\N{NO-BREAK SPACE}", "").replace(",", ".")
    try:
        amount = Decimal(text).scaleb(precision)
        whole = int(amount)
    except (InvalidOperation, ValueError, OverflowError):
        amount, whole = Decimal(0), 0
    if whole <= 0 or whole != amount or len(text) > 15:
        form.errors[name] = _words_of(name)
        return 0
    return whole


def _codes(session: Session, form: VersionForm, name: str) -> list[str]:
    """Return the lines of a list, each of which has to be known: what is misspelt would leave nothing out."""
    text = form.given.get(name, "")
    codes = sorted({line.strip() for line in text[:LONGEST_LIST].splitlines()} - {""})
    if len(codes) > MOST_EXCLUDED or len(text) > LONGEST_LIST:
        form.errors[name] = _("At most %(most)s lines", most=number_text(MOST_EXCLUDED))
        return []
    if codes:
        column = _COLUMNS[name]
        known = set(session.scalars(select(column).where(column.in_(codes)).distinct()))
        unknown = [code for code in codes if code not in known]
        if unknown:
            form.errors[name] = _("No article has this: %(code)s", code=", ".join(unknown[:5]))
    return codes


def _field_of(name: str) -> str:
    """Return the field of the form for a place in the rules' JSON: currencies.CZK.per is per_CZK."""
    parts = name.split(".")
    if parts[0] == "currencies" and len(parts) > 2:
        return f"{'value' if parts[2] == 'point_value' else parts[2]}_{parts[1]}"
    return parts[0]


def _words_of(name: str) -> str:
    """Return what can be entered in the field for `name`, in words."""
    plain = _field_of(name)
    if plain[-3:].isupper():
        plain = plain.partition("_")[0]
    words = {
        "pending_days": _("Enter 0 to 365 days"),
        "ending_months": _("Enter 1 to 240 months"),
        "minimum": _("Enter a whole number of points, 1 or more"),
        "step": _("Enter a whole number of points, 1 or more"),
        "share_percent": _("Enter 1 to 100 percent"),
        "hold_minutes": _("Enter 1 to 120 minutes"),
        "points": _("Enter 1 to 1000 points"),
        "per": _("Enter an amount above zero"),
        "value": _("Enter an amount above zero"),
    }
    return words.get(plain, _("This cannot be used"))


def _amount(minor: int, currency: str) -> str:
    return str(major(Money(minor, currency)))

"""The form of a version of the tiers: what marketing enters, read into a scheme, and what is wrong with it in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from babel.numbers import get_currency_precision

from core.i18n import LANGUAGES, major
from core.money import Money
from loyalty.programme.codec import BadRules
from loyalty.tiers.codec import MEASURES, MOST_TIERS, PERIODS, read_scheme, scheme_document
from loyalty.tiers.scheme import SPEND, Scheme
from web.words import gettext as _

FEWEST_ROWS: Final = 3
NUMBERS: Final = ("grace_days", "warning_days")


@dataclass(slots=True)
class TierForm:
    """What was entered, as text by field; `errors` by field, in words."""

    given: dict[str, str]
    rows: int
    errors: dict[str, str] = field(default_factory=dict)
    scheme: Scheme | None = None
    valid_from: date | None = None

    @property
    def note(self) -> str:
        """What the version is for."""
        return self.given.get("note", "").strip()


def filled(scheme: Scheme, *, currency: str, valid_from: date | None, note: str = "") -> TierForm:
    """Return the form as it is shown for a scheme, with room for one tier more."""
    document = scheme_document(scheme)
    own = document["currency"] or currency
    given = {
        "measure": document["measure"],
        "period": document["period"],
        "currency": own,
        "rates": "\n".join(f"{code} {rate}" for code, rate in document["rates"].items()),
        "valid_from": valid_from.isoformat() if valid_from else "",
        "note": note,
    }
    given |= {name: str(document[name]) for name in NUMBERS}
    for place, tier in enumerate(scheme.tiers, 1):
        given[f"code_{place}"] = tier.code
        threshold = major(Money(tier.threshold, own)) if scheme.measure == SPEND else tier.threshold
        given[f"threshold_{place}"] = str(threshold)
        given |= {f"name_{code}_{place}": tier.names.get(code, "") for code in LANGUAGES}
    return TierForm(given, _rows(len(scheme.tiers)), scheme=scheme, valid_from=valid_from)


def read_form(entered: Mapping[str, str]) -> TierForm:
    """Return the form with what was entered, its scheme when nothing is wrong with it, and errors."""
    given = {name: text.strip() for name, text in entered.items()}
    last = max((place for place in range(1, MOST_TIERS + 1) if _said(given, place)), default=0)
    form = TierForm(given, _rows(last))
    document = _document(form, last)
    try:
        form.valid_from = date.fromisoformat(given.get("valid_from", ""))
    except ValueError:
        form.errors["valid_from"] = _("Enter the first day of the new rules")
    if not form.note:
        form.errors["note"] = _("Say in a sentence what this version is for")
    if not any(name not in {"valid_from", "note"} for name in form.errors):
        try:
            form.scheme = read_scheme(document)
        except BadRules as bad:
            form.errors |= {_field_of(name): _words_of(name) for name in bad.errors}
    return form


def _document(form: TierForm, last: int) -> dict[str, Any]:
    given = form.given
    measure = _chosen(given.get("measure", ""), MEASURES)
    document: dict[str, Any] = {
        "measure": measure,
        "period": _chosen(given.get("period", ""), PERIODS),
        "currency": given.get("currency", "").upper() or None if measure == SPEND else None,
        "rates": _rates(form) if measure == SPEND else {},
        "tiers": [_tier(form, place, measure) for place in range(1, last + 1) if _said(given, place)],
    }
    for name in NUMBERS:
        document[name] = _whole(form, name)
    return document


def _tier(form: TierForm, place: int, measure: str) -> dict[str, Any]:
    given = form.given
    names = {code: given.get(f"name_{code}_{place}", "") for code in LANGUAGES}
    if not given.get(f"code_{place}"):
        form.errors[f"code_{place}"] = _("Enter a short code, such as silver")
    if not names["en"]:
        form.errors[f"name_en_{place}"] = _("Enter the English name")
    name = f"threshold_{place}"
    if measure == SPEND:
        threshold = _minor(form, name, given.get("currency", "").upper())
    else:
        threshold = _whole(form, name)
    return {
        "code": given.get(f"code_{place}", ""),
        "name": {code: said for code, said in names.items() if said},
        "threshold": threshold,
    }


def _rates(form: TierForm) -> dict[str, str]:
    rates: dict[str, str] = {}
    for line in form.given.get("rates", "").splitlines():
        code, _space, rate = line.strip().partition(" ")
        if code:
            rates[code.upper()] = rate.strip().replace(",", ".")
    return rates


def _said(given: Mapping[str, str], place: int) -> bool:
    names = (f"name_{code}_{place}" for code in LANGUAGES)
    return any(given.get(name) for name in (f"code_{place}", f"threshold_{place}", *names))


def _rows(tiers: int) -> int:
    return min(MOST_TIERS, max(FEWEST_ROWS, tiers + 1))


def _chosen(text: str, among: Sequence[str]) -> str:
    return text if text in among else among[0]


def _plain(text: str) -> str:
    return text.replace(" ", "").replace("\N{NO-BREAK SPACE}", "").replace(",", ".")


def _whole(form: TierForm, name: str) -> int:
    text = _plain(form.given.get(name, ""))
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        form.errors[name] = _words_of(name)
        return 0
    return int(text)


def _minor(form: TierForm, name: str, currency: str) -> int:
    try:
        amount = Decimal(_plain(form.given.get(name, ""))).scaleb(get_currency_precision(currency))
        whole = int(amount)
    except (InvalidOperation, ValueError, OverflowError):
        amount, whole = Decimal(-1), 0
    if whole != amount or whole < 0 or whole > 10**12:
        form.errors[name] = _("Enter an amount, or 0 for everybody")
        return 0
    return whole


def _field_of(name: str) -> str:
    """Return the field of the form for a place in the scheme's JSON."""
    parts = name.split(".")
    if parts[0] == "tiers":
        if len(parts) > 2 and parts[1].isdigit():
            field = {"name": "name_en", "code": "code", "threshold": "threshold"}.get(parts[2], "code")
            return f"{field}_{int(parts[1]) + 1}"
        return "code_1"
    return parts[0]


def _words_of(name: str) -> str:
    parts = name.split(".")
    if name == "tiers.threshold":
        return _("Two tiers begin with the same")
    if name == "tiers.code":
        return _("Two tiers have the same code")
    words = {
        "code": _("At most 32 letters, digits, - or _"),
        "name": _("At most 40 letters"),
        "currency": _("Enter a currency code, such as CZK"),
        "rates": _("Enter one currency per line with what one is worth, such as EUR 25"),
        "grace_days": _("Enter 0 to 180 days"),
        "warning_days": _("Enter 0 to 180 days"),
        "threshold": _("Enter a whole number, 0 for everybody"),
    }
    for part in reversed([name, *parts]):
        if part.partition("_")[0] == "threshold":
            return words["threshold"]
        if part in words:
            return words[part]
    return _("This cannot be used")

"""The offer builder's form: an offer's document as fields, and fields as a document, with what is wrong in words."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any, Final

from core.i18n import LANGUAGES
from web.offers.condition_words import SELECT_KEYS
from web.offers.fields import (
    Fields,
    Given,
    amount_text,
    moment_fields,
    plain_number,
    without_blanks,
)
from web.offers.names import Json
from web.typed import wrong_text
from web.words import gettext as _
from web.words import language

CONDITIONS: Final = ("always", "items", "each", "value", "voucher", "all", "any", "not")
BENEFITS: Final = (
    "percent", "amount", "fixed_price", "nth", "points_multiplier", "points", "gift", "voucher",
)  # fmt: skip
NESTED: Final = frozenset({"all", "any", "not"})
AMOUNTS: Final = ("amount", "per_store_day_amount", "per_store_week_amount")
COUNTS: Final = (
    "per_receipt", "per_member_day", "per_member", "uses", "per_store_day_uses", "per_store_week_uses",
)  # fmt: skip
LISTS: Final = ("tiers", "groups", "phases", "values")
DEEPEST: Final = 8
UNNAMED: Final = "UNNAMED"
"""The code under which an offer is tried that nobody has named yet; nothing is drafted under it."""
_CODE: Final = re.compile(r"[A-Z0-9_-]{1,32}")


@dataclass(slots=True)
class OfferForm(Fields):
    """
    An offer as it is entered; `document` is there when nothing is wrong with it but that it has no name yet.

    The name comes last, and what an offer does can be seen without it: then it is tried as `UNNAMED`. What is
    still wrong stands in `errors`.
    """

    document: dict[str, Any] | None = None
    is_unnamed: bool = False


def read_form(given: Given, *, currency: str, timezone: str) -> OfferForm:
    """Return the form with what was entered, its document when nothing is wrong with it, and errors by field."""
    form = OfferForm(given, currency, timezone, searched=["stores"])
    document = {
        "code": _code(form),
        "name": _names(form),
        "valid": _valid(form),
        "stores": form.many("stores"),
        "audience": _audience(form),
        "stage": form.text("stage") or "article",
        "priority": _priority(form),
        "exclusive_group": _group(form),
        "stackable": form.text("stackable") != "no",
        "limits": _limits(form),
        "condition": _condition(form, "condition", 1),
        "benefit": _benefit(form),
    }
    if form.is_unnamed:
        document["code"] = document["code"] or UNNAMED
    form.document = None if set(form.errors) - ({_own_name()} if form.is_unnamed else set()) else document
    return form


def filled(document: Json, *, currency: str, timezone: str) -> OfferForm:
    """Return the form as it is shown for an offer."""
    given: dict[str, list[str]] = {"code": [document["code"]]}
    given |= {f"name.{language}": [words] for language, words in (document.get("name") or {}).items()}
    _fill_valid(given, document.get("valid") or {}, timezone)
    given["stores"] = list(document.get("stores") or ())
    _fill_audience(given, document.get("audience") or {})
    given["stage"] = [document.get("stage") or "article"]
    given["priority"] = [str(document.get("priority", 100))]
    given["exclusive_group"] = [document.get("exclusive_group") or ""]
    given["stackable"] = ["yes" if document.get("stackable", True) else "no"]
    limits = document.get("limits") or {}
    given |= {f"limits.{key}": [amount_text(limits.get(key), currency)] for key in AMOUNTS}
    given |= {f"limits.{key}": [plain_number(limits.get(key))] for key in COUNTS}
    _fill_condition(given, "condition", document["condition"], currency)
    _fill_benefit(given, document["benefit"], currency)
    return OfferForm(given, currency, timezone, document=dict(document))


def _code(form: Fields) -> str:
    code = form.text("code").upper() or code_of_name(form.text("name.en") or _any_name(form))
    if not _CODE.fullmatch(code) and (code or _any_name(form)):
        form.wrong("code", _("Enter a code of capital letters without accents, digits, - and _; at most 32"))
    return code


def code_of_name(name: str) -> str:
    """Return a code that reminds of a name: "10 % off tea" is 10-OFF-TEA."""
    plain = unicodedata.normalize("NFKD", name.lower().replace("\N{LATIN SMALL LETTER L WITH STROKE}", "l"))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter)).upper()
    return re.sub(r"[^A-Z0-9]+", "-", letters).strip("-")[:32].strip("-")


def _any_name(form: Fields) -> str:
    return next((form.text(f"name.{one}") for one in LANGUAGES if form.text(f"name.{one}")), "")


def _own_name() -> str:
    """Return the field of the name in the language of who fills the form."""
    return f"name.{language()}"


def _names(form: OfferForm) -> dict[str, str]:
    spoken = dict.fromkeys([*LANGUAGES, *(name[5:] for name in form.given if name.startswith("name."))])
    names = {language: form.text(f"name.{language}") for language in spoken}
    for spoken_in, name in names.items():
        if words := wrong_text(name, longest=120):
            form.wrong(f"name.{spoken_in}", words)
    if not any(names.values()):
        form.wrong(_own_name(), _("Name the offer in at least one language"))
        form.is_unnamed = True
    return {language: name for language, name in names.items() if name}


def _valid(form: Fields) -> dict[str, Any]:
    start, end = form.moment("valid.from"), form.moment("valid.to", end=True)
    if start and end and end <= start:
        form.wrong("valid.to", _("The last day comes before the first"))
    days = form.many("valid.weekdays")
    return {
        "from": start,
        "to": end,
        "weekdays": sorted(int(day) for day in days if day in {"1", "2", "3", "4", "5", "6", "7"}),
        "hours": _hours(form),
    }


def _hours(form: Fields) -> list[dict[str, str]]:
    found = []
    for path in form.children("valid.hours"):
        start, end = form.text(f"{path}.from"), form.text(f"{path}.to")
        if not start and not end:
            continue
        try:
            time.fromisoformat(start), time.fromisoformat(end)
        except ValueError:
            form.wrong("valid.hours", _("Enter both hours, such as 22:00 and 02:00"))
            continue
        found.append({"from": start[:5], "to": end[:5]})
    return found


def _audience(form: Fields) -> dict[str, Any]:
    who = form.text("audience.who")
    days = form.whole("audience.birthday_within_days", words=_("Enter a number of days, 0 or more"))
    return {
        "who": who if who in {"everyone", "members", "companies"} else "members",
        **{key: form.many(f"audience.{key}") for key in LISTS},
        "member_codes": list(dict.fromkeys(form.text("audience.member_codes").replace(",", " ").split())),
        "birthday_within_days": days,
        "first_purchase": bool(form.text("audience.first_purchase")),
        "staff": bool(form.text("audience.staff")),
        "companies": bool(form.text("audience.companies")),
    }


def _priority(form: Fields) -> int:
    text = form.text("priority") or "100"
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        form.wrong("priority", _("Enter a whole number, such as 100"))
        return 100
    return int(text)


def _group(form: Fields) -> str | None:
    group = form.text("exclusive_group")
    if words := wrong_text(group, longest=80):
        form.wrong("exclusive_group", words)
    return group or None


def _limits(form: Fields) -> dict[str, Any]:
    words = _("Enter a whole number, or nothing for no limit")
    found: dict[str, Any] = {key: form.whole(f"limits.{key}", words=words) for key in COUNTS}
    return found | {key: form.amount(f"limits.{key}") for key in AMOUNTS}


def _condition(form: Fields, path: str, depth: int) -> dict[str, Any]:
    kind = form.text(f"{path}.kind") or "items"
    found: dict[str, Any] = {"kind": kind}
    if kind == "items":
        found |= {"select": select_of(form, f"{path}.select"), "quantity": form.measure(f"{path}.quantity")}
    elif kind == "each":
        found["of"] = _parts(form, path)
    elif kind == "value":
        measure = "net" if form.text(f"{path}.measure") == "net" else "gross"
        found |= {
            "select": select_of(form, f"{path}.select"),
            "amount": form.amount(
                f"{path}.amount", words=_("Enter the amount from which on it holds"), needed=True
            ),
        }
        found["measure"] = measure
    elif kind == "voucher":
        found["batch"] = _chosen(form, f"{path}.batch", _("Choose a voucher batch"))
    elif kind in NESTED:
        found["of"] = _nested(form, path, depth)
    elif kind != "always":
        form.wrong(f"{path}.kind", _("Choose what has to happen"))
    return found


def _parts(form: Fields, path: str) -> list[dict[str, Any]]:
    parts = form.children(f"{path}.of")
    if not parts:
        form.wrong(f"{path}.kind", _("Add what belongs to the set"))
    return [
        {"select": select_of(form, f"{part}.select"), "quantity": form.measure(f"{part}.quantity")}
        for part in parts
    ]


def _nested(form: Fields, path: str, depth: int) -> list[dict[str, Any]]:
    parts = form.children(f"{path}.of")
    if not parts:
        form.wrong(f"{path}.kind", _("Add at least one condition"))
    if depth >= DEEPEST:
        form.wrong(f"{path}.kind", _("Conditions can stand in each other at most 8 deep"))
        return []
    return [_condition(form, part, depth + 1) for part in parts]


def select_of(form: Fields, path: str) -> dict[str, Any]:
    """Return a selection of goods; {} for all of them."""
    form.searched.append(path)
    found: dict[str, Any] = {key: form.many(f"{path}.{key}") for key in SELECT_KEYS}
    if any(name.startswith(f"{path}.except.") for name in form.given):
        found["except"] = select_of(form, f"{path}.except")
    return without_blanks(found)


def _benefit(form: Fields) -> dict[str, Any]:
    kind = form.text("benefit.kind") or "percent"
    if kind not in _READ:
        form.wrong("benefit.kind", _("Choose what is given"))
        return {"kind": kind}
    found = {"kind": kind} | {key: value for key, value in _READ[kind](form).items() if value is not None}
    if form.text("benefit.on") == "other":
        found["select"] = select_of(form, "benefit.select")
    return found


def _percent(form: Fields) -> dict[str, Any]:
    return {"off": form.percent("benefit.off"), "max_amount": form.amount("benefit.max_amount")}


def _amount(form: Fields) -> dict[str, Any]:
    off = form.amount("benefit.off", words=_("Enter how much is taken off"), needed=True)
    return {"off": off, "per": _per(form)}


def _price(form: Fields) -> dict[str, Any]:
    price = form.amount("benefit.price", words=_("Enter the price that is paid instead"), needed=True)
    return {"price": price, "per": _per(form)}


def _per(form: Fields) -> str:
    return "unit" if form.text("benefit.per") == "unit" else "application"


def _multiplier(form: Fields) -> dict[str, Any]:
    times = form.decimal("benefit.times", words=_("Enter a number, such as 2"), needed=True)
    return {"times": plain_number(times)}


def _gift(form: Fields) -> dict[str, Any]:
    reward = _chosen(form, "benefit.reward", _("Choose a gift"))
    return {"reward": reward, "quantity": _count(form, "benefit.quantity")}


def _nth(form: Fields) -> dict[str, Any]:
    which = "dearest" if form.text("benefit.which") == "dearest" else "cheapest"
    return {"off": form.percent("benefit.off"), "which": which, "count": _count(form, "benefit.count")}


def _count(form: Fields, name: str) -> int:
    found = form.whole(name, words=_("Enter a whole number, 1 or more"), least=1, needed=True)
    return found or 1


def _chosen(form: Fields, name: str, words: str) -> str:
    found = form.text(name)
    if not found:
        form.wrong(name, words)
    return found


_READ: Final[dict[str, Callable[[Fields], dict[str, Any]]]] = {
    "percent": _percent,
    "amount": _amount,
    "fixed_price": _price,
    "nth": _nth,
    "points_multiplier": _multiplier,
    "points": lambda form: {"points": _count(form, "benefit.points")},
    "gift": _gift,
    "voucher": lambda form: {"batch": _chosen(form, "benefit.batch", _("Choose a voucher batch"))},
}


def _fill_valid(given: Given, valid: Json, timezone: str) -> None:
    given |= moment_fields("valid.from", valid.get("from"), timezone)
    given |= moment_fields("valid.to", valid.get("to"), timezone, end=True)
    given["valid.weekdays"] = [str(day) for day in valid.get("weekdays") or ()]
    for number, one in enumerate(valid.get("hours") or ()):
        given[f"valid.hours.{number}.from"] = [one["from"]]
        given[f"valid.hours.{number}.to"] = [one["to"]]


def _fill_audience(given: Given, audience: Json) -> None:
    given["audience.who"] = [audience.get("who") or "members"]
    for key in LISTS:
        given[f"audience.{key}"] = list(audience.get(key) or ())
    given["audience.member_codes"] = ["\n".join(audience.get("member_codes") or ())]
    given["audience.birthday_within_days"] = [plain_number(audience.get("birthday_within_days"))]
    for key in ("first_purchase", "staff", "companies"):
        given[f"audience.{key}"] = ["1"] if audience.get(key) else []


def _fill_condition(given: Given, path: str, condition: Json, currency: str) -> None:
    kind = condition["kind"]
    given[f"{path}.kind"] = [kind]
    _fill_select(given, f"{path}.select", condition.get("select"))
    if kind == "items":
        given[f"{path}.quantity"] = [plain_number(condition.get("quantity", "1"))]
    elif kind == "value":
        given[f"{path}.amount"] = [amount_text(condition["amount"], currency)]
        given[f"{path}.measure"] = [condition.get("measure") or "gross"]
    elif kind == "voucher":
        given[f"{path}.batch"] = [condition["batch"]]
    for number, part in enumerate(condition.get("of") or ()):
        inner = f"{path}.of.{number}"
        if kind == "each":
            given[f"{inner}.quantity"] = [plain_number(part.get("quantity", "1"))]
            _fill_select(given, f"{inner}.select", part.get("select"))
        else:
            _fill_condition(given, inner, part, currency)


def _fill_select(given: Given, path: str, select: Json | None) -> None:
    for key in SELECT_KEYS:
        if codes := (select or {}).get(key):
            given[f"{path}.{key}"] = list(codes)
    if (select or {}).get("except"):
        _fill_select(given, f"{path}.except", (select or {})["except"])


def _fill_benefit(given: Given, benefit: Mapping[str, Any], currency: str) -> None:
    kind = benefit["kind"]
    given["benefit.kind"] = [kind]
    given["benefit.per"] = [benefit.get("per") or "application"]
    for key in ("which", "reward", "batch"):
        given[f"benefit.{key}"] = [benefit.get(key) or ""]
    for key in ("points", "times", "count", "quantity"):
        given[f"benefit.{key}"] = [plain_number(benefit.get(key))]
    for key in ("price", "max_amount"):
        given[f"benefit.{key}"] = [amount_text(benefit.get(key), currency)]
    off = benefit.get("off")
    given["benefit.off"] = [amount_text(off, currency) if kind == "amount" else plain_number(off)]
    given["benefit.on"] = ["other" if benefit.get("select") is not None else ""]
    _fill_select(given, "benefit.select", benefit.get("select"))

"""The programme's rules as JSON: what is stored with a version, exported to a file and read back."""

from collections.abc import Mapping
from typing import Any

from babel.core import get_global
from marshmallow import Schema, ValidationError, fields, post_load, validate

from core.errors import Refused
from loyalty.programme.rules import (
    DAY,
    DISCOUNT,
    MONTH_END,
    NEVER,
    TENDER,
    YEAR_END,
    CurrencyRule,
    Excluded,
    Programme,
)

ENDINGS = (MONTH_END, DAY, YEAR_END, NEVER)
PAYMENTS = (DISCOUNT, TENDER)
MOST_EXCLUDED = 10_000


class BadRules(Refused):
    """The rules break a rule themselves; `errors` says which field and why."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {words}" for name, words in errors.items()))
        self.errors = errors


def _whole(least: int, most: int) -> fields.Integer:
    return fields.Integer(strict=True, required=True, validate=validate.Range(least, most))


def _flag() -> fields.Boolean:
    return fields.Boolean(required=True, truthy={True}, falsy={False})


def _codes() -> fields.List[str]:
    return fields.List(
        fields.String(validate=validate.Length(1, 200)),
        required=True,
        validate=validate.Length(max=MOST_EXCLUDED),
    )


class _CurrencyRule(Schema):
    points = _whole(1, 1_000)
    per = _whole(1, 10**9)
    point_value = _whole(1, 10**6)

    @post_load
    def _rule(self, content: dict[str, Any], **_: Any) -> CurrencyRule:
        return CurrencyRule(**content)


def _currency(code: str) -> None:
    if code not in get_global("all_currencies"):
        raise ValidationError("is no ISO 4217 currency")


class _Rules(Schema):
    currencies = fields.Dict(
        keys=fields.String(validate=_currency), values=fields.Nested(_CurrencyRule), required=True
    )
    net_of_tax = _flag()
    earn_on_points = _flag()
    excluded_departments = _codes()
    excluded_categories = _codes()
    excluded_articles = _codes()
    pending_days = _whole(0, 365)
    ending = fields.String(required=True, validate=validate.OneOf(ENDINGS))
    ending_months = _whole(1, 240)
    points_as = fields.String(required=True, validate=validate.OneOf(PAYMENTS))
    minimum = _whole(1, 10**6)
    step = _whole(1, 10**6)
    share_percent = _whole(1, 100)
    hold_minutes = _whole(1, 120)
    unregistered_spend = _flag()


_RULES = _Rules()


def rules_document(programme: Programme) -> dict[str, Any]:
    """Return the rules of a version as JSON; its number is not part of them."""
    return {
        "currencies": {
            code: {"points": rule.points, "per": rule.per, "point_value": rule.point_value}
            for code, rule in sorted(programme.currencies.items())
        },
        "net_of_tax": programme.net_of_tax,
        "earn_on_points": programme.earn_on_points,
        "excluded_departments": sorted(programme.excluded.departments),
        "excluded_categories": sorted(programme.excluded.categories),
        "excluded_articles": sorted(programme.excluded.articles),
        "pending_days": programme.pending_days,
        "ending": programme.ending,
        "ending_months": programme.ending_months,
        "points_as": programme.points_as,
        "minimum": programme.minimum,
        "step": programme.step,
        "share_percent": programme.share_percent,
        "hold_minutes": programme.hold_minutes,
        "unregistered_spend": programme.unregistered_spend,
    }


def read_rules(document: Mapping[str, Any], *, version: int = 0) -> Programme:
    """Return the rules in a document, every one of them stated; raises `BadRules`."""
    try:
        content = dict(_RULES.load(document))
    except ValidationError as error:
        raise BadRules(dict(flat_messages(error))) from error
    excluded = Excluded(
        departments=frozenset(content.pop("excluded_departments")),
        categories=frozenset(content.pop("excluded_categories")),
        articles=frozenset(content.pop("excluded_articles")),
    )
    return Programme(version=version, excluded=excluded, **content)


def flat_messages(error: ValidationError) -> list[tuple[str, str]]:
    """Return marshmallow's messages as (field, words); it names none only where no field is at fault."""
    return _flat(error.messages if isinstance(error.messages, Mapping) else {"rules": error.messages})


def _flat(messages: Mapping[Any, Any], path: str = "") -> list[tuple[str, str]]:
    """Return marshmallow's nested messages as (field, words); the first words of a field suffice."""
    found: list[tuple[str, str]] = []
    for name, content in messages.items():
        # Keys and values of a mapping are told apart by marshmallow, not by people.
        here = path if name in {"key", "value"} and path else f"{path}.{name}".strip(".")
        if isinstance(content, Mapping):
            found += _flat(content, here)
        else:
            found.append((here, str(content[0])))
    return found

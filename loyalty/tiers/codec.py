"""Tiers as JSON: what is stored with a version, exported to a file and read back."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from babel.core import get_global
from marshmallow import Schema, ValidationError, fields, validate

from core.i18n import LANGUAGES
from loyalty.programme.codec import BadRules, flat_messages
from loyalty.tiers.scheme import ANNIVERSARY, CALENDAR_YEAR, POINTS, ROLLING, SPEND, VISITS, Scheme, Tier

MEASURES = (SPEND, VISITS, POINTS)
PERIODS = (CALENDAR_YEAR, ROLLING, ANNIVERSARY)
MOST_TIERS = 10
CODE = re.compile(r"[A-Za-z0-9_-]{1,32}")


def _currency(code: str) -> None:
    if code not in get_global("all_currencies"):
        raise ValidationError("is no ISO 4217 currency")


def _rate(words: str) -> None:
    try:
        rate = Decimal(words)
    except InvalidOperation:
        raise ValidationError("is no decimal number") from None
    if not rate.is_finite() or not Decimal("0.0001") <= rate <= 10_000:
        raise ValidationError("lies between 0.0001 and 10000")


class _Tier(Schema):
    code = fields.String(required=True, validate=validate.Regexp(rf"^{CODE.pattern}$"))
    name = fields.Dict(
        keys=fields.String(validate=validate.OneOf(LANGUAGES)),
        values=fields.String(validate=validate.Length(1, 40)),
        required=True,
    )
    threshold = fields.Integer(strict=True, required=True, validate=validate.Range(0, 10**12))


class _Scheme(Schema):
    tiers = fields.List(fields.Nested(_Tier), required=True, validate=validate.Length(max=MOST_TIERS))
    measure = fields.String(required=True, validate=validate.OneOf(MEASURES))
    period = fields.String(required=True, validate=validate.OneOf(PERIODS))
    currency = fields.String(load_default=None, allow_none=True, validate=_currency)
    rates = fields.Dict(
        keys=fields.String(validate=_currency), values=fields.String(validate=_rate), load_default=dict
    )
    grace_days = fields.Integer(strict=True, load_default=0, validate=validate.Range(0, 180))
    warning_days = fields.Integer(strict=True, load_default=30, validate=validate.Range(0, 180))


_SCHEME = _Scheme()


def scheme_document(scheme: Scheme) -> dict[str, Any]:
    """Return the tiers of a version as JSON; its number is not part of them."""
    own, *others = scheme.currencies or (None,)
    return {
        "tiers": [
            {"code": tier.code, "name": dict(tier.names), "threshold": tier.threshold}
            for tier in scheme.tiers
        ],
        "measure": scheme.measure,
        "period": scheme.period,
        "currency": own,
        "rates": {code: format(scheme.currencies[code].normalize(), "f") for code in others if code},
        "grace_days": scheme.grace_days,
        "warning_days": scheme.warning_days,
    }


def read_scheme(document: Mapping[str, Any], *, version: int = 0) -> Scheme:
    """Return the tiers in a document, the lowest first however they are listed; raises `BadRules`."""
    try:
        content = dict(_SCHEME.load(document))
    except ValidationError as error:
        raise BadRules(dict(flat_messages(error))) from error
    own, rates = content.pop("currency"), content.pop("rates")
    currencies: dict[str, Decimal] = {}
    if content["measure"] == SPEND:
        if own is None:
            raise BadRules({"currency": "spend is measured in a currency"})
        currencies = {
            own: Decimal(1),
            **{code: Decimal(rates[code]) for code in sorted(rates) if code != own},
        }
    tiers = tuple(
        Tier(one["code"], dict(sorted(one["name"].items())), one["threshold"])
        for one in sorted(content.pop("tiers"), key=lambda one: (one["threshold"], one["code"]))
    )
    _check(tiers)
    return Scheme(tiers=tiers, currencies=currencies, version=version, **content)


def _check(tiers: tuple[Tier, ...]) -> None:
    for name, values in (
        ("code", [one.code for one in tiers]),
        ("threshold", [one.threshold for one in tiers]),
    ):
        if len(set(values)) < len(values):
            raise BadRules({f"tiers.{name}": f"two tiers have the same {name}"})
    for one in tiers:
        if "en" not in one.names:
            raise BadRules({"tiers.name": f"{one.code} has no English name"})

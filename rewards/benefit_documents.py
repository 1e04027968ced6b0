"""Benefits as JSON; see `rewards.codec`. Pure."""

from collections.abc import Callable
from dataclasses import fields as dataclass_fields
from decimal import Decimal
from typing import Any

from rewards.condition_documents import read_select, select_document
from rewards.document_reading import Fields, OffersRefused, amount, code, decimal, one_of, text, whole
from rewards.offers import (
    APPLICATION,
    CHEAPEST,
    DEAREST,
    UNIT,
    AmountOff,
    Benefit,
    BonusPoints,
    FixedPrice,
    Gift,
    NextVoucher,
    Nth,
    Percent,
    PointsMultiplier,
    Select,
)

MOST_PIECES = 100_000

percent = decimal(2, above=0, most=100)
times = decimal(4, most=10_000)
_per = one_of(UNIT, APPLICATION)


def read_benefit(document: Any, pointer: str) -> Benefit:
    """Return a benefit; raises `OffersRefused`."""
    fields = Fields(document, pointer)
    kind = fields.need("kind", text)
    if kind not in _READERS:
        raise OffersRefused(fields.at("kind"), f"must be one of {', '.join(_READERS)}")
    select: Select | None = fields.take("select", read_select, None)
    found = _READERS[kind](fields, select)
    fields.end()
    return found


def benefit_document(benefit: Benefit) -> dict[str, Any]:
    """Return a benefit as JSON, canonically; what is optional stands there only when it was said."""
    written: dict[str, Any] = {"kind": _KINDS[type(benefit)]}
    for field in dataclass_fields(benefit):
        value = getattr(benefit, field.name)
        if isinstance(value, Select):
            written[field.name] = select_document(value)
        elif value is not None:
            written[field.name] = format(value, "f") if isinstance(value, Decimal) else value
    return written


def _pieces(value: Any, pointer: str) -> int:
    """Return how many pieces of a gift: a quantity, but a whole one."""
    number: Decimal = decimal(3, above=0, most=MOST_PIECES)(value, pointer)
    if number != int(number):
        raise OffersRefused(pointer, "must be a whole number of pieces")
    return int(number)


def _percent(fields: Fields, select: Select | None) -> Benefit:
    return Percent(
        off=fields.need("off", percent),
        max_amount=fields.take("max_amount", amount, None),
        select=select,
    )


def _amount(fields: Fields, select: Select | None) -> Benefit:
    return AmountOff(off=fields.need("off", amount), per=fields.need("per", _per), select=select)


def _fixed_price(fields: Fields, select: Select | None) -> Benefit:
    return FixedPrice(price=fields.need("price", amount), per=fields.need("per", _per), select=select)


def _nth(fields: Fields, select: Select | None) -> Benefit:
    return Nth(
        off=fields.need("off", percent),
        which=fields.need("which", one_of(CHEAPEST, DEAREST)),
        count=fields.take("count", whole(1, 10**9), 1),
        select=select,
    )


def _multiplier(fields: Fields, select: Select | None) -> Benefit:
    return PointsMultiplier(times=fields.need("times", times), select=select)


def _points(fields: Fields, select: Select | None) -> Benefit:
    return BonusPoints(points=fields.need("points", whole(0, 10**9)), select=select)


def _gift(fields: Fields, select: Select | None) -> Benefit:
    return Gift(
        reward=fields.need("reward", code), quantity=fields.take("quantity", _pieces, 1), select=select
    )


def _voucher(fields: Fields, select: Select | None) -> Benefit:
    return NextVoucher(batch=fields.need("batch", code), select=select)


_READERS: dict[str, Callable[[Fields, Select | None], Benefit]] = {
    "percent": _percent,
    "amount": _amount,
    "fixed_price": _fixed_price,
    "nth": _nth,
    "points_multiplier": _multiplier,
    "points": _points,
    "gift": _gift,
    "voucher": _voucher,
}

_KINDS: dict[type[Benefit], str] = {
    Percent: "percent",
    AmountOff: "amount",
    FixedPrice: "fixed_price",
    Nth: "nth",
    PointsMultiplier: "points_multiplier",
    BonusPoints: "points",
    Gift: "gift",
    NextVoucher: "voucher",
}

"""Conditions and selections as JSON; see `rewards.codec`. Pure."""

from collections.abc import Callable
from typing import Any

from rewards.document_reading import (
    Fields,
    OffersRefused,
    amount,
    below,
    choices,
    code,
    decimal,
    items,
    one_of,
    text,
)
from rewards.offers import (
    EVERYTHING,
    GROSS,
    NET,
    AllOf,
    Always,
    AnyOf,
    Condition,
    Each,
    Items,
    NoneOf,
    Part,
    Select,
    Value,
    VoucherPresented,
)

DEEPEST = 8
"""How many conditions may stand in one another, the outermost counted."""
MOST_PARTS = 100
KEYS = ("skus", "gtins", "categories", "types", "departments", "brands")

quantity = decimal(3, above=0)


def read_condition(document: Any, pointer: str, depth: int = 1) -> Condition:
    """Return a condition; raises `OffersRefused`."""
    if depth > DEEPEST:
        raise OffersRefused(pointer, f"conditions nest at most {DEEPEST} deep")
    fields = Fields(document, pointer)
    kind = fields.need("kind", text)
    if kind not in _READERS:
        raise OffersRefused(fields.at("kind"), f"must be one of {', '.join(_READERS)}")
    found = _READERS[kind](fields, depth)
    fields.end()
    return found


def condition_document(condition: Condition) -> dict[str, Any]:
    """Return a condition as JSON, canonically."""
    match condition:
        case Always():
            return {"kind": "always"}
        case Items():
            return {"kind": "items", **_amount_of(condition)}
        case Each():
            return {"kind": "each", "of": [_amount_of(part) for part in condition.of]}
        case Value():
            return {
                "kind": "value",
                "select": select_document(condition.select),
                "amount": condition.amount,
                "measure": condition.measure,
            }
        case VoucherPresented():
            return {"kind": "voucher", "batch": condition.batch}
    kind = {AllOf: "all", AnyOf: "any", NoneOf: "not"}[type(condition)]
    return {"kind": kind, "of": [condition_document(part) for part in condition.of]}


def read_select(document: Any, pointer: str, depth: int = 1) -> Select:
    """Return a selection; raises `OffersRefused`."""
    if depth > DEEPEST:
        raise OffersRefused(pointer, f"selections nest at most {DEEPEST} deep")
    fields = Fields(document, pointer)
    values = {key: fields.take(key, choices(text), ()) for key in KEYS}
    excluded: Select | None = fields.take(
        "except",
        lambda value, place: read_select(value, place, depth + 1),
        None,
    )
    fields.end()
    return Select(**values, excluded=excluded)


def select_document(select: Select) -> dict[str, Any]:
    """Return a selection as JSON: the keys that have values."""
    written: dict[str, Any] = {key: list(getattr(select, key)) for key in KEYS if getattr(select, key)}
    if select.excluded is not None:
        written["except"] = select_document(select.excluded)
    return written


def _amount_of(part: Items | Part) -> dict[str, Any]:
    return {"select": select_document(part.select), "quantity": format(part.quantity, "f")}


def _always(_fields: Fields, _depth: int) -> Condition:
    return Always()


def _items(fields: Fields, _depth: int) -> Condition:
    return Items(
        select=fields.take("select", read_select, EVERYTHING), quantity=fields.need("quantity", quantity)
    )


def _part(value: Any, pointer: str) -> Part:
    fields = Fields(value, pointer)
    found = Part(
        select=fields.take("select", read_select, EVERYTHING), quantity=fields.need("quantity", quantity)
    )
    fields.end()
    return found


def _each(fields: Fields, _depth: int) -> Condition:
    return Each(of=_some(fields.need("of", items(_part, most=MOST_PARTS)), fields))


def _value(fields: Fields, _depth: int) -> Condition:
    return Value(
        select=fields.take("select", read_select, EVERYTHING),
        amount=fields.need("amount", amount),
        measure=fields.take("measure", one_of(GROSS, NET), GROSS),
    )


def _voucher(fields: Fields, _depth: int) -> Condition:
    return VoucherPresented(batch=fields.need("batch", code))


def _combined(make: Callable[..., Condition]) -> Callable[[Fields, int], Condition]:
    def read(fields: Fields, depth: int) -> Condition:
        def part(value: Any, pointer: str) -> Condition:
            return read_condition(value, pointer, depth + 1)

        return make(of=_some(fields.need("of", items(part, most=MOST_PARTS)), fields))

    return read


def _some(parts: tuple[Any, ...], fields: Fields) -> tuple[Any, ...]:
    if not parts:
        raise OffersRefused(below(fields.pointer, "of"), "must name at least one")
    return parts


_READERS: dict[str, Callable[[Fields, int], Condition]] = {
    "always": _always,
    "items": _items,
    "each": _each,
    "value": _value,
    "voucher": _voucher,
    "all": _combined(AllOf),
    "any": _combined(AnyOf),
    "not": _combined(NoneOf),
}

"""What a till is told about a receipt: the JSON of the contract, made once and stored with the receipt."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from loyalty.lots import Position
from loyalty.quotes.quote import Difference
from loyalty.returns.booked_sale import Moved
from sales.receipts import Flag


def receipt_answer(
    *,
    receipt_id: UUID,
    flags: Iterable[Flag],
    moved: Moved,
    pending_until: date | None,
    position: Position | None,
    text: Sequence[str],
    departures: Iterable[Difference] = (),
    messages: Sequence[str] = (),
    tier: Mapping[str, Any] | None = None,
    given: Mapping[str, Any] | None = None,
    next_offers: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return the answer to a receipt; without a `position`, and so without an account, its points are zeros and nulls."""
    return {
        "receipt_id": str(receipt_id),
        "replayed": False,
        "flags": [_flag(flag) for flag in flags],
        "points": _points(moved, pending_until, position or Position()),
        "tier": tier and dict(tier),
        **(given or {"gifts": [], "vouchers_issued": []}),
        "differences": [departure.document() for departure in departures],
        "next_offers": [dict(offer) for offer in next_offers],
        "messages": list(messages),
        "print": list(text),
    }


def _flag(flag: Flag) -> dict[str, Any]:
    if flag.line_number is None:
        return {"code": flag.code, "detail": flag.detail}
    return {"code": flag.code, "line_number": flag.line_number, "detail": flag.detail}


def _points(moved: Moved, pending_until: date | None, position: Position) -> dict[str, Any]:
    return {
        "earned": moved.earned,
        "spent": moved.spent,
        "reversed": moved.reversed,
        "returned": moved.returned,
        "pending_until": None if pending_until is None else pending_until.isoformat(),
        "balance": position.balance,
        "available": position.available,
        "pending": position.pending,
        "expiring": expiring(position),
    }


def expiring(position: Position) -> list[dict[str, Any]]:
    """Return what ends within sixty days, by day."""
    return [{"points": points, "on": day.isoformat()} for day, points in position.expiring]

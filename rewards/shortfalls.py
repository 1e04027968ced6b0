"""What a condition lacks that does not hold: so many units, so much money, a voucher. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from rewards.conditions import (
    AllCheck,
    AnyCheck,
    AnyUnitCheck,
    Check,
    Claim,
    EachCheck,
    ValueCheck,
    View,
    VoucherCheck,
    take_part,
)
from rewards.offers import EVERYTHING, Select
from rewards.units import ONE

UNITS, MONEY, VOUCHER, RULED_OUT = "units", "money", "voucher", "ruled out"


class Lack(NamedTuple):
    """
    One thing that is missing.

    `number` is in thousandths of units or kilograms, or in minor units of money; `batch` is the voucher's.
    """

    kind: str
    number: int = 0
    select: Select = EVERYTHING
    batch: str = ""

    @property
    def helps(self) -> bool:
        """Whether adding to the basket would help."""
        return self.kind in {UNITS, MONEY}


def lacks_of(check: Check, view: View) -> tuple[Lack, ...]:
    """Return what is missing for `check` to hold, empty when it holds."""
    if isinstance(check, EachCheck):
        return _of_parts(check, view)  # its claim would look at the very same units once more
    return () if check.claim(view) is not None else _of_kind(check, view)


def _of_kind(check: Check, view: View) -> tuple[Lack, ...]:
    match check:
        case AllCheck():
            return tuple(lack for part in check.parts for lack in lacks_of(part, view))
        case AnyCheck():
            ways = [lacks_of(part, view) for part in check.parts]
            return next((way for way in ways if all(lack.helps for lack in way)), ways[0])
        case _:
            return (_single(check, view),)


def _single(check: Check, view: View) -> Lack:
    match check:
        case AnyUnitCheck():
            return Lack(UNITS, ONE, check.wanted)
        case ValueCheck():
            short = check.amount - check.worth(view, view.all_units(check.select))
            return Lack(MONEY, short, check.wanted)
        case VoucherCheck():
            return Lack(VOUCHER, batch=check.batch)
        case _:
            return Lack(RULED_OUT)


def _of_parts(check: EachCheck, view: View) -> tuple[Lack, ...]:
    claimed: Claim = {}
    found = []
    for select, needed, part in check.parts:
        short = take_part(view, select, needed, claimed)
        if short > 0:
            found.append(Lack(UNITS, short, part.select))
    return tuple(found)


def missing(lacks: Sequence[Lack]) -> str | None:
    """
    Return what would have to be added, as a decimal string; None when adding would not help.

    Units, or kilograms, are added up; where both units and money are missing, it is the first of them.
    """
    if not lacks or not all(lack.helps for lack in lacks):
        return None
    if lacks[0].kind == MONEY:
        return str(lacks[0].number)
    units = sum(lack.number for lack in lacks if lack.kind == UNITS)
    return thousandths(units)


def thousandths(number: int) -> str:
    """Return a number of thousandths as a decimal string."""
    whole, rest = divmod(number, ONE)
    return str(whole) if not rest else format(Decimal(number).scaleb(-3).normalize(), "f")

"""Money in integer minor units, rounding with a name, and splitting that never loses a cent."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from core.errors import Refused


class MixedCurrencies(Refused):
    """Amounts of two currencies cannot be added."""


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in the minor unit of an ISO 4217 currency, such as 1990 hellers of CZK."""

    minor: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        """Return the sum; raises `MixedCurrencies` when the currencies differ."""
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        """Return the difference; raises `MixedCurrencies` when the currencies differ."""
        return Money(self.minor - self._same(other).minor, self.currency)

    def _same(self, other: "Money") -> "Money":
        if self.currency != other.currency:
            raise MixedCurrencies(f"{self.currency} and {other.currency} cannot be added")
        return other


_WHOLE: Final = Decimal(1)


def half_up(amount: Decimal) -> int:
    """Return `amount` rounded to a whole number, halves away from zero."""
    return int(amount.quantize(_WHOLE, rounding=ROUND_HALF_UP))


def split_largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """
    Return `total` shared by `weights`, in the same order, summing to `total` exactly.

    Each share is first rounded down; what is left goes one by one to the largest
    remainders, ties to the earlier weight. Weights must not be negative. When all
    weights are zero, or there are none, all shares are zero unless `total` is not,
    which raises ValueError.
    """
    if weights and min(weights) < 0:
        raise ValueError("weights must not be negative")
    whole = sum(weights)
    if not whole:
        if total:
            raise ValueError("nothing to share by")
        return [0] * len(weights)
    sign, magnitude = (1, total) if total >= 0 else (-1, -total)
    shares = [magnitude * weight // whole for weight in weights]
    left = magnitude - sum(shares)
    if left:
        remainders = [magnitude * weight % whole for weight in weights]
        # Sorting keeps the order of equals, backwards too.
        for index in sorted(range(len(weights)), key=remainders.__getitem__, reverse=True)[:left]:
            shares[index] += 1
    return shares if sign > 0 else [-share for share in shares]

"""What still stands of a sale, and what a return of some of its lines takes back. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line of a sale with its shares, as stored when the sale was booked."""

    quantity: Decimal
    points: int
    points_spent: int


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """A line of a return as stated: which line of the sale it names and how much comes back."""

    line_number: int
    original_line_number: int | None
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Counted:
    """
    What a line of a return amounts to once booked.

    `quantity` is capped at what was still out; `points` are taken back and
    `points_spent` given back. `over` says that more was stated than could count.
    """

    line_number: int
    original_line_number: int | None
    quantity: Decimal
    points: int
    points_spent: int
    over: bool


@dataclass(slots=True)
class _Returned:
    quantity: Decimal = Decimal(0)
    points: int = 0
    points_spent: int = 0


@dataclass(slots=True)
class Standing:
    """What stands of a sale after the returns that were booked on it; `voided` when nothing does."""

    lines: Mapping[int, SoldLine]
    voided: bool = False
    _returned: dict[int, _Returned] = field(default_factory=dict)

    def record(self, counted: Iterable[Counted]) -> None:
        """Take into account a return that stands."""
        self._add(counted, sign=1)

    def forget(self, counted: Iterable[Counted]) -> None:
        """Take back a return that was voided."""
        self._add(counted, sign=-1)

    def count(self, brought: Iterable[BroughtBack]) -> list[Counted]:
        """Return what a return of these lines amounts to, line by line, and record it."""
        return [self._count_line(line) for line in brought]

    @property
    def empty(self) -> bool:
        """Whether nothing of the sale is out any more."""
        return self.voided or all(
            number in self._returned and self._returned[number].quantity >= sold.quantity
            for number, sold in self.lines.items()
        )

    def remaining(self) -> tuple[dict[int, int], int]:
        """Return what stands: the earned points by line, and all spent ones."""
        earned: dict[int, int] = {}
        spent = 0
        for line_number, sold in self.lines.items():
            returned = self._returned.get(line_number, _Returned())
            if sold.points > returned.points:
                earned[line_number] = sold.points - returned.points
            spent += sold.points_spent - returned.points_spent
        return earned, spent

    def _count_line(self, line: BroughtBack) -> Counted:
        named = line.original_line_number
        sold = None if named is None else self.lines.get(named)
        if self.voided or named is None or sold is None:
            return Counted(line.line_number, named, Decimal(0), 0, 0, over=True)
        before = self._returned.get(named, _Returned())
        quantity = min(line.quantity, sold.quantity - before.quantity)
        returned = before.quantity + quantity
        counted = Counted(
            line_number=line.line_number,
            original_line_number=named,
            quantity=quantity,
            points=_up_to_floor(sold.points, returned, sold.quantity, before.points),
            points_spent=_up_to_floor(sold.points_spent, returned, sold.quantity, before.points_spent),
            over=quantity < line.quantity,
        )
        self.record([counted])
        return counted

    def _add(self, counted: Iterable[Counted], *, sign: int) -> None:
        for line in counted:
            if line.original_line_number is not None:
                returned = self._returned.setdefault(line.original_line_number, _Returned())
                returned.quantity += sign * line.quantity
                returned.points += sign * line.points
                returned.points_spent += sign * line.points_spent


def _up_to_floor(share: int, returned: Decimal, sold: Decimal, before: int) -> int:
    """
    Return what is still missing to floor(share x returned / sold).

    Never negative: a void of an earlier return may have left more taken than the floor says.
    """
    # Thousandths make whole numbers of quantities, so that nothing is rounded on the way.
    return max(0, share * int(returned * 1000) // int(sold * 1000) - before)

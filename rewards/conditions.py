"""
Conditions at work: whether one holds, and which units it claims.

A claim is {place of the line: how many units}; always the first units of the line that the offer may still claim,
so a number is enough, and the union of two claims is the larger number. Pure.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from rewards.offers import (
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
from rewards.units import ONE

Claim = dict[int, int]
Number = Callable[[Select], int]
"""What gives every selection of a book its number."""


class View(Protocol):
    """What a condition may look at: lines by selection, the dearest first, and what of them may be claimed."""

    @property
    def presented(self) -> Mapping[str, object]:
        """The batches of which a code is presented."""
        ...

    def lines(self, select: int) -> Iterable[int]:
        """Return the places of the lines that match, the dearest unit price first, then by line number."""
        ...

    def available(self, place: int) -> int:
        """Return how many units of a line may be claimed."""
        ...

    def all_units(self, select: int) -> Claim:
        """Return all units that a selection matches and that may be claimed."""
        ...

    def measure(self, place: int) -> int | None:
        """Return the thousandths that a weighed line counts for, None for pieces."""
        ...

    def whole_gross(self, select: int) -> int:
        """Return what all that is selected costs before discounts, whatever of it may be claimed."""
        ...

    def gross(self, place: int, count: int) -> int:
        """Return what so many units of a line cost before discounts."""
        ...

    def net(self, place: int) -> int:
        """Return what is left after the discounts so far of the units that may be claimed."""
        ...

    def whole(self) -> "View":
        """Return the same basket where every unit may be claimed."""
        ...


class Check:
    """A condition of a book, ready to be asked; each kind is a class of its own."""

    __slots__ = ("claims_all", "condition")

    def __init__(self, condition: Condition, *, claims_all: bool = True) -> None:
        self.condition = condition
        self.claims_all = claims_all
        """Whether it leaves no unit for another application: of all that could make it hold, it claims all."""

    def claim(self, view: View) -> Claim | None:
        """Return what it claims, empty when it claims nothing, None when it does not hold."""
        raise AssertionError(self, view)  # pragma: no cover - every kind has its own


class AlwaysCheck(Check):
    """Holds."""

    __slots__ = ()

    def claim(self, view: View) -> Claim | None:  # noqa: ARG002 - as every kind is asked
        """Return an empty claim."""
        return {}


class VoucherCheck(Check):
    """Asks for a voucher."""

    __slots__ = ("batch",)

    def __init__(self, condition: VoucherPresented) -> None:
        super().__init__(condition)
        self.batch = condition.batch

    def claim(self, view: View) -> Claim | None:
        """Return an empty claim where a code of the batch is presented."""
        return {} if self.batch in view.presented else None


class EachCheck(Check):
    """Asks for every part in turn; plain items are a bundle of one part."""

    __slots__ = ("parts",)

    def __init__(self, condition: Each | Items, parts: Sequence[Items | Part], number: Number) -> None:
        super().__init__(condition, claims_all=False)
        self.parts = [(number(part.select), int(part.quantity * ONE), part) for part in parts]

    def claim(self, view: View) -> Claim | None:
        """Return the smallest sufficient number of units, the dearest first, or None."""
        claimed: Claim = {}
        for select, needed, _part in self.parts:
            if take_part(view, select, needed, claimed) > 0:
                return None
        return claimed


def take_part(view: View, select: int, needed: int, claimed: Claim) -> int:
    """Add to `claimed` what a part takes beside it, and return how many thousandths it still lacks."""
    for place in view.lines(select):
        already = claimed.get(place, 0)
        count = view.available(place) - already
        if count <= 0:
            continue
        measure = view.measure(place)
        if measure is None:
            count = min(count, -(-needed // ONE))
            needed -= count * ONE
        else:
            needed -= measure
        claimed[place] = already + count
        if needed <= 0:
            break
    return needed


class AnyUnitCheck(Check):
    """Plain items of quantity 1 under a benefit that works unit by unit: all matching units, if there is one."""

    __slots__ = ("select", "wanted")

    def __init__(self, condition: Items, number: Number) -> None:
        super().__init__(condition)
        self.wanted = condition.select
        self.select = number(condition.select)

    def claim(self, view: View) -> Claim | None:
        """Return all matching units, None when there is none."""
        return view.all_units(self.select) or None


class ValueCheck(Check):
    """Asks what matching units are worth, and claims them all."""

    __slots__ = ("amount", "net", "select", "wanted")

    def __init__(self, condition: Value, number: Number) -> None:
        # Worth nothing is what is not there, too: then it holds once more when all matching units are claimed.
        super().__init__(condition, claims_all=condition.amount > 0)
        self.wanted = condition.select
        self.select = number(condition.select)
        self.amount = condition.amount
        self.net = condition.measure == NET

    def worth(self, view: View, claimed: Claim) -> int:
        """Return what `claimed`, all matching units that may be, is worth."""
        if self.net:
            return sum([view.net(place) for place in claimed])
        return sum([view.gross(place, count) for place, count in claimed.items()])

    def claim(self, view: View) -> Claim | None:
        """Return all matching units when they are worth enough; none of them are worth 0."""
        # What may be claimed is never worth more than the whole lines, which cost no look at their units.
        if view.whole_gross(self.select) < self.amount:
            return None
        claimed = view.all_units(self.select)
        return None if self.worth(view, claimed) < self.amount else claimed


class AllCheck(Check):
    """Asks for all parts, independently of one another."""

    __slots__ = ("parts",)

    def __init__(self, condition: AllOf, parts: Sequence[Check]) -> None:
        super().__init__(condition, claims_all=all(part.claims_all for part in parts))
        self.parts = parts

    def claim(self, view: View) -> Claim | None:
        """Return the union of what its parts claim, None when one does not hold."""
        union: Claim = {}
        for part in self.parts:
            claimed = part.claim(view)
            if claimed is None:
                return None
            for place, count in claimed.items():
                union[place] = max(count, union.get(place, 0))
        return union


class AnyCheck(Check):
    """Takes the first part that holds."""

    __slots__ = ("parts",)

    def __init__(self, condition: AnyOf, parts: Sequence[Check]) -> None:
        super().__init__(condition, claims_all=False)
        self.parts = parts

    def claim(self, view: View) -> Claim | None:
        """Return what the first part claims that holds, None when none does."""
        for part in self.parts:
            claimed = part.claim(view)
            if claimed is not None:
                return claimed
        return None


class NoneCheck(Check):
    """Holds when no part holds on the whole basket."""

    __slots__ = ("parts",)

    def __init__(self, condition: NoneOf, parts: Sequence[Check]) -> None:
        super().__init__(condition)
        self.parts = parts

    def claim(self, view: View) -> Claim | None:
        """Return an empty claim when no part holds, None otherwise."""
        whole = view.whole()
        return None if any(part.claim(whole) is not None for part in self.parts) else {}


def check_of(condition: Condition, number: Number) -> Check:
    """Return what asks `condition`; `number` gives each selection its number."""
    match condition:
        case Always():
            return AlwaysCheck(condition)
        case VoucherPresented():
            return VoucherCheck(condition)
        case Items():
            return EachCheck(condition, [condition], number)
        case Each():
            return EachCheck(condition, condition.of, number)
        case Value():
            return ValueCheck(condition, number)
        case AllOf() | AnyOf() | NoneOf():
            return _combined(condition, number)


def _combined(condition: AllOf | AnyOf | NoneOf, number: Number) -> Check:
    parts = [check_of(part, number) for part in condition.of]
    if isinstance(condition, AllOf):
        return AllCheck(condition, parts)
    return AnyCheck(condition, parts) if isinstance(condition, AnyOf) else NoneCheck(condition, parts)

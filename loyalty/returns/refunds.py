"""What is handed back for goods that come back, when keeping the others breaks what they were cheaper for. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from core.money import half_up, split_largest_remainder
from rewards.kept_units import GivenThen, Kept, SoldLine, cost_of_kept

Brought = Mapping[int, Decimal]
"""How much of each line, by its number on the sale."""


@dataclass(frozen=True, slots=True)
class Loss:
    """How much less an offer takes off the kept units than it took off them on the sale; below zero when more."""

    offer_code: str
    amount: int


@dataclass(frozen=True, slots=True)
class Due:
    """What a return is due before points, and which offers that is lower (or higher) for."""

    amount: int
    losses: tuple[Loss, ...] = ()


@dataclass(slots=True)
class Outstanding:
    """
    A sale with offers, and what was paid for that of it which is not yet returned.

    A return is due what was paid for all that is still out, less what the rest of it costs by itself
    under the offers of the sale, never less than nothing (deposits by themselves keep the sale's sign):
    all returns together are due what was paid.
    """

    sold: Sequence[SoldLine]
    given: GivenThen
    paid: int = field(init=False)
    _kept: dict[int, Decimal] = field(init=False)
    _lost: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.paid = sum(line.total_amount for line in self.sold)
        self._kept = {line.line.line_number: line.line.quantity for line in self.sold}
        self._lost = {}

    def bring_back(self, brought: Brought) -> Due:
        """Take back `brought`, which must still be out, and return what is due for it: nothing for nothing."""
        if not any(quantity for number, quantity in brought.items() if number in self._kept):
            return Due(0)
        for number, quantity in brought.items():
            if number in self._kept:
                self._kept[number] -= quantity
        kept = cost_of_kept(self.sold, self._kept, self.given)
        due = max(min(0, self._stated(brought)), self.paid - kept.cost)
        before, self._lost = self._lost, self._losses(kept)
        self.paid -= due
        losses = (
            Loss(code, self._lost.get(code, 0) - before.get(code, 0))
            for code in sorted(self._lost.keys() | before.keys())
        )
        return Due(due, tuple(loss for loss in losses if loss.amount))

    def _stated(self, brought: Brought) -> int:
        """Return what was paid for `brought`: below zero for deposits, which keep the sale's sign."""
        return sum(
            half_up(line.total_amount * brought[line.line.line_number] / line.line.quantity)
            for line in self.sold
            if line.line.line_number in brought
        )

    def _losses(self, kept: Kept) -> dict[str, int]:
        """Return by offer what the kept units had off on the sale, and have no more; nothing when none are kept."""
        had: dict[str, int] = {}
        for line in self.sold:
            quantity = self._kept[line.line.line_number]
            for code, amount in line.discounts.items():
                had[code] = had.get(code, 0) + half_up(amount * quantity / line.line.quantity)
        return {code: amount - kept.discounts.get(code, 0) for code, amount in had.items()}


def share_refund(due: int, nets: Sequence[int]) -> list[int]:
    """
    Return `due` shared over returned lines by what was paid for them, `nets`, in the order of ties.

    Lines below zero (deposits) keep what they are, the others share the rest.
    """
    rest = due - sum(net for net in nets if net < 0)
    weights = [max(0, net) for net in nets]
    if not any(weights):
        return list(nets) if due == sum(nets) else [due, *[0] * (len(nets) - 1)] if nets else []
    shares = split_largest_remainder(rest, weights)
    return [net if net < 0 else share for net, share in zip(nets, shares, strict=True)]


@dataclass(slots=True)
class MoneyBack:
    """What the returns of a sale were due, what of that came back in points, and what was handed back in money."""

    due: int = 0
    by_points: int = 0
    handed: int = 0

    def add(self, due: int, by_points: int) -> int:
        """
        Return the money of a return that is `due` so much, of which points worth `by_points` come back.

        Points come back with the goods, whatever is due for those; where they are worth more, the
        next return makes up for it. Below zero only where the return is due that: deposits.
        """
        self.due += due
        self.by_points += by_points
        money = max(min(0, due), self.due - self.by_points - self.handed)
        self.handed += money
        return money


def share_money(money: int, shares: Sequence[int], by_points: Sequence[int]) -> list[int]:
    """
    Return `money` by line: each line's share of the refund less what of it comes back in points.

    Where that is below zero for a line, or `money` is less than all of it, the others bear it in proportion.
    """
    parts = [share - back for share, back in zip(shares, by_points, strict=True)]
    if sum(parts) == money and all(part >= 0 or share < 0 for part, share in zip(parts, shares, strict=True)):
        return parts
    positive = [max(0, part) for part in parts]
    return share_refund(money, positive if any(positive) else [max(0, share) for share in shares])


def brought_by_line(lines: Iterable[tuple[int | None, Decimal]]) -> dict[int, Decimal]:
    """Return quantities summed by line of the sale."""
    found: dict[int, Decimal] = {}
    for number, quantity in lines:
        if number is not None:
            found[number] = found.get(number, Decimal(0)) + quantity
    return found

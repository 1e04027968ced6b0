"""Offers made ready for evaluation: checks, benefit, and what can trigger them. Pure."""

from decimal import Decimal
from typing import Protocol

from rewards.benefits import per_unit_of, total_of
from rewards.conditions import AllCheck, AnyUnitCheck, Check, EachCheck, ValueCheck, check_of
from rewards.offers import (
    DISCOUNTS,
    NET,
    AllOf,
    Always,
    AnyOf,
    Benefit,
    BonusPoints,
    Condition,
    Each,
    Gift,
    Items,
    NextVoucher,
    NoneOf,
    Nth,
    Offer,
    Percent,
    PointsMultiplier,
    Select,
    Value,
    VoucherPresented,
    conditions_in,
)
from rewards.selections import selections_in
from rewards.units import CLOSED, DISCOUNTED, FIRST_GROUP, ONE

WITHOUT_END = 10**18
MOST_TIMES = 1_000_000
"""Applications of one offer on one basket: what is counted of them stays far below what a counter takes."""
MOST_GIVEN = 1_000
"""Applications on one basket of an offer that gives a voucher or a gift: every one of them is made, and handed out."""
EVERY_BASKET = "every basket"
Trigger = int | str | tuple[str]
"""What must be there for an offer to apply: a selection's number, a batch as (batch,), or any basket."""


class Numbers(Protocol):
    """A book that is being made: what gives selections and audiences their numbers."""

    def number(self, select: Select) -> int:
        """Return the number of a selection; equal ones have the same."""
        ...

    def audience_number(self, offer: Offer) -> int:
        """Return a number that offers for the same people share."""
        ...

    def group_number(self, group: object) -> int:
        """Return the number of an exclusive group of a stage."""
        ...

    def commonness(self, ways: tuple[Trigger, ...]) -> float:
        """Return a guess at how often one of `ways` comes up."""
        ...


class LiveOffer:
    """An offer made ready: its rank in the order of evaluation, its checks, and how its benefit works."""

    __slots__ = (
        "add_up",
        "alone",
        "at_once",
        "audience",
        "bonus",
        "check",
        "code",
        "counted",
        "discounts",
        "end",
        "flags",
        "group",
        "limits",
        "mask",
        "most",
        "multiplier",
        "needed",
        "nth",
        "offer",
        "open_mask",
        "per_receipt",
        "per_unit",
        "plain",
        "points",
        "rank",
        "repeatable",
        "select",
        "size",
        "stackable",
        "start",
        "timed",
        "total",
        "touched",
        "triggers",
        "wide",
        "worth",
    )

    def __init__(self, offer: Offer, rank: int, book: Numbers) -> None:
        benefit = offer.benefit
        self.offer, self.rank, self.code, self.limits = offer, rank, offer.code, offer.limits
        self.group = (offer.stage, offer.exclusive_group) if offer.exclusive_group is not None else None
        self.stackable = offer.stackable
        self.discounts = isinstance(benefit, DISCOUNTS)
        self.total, self.per_unit = total_of(benefit), per_unit_of(benefit)
        self.nth = benefit if isinstance(benefit, Nth) else None
        self.multiplier = benefit.times if isinstance(benefit, PointsMultiplier) else None
        self.points = benefit.points if isinstance(benefit, BonusPoints) else None
        self.bonus = self.points or 0
        self.select = None if benefit.select is None else book.number(benefit.select)
        self.check = _check(offer, book)
        self.at_once = self.check.claims_all and self.select is None and self.nth is None
        self.plain = _plain_select(self)
        self.needed = _needed(self.check)
        self.alone = isinstance(offer.condition, Items) and self.needed is not None and self.select is None
        self.size = 0 if self.needed is None else -(-self.needed[1] // ONE)
        """How many pieces, the first part of its condition being of pieces, one application claims for it."""
        self.mask, self.open_mask, self.flags = _flags(self)
        if self.group is not None:
            flag = FIRST_GROUP << book.group_number(self.group)
            self.mask, self.flags = self.mask | flag, self.flags | flag
        self.counted = offer.limits.counted
        self.per_receipt = WITHOUT_END if offer.limits.per_receipt is None else offer.limits.per_receipt
        self.most = most_times(benefit)
        self.worth = _worth(self.check, within=not self.counted)
        self.repeatable = _is_repeatable(offer.condition)
        self.triggers = _triggers(offer, book)
        self.touched = tuple(sorted({book.number(select) for select in selections_in(offer)}))
        self.wide = _is_wide(offer)
        self.audience = book.audience_number(offer)
        self.start = offer.valid.start.timestamp() if offer.valid.start else float("-inf")
        self.end = offer.valid.end.timestamp() if offer.valid.end else float("inf")
        self.timed = bool(offer.valid.weekdays or offer.valid.hours)
        self.add_up = not self.discounts and self.multiplier is None

    def multiplied(self, times: Decimal | None) -> Decimal | None:
        """Return how many times points a unit earns now: the largest counts; 1 is what every unit earns anyway."""
        assert self.multiplier is not None
        if times is None:
            return None if self.multiplier == 1 else self.multiplier
        return max(times, self.multiplier)


def _flags(live: LiveOffer) -> tuple[int, int, int]:
    """
    Return the flags of units that an offer may not claim, of those its benefit may not work on besides, and those it sets.

    That of its exclusive group comes to the first and the last.
    """
    mask, flags = (0, 0) if live.stackable else (DISCOUNTED, CLOSED)
    if not live.discounts:
        return mask, 0, flags
    # Who only has to be bought may be closed, as long as the discount falls on something else.
    return (mask | CLOSED, 0, flags) if live.select is None else (mask, CLOSED, flags)


def most_times(benefit: Benefit) -> int:
    """Return how often a benefit is given on one basket at most, whatever an offer's limits say."""
    return MOST_GIVEN if isinstance(benefit, Gift | NextVoucher) else MOST_TIMES


def _check(offer: Offer, book: Numbers) -> Check:
    condition, benefit = offer.condition, offer.benefit
    by_unit = isinstance(benefit, Percent) or per_unit_of(benefit) is not None
    if isinstance(condition, Items) and condition.quantity == 1 and by_unit:
        return AnyUnitCheck(condition, book.number)
    return check_of(condition, book.number)


def _plain_select(live: LiveOffer) -> int | None:
    """Return the selection of an offer that gives all it gives at once on all its units, None of other offers."""
    limits = live.limits
    at_once = isinstance(live.check, AnyUnitCheck) and live.select is None
    return live.check.select if at_once and not limits.counted and limits.per_receipt != 0 else None  # type: ignore[attr-defined]


def _needed(check: Check) -> tuple[int, int] | None:
    """Return the selection, and how many thousandths of it, without which a check cannot hold, if that is easily said."""
    if not isinstance(check, EachCheck):
        return None
    select, needed, _part = check.parts[0]
    return select, needed


def _worth(check: Check, *, within: bool) -> tuple[int, int] | None:
    """
    Return the selection, and what it must have cost, without which a check cannot hold, if that is easily said.

    `within` looks into combined checks too; offers with counted limits tell that these are used up before they ask such a check.
    """
    if within and isinstance(check, AllCheck):
        found = (_worth(part, within=True) for part in check.parts)
        return next((worth for worth in found if worth is not None), None)
    return (check.select, check.amount) if isinstance(check, ValueCheck) else None


def _is_wide(offer: Offer) -> bool:
    """Return whether an offer may look at, or work on, lines that it does not select."""
    parts = list(conditions_in(offer.condition))
    return any(isinstance(part, NoneOf) for part in parts) or (
        offer.benefit.select is None and any(_may_claim_nothing(part) for part in parts)
    )


def _may_claim_nothing(condition: Condition) -> bool:
    """Whether a condition that is not made of others may hold and claim nothing; a value of 0 needs no goods."""
    return isinstance(condition, Always | VoucherPresented) or (
        isinstance(condition, Value) and condition.amount == 0
    )


def _is_repeatable(condition: Condition) -> bool:
    """Whether the next application must look like the one before while there are units of the same kind."""
    return not any(
        isinstance(inner, Value) and inner.measure == NET
        for part in conditions_in(condition)
        if isinstance(part, NoneOf)
        for inner in conditions_in(part)
    )


def _triggers(offer: Offer, book: Numbers) -> tuple[Trigger, ...]:
    """Return what of which one must be there; the choice that comes up least often."""
    ways = [_ways(offer.condition, book)]
    if offer.benefit.select is not None:
        ways.append((book.number(offer.benefit.select),))
    return min(ways, key=book.commonness)


def _ways(condition: Condition, book: Numbers) -> tuple[Trigger, ...]:
    match condition:
        case Always() | NoneOf() | Value(amount=0):
            return (EVERY_BASKET,)
        case Items() | Value():
            return (book.number(condition.select),)
        case Each():
            return min(((book.number(part.select),) for part in condition.of), key=book.commonness)
        case VoucherPresented():
            return ((condition.batch,),)
        case AllOf():
            return min((_ways(part, book) for part in condition.of), key=book.commonness)
        case AnyOf():
            return tuple(way for part in condition.of for way in _ways(part, book))

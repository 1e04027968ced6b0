# ruff: noqa: C901, PLR0911, PLR0912 - every rule stands where it is read, on purpose
"""
What offers give, computed the slow way: an object per unit, every rule of the format as it is said, nothing clever.

The engine is compared with this on random baskets. It shares nothing with the engine but the data classes.
"""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import product
from zoneinfo import ZoneInfo

from rewards.carts import CartLine, Left, Occasion
from rewards.offers import (
    AllOf,
    Always,
    AmountOff,
    AnyOf,
    BonusPoints,
    Each,
    FixedPrice,
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
)

KEYS = {
    "skus": "sku",
    "gtins": "gtin",
    "categories": "category",
    "types": "type",
    "departments": "department",
    "brands": "brand",
}


def half_up(number) -> int:
    if isinstance(number, Fraction):
        return (2 * number.numerator + number.denominator) // (2 * number.denominator)
    return int(number.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@dataclass(eq=False)
class Unit:
    line: CartLine
    number: int
    left: int
    measure: Decimal | None
    discounted: bool = False
    closed: bool = False
    groups: set = field(default_factory=set)
    times: Decimal | None = None

    @property
    def weight(self) -> Decimal:
        return Decimal(1) if self.measure is None else self.measure

    @property
    def gross(self) -> int:
        return self.line.unit_price if self.measure is None else half_up(self.measure * self.line.unit_price)


@dataclass
class Result:
    discounts: dict  # line number -> [(offer code, amount)]
    times: dict  # offer code -> applications
    points: int
    units: list


def matches(select: Select, line: CartLine) -> bool:
    for key, name in KEYS.items():
        wanted = getattr(select, key)
        value = getattr(line, name) if line.known or name in {"sku", "gtin"} else None
        if wanted and value not in wanted:
            return False
    return not (select.excluded and matches(select.excluded, line))


def chosen(select: Select, units: list[Unit]) -> list[Unit]:
    """Matching units, the dearest first, ties to the lower line number, then to the lower number."""
    found = [unit for unit in units if matches(select, unit.line)]
    return sorted(found, key=lambda unit: (-unit.line.unit_price, unit.line.line_number, unit.number))


def enough(units: list[Unit], quantity: Decimal) -> list[Unit] | None:
    taken, sum_ = [], Decimal(0)
    for unit in units:
        if sum_ >= quantity:
            break
        taken.append(unit)
        sum_ += unit.weight
    return taken if sum_ >= quantity else None


def claims(condition, units: list[Unit], every: list[Unit], presented) -> list[Unit] | None:
    match condition:
        case Always():
            return []
        case VoucherPresented():
            return [] if condition.batch in presented else None
        case Items():
            return enough(chosen(condition.select, units), condition.quantity)
        case Each():
            taken = []
            for part in condition.of:
                rest = [unit for unit in units if unit not in taken]
                more = enough(chosen(part.select, rest), part.quantity)
                if more is None:
                    return None
                taken += more
            return taken
        case Value():
            found = chosen(condition.select, units)
            worth = sum(unit.gross if condition.measure == "gross" else unit.left for unit in found)
            return found if worth >= condition.amount else None
        case AllOf():
            union = []
            for part in condition.of:
                more = claims(part, units, every, presented)
                if more is None:
                    return None
                union += [unit for unit in more if unit not in union]
            return union
        case AnyOf():
            return next(
                (
                    found
                    for part in condition.of
                    if (found := claims(part, units, every, presented)) is not None
                ),
                None,
            )
        case NoneOf():
            held = any(claims(part, every, every, presented) is not None for part in condition.of)
            return None if held else []
    raise AssertionError(condition)


def share(total: int, units: list[Unit]) -> dict[Unit, int]:
    """Over the lines by what is left of them, then over the units of each; largest remainder both times."""
    lines: dict[int, list[Unit]] = {}
    for unit in sorted(units, key=lambda each: (each.line.line_number, each.number)):
        lines.setdefault(unit.line.line_number, []).append(unit)
    groups = list(lines.values())
    shares = largest_remainder(total, [sum(unit.left for unit in group) for group in groups])
    found = {}
    for group, amount in zip(groups, shares, strict=True):
        parts = largest_remainder(amount, [unit.left for unit in group])
        found.update(zip(group, parts, strict=True))
    return found


def largest_remainder(total: int, weights: list[int]) -> list[int]:
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    exact = [Fraction(total * weight, whole) for weight in weights]
    shares = [int(each) for each in exact]
    order = sorted(range(len(weights)), key=lambda index: (shares[index] - exact[index], index))
    for index in order[: total - sum(shares)]:
        shares[index] += 1
    return shares


def percent(off: Decimal, left: int, most: int | None = None) -> int:
    amount = half_up(Fraction(left) * Fraction(off) / 100)
    return amount if most is None else min(amount, most)


def discounts(benefit, units: list[Unit]) -> dict[Unit, int]:
    left = sum(unit.left for unit in units)
    match benefit:
        case Percent():
            return share(percent(benefit.off, left, benefit.max_amount), units)
        case Nth():
            return share(percent(benefit.off, left), units)
        case AmountOff(per="application"):
            return share(min(benefit.off, left), units)
        case FixedPrice(per="application"):
            return share(max(0, left - benefit.price), units)
        case AmountOff():
            return {unit: min(unit.left, half_up(unit.weight * benefit.off)) for unit in units}
        case FixedPrice():
            return {unit: max(0, unit.left - half_up(unit.weight * benefit.price)) for unit in units}
    return {}


class Slow:
    def __init__(self, cart, offers, occasion: Occasion, choice="first", left=None):
        self.occasion, self.choice, self.left = occasion, choice, left or {}
        self.offers = [offer for offer in offers if self.there(offer)]
        self.units = []
        for line in sorted(cart, key=lambda each: each.line_number):
            if line.unit_price <= 0:
                continue
            if line.unit in {None, "pcs"} and line.quantity == int(line.quantity):
                self.units += [
                    Unit(line, number, line.unit_price, None) for number in range(int(line.quantity))
                ]
            else:
                self.units.append(Unit(line, 0, half_up(line.quantity * line.unit_price), line.quantity))
        self.discounts: dict[int, list] = {line.line_number: [] for line in cart}
        self.times: dict[str, int] = {}
        self.points = 0

    def there(self, offer: Offer) -> bool:
        local = self.occasion.at.astimezone(ZoneInfo(self.occasion.timezone))
        valid = offer.valid
        if (valid.start and self.occasion.at < valid.start) or (valid.end and self.occasion.at >= valid.end):
            return False
        if valid.weekdays and local.isoweekday() not in valid.weekdays:
            return False
        if offer.stores and self.occasion.store_code not in offer.stores:
            return False
        return offer.audience.who == "everyone" or self.occasion.shopper is not None

    def run(self) -> Result:
        for stage in ("article", "basket", "points", "voucher"):
            offers = sorted(
                (offer for offer in self.offers if offer.stage == stage),
                key=lambda offer: (-offer.priority, offer.code),
            )
            for unit in self.units:
                unit.groups = set()
            before = sum(unit.left for unit in self.units)
            out = self.left_out(offers) if self.choice == "best" else set()
            for offer in offers:
                if offer.code not in out:
                    self.apply(offer)
        self.take_vouchers(before)
        return Result(self.discounts, self.times, self.points, self.units)

    def left_out(self, offers) -> set[str]:
        out: set[str] = set()
        groups = dict.fromkeys(offer.exclusive_group for offer in offers if offer.exclusive_group)
        for group in groups:
            members = [offer.code for offer in offers if offer.exclusive_group == group]
            best, winner = -1, None
            # With comes before without, so the first of equal sums keeps the offers that come first.
            for taken in product((True, False), repeat=len(members)):
                without = {code for code, take in zip(members, taken, strict=True) if not take}
                total = self.trial(offers, out | without, members)
                if total > best:
                    best, winner = total, without
            out |= winner
        return out

    def trial(self, offers, out, members) -> int:
        kept = [(u.left, u.discounted, u.closed, set(u.groups), u.times) for u in self.units]
        kept_discounts = {number: list(entries) for number, entries in self.discounts.items()}
        kept_rest = dict(self.times), self.points
        total = 0
        for offer in offers:
            if offer.code not in out:
                amount = self.apply(offer)
                total += amount if offer.code in members else 0
        for unit, state in zip(self.units, kept, strict=True):
            unit.left, unit.discounted, unit.closed, unit.groups, unit.times = state
        self.discounts, (self.times, self.points) = kept_discounts, kept_rest
        return total

    def allowed(self, offer: Offer):
        left, limits = self.left.get(offer.code, Left()), offer.limits
        uses = [
            (limits.per_receipt, None),
            (limits.uses, left.uses),
            (limits.per_member, left.member),
            (limits.per_member_day, left.member_day),
            (limits.per_store_day_uses, left.store_day_uses),
            (limits.per_store_week_uses, left.store_week_uses),
        ]
        amounts = [
            (limits.amount, left.amount),
            (limits.per_store_day_amount, left.store_day_amount),
            (limits.per_store_week_amount, left.store_week_amount),
        ]
        return (
            min(
                [limit if rest is None else rest for limit, rest in uses if limit is not None], default=10**9
            ),
            min(
                [limit if rest is None else rest for limit, rest in amounts if limit is not None],
                default=10**18,
            ),
        )

    def apply(self, offer: Offer) -> int:
        benefit, condition = offer.benefit, offer.condition
        is_discount = isinstance(benefit, Percent | AmountOff | FixedPrice | Nth)
        all_at_once = (
            isinstance(condition, Items)
            and condition.quantity == 1
            and (isinstance(benefit, Percent) or getattr(benefit, "per", "") == "unit")
        )
        times_left, amount_left = self.allowed(offer)
        claimed_here: list[Unit] = []
        spent = times = 0
        while times < times_left:
            may_claim = [
                unit
                for unit in self.units
                if unit not in claimed_here
                and (offer.exclusive_group is None or offer.exclusive_group not in unit.groups)
                and (offer.stackable or not unit.discounted)
            ]
            may_discount = [unit for unit in may_claim if not (unit.closed and is_discount)]
            looks_at = may_claim if benefit.select is not None else may_discount
            if all_at_once:
                claimed = chosen(condition.select, looks_at) or None
            else:
                claimed = claims(condition, looks_at, self.units, self.occasion.presented)
            if claimed is None:
                break
            once = False
            if benefit.select is None:
                if not claimed:
                    claimed, once = list(looks_at), True
                works_on = claimed
            else:
                works_on = [u for u in chosen(benefit.select, may_discount) if u not in claimed]
            if isinstance(benefit, Nth):
                sign = 1 if benefit.which == "cheapest" else -1
                works_on = sorted(
                    works_on, key=lambda u: (sign * u.line.unit_price, u.line.line_number, u.number)
                )[: benefit.count]
            if not works_on:
                break
            off = discounts(benefit, works_on)
            amount = sum(off.values())
            if (is_discount and amount == 0) or amount > amount_left - spent:
                break
            if isinstance(benefit, BonusPoints) and benefit.points == 0:
                break
            if isinstance(benefit, PointsMultiplier) and all(
                (unit.times is None and benefit.times == 1)
                or (unit.times is not None and unit.times >= benefit.times)
                for unit in works_on
            ):
                break
            times, spent = times + 1, spent + amount
            self.give(offer, set(claimed) | set(works_on), works_on, off)
            claimed_here += [unit for unit in {*claimed, *works_on} if unit not in claimed_here]
            if once:
                break
        if times:
            self.times[offer.code] = times
        return spent

    def give(self, offer, claimed, works_on, off):
        benefit = offer.benefit
        for unit in claimed:
            if offer.exclusive_group is not None:
                unit.groups.add(offer.exclusive_group)
            if not offer.stackable:
                unit.closed = True
        for unit, amount in off.items():
            unit.left -= amount
            unit.discounted = unit.discounted or amount > 0
            self.note(unit.line.line_number, offer.code, amount)
        if isinstance(benefit, PointsMultiplier):
            for unit in works_on:
                if unit.times is None and benefit.times == 1:
                    continue
                unit.times = benefit.times if unit.times is None else max(unit.times, benefit.times)
        if isinstance(benefit, BonusPoints):
            self.points += benefit.points

    def note(self, number, code, amount):
        if not amount:
            return
        entries = self.discounts[number]
        for entry in entries:
            if entry[0] == code:
                entry[1] += amount
                return
        entries.append([code, amount])

    def take_vouchers(self, before):
        for batch, presented in sorted(self.occasion.presented.items()):
            if not presented.value_amount or before < (presented.minimum_amount or 0):
                continue
            for _code in presented.codes:
                total = min(presented.value_amount, sum(unit.left for unit in self.units))
                for unit, amount in share(total, self.units).items():
                    unit.left -= amount
                    self.note(unit.line.line_number, batch, amount)


__all__ = ["Gift", "NextVoucher", "Result", "Slow"]

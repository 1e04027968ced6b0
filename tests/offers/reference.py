"""
Offers a second time, from the text of the format alone: unit by unit, slow, with nothing of ours imported.

It takes the document that is imported and the lines that are posted; where it and the product differ, one of
them has misread the text. Time, stores and audiences are not its business: what it is given is in force.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import combinations
from math import floor
from typing import Any

STAGES = ("article", "basket", "points", "voucher")
KEYS = {
    "skus": "sku",
    "gtins": "gtin",
    "categories": "category",
    "types": "type",
    "departments": "department",
    "brands": "brand",
}
DISCOUNTS = {"percent", "amount", "fixed_price", "nth"}
UNLIMITED = 10**12


def half_up(number: Fraction) -> int:
    """Round a number that is not negative."""
    return floor(number + Fraction(1, 2))


@dataclass
class Unit:
    """One piece, or all of a weighed line, and everything that was done to it."""

    line: "Line"
    number: int
    measure: Fraction
    gross: int
    off: int = 0
    claimed: set[str] = field(default_factory=set)
    """The offers that claimed it, and stage/group of the exclusive ones."""
    closed: bool = False
    times: Fraction | None = None

    @property
    def left(self) -> int:
        return self.gross - self.off


@dataclass
class Line:
    number: int
    price: int
    article: dict[str, str | None]
    units: list[Unit] = field(default_factory=list)
    given: dict[str, int] = field(default_factory=dict)
    """What each offer took off, in order of application."""

    @property
    def gross(self) -> int:
        return sum(unit.gross for unit in self.units)


@dataclass
class Given:
    """What came out."""

    lines: dict[int, dict[str, int]]
    """By line number: offer code -> discount."""
    applied: dict[str, int]
    """Offer code -> applications."""
    bonus: int
    gifts: dict[str, int]
    vouchers: dict[str, int]
    to_earn: int
    net: dict[int, int]


def line_of(posted: dict[str, Any], articles: dict[str, dict[str, str | None]]) -> Line:
    """Return a posted line with its units."""
    quantity, price = Decimal(posted["quantity"]), posted["unit_price"]
    known = articles.get(posted.get("sku", ""), {})
    line = Line(posted["line_number"], price, {**known, "sku": posted.get("sku"), "gtin": posted.get("gtin")})
    if posted.get("unit") in {None, "pcs"} and quantity == int(quantity):
        line.units = [Unit(line, number, Fraction(1), price) for number in range(int(quantity))]
    else:
        gross = int((quantity * price).quantize(Decimal(1), ROUND_HALF_UP))
        line.units = [Unit(line, 0, Fraction(quantity), gross)]
    return line


def matches(line: Line, select: dict[str, Any] | None) -> bool:
    if line.price <= 0:
        return False
    for key, wanted in (select or {}).items():
        if key != "except" and wanted and line.article.get(KEYS[key]) not in wanted:
            return False
    excepted = (select or {}).get("except")
    return excepted is None or not matches(line, excepted)


def dearest_first(unit: Unit) -> tuple[int, int, int]:
    return (-unit.line.price, unit.line.number, unit.number)


def cheapest_first(unit: Unit) -> tuple[int, int, int]:
    return (unit.line.price, unit.line.number, unit.number)


def share(total: int, weights: Sequence[int]) -> list[int]:
    """Largest remainder, ties to the first."""
    whole = sum(weights)
    exact = [Fraction(total * weight, whole) for weight in weights]
    parts = [floor(part) for part in exact]
    order = sorted(range(len(weights)), key=lambda place: (parts[place] - exact[place], place))
    for place in order[: total - sum(parts)]:
        parts[place] += 1
    return parts


def spread(total: int, units: Sequence[Unit]) -> list[tuple[Unit, int]]:
    """Share a discount over lines by what is left of them in it, then inside each line in the same way."""
    lines: dict[int, list[Unit]] = {}
    for unit in sorted(units, key=lambda unit: (unit.line.number, unit.number)):
        lines.setdefault(unit.line.number, []).append(unit)
    if not total:
        return []
    parts = share(total, [sum(unit.left for unit in line) for line in lines.values()])
    pieces: list[tuple[Unit, int]] = []
    for part, line in zip(parts, lines.values(), strict=True):
        if part:
            pieces += zip(line, share(part, [unit.left for unit in line]), strict=True)
    return pieces


class Reference:
    """A basket to which offers are applied."""

    def __init__(
        self,
        posted: Iterable[dict[str, Any]],
        articles: dict[str, dict[str, str | None]],
        *,
        presented: Sequence[str] = (),
        left: dict[str, dict[str, int]] | None = None,
    ) -> None:
        """`presented` are the batches of the presented codes; `left` is what is left of an offer's limits."""
        self.lines = [line_of(line, articles) for line in posted]
        self.presented = list(presented)
        self.left = left or {}
        self.applied: dict[str, int] = {}
        self.bonus = 0
        self.gifts: dict[str, int] = {}
        self.vouchers: dict[str, int] = {}

    @property
    def units(self) -> list[Unit]:
        return [unit for line in self.lines for unit in line.units]

    def apply(self, offers: Iterable[dict[str, Any]], choice: str = "first") -> Given:
        ordered = sorted(offers, key=lambda offer: (-offer.get("priority", 100), offer["code"]))
        for stage in STAGES:
            self.stage([offer for offer in ordered if offer.get("stage", "article") == stage], choice)
        return Given(
            lines={line.number: line.given for line in self.lines},
            applied=self.applied,
            bonus=self.bonus,
            gifts=self.gifts,
            vouchers=self.vouchers,
            to_earn=self.to_earn(),
            net={line.number: sum(unit.left for unit in line.units) for line in self.lines},
        )

    def to_earn(self) -> int:
        """Points of a member who spends none; deposits count as they are, and the whole never falls below zero."""
        worth = sum(Fraction(unit.left) * (1 if unit.times is None else unit.times) for unit in self.units)
        return max(0, floor(worth / 100)) + self.bonus

    def stage(self, offers: list[dict[str, Any]], choice: str) -> None:
        if choice == "best":
            offers = self.best(offers)
        for offer in offers:
            self.give(offer)

    # The best of an exclusive group.

    def best(self, offers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the offers without those that lose in their groups; groups are decided in order of appearance."""
        for group in dict.fromkeys(offer.get("exclusive_group") for offer in offers):
            if group is None:
                continue
            members = [offer for offer in offers if offer.get("exclusive_group") == group]
            ranks = {offer["code"]: rank for rank, offer in enumerate(members)}
            subsets = [chosen for size in range(len(members) + 1) for chosen in combinations(members, size)]
            tried = [(self.worth(offers, group, chosen), chosen) for chosen in subsets]
            most = max(worth for worth, _ in tried)
            equal = [chosen for worth, chosen in tried if worth == most]
            # Position by position the earlier offer; where one set begins another, the longer of the two.
            winner = min(
                equal, key=lambda chosen: [ranks[offer["code"]] for offer in chosen] + [len(members)]
            )
            offers = [offer for offer in offers if offer.get("exclusive_group") != group or offer in winner]
        return offers

    def worth(self, offers: list[dict[str, Any]], group: str, chosen: Sequence[dict[str, Any]]) -> int:
        """Return what the offers of a group would take off if only those `chosen` of it were there."""
        kept = self.remember()
        for offer in offers:
            if offer.get("exclusive_group") != group or offer in chosen:
                self.give(offer)
        taken = sum(
            amount
            for line in self.lines
            for code, amount in line.given.items()
            if any(offer["code"] == code for offer in chosen)
        )
        kept()
        return taken

    def remember(self) -> Callable[[], None]:
        """Return what puts everything back."""
        units = [(unit, unit.off, set(unit.claimed), unit.closed, unit.times) for unit in self.units]
        given = [(line, dict(line.given)) for line in self.lines]
        own = dict(self.applied), self.bonus, dict(self.gifts), dict(self.vouchers)

        def back() -> None:
            for unit, off, claimed, closed, times in units:
                unit.off, unit.claimed, unit.closed, unit.times = off, claimed, closed, times
            for line, before in given:
                line.given = before
            self.applied, self.bonus, self.gifts, self.vouchers = own

        return back

    # One offer.

    def give(self, offer: dict[str, Any]) -> None:
        while self.give_once(offer):
            pass

    def give_once(self, offer: dict[str, Any]) -> bool:
        code, benefit = offer["code"], offer["benefit"]
        if self.applied.get(code, 0) >= self.at_most(offer):
            return False
        claimed = self.holds(offer["condition"], self.claimable(offer, for_condition=True), offer)
        if claimed is None:
            return False
        pool, worked_on = self.works_on(offer, claimed)
        pieces = self.discount(benefit, worked_on)
        if not worked_on or not self.fits(offer, sum(piece for _, piece in pieces)):
            return False
        if not self.other_benefit(benefit, worked_on):
            return False
        for unit, piece in pieces:
            unit.off += piece
            if piece:
                unit.line.given[code] = unit.line.given.get(code, 0) + piece
        for unit in pool if benefit.get("select") is None else claimed + worked_on:
            unit.claimed |= self.marks(offer)
            unit.closed |= not offer.get("stackable", True)
        self.applied[code] = self.applied.get(code, 0) + 1
        return True

    def at_most(self, offer: dict[str, Any]) -> int:
        per_receipt = (offer.get("limits") or {}).get("per_receipt")
        left = self.left.get(offer["code"], {}).get("uses", UNLIMITED)
        return left if per_receipt is None else min(left, per_receipt)

    def fits(self, offer: dict[str, Any], amount: int) -> bool:
        """Whether an application gives something, and its budget bears all of that."""
        code = offer["code"]
        spent = sum(line.given.get(code, 0) for line in self.lines)
        if amount and spent + amount > self.left.get(code, {}).get("amount", UNLIMITED):
            return False
        return amount > 0 or offer["benefit"]["kind"] not in DISCOUNTS

    def works_on(self, offer: dict[str, Any], claimed: list[Unit]) -> tuple[list[Unit], list[Unit]]:
        """Return the units that the benefit chooses from, and those that it works on."""
        benefit = offer["benefit"]
        if benefit.get("select") is not None:
            free = [unit for unit in self.claimable(offer) if unit not in claimed]
            pool = [unit for unit in free if matches(unit.line, benefit["select"])]
        else:
            # Where nothing was claimed all that may be claimed is: nothing is left for another time.
            pool = claimed or self.claimable(offer)
        if benefit["kind"] != "nth":
            return pool, pool
        ordered = sorted(pool, key=cheapest_first if benefit["which"] == "cheapest" else dearest_first)
        return pool, ordered[: benefit.get("count") or 1]

    @staticmethod
    def marks(offer: dict[str, Any]) -> set[str]:
        group = offer.get("exclusive_group")
        return {f"offer {offer['code']}"} | ({f"{offer.get('stage', 'article')} {group}"} if group else set())

    def claimable(self, offer: dict[str, Any], *, for_condition: bool = False) -> list[Unit]:
        """Return the units that `offer` may still claim; closed ones only where it takes nothing off them."""
        benefit = offer["benefit"]
        discounts = benefit["kind"] in DISCOUNTS
        if for_condition and benefit.get("select") is not None:
            discounts = False
        return [
            unit
            for unit in self.units
            if unit.line.price > 0
            and not unit.claimed & self.marks(offer)
            and not (unit.off and not offer.get("stackable", True))
            and not (unit.closed and discounts)
        ]

    # Conditions.

    def holds(  # noqa: PLR0911 - one for each kind
        self, condition: dict[str, Any], units: list[Unit], offer: dict[str, Any] | None
    ) -> list[Unit] | None:
        """Return what `condition` claims of `units`, None when it does not hold. `offer` is given at the top only."""
        kind = condition["kind"]
        if kind == "always":
            return []
        if kind == "voucher":
            return [] if condition["batch"] in self.presented else None
        if kind == "items":
            return self.items(condition, units, offer)
        if kind == "each":
            return self.each(condition, units)
        if kind == "value":
            matching = [unit for unit in units if matches(unit.line, condition.get("select"))]
            net = condition.get("measure") == "net"
            worth = sum(unit.left if net else unit.gross for unit in matching)
            return matching if worth >= condition["amount"] else None
        if kind == "all":
            parts = [self.holds(part, units, None) for part in condition["of"]]
            if any(part is None for part in parts):
                return None
            return [unit for unit in units if any(unit in part for part in parts if part)]
        if kind == "any":
            found = (self.holds(part, units, None) for part in condition["of"])
            return next((part for part in found if part is not None), None)
        assert kind == "not", kind
        everything = [self.holds(part, self.units, None) for part in condition["of"]]
        return [] if all(part is None for part in everything) else None

    def items(
        self, condition: dict[str, Any], units: list[Unit], offer: dict[str, Any] | None
    ) -> list[Unit] | None:
        matching = [unit for unit in units if matches(unit.line, condition.get("select"))]
        wanted = Fraction(condition["quantity"])
        if offer is not None and wanted == 1 and self.takes_all_at_once(offer["benefit"]):
            return matching or None
        return self.enough(matching, wanted)

    @staticmethod
    def takes_all_at_once(benefit: dict[str, Any]) -> bool:
        return benefit["kind"] == "percent" or (
            benefit["kind"] in {"amount", "fixed_price"} and benefit["per"] == "unit"
        )

    @staticmethod
    def enough(matching: list[Unit], wanted: Fraction) -> list[Unit] | None:
        """Return the first of `matching`, the dearest first, that make `wanted` in all."""
        taken: list[Unit] = []
        for unit in sorted(matching, key=dearest_first):
            if sum(one.measure for one in taken) >= wanted:
                break
            taken.append(unit)
        return taken if sum(unit.measure for unit in taken) >= wanted else None

    def each(self, condition: dict[str, Any], units: list[Unit]) -> list[Unit] | None:
        claimed: list[Unit] = []
        for part in condition["of"]:
            free = [unit for unit in units if unit not in claimed and matches(unit.line, part.get("select"))]
            found = self.enough(free, Fraction(part["quantity"]))
            if found is None:
                return None
            claimed += found
        return claimed

    # Benefits.

    @staticmethod
    def discount(benefit: dict[str, Any], units: list[Unit]) -> list[tuple[Unit, int]]:
        kind, worth = benefit["kind"], sum(unit.left for unit in units)
        if kind in {"percent", "nth"}:
            amount = half_up(worth * Fraction(str(benefit["off"])) / 100)
            ceiling = benefit.get("max_amount")
            return spread(min(amount, worth, UNLIMITED if ceiling is None else ceiling), units)
        if kind == "amount" and benefit["per"] == "application":
            return spread(min(benefit["off"], worth), units)
        if kind == "amount":
            return [(unit, min(unit.left, half_up(benefit["off"] * unit.measure))) for unit in units]
        if kind == "fixed_price" and benefit["per"] == "application":
            return spread(max(0, worth - benefit["price"]), units)
        if kind == "fixed_price":
            return [(unit, max(0, unit.left - half_up(benefit["price"] * unit.measure))) for unit in units]
        return []

    def other_benefit(self, benefit: dict[str, Any], units: list[Unit]) -> bool:
        """Give what is no discount; False when that is nothing."""
        kind = benefit["kind"]
        if kind == "points_multiplier":
            times = Fraction(str(benefit["times"]))
            raised = [unit for unit in units if unit.times is None or times > unit.times]
            for unit in raised:
                unit.times = times
            return bool(raised)
        if kind == "points":
            self.bonus += benefit["points"]
            return benefit["points"] > 0
        if kind == "gift":
            quantity = benefit.get("quantity") or 1
            self.gifts[benefit["reward"]] = self.gifts.get(benefit["reward"], 0) + quantity
        elif kind == "voucher":
            self.vouchers[benefit["batch"]] = self.vouchers.get(benefit["batch"], 0) + 1
        return True

"""What offers would have given on past baskets, added up. Pure; what is added up can be kept as JSON and added to again."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple, Self

WHOLE = ""
"""The key of what all rehearsed offers come to together."""


class Given(NamedTuple):
    """
    What one offer gave on one basket.

    `discount` and `worth`, of the points, gifts and vouchers, are in minor units.
    """

    offer_code: str
    times: int
    discount: int
    points: int = 0
    worth: int = 0
    gifts: tuple[tuple[str, int], ...] = ()
    vouchers: tuple[tuple[str, int], ...] = ()


class Margin(NamedTuple):
    """
    What a basket leaves after tax and the cost of its articles, with the live offers alone and with the rehearsed ones.

    `losing` are the articles whose lines go below their cost with a discount of a rehearsed offer,
    with what they lack, in minor units.
    """

    before: int
    after: int
    losing: tuple[tuple[int, int], ...] = ()


class Played(NamedTuple):
    """
    A past basket as it would have come out; `net_before` is with the live offers alone.

    `margin` is None where the cost of an article is not known.
    """

    day: date
    store_id: int
    account: str | None
    group: str | None
    net_before: int
    net_after: int
    past_discount: int
    rehearsed: tuple[Given, ...]
    live: tuple[Given, ...]
    margin: Margin | None


class Takers:
    """
    What every account got: baskets, and what they gained in minor units.

    Kept in arrays by the account's number: twelve bytes for each, whatever the chain's size.
    """

    __slots__ = ("baskets", "gains")

    def __init__(self) -> None:
        self.baskets = array("i")
        self.gains = array("q")

    def add(self, number: int, gain: int, baskets: int = 1) -> None:
        """Add to what the account of this number got."""
        lacking = number + 1 - len(self.baskets)
        if lacking > 0:
            self.baskets.extend([0] * lacking)
            self.gains.extend([0] * lacking)
        self.baskets[number] += baskets
        self.gains[number] += gain

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """Yield number, baskets and gain of each account that got something."""
        return (
            (number, baskets, gain)
            for number, (baskets, gain) in enumerate(zip(self.baskets, self.gains, strict=True))
            if baskets
        )


class People:
    """The accounts of a rehearsal, numbered as they are met, with their shopper groups."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.accounts: list[str] = []
        self.groups: list[str | None] = []

    def number(self, account: str, group: str | None) -> int:
        """Return the number of an account; the group counts that it was first met with."""
        number = self.numbers.get(account)
        if number is None:
            number = self.numbers[account] = len(self.accounts)
            self.accounts.append(account)
            self.groups.append(group)
        return number


CELL = ("baskets", "with_card", "times", "discount", "points", "worth")
"""What is counted for each store and day."""
MARGIN = ("known", "unknown", "below_before", "below_after", "lack_before", "lack_after", "before", "after")
"""
What is counted of margins: baskets whose cost is known or not, those below zero and what they lack, and the sums.

Amounts are of the baskets whose cost is known.
"""


@dataclass(slots=True)
class OfferSums:
    """What one offer came to; `people` numbers the accounts of `takers`."""

    people: People
    cells: dict[tuple[int, date], list[int]] = field(default_factory=dict)
    gifts: Counter[str] = field(default_factory=Counter)
    vouchers: Counter[str] = field(default_factory=Counter)
    beside: dict[str, list[int]] = field(default_factory=dict)
    """By the code of an offer that gave something on the same basket: baskets, own discount, its discount."""
    takers: Takers = field(default_factory=Takers)
    net: list[int] = field(default_factory=lambda: [0, 0, 0])
    """What the touched baskets come to before, and after, and the discounts that they really had."""
    margin: list[int] = field(default_factory=lambda: [0] * len(MARGIN))
    losing: dict[int, list[int]] = field(default_factory=dict)
    """By article: lines that go below their cost, and what they lack."""

    def add(self, played: Played, given: Iterable[Given], others: Iterable[Given]) -> None:
        """Add what `given` gave on a basket, beside `others`."""
        times = discount = points = worth = 0
        for one in given:
            times += one.times
            discount += one.discount
            points += one.points
            worth += one.worth
            for reward, quantity in one.gifts:
                self.gifts[reward] += quantity
            for batch, count in one.vouchers:
                self.vouchers[batch] += count
        cell = self._cell(played.store_id, played.day)
        cell[0] += 1
        cell[2] += times
        cell[3] += discount
        cell[4] += points
        cell[5] += worth
        for other in others:
            together = self.beside.get(other.offer_code)
            if together is None:
                together = self.beside[other.offer_code] = [0, 0, 0]
            together[0] += 1
            together[1] += discount
            together[2] += other.discount
        if played.account is not None:
            cell[1] += 1
            self.takers.add(self.people.number(played.account, played.group), discount + worth)
        net = self.net
        net[0] += played.net_before
        net[1] += played.net_after
        net[2] += played.past_discount
        self._add_margin(played.margin)

    def _cell(self, store_id: int, day: date) -> list[int]:
        """Return what is counted for a store on a day, to be counted on."""
        cell = self.cells.get((store_id, day))
        if cell is None:
            cell = self.cells[store_id, day] = [0] * len(CELL)
        return cell

    def _add_margin(self, margin: Margin | None) -> None:
        if margin is None:
            self.margin[1] += 1
            return
        lack_before, lack_after = max(0, -margin.before), max(0, -margin.after)
        below = (1, 0, lack_before > 0, lack_after > 0, lack_before, lack_after, margin.before, margin.after)
        _add(self.margin, below)
        for article, lack in margin.losing:
            _count(self.losing, article, (1, lack))

    def total(self, name: str) -> int:
        """Return the sum of what is counted under `name`, one of `CELL`."""
        place = CELL.index(name)
        return sum(cell[place] for cell in self.cells.values())

    def document(self) -> dict[str, Any]:
        """Return it as JSON, to be added to others by `take`."""
        people = self.people
        return {
            "cells": [[store, day.isoformat(), *cell] for (store, day), cell in self.cells.items()],
            "gifts": dict(self.gifts),
            "vouchers": dict(self.vouchers),
            "beside": self.beside,
            "takers": [
                [people.accounts[number], people.groups[number], baskets, gain]
                for number, baskets, gain in self.takers
            ],
            "net": self.net,
            "margin": self.margin,
            "losing": [[article, *sums] for article, sums in self.losing.items()],
        }

    def take(self, document: Mapping[str, Any]) -> None:
        """Add what `document` wrote."""
        for store, day, *cell in document["cells"]:
            _count(self.cells, (store, date.fromisoformat(day)), cell)
        self.gifts.update(document["gifts"])
        self.vouchers.update(document["vouchers"])
        for code, sums in document["beside"].items():
            _count(self.beside, code, sums)
        for account, group, baskets, gain in document["takers"]:
            self.takers.add(self.people.number(account, group), gain, baskets)
        _add(self.net, document["net"])
        _add(self.margin, document["margin"])
        for article, *sums in document["losing"]:
            _count(self.losing, article, sums)


@dataclass(slots=True)
class Sums:
    """What a rehearsal came to: by offer code and, where there are several offers, as a `WHOLE`."""

    codes: tuple[str, ...]
    people: People = field(default_factory=People)
    baskets: int = 0
    """All baskets of the period, touched or not."""
    lapsed: list[int] = field(default_factory=lambda: [0, 0, 0])
    """Baskets on which only the replaced version of an offer gives something, and what they come to before and after."""
    offers: dict[str, OfferSums] = field(default_factory=dict)

    def __post_init__(self) -> None:
        keys = self.codes if len(self.codes) == 1 else (WHOLE, *self.codes)
        self.offers = {key: OfferSums(self.people) for key in keys}

    @property
    def whole(self) -> OfferSums:
        """What all rehearsed offers come to together."""
        return self.offers.get(WHOLE) or self.offers[self.codes[0]]

    def add(self, played: Played) -> None:
        """Add a basket on which a rehearsed offer, or the version that it replaces, gave something."""
        if not played.rehearsed:
            _add(self.lapsed, (1, played.net_before, played.net_after))
            return
        if WHOLE in self.offers:
            self.offers[WHOLE].add(played, played.rehearsed, played.live)
        for one in played.rehearsed:
            others = [other for other in (*played.rehearsed, *played.live) if other is not one]
            self.offers[one.offer_code].add(played, (one,), others)

    def empty(self) -> Self:
        """Return sums of nothing for the same offers."""
        return type(self)(self.codes)

    def document(self) -> dict[str, Any]:
        """Return it as JSON, to be added to others by `take`."""
        return {
            "baskets": self.baskets,
            "lapsed": self.lapsed,
            "offers": {key: one.document() for key, one in self.offers.items()},
        }

    def take(self, document: Mapping[str, Any]) -> None:
        """Add what `document` wrote."""
        self.baskets += document["baskets"]
        _add(self.lapsed, document["lapsed"])
        for key, one in document["offers"].items():
            self.offers[key].take(one)


def _count(counts: dict[Any, list[int]], key: Any, values: Sequence[int]) -> None:
    known = counts.get(key)
    if known is None:
        counts[key] = [int(value) for value in values]
    else:
        _add(known, values)


def _add(sums: list[int], values: Sequence[int]) -> None:
    for place, value in enumerate(values):
        sums[place] += value

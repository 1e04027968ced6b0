"""What a run of catalogs came to: pages and items held against what was bought, and against who got nothing. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any, Final

FEWEST: Final = 10
"""Nothing is said about fewer people."""
ENOUGH: Final = 30
"""With fewer on a side no difference is told from chance."""
PERSONAL: Final = 0
"""Stands for the member's own page, whose number differs from copy to copy."""
_Z: Final = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Shown:
    """An article at a place of a page: in how many copies, how many of their readers bought it, and for how much."""

    page: int
    place: int
    article_id: int
    copies: int
    buyers: int
    minor: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A place of a page over all that stood there; buyers and money are None below ten buyers."""

    page: int
    place: int
    copies: int
    buyers: int | None
    rate: float | None
    minor: int | None
    articles: int


@dataclass(frozen=True, slots=True)
class PageResult:
    """A page: its copies, and how many of their readers bought something of what it showed them."""

    page: int
    copies: int
    buyers: int | None
    rate: float | None
    minor: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between those who were to get a copy and those held out, with its 95 % interval."""

    with_copy: float
    without: float
    difference: float
    low: float
    high: float

    @property
    def certain(self) -> bool:
        """Whether the interval leaves no doubt on which side of nothing it lies."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Effect:
    """What the copies did: the share that bought something shown, and spending per member; None where too few are."""

    members: int
    held_out: int
    share: Difference | None
    spending: Difference | None
    currency: str

    def words(self) -> str:
        """Return it as one English line, for a terminal."""
        if self.share is None:
            return f"too few to compare: {self.members} members with a copy, {self.held_out} held out"
        found = self.share
        said = "more" if found.low > 0 else "fewer" if found.high < 0 else "no certain difference"
        return (
            f"{found.with_copy:.1%} bought something shown, {found.without:.1%} of those held out: "
            f"{found.difference:+.1%} ({found.low:+.1%} to {found.high:+.1%}), {said}"
        )


@dataclass(frozen=True, slots=True)
class Results:
    """All of it; `over` says whether the period is."""

    sent: int
    held_out: int
    over: bool
    currency: str
    pages: tuple[PageResult, ...]
    cells: tuple[Cell, ...]
    items: tuple[Shown, ...]
    effect: Effect
    vouchers: Mapping[str, Mapping[str, int]]
    channels: tuple[str, ...] = ()
    """By which ways copies have left."""

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "sent": self.sent,
            "channels": list(self.channels),
            "held_out": self.held_out,
            "over": self.over,
            "currency": self.currency,
            "pages": [asdict(page) for page in self.pages],
            "cells": [asdict(cell) for cell in self.cells],
            "items": [asdict(item) for item in self.items],
            "effect": asdict(self.effect),
            "vouchers": {batch: dict(states) for batch, states in self.vouchers.items()},
        }


def cells_of(shown: Iterable[Shown]) -> tuple[Cell, ...]:
    """Return the places of pages with what all articles there came to; places in fewer than ten copies are left out."""
    together: dict[tuple[int, int], list[Shown]] = defaultdict(list)
    for item in shown:
        together[item.page, item.place].append(item)
    cells = []
    for (page, place), items in sorted(together.items()):
        copies = sum(item.copies for item in items)
        if copies >= FEWEST:
            buyers, rate, minor = told(
                copies, sum(item.buyers for item in items), sum(i.minor for i in items)
            )
            cells.append(Cell(page, place, copies, buyers, rate, minor, len(items)))
    return tuple(cells)


def items_of(shown: Iterable[Shown]) -> tuple[Shown, ...]:
    """Return the articles that ten and more of their readers bought, the best first."""
    kept = [item for item in shown if item.copies >= FEWEST and item.buyers >= FEWEST]
    return tuple(sorted(kept, key=lambda item: (-item.buyers / item.copies, -item.buyers, item.article_id)))


def told(copies: int, buyers: int, minor: int) -> tuple[int | None, float | None, int | None]:
    """Return what may be said: nothing about one to nine buyers, for they could be known."""
    if 0 < buyers < FEWEST:
        return None, None, None
    return buyers, buyers / copies if copies else None, minor


def effect_of(
    with_copy: Sequence[tuple[bool, int]], held_out: Sequence[tuple[bool, int]], *, currency: str
) -> Effect:
    """
    Return what copies did, from whether each member bought something shown, and how much each spent.

    Members are compared as they were drawn: who was left out later counts with those who were to get a copy.
    """
    few = min(len(with_copy), len(held_out)) < ENOUGH
    return Effect(
        len(with_copy),
        len(held_out),
        None
        if few
        else difference_of_shares(
            sum(bought for bought, _ in with_copy),
            len(with_copy),
            sum(bought for bought, _ in held_out),
            len(held_out),
        ),
        None
        if few
        else difference_of_means([spent for _, spent in with_copy], [spent for _, spent in held_out]),
        currency,
    )


def difference_of_shares(hits: int, of: int, other_hits: int, other_of: int) -> Difference:
    """Return the difference of two shares with Newcombe's interval (hybrid score, 1998), good for small shares too."""
    one, other = hits / of, other_hits / other_of
    low_one, high_one = _wilson(hits, of)
    low_other, high_other = _wilson(other_hits, other_of)
    found = one - other
    return Difference(
        one,
        other,
        found,
        found - sqrt((one - low_one) ** 2 + (high_other - other) ** 2),
        found + sqrt((high_one - one) ** 2 + (other - low_other) ** 2),
    )


def _wilson(hits: int, of: int) -> tuple[float, float]:
    share, square = hits / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = _Z * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return middle - half, middle + half


def difference_of_means(values: Sequence[float], others: Sequence[float]) -> Difference:
    """Return the difference of two means, whose spreads may differ (Welch), with a normal interval."""
    one, other = sum(values) / len(values), sum(others) / len(others)
    error = sqrt(_variance(values, one) / len(values) + _variance(others, other) / len(others))
    found = one - other
    return Difference(one, other, found, found - _Z * error, found + _Z * error)


def _variance(values: Sequence[float], mean: float) -> float:
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)

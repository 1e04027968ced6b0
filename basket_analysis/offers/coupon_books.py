"""Coupons, who was sent them and who redeemed them, as arrays: what coupon relevance is told besides the sales."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

LARGE_POOL: Final = 100
"""Pools of so many coupons and more are told apart: of those a household gets a few that no file names."""


@dataclass(frozen=True)
class Campaign:
    """
    A campaign's pool of coupons, in the order of code points, and its first and last day (since 2000-01-01).

    `articles` is a sparse matrix, coupons by articles, with a 1 where a coupon is good for an article.
    """

    code: str
    starts: int
    ends: int
    coupons: tuple[str, ...]
    articles: Any

    def place_of(self, coupons: Sequence[str]) -> Int64s:
        """Return the place of each of `coupons` in the pool."""
        place = {coupon: number for number, coupon in enumerate(self.coupons)}
        return np.array([place[coupon] for coupon in coupons], np.int64)


@dataclass(frozen=True)
class Redemptions:
    """Who redeemed which coupon of which campaign (places among `CouponBook.campaigns` and in its pool), and when."""

    household: Int64s
    campaign: Int64s
    coupon: Int64s
    day: Int64s

    def before(self, day: int) -> "Redemptions":
        """Return those of earlier days."""
        return self.where(self.day < day)

    def of(self, campaign: int) -> "Redemptions":
        """Return those of one campaign."""
        return self.where(self.campaign == campaign)

    def where(self, kept: NDArray[np.bool_]) -> "Redemptions":
        """Return those that are `kept`."""
        return Redemptions(self.household[kept], self.campaign[kept], self.coupon[kept], self.day[kept])


@dataclass(frozen=True)
class CouponBook:
    """
    All campaigns, by first day and code, and what was redeemed before the day that is looked from.

    Households that redeemed or are asked about are numbered by the caller, those of the sales first.
    """

    campaigns: tuple[Campaign, ...]
    redemptions: Redemptions

    def number_of(self) -> Mapping[str, int]:
        """Return the place of each campaign by its code."""
        return {campaign.code: number for number, campaign in enumerate(self.campaigns)}

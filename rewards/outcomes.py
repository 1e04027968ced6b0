"""
What the offers of a book come to on lines: the bare outcome, by place, without reasons.

`rewards.applicator` tells it to tills; a rehearsal, which plays baskets by the hundred thousand, asks no more than this. Pure.
"""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from decimal import Decimal

from rewards.applying import apply_one
from rewards.book import OfferBook, Seen
from rewards.carts import Left, Occasion
from rewards.choosing import BETTER, choose
from rewards.doorkeeper import Doorkeeper
from rewards.offers import BEST, VOUCHER
from rewards.ready_offers import LiveOffer
from rewards.standing_basket import Basket, Given
from rewards.units import Lines, Run
from rewards.vouchers.values import Redeemed, take_values

ONCE = Decimal(1)
NOTHING_COUNTED: Mapping[str, Left] = {}
Parts = tuple[tuple[int, Decimal], ...]
"""What earns how many times points: (net in minor units, times)."""


class Outcome:
    """What offers gave on a basket; lines are known by their places, in the order of their numbers."""

    __slots__ = ("basket", "book", "redeemed")

    def __init__(self, basket: Basket, book: OfferBook, redeemed: list[Redeemed]) -> None:
        self.basket, self.book, self.redeemed = basket, book, redeemed

    @property
    def given(self) -> Sequence[Given]:
        """What each offer gave, in order of application."""
        return self.basket.given

    @property
    def nets(self) -> Sequence[int]:
        """What is left to be paid of each line."""
        return self.basket.net

    @property
    def multiplied(self) -> dict[int, Parts]:
        """What earns how many times points on the lines of which something earns otherwise than once."""
        if not self.book.multiplies:
            return {}
        return {
            place: _parts(self.basket.net[place], runs)
            for place, runs in enumerate(self.basket.runs)
            if runs is not None and any(run[3] is not None and run[3] != ONCE for run in runs)
        }

    @property
    def earning(self) -> list[Parts]:
        """For every line what earns how many times points."""
        multiplied = self.multiplied
        return [multiplied.get(place, ((net, ONCE),)) for place, net in enumerate(self.basket.net)]

    @property
    def exhausted(self) -> tuple[str, ...]:
        """The offers that stopped because what was counted before left them no further use or amount."""
        refused = self.basket.refused
        if not refused:
            return ()
        live = self.book.live
        return tuple(live[rank].code for rank, why in sorted(refused.items()) if why != BETTER)

    def reduced_by(self, codes: Container[str]) -> set[int]:
        """Return the places of the lines that one of these offers took something off."""
        return {place for given in self.given if given.live.code in codes for place in given.per_line}


def outcome_of(
    lines: Lines, seen: Sequence[Seen], book: OfferBook, occasion: Occasion, left: Mapping[str, Left]
) -> Outcome:
    """
    Return what the offers of `book` give for `lines`, by line number, without changing either.

    `seen` is what the book knows of each line's article; lines without a price count for nothing.
    """
    matching: dict[int, list[int]] = {}
    ranks = set(book.on_every_basket(occasion.store_code))
    prices = lines.prices
    for place, (selections, triggered) in enumerate(seen):
        if selections and prices[place] > 0:  # what triggers an offer is one of its selections
            for number in selections:
                if number in matching:
                    matching[number].append(place)
                else:
                    matching[number] = [place]
            if triggered:
                ranks.update(triggered)
    if occasion.presented:
        ranks.update(book.opened_by(occasion.presented, occasion.store_code))
    basket = Basket(lines, matching, occasion.presented)
    live = Doorkeeper(occasion).among([book.live[rank] for rank in sorted(ranks)])
    return Outcome(basket, book, _go_through(basket, book, live, left, occasion))


def _go_through(
    basket: Basket, book: OfferBook, live: list[LiveOffer], left: Mapping[str, Left], occasion: Occasion
) -> list[Redeemed]:
    """Try all offers in their order, and take the values of vouchers where they come."""
    if not occasion.presented:
        _try_all(basket, book, live, left)
        return []
    last = [offer for offer in live if offer.offer.stage == VOUCHER]
    _try_all(basket, book, [offer for offer in live if offer.offer.stage != VOUCHER], left)
    basket.net_before_vouchers = sum(basket.net[place] for place in basket.priced)
    _try_all(basket, book, last, left)
    return take_values(basket, occasion, basket.net_before_vouchers)


def _try_all(basket: Basket, book: OfferBook, live: list[LiveOffer], left: Mapping[str, Left]) -> None:
    if book.choice == BEST:
        choose(basket, live, left)
        return
    for offer in live:
        apply_one(basket, offer, left)


def _parts(net: int, runs: Sequence[Run]) -> Parts:
    """Return what is left of a line's units by how many times points they earn."""
    first = runs[0][3]
    if all(run[3] is first for run in runs):
        return ((net, ONCE if first is None else first),)
    parts: dict[Decimal, int] = defaultdict(int)
    for count, left, _flags, times in runs:
        parts[ONCE if times is None else times] += count * left
    return tuple((parts[times], times) for times in sorted(parts))

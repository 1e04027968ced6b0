"""
Best for the member: which offers of an exclusive group are tried at all.

Within a group of a stage every subset of its candidates is applied in the usual order, and the one with the largest
sum of the group's discounts wins. Up to `MOST_EXACT` candidates that is exact; beyond that offers are added one by one
while the sum grows, and the evaluation says so. Pure.
"""

from collections.abc import Mapping, Sequence

from rewards.applying import apply_one
from rewards.carts import Left
from rewards.ready_offers import LiveOffer
from rewards.standing_basket import Basket, Snapshot

MOST_EXACT = 12
BETTER = "better"
"""Why an offer was not tried: its group gives more without it."""


def choose(basket: Basket, live: Sequence[LiveOffer], left: Mapping[str, Left]) -> None:
    """Apply `live`, in their order, to `basket`, without those that their groups are better off without."""
    groups: dict[object, list[LiveOffer]] = {}
    for offer in live:
        if offer.group is not None:
            groups.setdefault(offer.group, []).append(offer)
    undecided = {group for group, members in groups.items() if len(members) > 1}
    without: set[int] = set()
    for place, offer in enumerate(live):
        if offer.group in undecided:
            undecided.discard(offer.group)
            without |= _Choice(basket, live[place:], groups[offer.group], left, without).made()
        if offer.rank in without:
            basket.refused[offer.rank] = BETTER
        else:
            apply_one(basket, offer, left.get(offer.code))


class _Choice:
    """The decision of one group, at the place of its first offer."""

    def __init__(
        self,
        basket: Basket,
        following: Sequence[LiveOffer],
        members: Sequence[LiveOffer],
        left: Mapping[str, Left],
        without: set[int],
    ) -> None:
        self.basket, self.left = basket, left
        self.members = list(members)
        self.ranks = {member.rank for member in members}
        last = members[-1].rank
        self.sequence = [offer for offer in following if offer.rank <= last and offer.rank not in without]
        self.best = -1
        self.winner: tuple[int, ...] = ()

    def made(self) -> set[int]:
        """Return the ranks of the members that are left out."""
        refused, notes = dict(self.basket.refused), list(self.basket.notes)
        before = self.basket.snapshot()
        candidates = [member for member in self.members if self._sum({member.rank}, before) is not None]
        if len(candidates) <= MOST_EXACT:
            self._descend(0, 0, ())
            winner = set(self.winner)
        else:
            winner = self._greedy(candidates, before)
            notes.append(("greedy", str(self.members[0].offer.exclusive_group)))
        self.basket.restore(before)
        self.basket.refused, self.basket.notes = refused, notes
        return self.ranks - winner

    def _descend(self, place: int, total: int, taken: tuple[int, ...]) -> None:
        """Go on from `place` with and without every member; with comes first, so the first of equal sums wins."""
        while place < len(self.sequence):
            offer = self.sequence[place]
            if offer.rank not in self.ranks:
                apply_one(self.basket, offer, self.left.get(offer.code))
                place += 1
                continue
            before = self.basket.snapshot()
            given = apply_one(self.basket, offer, self.left.get(offer.code))
            place += 1
            if given is None:
                taken += (offer.rank,)
                continue
            self._descend(place, total + given.amount, (*taken, offer.rank))
            self.basket.restore(before)
        if total > self.best:
            self.best, self.winner = total, taken

    def _sum(self, chosen: set[int], before: Snapshot) -> int | None:
        """Return the group's discounts when only `chosen` of it are tried; None when they give nothing at all."""
        total, gave = 0, False
        for offer in self.sequence:
            if offer.rank in self.ranks and offer.rank not in chosen:
                continue
            given = apply_one(self.basket, offer, self.left.get(offer.code))
            if given is not None and offer.rank in chosen:
                total, gave = total + given.amount, True
        self.basket.restore(before)
        return total if gave else None

    def _greedy(self, candidates: Sequence[LiveOffer], before: Snapshot) -> set[int]:
        """Return the better of all together and of what grows offer by offer."""
        everybody = {member.rank for member in self.members}
        winner: set[int] = set()
        best = 0
        rest = [candidate.rank for candidate in candidates]
        while rest:
            sums = [(self._sum(winner | {rank}, before) or 0, rank) for rank in rest]
            gained, rank = max(sums, key=lambda each: (each[0], -each[1]))
            if gained <= best:
                break
            best, winner = gained, winner | {rank}
            rest.remove(rank)
        return everybody if (self._sum(everybody, before) or 0) >= best else winner

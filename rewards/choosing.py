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
MOST_EFFORT = 300_000
"""Applications planned and runs looked at for one choice, before it is made offer by offer: about a second."""
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
            last = groups[offer.group][-1].rank
            following = [each for each in live[place:] if each.rank <= last and each.rank not in without]
            for sequence in apart(basket, following):
                without |= _Choice(basket, sequence, offer.group, left).made()
        if offer.rank in without:
            basket.refused[offer.rank] = BETTER
        else:
            apply_one(basket, offer, left)


def apart(basket: Basket, offers: Sequence[LiveOffer]) -> list[list[LiveOffer]]:
    """
    Return `offers` in parts that have no line of the basket in common, each in the order given.

    What one part gives changes nothing for another, so choices are made part by part.
    """
    parts: list[tuple[set[int], list[LiveOffer]]] = []
    for offer in offers:
        lines = (
            set(basket.priced)
            if offer.wide
            else {place for select in offer.touched for place in basket.lines_of(select)}
        )
        joined: list[LiveOffer] = []
        for part in [part for part in parts if not part[0].isdisjoint(lines)]:
            parts.remove(part)
            lines |= part[0]
            joined += part[1]
        parts.append((lines, [*joined, offer]))
    return [sorted(members, key=lambda each: each.rank) for _lines, members in parts]


class _Choice:
    """The decision of one group among offers that are tried one after another, its own and those between them."""

    def __init__(
        self, basket: Basket, sequence: Sequence[LiveOffer], group: object, left: Mapping[str, Left]
    ) -> None:
        self.basket, self.left, self.sequence = basket, left, sequence
        self.members = [offer for offer in sequence if offer.group == group]
        self.ranks = {member.rank for member in self.members}
        self.best = -1
        self.effort = 0
        self.winner: tuple[int, ...] = ()

    def made(self) -> set[int]:
        """Return the ranks of the members that are left out."""
        if len(self.members) < 2:
            return set()
        refused, notes = dict(self.basket.refused), list(self.basket.notes)
        before = self.basket.snapshot()
        self.effort = self.basket.effort + MOST_EFFORT
        candidates = self.members
        if len(candidates) > MOST_EXACT:
            candidates = [member for member in candidates if self._sum({member.rank}, before) is not None]
        if len(candidates) <= MOST_EXACT and self._descend(0, 0, ()):
            winner = set(self.winner)
        else:
            self.basket.restore(before)
            winner = self._greedy(candidates, before)
            notes.append(("greedy", str(self.members[0].offer.exclusive_group)))
        self.basket.restore(before)
        self.basket.refused, self.basket.notes = refused, notes
        return self.ranks - winner

    def _descend(self, place: int, total: int, taken: tuple[int, ...]) -> bool:
        """
        Go on from `place` with and without every member; with comes first, so the first of equal sums wins.

        Returns False when that is too much work.
        """
        while place < len(self.sequence):
            offer = self.sequence[place]
            if offer.rank not in self.ranks:
                apply_one(self.basket, offer, self.left)
                place += 1
                continue
            before = self.basket.snapshot()
            given = apply_one(self.basket, offer, self.left)
            place += 1
            if given is None:
                taken += (offer.rank,)
                continue
            if not self._descend(place, total + given.amount, (*taken, offer.rank)):
                return False
            self.basket.restore(before)
        if total > self.best:
            self.best, self.winner = total, taken
        return self.basket.effort <= self.effort

    def _sum(self, chosen: set[int], before: Snapshot) -> int | None:
        """Return the group's discounts when only `chosen` of it are tried; None when they give nothing at all."""
        total, gave = 0, False
        for offer in self.sequence:
            if offer.rank in self.ranks and offer.rank not in chosen:
                continue
            given = apply_one(self.basket, offer, self.left)
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
            if self.basket.effort > self.effort:
                break
            gained, rank = max(sums, key=lambda each: (each[0], -each[1]))
            if gained <= best:
                break
            best, winner = gained, winner | {rank}
            rest.remove(rank)
        # What takes nothing from the others, such as points, may come along.
        for rank in sorted(rest):
            if self.basket.effort <= self.effort and (self._sum(winner | {rank}, before) or 0) >= best:
                winner = winner | {rank}
        return everybody if (self._sum(everybody, before) or 0) >= best else winner

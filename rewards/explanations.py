"""
Why offers were not applied, and what is missing: worked out after an evaluation, for those who ask.

What an offer met when its turn came is found in the basket's history, so that what others took later is no reason. Pure.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from rewards.applying import allowance, spent_by_shopper
from rewards.book import OfferBook
from rewards.carts import PIECES, Cart, CartLine, Left, Occasion
from rewards.choosing import BETTER
from rewards.doorkeeper import Doorkeeper
from rewards.eligibility import is_over, is_personal
from rewards.explanation_words import Words
from rewards.offers import EVERYONE, MEMBERS, Select
from rewards.planning import planned
from rewards.ready_offers import WITHOUT_END, LiveOffer
from rewards.shortfalls import UNITS, Lack, lacks_of, missing
from rewards.standing_basket import BUDGET, Basket, Claimable, Whole
from rewards.units import ONE
from rewards.vouchers.values import refusal

MOST_TOLD = 20


class NotApplied(NamedTuple):
    """An offer that gave nothing: why, and what would have to be added, None where adding would not help."""

    offer_code: str
    reason: str
    missing: str | None


class Explainer:
    """Everything that is known after an evaluation, asked offer by offer."""

    def __init__(
        self,
        cart: Cart,
        book: OfferBook,
        occasion: Occasion,
        left: Mapping[str, Left],
        *,
        basket: Basket,
        applied_to: Callable[[Cart, Mapping[str, Left]], set[str]],
    ) -> None:
        self.cart, self.book, self.occasion, self.left, self.basket = cart, book, occasion, left, basket
        self.doorkeeper = Doorkeeper(occasion)
        self.words = Words(occasion.language, occasion.currency, book.names, book.selected)
        self.applied_to = applied_to
        self.met: Basket | None = None
        self.applied = {given.live.rank for given in basket.given}

    def not_applied(self, redeemed: set[str], most: int | None = MOST_TOLD) -> Iterator[NotApplied]:
        """
        Yield what a line or a presented code touches and the shopper may use, but gave nothing: at most `most`.

        Presented vouchers that are worth nothing here come first, then offers by priority and code.
        """
        yield from islice(self._all_not_applied(redeemed), most)

    def _all_not_applied(self, redeemed: set[str]) -> Iterator[NotApplied]:
        yield from self._vouchers(redeemed)
        priced = bool(self.basket.priced)
        selections = self.basket.matching if priced else ()
        ranks = self.book.touched_by(
            selections, self.occasion.presented, self.occasion.store_code, lines=priced
        )
        untold = [rank for rank in ranks if rank not in self.applied]
        for rank in sorted(untold, key=self.book.telling.__getitem__):
            live = self.book.live[rank]
            if live.start <= self.doorkeeper.at < live.end and self._might_use(live):
                yield self.why_not(live)

    def _might_use(self, live: LiveOffer) -> bool:
        """Whether the shopper may use the offer, or could by showing any member's card."""
        if self.doorkeeper.welcomes(live):
            return True
        offer = live.offer
        return (
            self.occasion.shopper is None
            and offer.audience.who in {MEMBERS, EVERYONE}
            and not is_personal(offer.audience)
        )

    def why_not(self, live: LiveOffer) -> NotApplied:
        """Return why an offer was not applied, whatever the reason."""
        hindrance = self._elsewhere(live) or self._held_back(live)
        if hindrance is not None:
            return NotApplied(live.code, hindrance, None)
        basket = self._basket_before(live.rank)
        view = Claimable(basket, live)
        lacks = lacks_of(live.check, view)
        if not lacks:
            return self._without_benefit(live, basket)
        if live.check.claim(Whole(basket)) is not None:
            return NotApplied(live.code, self.words.combined(), None)
        if self._others_would_have_it(live, view, lacks):
            return NotApplied(live.code, self.words.combined(), None)
        if self._beyond_its_budget(live, basket, lacks):
            return NotApplied(live.code, self.words.used_up(), None)
        return self._lacking(live, lacks)

    def _others_would_have_it(self, live: LiveOffer, view: Claimable, lacks: tuple[Lack, ...]) -> bool:
        """Whether other offers hold units that this one lacks, and would take those that were added for it too."""
        basket = view.basket
        places = {place for lack in lacks for place in self._places(basket, lack.select)}
        if not any(view.available(place) < basket.lines.counts[place] for place in places):
            return False
        more = self._with_what_lacks(basket, lacks)
        return more is not None and live.code not in self.applied_to(more, self.left)

    def _beyond_its_budget(self, live: LiveOffer, basket: Basket, lacks: tuple[Lack, ...]) -> bool:
        """Whether what is left of the amount would not bear the offer with what it lacks, either."""
        if not live.discounts or not live.counted:
            return False
        amount = allowance(live, self.left.get(live.code))[1]
        if amount >= WITHOUT_END:
            return False
        more = self._with_what_lacks(basket, lacks)
        return amount <= 0 or (more is not None and live.code not in self.applied_to(more, self.left))

    def _with_what_lacks(self, basket: Basket, lacks: tuple[Lack, ...]) -> Cart | None:
        """Return the cart with more of what lies in it and is lacked; None where that is not all that is lacked."""
        more: list[CartLine] = []
        ordered = sorted(self.cart, key=lambda line: line.line_number)
        for lack in lacks:
            places = self._places(basket, lack.select)
            if lack.kind != UNITS or not places:
                return None
            quantity = Decimal(lack.number).scaleb(-3)
            last = ordered[-1].line_number + len(more) + 1
            more.append(ordered[places[0]]._replace(line_number=last, quantity=quantity))
        return (*ordered, *more)

    def _places(self, basket: Basket, select: Select) -> Sequence[int]:
        number = self.book.number_of(select)
        return () if number is None else basket.lines_of(number)

    def _basket_before(self, rank: int) -> Basket:
        """Return the basket as an offer met it; the same one again as long as nothing was given between."""
        runs = self.basket.runs_before(rank)
        if self.met is None or self.met.runs is not runs:
            self.met = self.basket.as_it_was(runs)
        return self.met

    def _lacking(self, live: LiveOffer, lacks: tuple[Lack, ...]) -> NotApplied:
        units = {}
        measures = self.basket.lines.measures
        if measures.count(None) < len(measures):
            units = {lack.select: unit for lack in lacks if (unit := self._unit_of(lack.select))}
        return NotApplied(live.code, self.words.lacking(lacks, units), missing(lacks))

    def _unit_of(self, select: Select) -> str | None:
        """Return the measure in which what is selected lies on the counter, None for pieces."""
        places = self._places(self.basket, select)
        ordered = sorted(self.cart, key=lambda line: line.line_number)
        units = {ordered[place].unit for place in places if self.basket.lines.measures[place] is not None}
        return next((unit for unit in sorted(filter(None, units)) if unit != PIECES), None)

    def _elsewhere(self, live: LiveOffer) -> str | None:
        """Return why the offer is not there for this shopper now, None where it is."""
        offer, words = live.offer, self.words
        if offer.stores and self.occasion.store_code not in offer.stores:
            return words.not_here()
        if is_over(offer.valid, self.occasion.at):
            return words.not_now()
        if not self.doorkeeper.welcomes(live):
            return words.members_only() if self._might_use(live) else words.not_for_shopper()
        if live.timed and not self.doorkeeper.in_hours(live):
            return words.only(offer.valid)
        return None

    def _held_back(self, live: LiveOffer) -> str | None:
        """Return why an offer that is there was not to be given, None where it was."""
        words, left = self.words, self.left.get(live.code)
        if self.basket.refused.get(live.rank) == BETTER:
            return words.better()
        if allowance(live, left)[0] <= 0 or self.basket.refused.get(live.rank) == BUDGET:
            return words.used_by_member() if spent_by_shopper(live, left) else words.used_up()
        return None

    def _without_benefit(self, live: LiveOffer, basket: Basket) -> NotApplied:
        """Return why a condition that holds brings nothing: no units for the benefit, or nothing to take off."""
        if planned(Claimable(basket, live), live) is not None:
            return NotApplied(live.code, self.words.cheap_already(), None)
        benefit = live.offer.benefit
        if benefit.select is None or live.select is None:
            return NotApplied(live.code, self.words.combined(), None)
        whole = Whole(basket)
        claimed = live.check.claim(whole) or {}
        if any(whole.available(place) > claimed.get(place, 0) for place in whole.lines(live.select)):
            return NotApplied(live.code, self.words.combined(), None)
        if self._one_more_is_no_use(live, basket, benefit.select):
            # What claims all it can would claim what is added, too.
            why = self.words.nothing_beside() if live.check.claims_all else self.words.combined()
            return NotApplied(live.code, why, None)
        return self._lacking(live, (Lack(UNITS, ONE, benefit.select),))

    def _one_more_is_no_use(self, live: LiveOffer, basket: Basket, select: Select) -> bool:
        """Whether the condition would claim one more unit for the benefit too, as it claims those there are."""
        places = self._places(basket, select)
        if not places:
            return False
        ordered = sorted(self.cart, key=lambda line: line.line_number)
        more = ordered[places[0]]._replace(line_number=ordered[-1].line_number + 1, quantity=Decimal(1))
        return live.code not in self.applied_to((*ordered, more), self.left)

    def _vouchers(self, redeemed: set[str]) -> Iterator[NotApplied]:
        before = self.basket.net_before_vouchers
        for batch, presented in sorted(self.occasion.presented.items()):
            reason = refusal(presented, self.occasion, before)
            if batch in redeemed or reason == "worthless":
                continue
            if reason == "minimum":
                short = (presented.minimum_amount or 0) - before
                yield NotApplied(batch, self.words.minimum(short), str(short))
            elif reason == "currency":
                yield NotApplied(batch, self.words.other_currency(presented.currency or ""), None)
            else:
                yield NotApplied(batch, self.words.nothing_left(), None)

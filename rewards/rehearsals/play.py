"""
Playing a past basket twice: with the live offers alone, and with the rehearsed ones among them. Pure.

Both times by the very engine that tills use. What is between the two is what the rehearsed offers do.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from core.money import split_largest_remainder
from rewards.book import OfferBook, Seen
from rewards.carts import Left, Occasion
from rewards.offers import Gift, NextVoucher, Offer, PointsMultiplier
from rewards.outcomes import NOTHING_COUNTED, Outcome, outcome_of
from rewards.rehearsals.budgets import Budgets
from rewards.rehearsals.sums import Given, Margin, Played
from rewards.selections import Article, values_of
from rewards.units import Lines
from sales.past_baskets import PastBasket


@dataclass(frozen=True, slots=True)
class Worth:
    """What things are worth in minor units: a point, a reward by code, a voucher by batch; and what baskets earn."""

    earned: Callable[[Iterable[tuple[int, Decimal]]], int]
    """The points that parts of a basket earn, each with its multiplier; rounded down once."""
    point: int = 0
    rewards: Mapping[str, int] = field(default_factory=dict)
    vouchers: Mapping[str, int] = field(default_factory=dict)


class Setting(NamedTuple):
    """A past basket ready to be played; `day` is the store's own, `person` is who limits per member count."""

    basket: PastBasket
    lines: Lines
    occasion: Occasion
    day: date
    account: str | None
    person: str | None
    group: str | None

    @property
    def store_id(self) -> int:
        """The store it was bought in."""
        return self.basket.store_id


class LineCost(NamedTuple):
    """What a line cost the chain before tax, and its tax in hundredths of a percent."""

    article_id: int
    cost: int
    rate: int


Counts = tuple[tuple[str, int], ...]
"""Codes with how many of each."""
Costs = Callable[[Setting], Sequence[LineCost] | None]
"""Says what each line of a basket cost; None where that is not known of all of them."""


ArticleAt = Callable[[PastBasket, int], Article]
"""Says what offers look at of a line of a basket, by its place."""
SeenTwice = tuple[Seen, Seen]
"""What the book without the rehearsed offers knows of an article, and the one with them."""
MOST_KNOWN: Final = 500_000
"""Articles, over all stores, of which is remembered what both books know."""


class World:
    """A book of offers, and what past baskets have used of its limits so far."""

    def __init__(self, offers: Sequence[Offer], choice: str) -> None:
        self.offers = tuple(offers)
        self.book = OfferBook(offers, choice)
        self.budgets = Budgets(offers)
        self.limited = bool(self.budgets.limits)

    def play(self, setting: Setting, seen: Sequence[Seen]) -> Outcome:
        """Return what the offers give on a basket, of whose articles this is known, and count it."""
        if not self.limited:
            return outcome_of(setting.lines, seen, self.book, setting.occasion, NOTHING_COUNTED)
        left = self.budgets.left(store_id=setting.store_id, day=setting.day, person=setting.person)
        found = outcome_of(setting.lines, seen, self.book, setting.occasion, left)
        self._count(setting, found, left)
        return found

    def _count(self, setting: Setting, found: Outcome, left: Mapping[str, Left]) -> None:
        moment = setting.occasion.at
        for code in found.exhausted:
            self.budgets.note_exhausted(
                code,
                left[code],
                sum(one.times for one in found.given if one.live.code == code),
                store_id=setting.store_id,
                day=setting.day,
                moment=moment,
            )
        limits = self.budgets.limits
        for one in [one for one in found.given if one.live.code in limits]:
            self.budgets.take(
                one.live.code,
                times=one.times,
                amount=one.amount,
                store_id=setting.store_id,
                day=setting.day,
                person=setting.person,
                moment=moment,
            )


class Play:
    """The two worlds of a rehearsal."""

    def __init__(
        self,
        rehearsed: Sequence[Offer],
        live: Sequence[Offer],
        choice: str,
        *,
        worth: Worth,
        costs: Costs,
        article_at: ArticleAt,
    ) -> None:
        self.codes = frozenset(offer.code for offer in rehearsed)
        # Without its dates: the past is played as if it were the offer's time.
        at_any_time = [_at_any_time(offer) for offer in rehearsed]
        beside = [_at_any_time(offer) for offer in live]
        self.before = World(beside, choice)
        unchanged = [offer for offer in beside if offer.code not in self.codes]
        self.after = World([*unchanged, *at_any_time], choice)
        self.replaces = any(offer.code in self.codes for offer in live)
        self._worth = worth
        self._costs = costs
        self._article_at = article_at
        self._known: dict[str, dict[int | None, SeenTwice]] = {}
        self._remembered = 0
        self._multipliers = {
            offer.code: offer.benefit.times
            for offer in (*at_any_time, *beside)
            if isinstance(offer.benefit, PointsMultiplier)
        }

    @property
    def moving(self) -> list[Offer]:
        """The offers for whose sake a basket has to be played: rehearsed, replaced by them, or live with limits."""
        rehearsed = [offer for offer in self.after.offers if offer.code in self.codes]
        return [
            *rehearsed,
            *(offer for offer in self.before.offers if offer.code in self.codes or offer.limits.counted),
        ]

    def play(self, setting: Setting) -> Played | None:
        """Return how a basket would have come out; None where nothing of a rehearsed offer is in it."""
        seen = self._seen(setting)
        after = self.after.play(setting, [now for _before, now in seen])
        touched = self._is_touched(after)
        if not touched and not self.replaces and not self.before.limited:
            return None
        before = self.before.play(setting, [was for was, _after in seen])
        return self._played(setting, before, after) if touched or self._is_touched(before) else None

    def _seen(self, setting: Setting) -> list[SeenTwice]:
        """Return what the books know of the articles of a basket, those of which a store knows nothing yet looked at."""
        store = setting.occasion.store_code
        known = self._known.get(store) or self._known.setdefault(store, {})
        return [
            known.get(article) or self._look_at(known, setting, place)
            for place, article in enumerate(setting.basket.articles)
        ]

    def _look_at(self, known: dict[int | None, SeenTwice], setting: Setting, place: int) -> SeenTwice:
        """Return what the books know of a line's article, and remember it where that is one that was known then."""
        store = setting.occasion.store_code
        values = values_of(self._article_at(setting.basket, place))
        seen = self.before.book.seen_as(values, store), self.after.book.seen_as(values, store)
        article = setting.basket.articles[place]
        if article is not None:
            if self._remembered >= MOST_KNOWN:
                for each in self._known.values():
                    each.clear()
                self._remembered = 0
            known[article] = seen
            self._remembered += 1
        return seen

    def _is_touched(self, found: Outcome) -> bool:
        return any(one.live.code in self.codes for one in found.given)

    def _played(self, setting: Setting, before: Outcome, after: Outcome) -> Played:
        given = self._given(setting, after)
        return Played(
            day=setting.day,
            store_id=setting.store_id,
            account=setting.account,
            group=setting.group,
            net_before=sum(before.nets),
            net_after=sum(after.nets),
            past_discount=setting.basket.discount_amount,
            rehearsed=tuple(one for one in given if one.offer_code in self.codes),
            live=tuple(one for one in given if one.offer_code not in self.codes),
            margin=self._margin(setting, before.nets, after),
        )

    def _given(self, setting: Setting, after: Outcome) -> list[Given]:
        """Return what every offer gave; points count for nobody where there is no account to earn them."""
        more = self._multiplied(after) if setting.account is not None else {}
        found = []
        for one in after.given:
            code = one.live.code
            points = one.points + more.get(code, 0) if setting.account is not None else 0
            worth = points * self._worth.point
            gifts: Counts = ()
            vouchers: Counts = ()
            match one.live.offer.benefit:
                case Gift(reward=reward, quantity=quantity):
                    gifts = ((reward, quantity * one.times),)
                    worth += self._worth.rewards.get(reward, 0) * quantity * one.times
                case NextVoucher(batch=batch):
                    vouchers = ((batch, one.times),)
                    worth += self._worth.vouchers.get(batch, 0) * one.times
            found.append(Given(code, one.times, one.amount, points, worth, gifts, vouchers))
        return found

    def _multiplied(self, after: Outcome) -> dict[str, int]:
        """Return the points that multipliers add, shared by how much they multiply where there are several."""
        codes = [one.live.code for one in after.given if one.live.code in self._multipliers]
        if not codes:
            return {}
        parts = [part for line in after.earning for part in line]
        more = self._worth.earned(parts) - self._worth.earned((net, Decimal(1)) for net, _ in parts)
        weights = [max(0, int((self._multipliers[code] - 1) * 100)) for code in codes]
        if not any(weights):
            weights[0] = 1
        return dict(zip(codes, split_largest_remainder(more, weights), strict=True))

    def _margin(self, setting: Setting, before: Sequence[int], after: Outcome) -> Margin | None:
        costs = self._costs(setting)
        if costs is None:
            return None
        total_before = total_after = 0
        losing = []
        reduced = after.reduced_by(self.codes)
        for place, (line, was, now) in enumerate(zip(costs, before, after.nets, strict=True)):
            total_before += _before_tax(was, line.rate) - line.cost
            left = _before_tax(now, line.rate) - line.cost
            total_after += left
            if left < 0 and place in reduced:
                losing.append((line.article_id, -left))
        return Margin(total_before, total_after, tuple(losing))


def _before_tax(amount: int, rate: int) -> int:
    """Return what is left of an amount without its tax, of `rate` hundredths of a percent, halves rounded up."""
    return (2 * amount * 10_000 + 10_000 + rate) // (2 * (10_000 + rate))


def _at_any_time(offer: Offer) -> Offer:
    """Return an offer without its dates; weekdays and hours stay."""
    return replace(offer, valid=replace(offer.valid, start=None, end=None))

"""
All live offers, made ready once: found by what can trigger them, not by going through them.

A book is immutable and belongs to one generation of offers. What it learns about an article (which selections match,
which offers of a store that could trigger) it remembers, so that the next basket with it pays one look-up. Pure.
"""

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from rewards.carts import Cart, CartLine, Occasion
from rewards.doorkeeper import Doorkeeper
from rewards.offers import FIRST, Names, Offer, Select, batches_asked
from rewards.ready_offers import LiveOffer, Trigger
from rewards.selections import KEYS, Article, Matcher, indexed, main_key, used_keys, values_of

MOST_REMEMBERED = 50_000
"""Articles that a book remembers over all stores, before it forgets them all."""


article_of = itemgetter(slice(4, None))
"""What offers ask of a line's article: its columns from the sku on."""

ELSEWHERE = ""
"""Stands for all stores that no offer names: the same offers run there."""


class Seen(NamedTuple):
    """What a book knows of an article in a store: the selections that match, and the offers that they trigger."""

    selections: tuple[int, ...]
    ranks: tuple[int, ...]


class OfferBook:
    """
    The offers of one generation, in the order in which they are tried: by stage, priority from the highest, then code.

    `choice` is "first" or "best"; `names` are what answers call things by.
    """

    def __init__(self, offers: Iterable[Offer], choice: str = FIRST, names: Names | None = None) -> None:
        self.choice = choice
        self.names = names or Names()
        self.selected: dict[Select, str] = {}
        """What selections are called, as far as somebody asked."""
        self._numbers: dict[Select, int] = {}
        self._selects: list[Select] = []
        self._keys: list[str | None] = []
        self._audiences: dict[object, int] = {}
        self._groups: dict[object, int] = {}
        ordered = sorted(offers, key=lambda offer: offer.order)
        self.live = [LiveOffer(offer, rank, self) for rank, offer in enumerate(ordered)]
        self.multiplies = any(live.multiplier is not None for live in self.live)
        self.by_code = {live.code: live for live in self.live}
        self._matchers = [Matcher(select) for select in self._selects]
        self._index = {key: self._listed(key) for key in KEYS}
        self._anything = [number for number, key in enumerate(self._keys) if key is None]
        self._used = used_keys(self._selects)
        self._triggered: dict[int, list[int]] = {}
        self._touched: dict[int, list[int]] = {}
        self._by_batch: dict[str, list[int]] = {}
        self._always: list[int] = []
        self._asking: dict[str, list[int]] = {}
        for live in self.live:
            self._file(live)
        by_priority = sorted(self.live, key=lambda each: (-each.offer.priority, each.code))
        self.telling = [0] * len(self.live)
        """By rank: where it comes when offers are told by priority, then code, whatever their stage."""
        for place, live in enumerate(by_priority):
            self.telling[live.rank] = place
        self._named_stores = frozenset(store for live in self.live for store in live.offer.stores)
        self._seen: dict[str, dict[Article, Seen]] = {}
        self._seen_alike: dict[tuple[str, tuple[str | None, ...]], Seen] = {}
        self._remembered = 0
        self._always_in: dict[str, tuple[int, ...]] = {}
        self._counted = frozenset(live.rank for live in self.live if live.counted)

    def __len__(self) -> int:
        return len(self.live)

    @property
    def offers(self) -> tuple[Offer, ...]:
        """The offers in the order in which they are tried."""
        return tuple(live.offer for live in self.live)

    def number(self, select: Select) -> int:
        """Return the number of a selection; equal ones have the same."""
        found = self._numbers.get(select)
        if found is None:
            found = self._numbers[select] = len(self._selects)
            self._selects.append(select)
            self._keys.append(main_key(select))
        return found

    def number_of(self, select: Select) -> int | None:
        """Return the number of a selection that an offer names, None for others."""
        return self._numbers.get(select)

    def audience_number(self, offer: Offer) -> int:
        """Return a number that offers with the same audience, and the same need for a card, share."""
        return self._audiences.setdefault((offer.audience, offer.limits.per_person), len(self._audiences))

    def group_number(self, group: object) -> int:
        """Return the number of an exclusive group of a stage, in the order in which they were met."""
        return self._groups.setdefault(group, len(self._groups))

    def commonness(self, ways: tuple[Trigger, ...]) -> float:
        """Return a guess at how often one of `ways` comes up; only its order matters."""
        return sum(self._commonness(way) for way in ways)

    def _commonness(self, way: Trigger) -> float:
        if isinstance(way, tuple):
            return 0.0
        if isinstance(way, str):
            return 10**9
        key = self._keys[way]
        if key is None:
            return 10**8
        return len(getattr(self._selects[way], key)) * 10.0 ** KEYS.index(key)

    def _listed(self, key: str) -> dict[str, list[int]]:
        listed: dict[str, list[int]] = {}
        for number, select in enumerate(self._selects):
            if self._keys[number] == key:
                for value in getattr(select, key):
                    listed.setdefault(indexed(key, value), []).append(number)
        return listed

    def _file(self, live: LiveOffer) -> None:
        for trigger in live.triggers:
            if isinstance(trigger, int):
                self._triggered.setdefault(trigger, []).append(live.rank)
            elif isinstance(trigger, tuple):
                self._by_batch.setdefault(trigger[0], []).append(live.rank)
            else:
                self._always.append(live.rank)
        for number in live.touched:
            self._touched.setdefault(number, []).append(live.rank)
        for batch in batches_asked(live.offer):
            self._asking.setdefault(batch, []).append(live.rank)

    def known_in(self, store: str) -> dict[Article, Seen]:
        """Return what is known of a store's articles so far, for reading only; `seen` learns what is missing."""
        if store not in self._named_stores:
            store = ELSEWHERE
        known = self._seen.get(store)
        if known is None:
            known = self._seen[store] = {}
        return known

    def all_seen(self, cart: Iterable[CartLine], store: str) -> Sequence[Seen]:
        """Return what is known of the article of each line in a store."""
        try:
            return [*map(self.known_in(store).__getitem__, map(article_of, cart))]
        except KeyError:
            return [self.seen(article_of(line), store) for line in cart]

    def seen(self, article: Article, store: str) -> Seen:
        """Return what is known of an article in a store."""
        known = self.known_in(store)
        found = known.get(article)
        if found is None:
            if self._remembered >= MOST_REMEMBERED:
                for each in list(self._seen.values()):  # another thread may ask for a store meanwhile
                    each.clear()
                self._seen_alike.clear()
                self._remembered = 0
            found = known[article] = self.seen_as(values_of(article), store)
            self._remembered += 1
        return found

    def seen_as(self, values: tuple[str | None, ...], store: str) -> Seen:
        """Return what is known of an article by its values; many are alike in all that offers of the book ask."""
        asked = tuple([values[place] if values[place] in of else None for place, of in self._used])
        alike = (store if store in self._named_stores else ELSEWHERE, asked)
        found = self._seen_alike.get(alike)
        if found is None:
            found = self._seen_alike[alike] = self._look_at(values, store)
        return found

    def _look_at(self, values: tuple[str | None, ...], store: str) -> Seen:
        numbers = set(self._anything)
        for key, value in zip(KEYS, values, strict=True):
            if value is not None:
                numbers.update(self._index[key].get(value, ()))
        matching = tuple(sorted(number for number in numbers if self._matchers[number].matches(values)))
        ranks = {rank for number in matching for rank in self._triggered.get(number, ())}
        return Seen(matching, tuple(sorted(rank for rank in ranks if self._sold_in(rank, store))))

    def _sold_in(self, rank: int, store: str) -> bool:
        stores = self.live[rank].offer.stores
        return not stores or store in stores  # "" is in none: all stores that no offer names are alike

    def on_every_basket(self, store: str) -> tuple[int, ...]:
        """Return the ranks of a store's offers that any basket can trigger."""
        found = self._always_in.get(store)
        if found is None:
            found = tuple(rank for rank in self._always if self._sold_in(rank, store))
            if len(self._always_in) < MOST_REMEMBERED:
                self._always_in[store] = found
        return found

    def opened_by(self, batches: Iterable[str], store: str) -> Iterator[int]:
        """Yield the ranks of a store's offers that a code of `batches` can trigger."""
        for batch in batches:
            yield from (rank for rank in self._by_batch.get(batch, ()) if self._sold_in(rank, store))

    def touched_by(
        self, selections: Iterable[int], batches: Iterable[str], store: str, *, lines: bool
    ) -> list[int]:
        """
        Return the ranks of a store's offers that speak of what is in the basket, applicable or not.

        `lines` says whether there are any that offers look at.
        """
        found = {rank for number in selections for rank in self._touched.get(number, ())}
        if lines:
            found.update(self._always)
        for batch in batches:
            found.update(self._asking.get(batch, ()))
        return [rank for rank in found if self._sold_in(rank, store)]

    def limited_candidates(self, cart: Cart, occasion: Occasion) -> tuple[Offer, ...]:
        """Return the offers with counted limits that `cart` could trigger now: those whose counters matter."""
        if not self._counted:
            return ()
        store = occasion.store_code
        ranks: set[int] = set(self.on_every_basket(store))
        for line, seen in zip(cart, self.all_seen(cart, store), strict=True):
            if line.unit_price > 0:
                ranks.update(seen.ranks)
        ranks.update(self.opened_by(occasion.presented, store))
        limited = sorted(ranks & self._counted)
        if not limited:
            return ()
        return tuple(live.offer for live in Doorkeeper(occasion).among(self.live[rank] for rank in limited))

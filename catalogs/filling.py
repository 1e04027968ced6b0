"""Pages filled: which articles belong on a spread together, and what takes the place of one that a shop has not."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from catalogs.issues import FilledPage, Offer
from catalogs.layouts import Theme
from catalogs.motifs import Use
from catalogs.names import print_name
from catalogs.occasions import OCCASIONS, PARTS, Occasion, occasion_of, part_of

ALIKE_ON_PAGE = 2
"""So many of one kind stand on a page, while there are others."""
ALIKE_IN_ALL = 4
"""So many of one kind stand on all pages, while there are others."""
OWN_WEIGHT = 2.0
"""What the group's own theme is about counts so many times when occasions are chosen."""
FADING = 40
"""Something so far down the ranking counts half as much as the first when occasions are chosen."""


@dataclass(frozen=True, slots=True)
class Good:
    """What is known of an article when pages are planned; `own` belongs to the group's own theme."""

    article_id: int
    kind: str
    own: bool


@dataclass(frozen=True, slots=True)
class Places:
    """A page's layout and the articles for its places, in order."""

    layout: str
    articles: tuple[int, ...]


def plan_places(theme: Theme, goods: Sequence[Good]) -> list[Places]:
    """
    Return the pages of `theme` with articles of `goods`, which come the strongest first.

    Each spread is for an occasion as long as one has enough for its first page; the second page is for
    another one where nothing is left for the first, else from one part of the shop. Spreads are planned
    while there is enough for all of their places.
    """
    left = list(goods)
    used: set[str] = set()
    shown: Counter[str] = Counter()
    planned: list[Places] = []
    for spread in theme.data["default_pages"]:
        rooms = [theme.room(layout) for layout in spread]
        if sum(rooms) > len(left):
            break
        occasion = None
        for layout, room in zip(spread, rooms, strict=True):
            fresh = [good for good in left if shown[good.kind] < ALIKE_IN_ALL]
            if occasion is None or not _fills(fresh, occasion, room):
                occasion = next(
                    filter(None, (_best_occasion(fresh, room, used, among) for among in (OCCASIONS, PARTS))),
                    None,
                )
                used |= {occasion.key} if occasion else set()
            ordered = sorted(left, key=lambda good: shown[good.kind] >= ALIKE_IN_ALL)
            chosen = list(_varied(_belonging_first(ordered, occasion), room))
            planned.append(Places(layout, tuple(good.article_id for good in chosen)))
            shown.update(good.kind for good in chosen)
            taken = {good.article_id for good in chosen}
            left = [good for good in left if good.article_id not in taken]
    return planned


def _fills(goods: Sequence[Good], occasion: Occasion, room: int) -> bool:
    """Return whether enough different things of `goods` are for `occasion`."""
    counted = Counter(good.kind for good in goods if good.kind in occasion.kinds)
    return sum(min(number, ALIKE_ON_PAGE) for number in counted.values()) >= room


def _best_occasion(
    goods: Sequence[Good], fewest: int, used: Collection[str], among: Sequence[Occasion]
) -> Occasion | None:
    """Return the unused occasion that the strongest goods are for, if `fewest` of them can fill a page with it."""
    best: tuple[float, Occasion | None] = (0.0, None)
    for occasion in among:
        belonging = [
            ((OWN_WEIGHT if good.own else 1.0) / (1 + place / FADING), good.kind)
            for place, good in enumerate(goods)
            if good.kind in occasion.kinds
        ]
        kinds = {kind for _, kind in belonging}
        if occasion.key in used or len(kinds) < 2 or not _fills(goods, occasion, fewest):
            continue
        weight = sum(weight for weight, _ in belonging[: 2 * fewest])
        if weight > best[0]:
            best = weight, occasion
    return best[1]


def _belonging_first(goods: Iterable[Good], occasion: Occasion | None) -> list[Good]:
    if occasion is None:
        return list(goods)
    return sorted(goods, key=lambda good: good.kind not in occasion.kinds)


def _varied(goods: Sequence[Good], count: int) -> Iterator[Good]:
    """Yield the first `count` of `goods`, at most `ALIKE_ON_PAGE` of a kind as long as there are others."""
    kinds: Counter[str] = Counter()
    spare: list[Good] = []
    for good in goods:
        if count and kinds[good.kind] < ALIKE_ON_PAGE:
            kinds[good.kind] += 1
            count -= 1
            yield good
        else:
            spare.append(good)
    yield from spare[:count]


def places_for(theme: Theme, offers: Sequence[Offer], categories: Collection[str]) -> list[Places]:
    """
    Return pages for what a shop has: whole spreads, and from what is too little for one, shorter pages.

    Neighbours differ in layout where they can. Only the one page of a shop with next to nothing has room left.
    """
    planned = plan_places(theme, goods_of(offers, categories))
    used = {article for places in planned for article in places.articles}
    left = [offer.article_id for offer in offers if offer.article_id not in used]
    while left and len(planned) < sum(len(spread) for spread in theme.data["default_pages"]):
        fitting = [name for name in theme.data["short_pages"] if theme.room(name) <= len(left)]
        if planned and not fitting:
            break
        others = [name for name in fitting if not planned or name != planned[-1].layout]
        layout = (others or fitting or [_smallest(theme)])[0]
        planned.append(Places(layout, tuple(left[: theme.room(layout)])))
        del left[: theme.room(layout)]
    return planned


def goods_of(offers: Iterable[Offer], categories: Collection[str]) -> list[Good]:
    """Return `offers` as what pages are planned from."""
    return [Good(offer.article_id, offer.motif.key, offer.category in categories) for offer in offers]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page as it was planned: a layout, the articles that are wanted in its places, and a headline if one was written."""

    layout: str
    articles: tuple[int, ...]
    headline: tuple[tuple[str, str], ...] = ()
    pinned: tuple[int, ...] = ()
    """Those of the articles that a person put there."""


def fill_pages(
    theme: Theme,
    wanted: Sequence[Wanted],
    shelf: Mapping[int, Offer],
    spare: Sequence[Offer],
    *,
    kinds: Mapping[int, str],
) -> tuple[FilledPage, ...]:
    """
    Return the pages of `wanted` with what `shelf` has.

    An article that is not there gives its place to the first of `spare` (strongest first) of its own kind,
    else of the page's occasion, else of any kind that the page has not twice. `kinds` are those of wanted
    articles. A page of which the shop has less than half takes what belongs with it from later pages too, but nothing
    that a person put there: in a chain of several countries every shop has but a part of what a group is about. If it
    would still become one of all sorts of things, and no person had a hand in it, it is for something else instead. A page
    that cannot be filled takes a layout with fewer places. One for which nothing is left falls away, and others
    give theirs more room instead: a booklet of seven pages cannot be stitched.
    """
    filler = _Filler(shelf, spare, wanted, kinds)
    pages: list[FilledPage] = []
    by_hand: set[tuple[Offer, ...]] = set()
    for number, page in enumerate(wanted):
        offers = filler.fill(page.articles, theme.room(page.layout), written=bool(page.headline))
        if layout := _fitting(theme, page.layout, len(offers)):
            kept = offers[: theme.room(layout)]
            filler.give_back(offers[len(kept) :])
            pages.append(FilledPage(layout, tuple(kept), page.headline, number))
            if page.headline or page.pinned:
                by_hand.add(pages[-1].offers)
    while len(pages) < len(wanted) and (parted := _parted(theme, pages, by_hand)):
        pages = parted
    if not pages and filler.first:
        return (FilledPage(_smallest(theme), tuple(filler.first)),)
    return tuple(pages)


def _told(offers: Sequence[Offer]) -> bool:
    """Return whether a headline can say what `offers` have in common."""
    kinds = [offer.motif.key for offer in offers]
    return bool(occasion_of(kinds) or part_of(kinds))


def _fitting(theme: Theme, layout: str, count: int) -> str | None:
    """Return `layout` if `count` fill it, else the largest of the short ones that they fill."""
    if theme.room(layout) <= count:
        return layout
    return next((name for name in theme.data["short_pages"] if theme.room(name) <= count), None)


def _parted(
    theme: Theme, pages: Sequence[FilledPage], by_hand: Collection[tuple[Offer, ...]]
) -> list[FilledPage] | None:
    """
    Return `pages` with the fullest that can be parted as two, each filled; None where none can.

    What a person had a hand in (`by_hand`) stays as it is. No layout stands beside its like where there is another way.
    """
    short = theme.data["short_pages"]
    for at in sorted(range(len(pages)), key=lambda at: -len(pages[at].offers)):
        offers = pages[at].offers
        if offers in by_hand:
            continue
        before, after = (
            pages[at - 1].layout if at else "",
            pages[at + 1].layout if at + 1 < len(pages) else "",
        )
        ways = [
            ((one == other) + (one == before) + (other == after), one, other)
            for one in short
            for other in short
            if theme.room(one) + theme.room(other) == len(offers)
        ]
        if ways:
            _alike, one, other = min(ways, key=lambda way: way[0])
            room = theme.room(one)
            planned = pages[at].planned
            halves = (
                FilledPage(one, offers[:room], planned=planned),
                FilledPage(other, offers[room:], planned=planned),
            )
            return [*pages[:at], *halves, *pages[at + 1 :]]
    return None


def _smallest(theme: Theme) -> str:
    name: str = theme.data["short_pages"][-1]
    return name


class _Filler:
    """Hands out offers, none twice, and no two that are printed under one name."""

    def __init__(
        self,
        shelf: Mapping[int, Offer],
        spare: Sequence[Offer],
        wanted: Sequence[Wanted],
        kinds: Mapping[int, str],
    ) -> None:
        self._shelf = shelf
        self._kinds = kinds
        self._pinned = {article for page in wanted for article in page.pinned}
        loose = (article for page in wanted if not page.headline for article in page.articles)
        self._lent = [shelf[article] for article in loose if article in shelf and article not in self._pinned]
        reserved = {article for page in wanted for article in page.articles}
        self._spare = [offer for offer in spare if offer.article_id not in reserved and _shown(offer)]
        self._used: set[int] = set()
        self._names: set[str] = set()
        self.first: list[Offer] = []
        """What was handed out for the first page that could not be filled."""

    def fill(self, articles: Sequence[int], room: int, *, written: bool = False) -> list[Offer]:
        """Return up to `room` offers, each in the place of the article that is wanted there."""
        places: list[Offer | None] = [self._take(self._shelf.get(article)) for article in articles[:room]]
        places += [None] * (room - len(places))
        filled = self._filled(articles, places)
        written = written or any(offer.article_id in self._pinned for offer in places if offer)
        if not written and 2 * sum(map(bool, places)) < room and not _told(filled):
            self.give_back(filled)
            filled = self._other(room) or self._filled(articles, [self._take(one) for one in places])
        self.first = self.first or filled
        return filled

    def _other(self, room: int) -> list[Offer]:
        """Return `room` offers that belong together, the strongest of what is left; nothing if there are too few."""
        left = [offer for offer in self._spare if offer.article_id not in self._used]
        goods = goods_of(left, ())
        found = (_best_occasion(goods, room, (), among) for among in (OCCASIONS, PARTS))
        occasion = next(filter(None, found), None)
        if occasion is None:
            return []
        offers = {offer.article_id: offer for offer in left}
        belonging = [good for good in goods if good.kind in occasion.kinds]
        taken = [self._take(offers[good.article_id]) for good in _varied(belonging, len(belonging))]
        chosen = [offer for offer in taken if offer]
        self.give_back(chosen[room:])
        if len(chosen) < room:
            self.give_back(chosen)
            return []
        return chosen[:room]

    def _filled(self, articles: Sequence[int], places: Sequence[Offer | None]) -> list[Offer]:
        known = [offer for offer in places if offer]
        kinds = Counter(offer.motif.key for offer in known)
        # What the page was planned for, whatever the shop has of it.
        told = [self._kinds[article] for article in articles if article in self._kinds] or list(
            kinds.elements()
        )
        occasion = occasion_of(told) or part_of(told)
        poor = 2 * len(known) < len(places)
        belonging = [found.kinds for found in (occasion, part_of(told)) if found] if poor else []
        filled: list[Offer] = []
        for place, offer in enumerate(places):
            kind = self._kinds.get(articles[place]) if place < len(articles) else None
            found = offer or self._substitute(kind, occasion, kinds, belonging)
            if found is None:
                continue
            if offer is None:
                kinds[found.motif.key] += 1
            filled.append(found)
        return filled

    def give_back(self, offers: Iterable[Offer]) -> None:
        """Let other pages have `offers` again."""
        for offer in offers:
            self._used.discard(offer.article_id)
            self._names.discard(print_name(offer.name).name)

    def _take(self, offer: Offer | None) -> Offer | None:
        if offer is None or offer.article_id in self._used or not _shown(offer):
            return None
        name = print_name(offer.name).name
        if name in self._names:
            return None
        self._used.add(offer.article_id)
        self._names.add(name)
        return offer

    def _substitute(
        self,
        kind: str | None,
        occasion: Occasion | None,
        on_page: Mapping[str, int],
        of_later: Sequence[Collection[str]],
    ) -> Offer | None:
        """Return what takes a place; what later pages want only if it is of the kinds `of_later`."""
        left = [offer for offer in self._spare if offer.article_id not in self._used]
        free = [offer for offer in left if on_page.get(offer.motif.key, 0) < ALIKE_ON_PAGE]
        turns = (
            (offer for offer in left if offer.motif.key == kind),
            (offer for offer in free if occasion is not None and offer.motif.key in occasion.kinds),
            *(self._later(kinds, on_page) for kinds in of_later),
            free,
            left,
        )
        return next((offer for turn in turns for offer in turn if self._take(offer)), None)

    def _later(self, kinds: Collection[str], on_page: Mapping[str, int]) -> Iterator[Offer]:
        """Yield what later pages want and may lend a page about `kinds`."""
        for offer in self._lent:
            kind = offer.motif.key
            if kind in kinds and offer.article_id not in self._used and on_page.get(kind, 0) < ALIKE_ON_PAGE:
                yield offer


def _shown(offer: Offer) -> bool:
    """Return whether an offer may stand on any page: it has a price, and is not of what no catalog shows."""
    return offer.price is not None and offer.motif.use is not Use.NEVER

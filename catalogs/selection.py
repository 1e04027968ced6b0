"""Which articles stand in a copy: what the group buys, what the member buys, and what is new to the member."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from catalogs.booklets import Offer, Pick
from catalogs.motifs import Use, find_motif

HALF_LIFE_DAYS = 100
"""After so many days a purchase says half as much (personal recency, the best of the simple rankings)."""

OFTEN = 3
"""From so many baskets on, an article is one that the member "often" buys."""

PICKS = 6
NEWS = 3
ALIKE_IN_GROUP = 3
"""So many articles of one kind stand on the group's pages at most, as long as there are others."""
ALIKE_IN_PICKS = 2


@dataclass(frozen=True, slots=True)
class Bought:
    """What one account did with one article: recency-weighted baskets, baskets, and the last day."""

    article_id: int
    recency: float
    baskets: int
    last_day: date


def choose_offers(ranking: Sequence[int], shelf: Mapping[int, Offer], *, count: int) -> tuple[Offer, ...]:
    """
    Return up to `count` offers of `shelf`, in the order of `ranking` but mixed.

    At most `ALIKE_IN_GROUP` of one kind, and a kind's second comes after the first of all others of
    its rank, so that neighbours differ. What may not be advertised never stands in it, and what has no
    price only where there is nothing else.
    """
    fitting = [
        offer
        for article_id in ranking
        if (offer := shelf.get(article_id)) is not None and offer.motif.use is not Use.NEVER
    ]
    rounds: dict[int, list[Offer]] = defaultdict(list)
    seen: dict[str, int] = defaultdict(int)
    names: set[str] = set()
    for offer in sorted(fitting, key=lambda offer: offer.price is None):
        if offer.name in names:
            continue
        names.add(offer.name)
        rounds[seen[offer.motif.key] // 2].append(offer)
        seen[offer.motif.key] += 1
    enough = [offer for turn, offers in sorted(rounds.items()) if turn < ALIKE_IN_GROUP for offer in offers]
    return tuple(enough[:count])


def choose_picks(
    bought: Iterable[Bought], shelf: Mapping[int, Offer], *, refused: Collection[int] = ()
) -> tuple[Pick, ...]:
    """Return the member's own articles that the shop has, by recency-weighted purchases, the strongest first."""
    picks: list[Pick] = []
    seen: dict[str, int] = defaultdict(int)
    names: set[str] = set()
    for own in sorted(bought, key=lambda own: (-own.recency, own.article_id)):
        offer = shelf.get(own.article_id)
        if offer is None or own.article_id in refused or not _personal(offer) or offer.name in names:
            continue
        if seen[offer.motif.key] >= ALIKE_IN_PICKS:
            continue
        seen[offer.motif.key] += 1
        names.add(offer.name)
        why = "often" if own.baskets >= OFTEN else "recent"
        picks.append(Pick(offer, why, day=own.last_day))
        if len(picks) == PICKS:
            break
    return tuple(picks)


def choose_news(
    ranking: Sequence[int],
    shelf: Mapping[int, Offer],
    *,
    known: Collection[int],
    own_categories: Sequence[str],
    beside: Mapping[str, Sequence[str]],
    refused: Collection[int] = (),
) -> tuple[Pick, ...]:
    """
    Return articles that the group buys and the member never bought, of different kinds.

    `beside` tells for a category which others a rule ties it to; where one of them is among the
    member's `own_categories` (the strongest first), that is the reason given, and it comes first.
    """
    tied: list[Pick] = []
    liked: list[Pick] = []
    for article_id in ranking:
        offer = shelf.get(article_id)
        if offer is None or article_id in known or article_id in refused or not _personal(offer):
            continue
        partners = beside.get(offer.category or "", ())
        partner = next(
            (own for own in own_categories if own in partners and not _same_kind(own, offer)), None
        )
        (tied if partner else liked).append(Pick(offer, "new", beside=partner))
    news: list[Pick] = []
    kinds: set[str] = set()
    for pick in (*tied, *liked):
        if pick.offer.motif.key not in kinds:
            kinds.add(pick.offer.motif.key)
            news.append(pick)
        if len(news) == NEWS:
            break
    return tuple(news)


def _personal(offer: Offer) -> bool:
    """Return whether an article may stand on a member's own page: nothing that tells about health or habits."""
    return offer.motif.use is Use.EVERYWHERE and offer.price is not None


def _same_kind(category: str, offer: Offer) -> bool:
    return find_motif(category=category) is offer.motif

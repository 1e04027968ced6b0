"""Which articles stand in a copy: what the group buys, what the member buys, and what is new to the member."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from catalogs.issues import Offer, Pick
from catalogs.motifs import Use, find_motif

HALF_LIFE_DAYS = 100
"""After so many days a purchase says half as much (personal recency, the best of the simple rankings)."""

OFTEN = 3
"""From so many baskets on, an article is one that the member "often" buys."""

PICKS = 6
NEWS = 3
ALIKE_IN_GROUP = 3
"""So many pairs of one kind stand on the group's pages at most."""
ALIKE_IN_PICKS = 2


@dataclass(frozen=True, slots=True)
class Bought:
    """What one account did with one article: recency-weighted baskets, baskets, and the last day."""

    article_id: int
    recency: float
    baskets: int
    last_day: date


def choose_offers(
    ranking: Sequence[int], shelf: Mapping[int, Offer], *, categories: Collection[str], count: int
) -> tuple[Offer, ...]:
    """
    Return up to `count` offers of `shelf`: first those of `categories`, then others, each by `ranking` but mixed.

    At most `ALIKE_IN_GROUP` pairs of one kind, and a kind's third comes after the first two of all
    others, so that neighbours differ. What tells about health or habits is left out: who gets a catalog
    of a group would be told to be one of it. A person may still put it on a page.
    """
    fitting = [
        offer for article_id in ranking if (offer := shelf.get(article_id)) is not None and _personal(offer)
    ]
    names: set[str] = set()
    chosen = [offer for part in _parts(fitting, categories) for offer in _mixed(part, names)]
    return tuple(chosen[:count])


def _parts(offers: Sequence[Offer], categories: Collection[str]) -> tuple[list[Offer], list[Offer]]:
    """Return the offers of the theme, and all others."""
    theme = [offer for offer in offers if offer.category in categories]
    return theme, [offer for offer in offers if offer.category not in categories]


def _mixed(offers: Sequence[Offer], names: set[str]) -> list[Offer]:
    """Return `offers` in turns of two of a kind, no name twice; `names` takes what was used."""
    turns: dict[int, list[Offer]] = defaultdict(list)
    seen: dict[str, int] = defaultdict(int)
    for offer in offers:
        if offer.name not in names:
            names.add(offer.name)
            turns[seen[offer.motif.key] // 2].append(offer)
            seen[offer.motif.key] += 1
    return [offer for turn, part in sorted(turns.items()) if turn < ALIKE_IN_GROUP for offer in part]


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
    picks: Sequence[Pick] = (),
    refused: Collection[int] = (),
    count: int = NEWS,
) -> tuple[Pick, ...]:
    """
    Return up to `count` articles that the group buys and the member never bought, of kinds that are not among `picks`.

    `beside` tells for a category which others a rule ties it to; where one of them is among the
    member's `own_categories` (the strongest first), that is the reason given, and it comes first.
    """
    tied: list[Pick] = []
    liked: list[Pick] = []
    kinds = {pick.offer.motif.key for pick in picks}
    used: set[str] = set()
    for article_id in ranking:
        offer = shelf.get(article_id)
        if offer is None or article_id in known or article_id in refused or not _personal(offer):
            continue
        if offer.motif.key in kinds:
            continue
        kinds.add(offer.motif.key)
        ties = [own for own in own_categories if own in beside.get(offer.category or "", ())]
        ties = [own for own in ties if find_motif(category=own).use is Use.EVERYWHERE]
        partner = next((own for own in ties if own not in used and not _same_kind(own, offer)), None)
        if partner is None:
            liked.append(Pick(offer, "new"))
        else:
            used.add(partner)
            tied.append(Pick(offer, "new", beside=partner))
        if len(tied) == count:
            break
    return tuple([*tied, *liked][:count])


def _personal(offer: Offer) -> bool:
    """Return whether an article may stand on a member's own page: nothing that tells about health or habits."""
    return offer.personal and offer.price is not None


def _same_kind(category: str, offer: Offer) -> bool:
    return find_motif(category=category) == offer.motif

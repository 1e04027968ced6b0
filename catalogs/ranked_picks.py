"""A member's own page from the lists that the night ranked: what they buy, and what is new to them. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from basket_analysis.offer_lists import MemberOffers, RankedOffer
from catalogs.issues import Offer, Pick
from catalogs.motifs import Use
from catalogs.selection import ALIKE_IN_PICKS, NEWS, PICKS, Bought


def ranked_picks(
    ranked: MemberOffers,
    shelf: Mapping[int, Offer],
    *,
    bought: Iterable[Bought],
) -> tuple[tuple[Pick, ...], tuple[Pick, ...]]:
    """
    Return the picks among what the member buys, and those that are new to them, the strongest first.

    Both only of what `shelf` has, at most two of a kind among the first and one among the others. What
    earlier catalogs showed in vain the night has moved down already.
    """
    known = {one.article_id: one for one in bought}
    kinds: dict[str, int] = defaultdict(int)
    names: set[str] = set()
    picks: list[Pick] = []
    for one in ranked.all:
        if one.article_id not in known:
            continue
        offer = _free(shelf.get(one.article_id), names)
        if offer is None or kinds[offer.motif.key] >= ALIKE_IN_PICKS:
            continue
        kinds[offer.motif.key] += 1
        names.add(offer.name)
        own = known[one.article_id]
        why = one.reason.kind if one.reason.kind in {"often", "overdue"} else "recent"
        picks.append(Pick(offer, why, day=own.last_day))
        if len(picks) == PICKS:
            break
    return tuple(picks), _news(ranked.new, shelf, known, names)


def _news(
    ranked: Iterable[RankedOffer],
    shelf: Mapping[int, Offer],
    known: Collection[int],
    names: set[str],
) -> tuple[Pick, ...]:
    news: list[Pick] = []
    kinds: set[str] = set()
    for one in ranked:
        offer = _free(shelf.get(one.article_id), names)
        if offer is None or one.article_id in known or offer.motif.key in kinds:
            continue
        kinds.add(offer.motif.key)
        names.add(offer.name)
        news.append(Pick(offer, "new", beside=_partner(one, offer, shelf)))
        if len(news) == NEWS:
            break
    return tuple(news)


def _partner(one: RankedOffer, offer: Offer, shelf: Mapping[int, Offer]) -> str | None:
    """Return the category that a rule ties an offer to, where that is another one that may be named."""
    if one.reason.kind != "goes_with":
        return None
    other = shelf.get(one.reason.other_article_id or 0)
    if other is not None and (other.motif.use is not Use.EVERYWHERE or other.motif is offer.motif):
        return None
    category = one.reason.category or (other.category if other else None)
    return None if category == offer.category else category


def _free(offer: Offer | None, names: Collection[str]) -> Offer | None:
    """Return an offer if it may stand on a member's own page and is not there yet."""
    if offer is None or offer.price is None or offer.motif.use is not Use.EVERYWHERE or offer.name in names:
        return None
    return offer

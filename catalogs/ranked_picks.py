"""A member's own page from the lists that the night ranked: what they buy, and what is new to them. Pure."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from basket_analysis.offers.lists import MemberOffers, RankedOffer
from basket_analysis.offers.reasons import Reason
from catalogs.issues import Offer, Pick
from catalogs.motifs import Use, find_motif
from catalogs.names import print_name
from catalogs.selection import ALIKE_IN_PICKS, NEWS, PICKS, Bought
from contacts.reactions import Refusals

NOTHING_REFUSED: Final = Refusals()
NEW_ENOUGH: Final = 2 * NEWS
"""Of so many articles that the night ranked as new and the store has, enough differ to stand on a page."""


def is_short(lists: MemberOffers, there: Collection[int]) -> bool:
    """Return whether a store has so little of what is new to a member that something else must stand in for it."""
    return sum(one.article_id in there for one in lists.new) < NEW_ENOUGH


def ranked_picks(
    ranked: MemberOffers,
    shelf: Mapping[int, Offer],
    *,
    bought: Iterable[Bought],
    refused: Refusals = NOTHING_REFUSED,
    back: Collection[int] = (),
) -> tuple[tuple[Pick, ...], tuple[Pick, ...]]:
    """
    Return the picks among what the member buys, and those that are new to them, the strongest first.

    Both only of what `shelf` has, at most two of a kind among the first and one among the others, which are of other kinds
    than the first as long as there are any; nothing under a name that stands there already. What
    earlier catalogs showed in vain the night has moved down already. Each has the night's reason, without what must not
    be named: what is private, what the member refused since, and what they brought `back`.
    """

    def named(one: RankedOffer, offer: Offer) -> tuple[Reason, str]:
        if _is_hushed(one.reason, shelf, refused, back):
            return Reason(one.reason.kind), ""
        return _named(one.reason, offer, shelf)

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
        names.add(_printed(offer))
        own = known[one.article_id]
        why = one.reason.kind if one.reason.kind in {"often", "overdue"} else "recent"
        tie, other = named(one, offer)
        # Of what was bought before, a day says more than what many others do.
        said = tie.kind == "goes_with" and (other or tie.category)
        picks.append(Pick(offer, why, day=own.last_day, reason=tie if said else None, other=other))
        if len(picks) == PICKS:
            break
    # Who has bought next to nothing yet gets more that is new, instead of an empty half of a page.
    room = NEWS if picks else NEWS + PICKS
    # What is new is of a new kind: other eggs beside one's own are no news.
    order = sorted(ranked.new, key=lambda one: _kind_of(shelf.get(one.article_id)) in kinds)
    return tuple(picks), _news(order, shelf, known, names, named, room=room)


def _news(
    ranked: Iterable[RankedOffer],
    shelf: Mapping[int, Offer],
    known: Collection[int],
    names: set[str],
    named: Callable[[RankedOffer, Offer], tuple[Reason, str]],
    *,
    room: int,
) -> tuple[Pick, ...]:
    news: list[Pick] = []
    kinds: set[str] = set()
    for one in ranked:
        offer = _free(shelf.get(one.article_id), names)
        if offer is None or one.article_id in known or offer.motif.key in kinds:
            continue
        kinds.add(offer.motif.key)
        names.add(_printed(offer))
        reason, other = named(one, offer)
        news.append(Pick(offer, "new", reason=reason, other=other))
        if len(news) == room:
            break
    return tuple(news)


def _is_hushed(reason: Reason, shelf: Mapping[int, Offer], refused: Refusals, back: Collection[int]) -> bool:
    """Whether a reason points to what the member refused or brought back."""
    if reason.category is not None and refused.cover_category(reason.category):
        return True
    if reason.other_article_id is None:
        return False
    other = shelf.get(reason.other_article_id)
    category = other.category if other else reason.category
    return reason.other_article_id in back or refused.cover(
        reason.other_article_id, category, other.name if other else None
    )


def _named(reason: Reason, offer: Offer, shelf: Mapping[int, Offer]) -> tuple[Reason, str]:
    """Return a reason and the name of the article that it points to, both without what must not be said."""
    other = shelf.get(reason.other_article_id or 0)
    if other is not None and not other.personal:
        return Reason(reason.kind), ""
    category = reason.category or (other.category if other else None)
    if category and (category == offer.category or find_motif(category=category).use is not Use.EVERYWHERE):
        category = None
    name = print_name(other.name, brand=other.brand).name if other else ""
    return Reason(reason.kind, reason.other_article_id, category), name


def _printed(offer: Offer) -> str:
    """Return what is printed of an offer's name in large letters."""
    return print_name(offer.name, brand=offer.brand).name


def _kind_of(offer: Offer | None) -> str:
    return offer.motif.key if offer else ""


def _free(offer: Offer | None, names: Collection[str]) -> Offer | None:
    """Return an offer if it may stand on a member's own page and is not there yet."""
    if offer is None or offer.price is None or not offer.personal or _printed(offer) in names:
        return None
    return offer

"""What a copy is made from: offers as shops have them, picks, pages filled for a shop, and who reads."""

from dataclasses import dataclass, field, replace
from datetime import date

from basket_analysis.offers.reasons import Reason
from catalogs.motifs import Motif, Use, find_motif
from core.money import Money


@dataclass(frozen=True, slots=True)
class Reduced:
    """What an article cost before its price was lowered, and the lowest price of the 30 days before that."""

    old: Money
    lowest: Money


@dataclass(frozen=True, slots=True)
class Offer:
    """An article as a shop has it; `listed` tells a price of the price list from one last paid."""

    article_id: int
    name: str
    category: str | None
    type: str | None
    department: str | None
    brand: str | None
    unit: str
    photo: str | None
    price: Money | None
    listed: bool
    reduced: Reduced | None = None
    """Only where a reduction may be claimed."""
    for_groups: tuple[tuple[str, Money, Reduced | None], ...] = ()
    """Prices that only members of a group get."""
    private: bool = False
    """Whether the chain holds it too private for a member's own page."""
    motif: Motif = field(init=False, repr=False, compare=False)
    """The kind of thing it is, which everything else about it says."""

    def __post_init__(self) -> None:
        # Asked for again and again: every edition goes through all that a shop has.
        motif = find_motif(type=self.type, category=self.category, department=self.department, name=self.name)
        object.__setattr__(self, "motif", motif)

    @property
    def personal(self) -> bool:
        """Return whether it may stand on a member's own page: nothing that tells about health or habits."""
        return not self.private and self.motif.use is Use.EVERYWHERE

    def of_group(self, group_id: str) -> "Offer":
        """Return the offer at the price that members of a group get."""
        for group, price, reduced in self.for_groups:
            if group == group_id:
                return replace(self, price=price, reduced=reduced)
        return self


@dataclass(frozen=True, slots=True)
class Pick:
    """An offer chosen for one member, and why: `often`, `overdue`, `recent` (with the day) or `new`."""

    offer: Offer
    why: str
    day: date | None = None
    beside: str | None = None
    """For `new`: the category that the member buys and that a rule ties it to."""
    reason: Reason | None = None
    """Why the night ranked it, where that says more than `why`; holds only what may be named."""
    other: str = ""
    """The printed name of the member's own article that a rule ties it to."""

    @property
    def points_to(self) -> dict[str, int | str]:
        """Return which article and category its reason names, as the archive keeps it: who refuses those must not read it."""
        reason = self.reason or Reason("popular")
        named = {"tied_article": reason.other_article_id, "tied_category": reason.category or self.beside}
        return {key: value for key, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a copy is for; what is not known is None and left out."""

    name: str
    language: str
    points: int | None
    card_number: str | None
    tier: str | None = None
    """What the member's tier is called in the reader's language."""
    copy_code: str | None = None


@dataclass(frozen=True, slots=True)
class FilledPage:
    """A themed page as one shop fills it; a headline that a person wrote stands in `headline`, by language."""

    layout: str
    offers: tuple[Offer, ...]
    headline: tuple[tuple[str, str], ...] = ()
    planned: int = 0
    """Which of the planned pages it is, or a part of; the first is 0."""


@dataclass(frozen=True, slots=True)
class Issue:
    """An edition as the members of one shop see it."""

    colour: int
    categories: tuple[str, ...]
    """What the group is about, the best tied first; empty for members without a common theme."""
    shop: str
    valid_from: date
    valid_to: date
    """The first day on which it no longer holds."""
    offers: tuple[Offer, ...]
    """What stands on the themed pages, in order; where there are no `pages` yet, what may, the strongest first."""
    pages: tuple[FilledPage, ...] = ()

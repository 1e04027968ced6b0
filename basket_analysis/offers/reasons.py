"""Why an article is offered to a member: a kind, and what it points to. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, get_args

ReasonKind = Literal["often", "overdue", "goes_with", "group", "popular"]

KINDS: Final[tuple[ReasonKind, ...]] = get_args(ReasonKind)
REMEMBERED: Final = 16_384


@dataclass(frozen=True, slots=True)
class Reason:
    """
    Why an article is offered.

    `often`: the member buys it again and again. `overdue`: so, and by the member's own rhythm it is time.
    `goes_with`: a rule ties it to `other_article_id` or, without one, to `category`, which the member buys.
    `group`: the member's group buys it; `category` is what of. `popular`: many buy it.
    """

    kind: ReasonKind
    other_article_id: int | None = None
    category: str | None = None

    def as_kept(self) -> list[Any]:
        """Return it as the database keeps it: as short as can be, as there are hundreds per member."""
        full = [KINDS.index(self.kind), self.other_article_id, self.category]
        while full[-1] is None:
            full.pop()
        return full


def kept_reason(kept: Sequence[Any]) -> Reason:
    """Return the reason that `as_kept` wrote; equal ones are the same object, as members mostly share them."""
    return _reason(*kept)


@lru_cache(maxsize=REMEMBERED)
def _reason(kind: int, other: int | None = None, category: str | None = None) -> Reason:
    return Reason(KINDS[kind], other, category)

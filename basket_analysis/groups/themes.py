"""Themes: what a shopping trip is about, as sets of items tied together by rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from basket_analysis.groups.theme_profiles import Profiles

NO_THEME = "none"
"""The group of households that no theme fits well enough."""

TOO_LITTLE = "new"
"""The group of households with too few baskets to tell."""


@dataclass(frozen=True, slots=True)
class ThemeRule:
    """A kept rule between items of one theme, with its evidence."""

    antecedent: tuple[str, ...]
    consequent: tuple[str, ...]
    count: int
    adjusted_lift: float
    z: float
    q: float
    households: int

    @property
    def items(self) -> tuple[str, ...]:
        """All items of the rule."""
        return *self.antecedent, *self.consequent


@dataclass(frozen=True, slots=True)
class Theme:
    """
    Items that rules tie together, the best tied first; the id lives on from fit to fit. Of `rules` those come first that
    tell the followers best from others.

    `named_after` are the items that the name is made of, and stay so from fit to fit.
    """

    id: str
    name: str
    items: tuple[str, ...]
    rules: tuple[ThemeRule, ...]
    named_after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Themes:
    """
    What one fit learnt: its themes, and the profiles of their followers, in the same order.

    `next_number` is what the next new theme will be called, so that no id is ever used twice. `merged` says which
    themes people made parts of others (part → whole): each keeps its own profile, and all of them are one group.
    """

    themes: tuple[Theme, ...]
    profiles: Profiles
    baskets: int
    households: int
    min_baskets: int
    next_number: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    merged: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of themes."""
        return len(self.themes)

    def group_of(self, theme_id: str) -> str:
        """Return the id of the group that a theme belongs to."""
        return self.merged.get(theme_id, theme_id)

    @property
    def groups(self) -> tuple[Theme, ...]:
        """The themes as groups are shown: those that were merged are one, with the items and rules of all parts."""
        parts: dict[str, list[Theme]] = {}
        for theme in self.themes:
            parts.setdefault(self.group_of(theme.id), []).append(theme)
        return tuple(_whole(group_id, themes) for group_id, themes in parts.items())

    @property
    def can_score(self) -> bool:
        """Whether profiles were learnt with the themes; those of the first release knew none."""
        return len(self.profiles.weights) == len(self.themes)


def _whole(group_id: str, parts: list[Theme]) -> Theme:
    if len(parts) == 1 and parts[0].id == group_id:
        return parts[0]
    first = next((part for part in parts if part.id == group_id), parts[0])
    ordered = [first, *(part for part in parts if part is not first)]
    return Theme(
        id=group_id,
        name=first.name,
        items=tuple(item for part in ordered for item in part.items),
        rules=tuple(rule for row in zip_longest(*(part.rules for part in ordered)) for rule in row if rule),
        named_after=first.named_after,
    )

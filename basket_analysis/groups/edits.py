"""
What people made of the themes: pinned, split and merged ones, played again on what a fit finds.

A fit cuts the graph of the rules by itself; then splits are applied to that cut, in the order in which people made
them, and pins. What they speak of is found by items, as they were when the edit was made, so it holds for fits to come.
A merge leaves the cut alone: both themes live on, each with its own followers, who are one group.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

Items = frozenset[str]
Tie = Callable[[str, Items], float]
"""How strongly an item is tied to some others."""

FOUND_AT = 0.5
"""A theme that an edit speaks of is there when so large a part of the larger one's items is common."""


@dataclass(frozen=True, slots=True)
class Pin:
    """The theme `group_id` is these items, whatever the rules say."""

    edit_id: int
    group_id: str
    items: Items


@dataclass(frozen=True, slots=True)
class Split:
    """`leaving` and `rest` are never in one theme; those that leave are the theme `new_id`."""

    edit_id: int
    group_id: str
    new_id: str
    leaving: Items
    rest: Items

    @property
    def parts(self) -> tuple[str, str]:
        """The themes that it divides."""
        return self.group_id, self.new_id


@dataclass(frozen=True, slots=True)
class Merge:
    """The followers of the theme `other_id` belong to the group `group_id`."""

    edit_id: int
    group_id: str
    other_id: str

    @property
    def parts(self) -> tuple[str, str]:
        """The themes that it joins."""
        return self.group_id, self.other_id


ThemeEdit = Pin | Split | Merge


@dataclass(slots=True)
class Cut:
    """A theme in the making: its items, and the id that an edit gave it."""

    items: Items
    group_id: str | None = None


@dataclass(frozen=True, slots=True)
class Edits:
    """
    The edits that hold, in the order in which they were made.

    `undone` are those that the last fit still followed and that somebody took back since.
    """

    standing: tuple[ThemeEdit, ...] = ()
    undone: tuple[ThemeEdit, ...] = ()
    known: tuple[int, ...] = ()
    """What the last run followed."""

    @property
    def followed(self) -> list[int]:
        """The ids of the edits that change groups at once: a pin only keeps what is there."""
        return [edit.edit_id for edit in self.standing if not isinstance(edit, Pin)]

    @property
    def cut_differs(self) -> bool:
        """Whether themes must be found anew, as splits came or went since the last run."""
        standing = {edit.edit_id for edit in self.standing if isinstance(edit, Split)}
        before = {
            edit.edit_id
            for edit in (*self.standing, *self.undone)
            if isinstance(edit, Split) and edit.edit_id in self.known
        }
        return standing != before

    @property
    def merged(self) -> dict[str, str]:
        """The group of each theme that was merged into another (part → whole), through all merges after that."""
        whole: dict[str, str] = {}
        for edit in self.standing:
            if isinstance(edit, Merge):
                into = whole.get(edit.group_id, edit.group_id)
                for part, group_id in [*whole.items()]:
                    if group_id == edit.other_id:
                        whole[part] = into
                whole[edit.other_id] = into
        return whole

    def parts_of(self, group_id: str) -> set[str]:
        """Return the ids of the themes that are this group."""
        return {group_id, *(part for part, whole in self.merged.items() if whole == group_id)}

    def before(self, themes: Mapping[str, Items]) -> dict[str, Items]:
        """Return the themes of the last fit as they would stand had what was taken back never been done."""
        known = dict(themes)
        for edit in reversed(self.undone):
            if isinstance(edit, Split):
                part = known.pop(edit.new_id, edit.leaving)
                known[edit.group_id] = known.get(edit.group_id, edit.rest) | part
        return known


NO_EDITS = Edits()


def apply_edits(found: Iterable[Items], edits: Sequence[ThemeEdit], tie: Tie, *, min_items: int) -> list[Cut]:
    """
    Return the themes that `found` become by `edits`; those no edit speaks of keep their items and have no id yet.

    Items that an edit divides but does not name go where they are tied best. Every item is in one theme at most.
    """
    cuts = [Cut(items) for items in found]
    for edit in edits:
        if isinstance(edit, Split):
            cuts = _split(cuts, edit, tie)
    for edit in edits:
        if isinstance(edit, Pin):
            cuts = _pin(cuts, edit, min_items)
    return [cut for cut in cuts if cut.items]


def _split(cuts: list[Cut], edit: Split, tie: Tie) -> list[Cut]:
    divided: list[Cut] = []
    for cut in cuts:
        leaving, rest = cut.items & edit.leaving, cut.items & edit.rest
        if not leaving or not rest:
            divided.append(cut)
            continue
        for item in sorted(cut.items - leaving - rest):
            if tie(item, leaving) > tie(item, rest):
                leaving |= {item}
            else:
                rest |= {item}
        divided += [Cut(rest, cut.group_id), Cut(leaving)]
    _name(divided, edit.rest, edit.group_id)
    _name(divided, edit.leaving, edit.new_id)
    return divided


def _pin(cuts: list[Cut], edit: Pin, min_items: int) -> list[Cut]:
    kept: list[Cut] = []
    for cut in cuts:
        if cut.group_id == edit.group_id:
            cut.group_id = None
        others = cut.items - edit.items
        if others == cut.items or len(others) >= min_items:
            kept.append(Cut(others, cut.group_id))
    return [*kept, Cut(edit.items, edit.group_id)]


def _name(cuts: list[Cut], items: Items, group_id: str) -> None:
    """Give the cut that is most like `items` the id."""
    found = _find(cuts, items, group_id)
    if found is not None:
        found.group_id = group_id


def _find(cuts: list[Cut], items: Items, group_id: str) -> Cut | None:
    """Return the cut that has the id, else the one most like `items`, if it is like them enough."""
    for cut in cuts:
        if cut.group_id == group_id:
            return cut
    free = [cut for cut in cuts if cut.group_id is None and cut.items]
    best = max(free, key=lambda cut: _alike(cut.items, items), default=None)
    return best if best is not None and _alike(best.items, items) >= FOUND_AT else None


def _alike(one: Items, other: Items) -> float:
    larger = max(len(one), len(other))
    return len(one & other) / larger if larger else 0.0


def weak_link(items: Sequence[str], tie: Tie) -> tuple[frozenset[str], float]:
    """
    Return the items that a theme's ties let go of most easily, and the share of the ties' weight that would be cut.

    The two best tied items of different neighbourhoods are grown apart: each other item goes where it is tied
    best, over and over until nothing moves. The part without the best-tied item leaves.
    """
    first = items[0]
    farthest = min(items[1:], key=lambda item: (tie(item, frozenset({first})), items.index(item)))
    rest, leaving = {first}, {farthest}
    for _ in range(len(items)):
        moved = False
        for item in items[1:]:
            if item == farthest:
                continue
            here = tie(item, frozenset(leaving)) > tie(item, frozenset(rest))
            home, away = (leaving, rest) if here else (rest, leaving)
            if item not in home:
                home.add(item)
                away.discard(item)
                moved = True
        if not moved:
            break
    return frozenset(leaving), cut_share(items, frozenset(leaving), tie)


def cut_share(items: Sequence[str], leaving: Items, tie: Tie) -> float:
    """Return the share of the weight of a theme's ties that lies between `leaving` and the others."""
    rest = frozenset(items) - leaving
    across = sum(tie(item, rest) for item in leaving)
    whole = sum(tie(item, frozenset(items)) for item in items) / 2
    return across / whole if whole else 0.0

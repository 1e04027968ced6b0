"""Which ten copies a proof shows: those most unlike each other, and those most likely to go wrong. Pure."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

SAMPLE: Final = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody whose copy could be shown: what may look different about it."""

    member_id: UUID
    group_id: str
    language: str
    store_id: int
    currency: str
    """What the own store is paid in."""
    name: str
    tier: str | None
    bought: int
    """How many different articles the account bought lately: much, or nothing, to pick from."""
    points: int


def choose_sample(
    candidates: Iterable[Candidate], *, count: int = SAMPLE
) -> list[tuple[Candidate, tuple[str, ...]]]:
    """
    Return up to `count` candidates, each once, with what each is there for.

    The extremes come first: the longest name, one with signs that can go wrong, most and least to pick from,
    most points and none. Then every currency, language, group and tier that is not there yet, the rarest first; at last others
    that share as little as possible with those chosen.
    """
    left = sorted(candidates, key=lambda one: one.member_id)
    chosen: dict[UUID, tuple[Candidate, list[str]]] = {}
    for why, key in _EXTREMES:
        if left and len(chosen) < count:
            found = max(left, key=key)
            if key(found) > 0:
                chosen.setdefault(found.member_id, (found, []))[1].append(why)
    for part, value in _VALUES:
        seen = [value(one) for one, _why in chosen.values()]
        for each in sorted(
            {value(one) for one in left} - set(seen), key=lambda one: (_count(left, value, one), str(one))
        ):
            if len(chosen) < count and not any(value(one) == each for one, _why in chosen.values()):
                fresh = [one for one in left if value(one) == each and one.member_id not in chosen]
                best = max(fresh, key=lambda one: _newness(one, [one for one, _why in chosen.values()]))
                chosen[best.member_id] = (best, [part])
    while len(chosen) < min(count, len(left)):
        known = [one for one, _why in chosen.values()]
        best = max((one for one in left if one.member_id not in chosen), key=lambda one: _newness(one, known))
        chosen[best.member_id] = (best, ["other"])
    return [(one, tuple(why)) for one, why in chosen.values()]


def is_odd(name: str) -> bool:
    """Return whether a name has signs that often go wrong: of another script, of markup, or unseen."""
    return any(
        letter in '<>&{}[]\\"=%|'
        or (unicodedata.category(letter)[0] in "CSZ" and letter != " ")
        or ord(letter) > 0x24F
        for letter in name
    )


def _count(candidates: Sequence[Candidate], value: Callable[[Candidate], object], each: object) -> int:
    return sum(value(one) == each for one in candidates)


def _newness(one: Candidate, chosen: Sequence[Candidate]) -> int:
    """Return how much is different about a candidate: parts that nobody chosen shares."""
    return sum(
        all(value(one) != value(other) for other in chosen)
        for _part, value in (*_VALUES, ("store", lambda it: it.store_id))
    )


_EXTREMES: Final[tuple[tuple[str, Callable[[Candidate], int]], ...]] = (
    ("longest_name", lambda one: len(one.name)),
    ("odd_name", lambda one: int(is_odd(one.name)) * (1 + len(one.name))),
    ("many_picks", lambda one: one.bought),
    ("few_picks", lambda one: 1 + max(0, 1_000_000 - one.bought)),
    ("many_points", lambda one: one.points),
    ("no_points", lambda one: int(one.points <= 0)),
)
_VALUES: Final[tuple[tuple[str, Callable[[Candidate], object]], ...]] = (
    ("currency", lambda one: one.currency),
    ("language", lambda one: one.language),
    ("group", lambda one: one.group_id),
    ("tier", lambda one: one.tier),
)

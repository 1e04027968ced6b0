"""
A run of catalogs: what it is to be, which way it goes from draft to hand-over, and what changed on it. Pure.

    draft → proofed → approved → running → finished
      ↑________|          running ⇄ stopped

Any change takes a proofed run back to being a draft. What was not sent may be cancelled at any time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import md5
from typing import Any, Final
from uuid import UUID

from core.errors import Refused

CHANNELS: Final = ("print", "email")
SIZES: Final = ("A4", "A5")
HOLD_OUT: Final = Decimal("0.1")
LARGEST_HOLD_OUT: Final = Decimal("0.5")
LONGEST_DAYS: Final = 92
LONGEST_NAME: Final = 120
LARGEST_PART: Final = 10_000_000
MOST_BATCHES: Final = 8

FROM: Final[Mapping[str, tuple[str, ...]]] = {
    "edit": ("draft", "proofed"),
    "proof": ("draft", "proofed"),
    "proofed": ("draft", "proofed"),
    "send_back": ("proofed",),
    "approve": ("proofed",),
    "start": ("approved",),
    "resume": ("stopped",),
    "stopped": ("running",),
    "finished": ("running",),
    "cancel": ("draft", "proofed", "approved", "running", "stopped", "finished"),
}
"""From which states a run may be moved how."""


class BadRun(Refused):
    """What a run is to be breaks a rule; `field` names which of its parts."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, slots=True)
class Recipe:
    """What somebody wishes a run to be."""

    name: str
    theme: str
    size: str
    channels: tuple[str, ...]
    valid_from: date
    valid_to: date
    """The first day on which it no longer holds."""
    group_ids: tuple[str, ...]
    voucher_batches: tuple[str, ...] = ()
    hold_out: Decimal = HOLD_OUT
    first_part: int | None = None
    countries: tuple[str, ...] = ()
    """In the stores of which countries its readers shop; empty is everywhere."""

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "name": self.name,
            "theme": self.theme,
            "size": self.size,
            "channels": list(self.channels),
            "valid_from": self.valid_from.isoformat(),
            "valid_to": self.valid_to.isoformat(),
            "voucher_batches": list(self.voucher_batches),
            "hold_out": str(self.hold_out.normalize()),
            "first_part": self.first_part,
            # Proofs from before there was a choice say nothing of countries, and stay what they were.
            **({"countries": list(self.countries)} if self.countries else {}),
        }


def check_recipe(recipe: Recipe) -> None:
    """Raise `BadRun` unless `recipe` keeps the rules that need no look at anything else."""
    for broken in broken_rules(recipe):
        raise broken


def broken_rules(recipe: Recipe) -> list[BadRun]:
    """Return every rule that `recipe` breaks, of those that need no look at anything else; each part once."""
    days = (recipe.valid_to - recipe.valid_from).days
    rules = (
        ("name", 0 < len(recipe.name.strip()) <= LONGEST_NAME, "a run has a name of up to 120 signs"),
        ("size", recipe.size in SIZES, "a catalog is printed as A4 or A5"),
        (
            "channels",
            recipe.channels
            and len(set(recipe.channels)) == len(recipe.channels)
            and set(recipe.channels) <= set(CHANNELS),
            "a run goes out by print, by e-mail, or both",
        ),
        ("valid_to", 0 < days <= LONGEST_DAYS, f"a catalog holds for one to {LONGEST_DAYS} days"),
        (
            "voucher_batches",
            len(set(recipe.voucher_batches)) == len(recipe.voucher_batches) <= MOST_BATCHES,
            f"a copy carries vouchers of up to {MOST_BATCHES} batches, each once",
        ),
        ("countries", len(set(recipe.countries)) == len(recipe.countries), "a country is named once"),
        (
            "hold_out",
            0 <= recipe.hold_out <= LARGEST_HOLD_OUT and recipe.hold_out.as_tuple().exponent >= -3,  # type: ignore[operator]
            "between none and half of the audience is held out",
        ),
        (
            "first_part",
            recipe.first_part is None or 0 < recipe.first_part <= LARGEST_PART,
            "a first part is of some copies",
        ),
    )
    return [BadRun(part, words) for part, kept, words in rules if not kept]


def held_out(run_id: UUID, account_id: UUID, share: Decimal) -> bool:
    """
    Return whether the members of an account get no copy in a run so that others can be compared with them.

    As good as chance, and always the same for the same run and account, since a household shops together; the
    database draws the same way.
    """
    digest = md5(f"{run_id}{account_id}".encode(), usedforsecurity=False).hexdigest()
    return int(digest[:7], 16) < int(share * 2**28)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs between two proofs; `edition` is empty where it is the run's own."""

    edition: str
    part: str
    before: Any
    after: Any


PARTS: Final = ("layout", "headline", "articles", "pinned")


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """
    Return what differs between the contents of two proofs: the run's settings, then its editions page by page.

    A page is named `page 3: articles`, counted as readers do: the cover is page one.
    """
    found = [
        Change("", part, before["run"].get(part), value)
        for part, value in after["run"].items()
        if before["run"].get(part) != value
    ]
    old: Mapping[str, Any] = before["editions"]
    for group, edition in after["editions"].items():
        if group not in old:
            found.append(Change(group, "edition", None, edition["name"]))
        else:
            found.extend(_edition_changes(group, old[group]["content"], edition["content"]))
    found.extend(
        Change(group, "edition", edition["name"], None)
        for group, edition in old.items()
        if group not in after["editions"]
    )
    return tuple(found)


def _edition_changes(group: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    found: list[Change] = []
    pages = _pages(before), _pages(after)
    for number in range(max(len(pages[0]), len(pages[1]))):
        one, other = (of[number] if number < len(of) else None for of in pages)
        if one is None or other is None:
            found.append(
                Change(group, f"page {number + 2}", one and one["layout"], other and other["layout"])
            )
            continue
        found.extend(
            Change(group, f"page {number + 2}: {part}", one[part], other[part])
            for part in PARTS
            if one[part] != other[part]
        )
    found.extend(
        Change(group, part, before.get(part), after.get(part))
        for part in ("ranking", "categories", "colour")
        if before.get(part) != after.get(part)
    )
    return found


def _pages(content: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    pages: Sequence[Mapping[str, Any]] = content.get("pages", ())
    return pages

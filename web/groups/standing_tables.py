"""Members by phase and class of value, as a table that shows at a glance where most are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from customers.models import PHASES, VALUE_CLASSES
from customers.standing_counts import StandingCount
from web.groups.standing_words import phase_name, value_name
from web.words import NOTHING, number_text
from web.words import gettext as _

_SHADES: Final = 5


@dataclass(frozen=True, slots=True)
class StandingCell:
    """How many members, in words, and how dark the cell is (0 to 5)."""

    words: str
    shade: int


@dataclass(frozen=True, slots=True)
class StandingTable:
    """The finding, the classes of value, and a row for each phase."""

    title: str
    values: tuple[str, ...]
    rows: tuple[tuple[str, tuple[StandingCell, ...]], ...]


def table_of(counts: Sequence[StandingCount]) -> StandingTable | None:
    """Return the table of `counts`; None where no run has judged anybody, or all of it may not be told."""
    told = [count for count in counts if count.members]
    if not told:
        return None
    most = max(told, key=lambda count: count.members or 0)
    cells = {(count.phase, count.value_class): count.members for count in counts}
    return StandingTable(
        title=_(
            "Most are in the phase %(phase)s with the value %(value)s (%(count)s)",
            phase=phase_name(most.phase),
            value=value_name(most.value_class),
            count=number_text(most.members or 0),
        ),
        values=tuple(value_name(value) for value in VALUE_CLASSES),
        rows=tuple(
            (
                phase_name(phase),
                tuple(_cell(cells.get((phase, value), 0), most.members or 1) for value in VALUE_CLASSES),
            )
            for phase in PHASES
        ),
    )


def _cell(members: int | None, most: int) -> StandingCell:
    if members is None:
        return StandingCell(_("not told"), 0)
    if not members:
        return StandingCell(NOTHING, 0)
    return StandingCell(number_text(members), max(1, round(_SHADES * members / most)))

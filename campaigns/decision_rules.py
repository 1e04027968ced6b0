"""How much a member may be told in a channel, and how much is left to chance: settings with defaults. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Limit:
    """How many different articles a member may be offered in one channel: on a day, and in seven days."""

    per_day: int
    per_week: int


LIMITS: Final[Mapping[str, Limit]] = {
    "till": Limit(12, 30),
    "desk": Limit(6, 18),
    "account": Limit(24, 90),
    "catalog": Limit(60, 120),
}
"""By channel, until somebody sets others. A till that tells three on every quote repeats itself: that counts once."""

EXPLORATION: Final = 0.05
"""One of twenty is chosen by chance, until somebody sets another share."""


@dataclass(frozen=True, slots=True)
class DecisionSettings:
    """The settings that hold."""

    limits: Mapping[str, Limit] = field(default_factory=lambda: LIMITS)
    exploration: float = EXPLORATION

    def limit(self, channel: str) -> Limit:
        """Return the limit of a channel."""
        return self.limits.get(channel) or LIMITS[channel]

    def document(self) -> dict[str, list[int]]:
        """Return the limits as the database keeps them."""
        return {channel: [limit.per_day, limit.per_week] for channel, limit in self.limits.items()}


DEFAULT: Final = DecisionSettings()


def settings_in(row: Sequence[Any] | None) -> DecisionSettings:
    """Return the settings of a row (limits, exploration), the default ones where there is none."""
    if row is None:
        return DEFAULT
    limits = {channel: Limit(*numbers) for channel, numbers in row[0].items()}
    return DecisionSettings({**LIMITS, **limits}, float(row[1]))

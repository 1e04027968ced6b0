"""How an account stands among the tiers at a moment, and what a sale does to that. Pure but for the words of its question."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from core.json_values import day_in, moment_in
from core.money import half_up
from loyalty.tiers.scheme import DAY, NO_TIER, ROLLING, SPEND, VISITS, Scheme, Schemes
from loyalty.tiers.walk import Earned, Qualifying, Step, next_due

COLUMNS: Final = (
    "tier_code",
    "earned_code",
    "since",
    "joined_on",
    "period_end",
    "grace_until",
    "due_on",
    "warned_for",
    "as_of",
    "qualifying",
    "visited",
    "latest",
    "later",
)
SELECTED: Final = ", ".join(f"tier.{name}" for name in COLUMNS)
ASKED: Final = """
    left join lateral tier_state({account}, %s::text, %s::text, %s::jsonb, %s::date) as tier on {account} is not null
"""
"""A part of larger questions: what `SELECTED` names, of an account; the values are those of `asked_values`."""
ASKED_BY_NAME: Final = """
    left join lateral tier_state(
        {account}, %(tier_period)s::text, %(tier_measure)s::text, %(tier_rates)s::jsonb, %(tier_day)s::date
    ) as tier on {account} is not null
"""


@dataclass(frozen=True, slots=True)
class TierState:
    """
    How an account stands on a day, and what it has in the period of that day.

    `latest` is when the last purchase of the day was closed; `later` whether there are any of later days.
    """

    scheme: Scheme
    day: date
    code: str | None
    earned: str | None
    since: date | None
    joined_on: date
    period_end: date | None
    grace_until: date | None
    due_on: date | None
    warned_for: date | None
    as_of: date
    qualifying: Decimal
    visited: bool = False
    latest: datetime | None = None
    later: bool = False

    @property
    def name(self) -> Mapping[str, str] | None:
        """The names of the tier by language; None without one."""
        rank = self.scheme.rank(self.code)
        return None if rank == NO_TIER else self.scheme.tiers[rank].names

    def named(self, language: str) -> str | None:
        """Return the tier's name in `language`."""
        rank = self.scheme.rank(self.code)
        return None if rank == NO_TIER else self.scheme.tiers[rank].name(language)

    def document(self, currency: str) -> dict[str, Any] | None:
        """Return the contract's JSON for a store of `currency`; None without a tier."""
        rank = self.scheme.rank(self.code)
        if rank == NO_TIER:
            return None
        return {
            "code": self.code,
            "next": self.scheme.code(rank + 1) if rank + 1 < len(self.scheme.tiers) else None,
            "missing": self.scheme.missing(rank, self.qualifying, currency),
        }

    def is_due(self, day: date) -> bool:
        """Return whether something was to happen by `day` that no night has done yet."""
        return self.due_on is not None and self.due_on <= day


def asked(schemes: Schemes, day: date) -> Scheme | None:
    """Return the scheme to ask by on `day`; None when no tier can depend on that day."""
    first = schemes.counted_from
    return None if first is None or day < first else schemes.on(day)


def asked_values(scheme: Scheme, day: date) -> tuple[Any, ...]:
    """Return the values of `ASKED`."""
    return scheme.period, scheme.measure, _rates(tuple(scheme.currencies.items())), day


def asked_by_name(scheme: Scheme, day: date) -> dict[str, Any]:
    """Return the values of `ASKED_BY_NAME`."""
    names = ("tier_period", "tier_measure", "tier_rates", "tier_day")
    return dict(zip(names, asked_values(scheme, day), strict=True))


@lru_cache(maxsize=64)
def _rates(currencies: tuple[tuple[str, Decimal], ...]) -> str:
    return json.dumps({code: str(rate) for code, rate in currencies})


def state_of(scheme: Scheme, day: date, columns: Sequence[Any]) -> TierState | None:
    """Return the state in the `SELECTED` columns of a row; None when the account has never been looked at."""
    if columns[3] is None:
        return None
    return TierState(scheme, day, *columns)


def state_in(scheme: Scheme, day: date, told: Sequence[Any]) -> TierState | None:
    """Return the state in `COLUMNS` as the database writes them into JSON; None when the account has never been looked at."""
    if told[3] is None:
        return None
    code, earned, *days, qualifying, visited, latest, later = told
    columns = [code, earned, *map(day_in, days), Decimal(qualifying), visited, moment_in(latest), later]
    return state_of(scheme, day, columns)


@dataclass(frozen=True, slots=True)
class Climb:
    """What a sale made of a state: how the account stands now, and the step, when it reached or kept a tier."""

    state: TierState
    step: Step | None


def may_climb(state: TierState, sale: Qualifying, *, today: date) -> bool:
    """
    Return whether a sale can be added to a state as it is.

    Not when it comes after later ones, when something is due, and when a till is ahead by more than a
    day: then all of the account's entries are looked at.
    """
    day = sale.business_date
    return (
        state.as_of <= day <= today + DAY
        and not state.later
        and not state.is_due(day)
        and (state.latest is None or state.latest <= sale.closed_at)
    )


def climb(schemes: Schemes, state: TierState, sale: Qualifying) -> Climb:
    """Return how an account stands after a sale that `may_climb`; the same as `loyalty.tiers.scheme.earned` makes of all of it."""
    scheme, day = state.scheme, sale.business_date
    value = Decimal(sale.points)
    if scheme.measure == SPEND:
        value = scheme.worth(sale.spend, sale.currency)
    elif scheme.measure == VISITS:
        value = Decimal(0 if state.visited else 1)
    after = replace(state, qualifying=state.qualifying + value, visited=True, latest=sale.closed_at)
    reached = scheme.reached(max(Decimal(0), after.qualifying))
    held = scheme.rank(state.earned)
    if reached == NO_TIER or reached < held or (reached == held and state.grace_until is None):
        return Climb(after, None)
    code = scheme.code(reached)
    standing = Earned(
        code,
        day if reached > held else state.since,
        scheme.period_end(state.joined_on, day) if scheme.period == ROLLING else state.period_end,
    )
    due_on = next_due(schemes, standing, today=day, warned_for=state.warned_for)
    if state.due_on is not None:
        # Grants end when they end, whatever is reached meanwhile.
        due_on = min(due_on or state.due_on, state.due_on)
    kind = "up" if reached > held else "kept"
    step = Step(kind, day, state.earned, code, half_up(after.qualifying), sale.receipt_id)  # type: ignore[arg-type]
    return Climb(
        replace(
            after,
            code=scheme.higher(code, state.code),
            earned=code,
            since=standing.since,
            period_end=standing.period_end,
            grace_until=None,
            due_on=due_on,
            as_of=day,
        ),
        step,
    )


def looked_at_until(today: date, last: date | None) -> date:
    """Return the day up to which entries count at `today`: a till may be a day ahead."""
    return today if last is None else max(today, min(last, today + timedelta(days=1)))

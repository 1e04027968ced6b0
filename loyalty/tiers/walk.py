"""An account's way through the tiers: what its receipts come to, step by step, from facts alone. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any, Literal
from uuid import UUID

from core.money import half_up
from loyalty.tiers.scheme import DAY, NO_TIER, NO_TIERS, ROLLING, SPEND, VISITS, Scheme, Schemes


@dataclass(frozen=True, slots=True)
class Qualifying:
    """What one receipt qualifies for: a sale adds, a return takes off; amounts in minor units."""

    business_date: date
    closed_at: datetime
    receipt_id: UUID
    currency: str
    spend: int
    points: int
    visits: int
    """1 for a sale."""


class Record:
    """What an account qualified for, by business date and then by the moment of paying, however the rows came."""

    def __init__(self, entries: Iterable[Qualifying] = ()) -> None:
        self.entries = sorted(entries, key=lambda one: (one.business_date, one.closed_at, one.receipt_id))
        self.days = [one.business_date for one in self.entries]
        self._sums: dict[tuple[Any, ...], list[Decimal]] = {}

    def before(self, day: date) -> int:
        """Return how many entries there are of days before `day`."""
        return bisect_left(self.days, day)

    def total(self, scheme: Scheme, first: date, until: int) -> Decimal:
        """Return what the entries from the day `first`, of the first `until` ones, come to by the scheme's measure."""
        sums = self._sums_by(scheme)
        return max(Decimal(0), sums[until] - sums[min(until, self.before(first))])

    def _sums_by(self, scheme: Scheme) -> list[Decimal]:
        kind = (
            (scheme.measure, *sorted(scheme.currencies.items()))
            if scheme.measure == SPEND
            else (scheme.measure,)
        )
        known = self._sums.get(kind)
        if known is None:
            known = self._sums[kind] = [Decimal(0)]
            visited: date | None = None
            for one in self.entries:
                value = Decimal(one.points)
                if scheme.measure == SPEND:
                    value = scheme.worth(one.spend, one.currency)
                elif scheme.measure == VISITS:
                    # One visit a day, however many bills it was split into.
                    value = Decimal(one.visits if one.business_date != visited else 0)
                    visited = one.business_date if one.visits else visited
                known.append(known[-1] + value)
        return known


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to a tier: up, down, kept at the end of a period, or kept by grace."""

    kind: Literal["up", "down", "kept", "grace"]
    on: date
    before: str | None
    after: str | None
    qualifying: int
    receipt_id: UUID | None = None
    """The receipt that reached it."""
    until: date | None = None
    """The last day of grace, where it is kept by that."""


@dataclass(frozen=True, slots=True)
class Earned:
    """What an account has earned on a day: the tier, since when, and until when at least."""

    code: str | None = None
    since: date | None = None
    period_end: date | None = None
    grace_until: date | None = None
    steps: tuple[Step, ...] = ()


def earned(schemes: Schemes, record: Record, *, joined_on: date, today: date) -> Earned:
    """
    Return what an account has earned at the start of `today`, or with the entries of that day: a function of facts alone.

    A tier is reached with the receipt that qualifies for it. It is looked at when its period is
    over: what qualified in the period decides, and where that is too little the tier is kept for
    the days of grace, in which it may be reached again, and falls to what was qualified for.
    Nothing lowers it in between. A calendar year and a year from an anniversary are periods of
    their own, in which counting begins anew; of rolling twelve months the last ones count on every
    day, and a tier is looked at twelve months after it was reached or kept.
    """
    if not schemes:
        return Earned()
    first = schemes.approved[0].valid_from
    known = min(joined_on, record.days[0]) if record.days else joined_on
    walk = _Walk(schemes, record, joined_on)
    walk.go(max(first, known), today)
    return Earned(walk.code, walk.since, walk.period_end, walk.grace_until, tuple(walk.steps))


class _Walk:
    """An account's way through the days on which something can happen to its tier."""

    def __init__(self, schemes: Schemes, record: Record, joined_on: date) -> None:
        self.schemes, self.record, self.joined_on = schemes, record, joined_on
        self.scheme = NO_TIERS
        self.code: str | None = None
        self.since: date | None = None
        self.period_end: date | None = None
        self.grace_until: date | None = None
        self.fallback: str | None = None
        """What the ended period qualified for, which holds when grace is over."""
        self.steps: list[Step] = []

    @property
    def rank(self) -> int:
        return self.scheme.rank(self.code)

    def go(self, start: date, today: date) -> None:
        if start > today:
            return
        self._begin(start)
        done = self.record.before(start)
        while True:
            turn = self._next_turn(start, done)
            if turn is None or turn > today:
                return
            start = turn
            # A version takes over what the one before it has brought to its end.
            if self.grace_until is not None and turn > self.grace_until:
                self._end_grace(turn)
            if self.period_end is not None and turn >= self.period_end:
                self._end_period(turn)
            if self.schemes.on(turn) is not self.scheme:
                self._begin(turn)
            while done < len(self.record.days) and self.record.days[done] == turn:
                done += 1
                self._look(turn, done, self.record.entries[done - 1].receipt_id)

    def _next_turn(self, day: date, done: int) -> date | None:
        turns = [self.schemes.next_start(day), self.period_end, self.grace_until and self.grace_until + DAY]
        if done < len(self.record.days):
            turns.append(self.record.days[done])
        return min((turn for turn in turns if turn is not None), default=None)

    def _begin(self, day: date) -> None:
        """Let the scheme of `day` hold: what was held stays until the end of a period, what is reached by it is reached."""
        same_periods = self.scheme.period == self.schemes.on(day).period and self.period_end is not None
        self.scheme = self.schemes.on(day)
        until = self.record.before(day)
        if self.rank == NO_TIER and self.code is not None:
            # There is no such tier any more.
            self._fall(day, self._reached(day, until))
        if not self.scheme.tiers or (
            self.scheme.period == ROLLING and (self.rank == NO_TIER or self.grace_until)
        ):
            self.period_end = None
        elif not same_periods:
            self.period_end = self._end_of(day)
        self._look(day, until, None)

    def _look(self, day: date, until: int, receipt_id: UUID | None) -> None:
        """See whether the first `until` entries reach a tier on `day`."""
        reached = self._reached(day, until)
        if reached <= NO_TIER:
            return
        if reached > self.rank:
            self._become(day, reached, "up", until, receipt_id)
        elif reached == self.rank and self.grace_until is not None:
            self._become(day, reached, "kept", until, receipt_id)

    def _end_period(self, day: date) -> None:
        until = self.record.before(day)
        last = day - DAY
        total = self.record.total(self.scheme, self.scheme.window_start(self.joined_on, last), until)
        reached = self.scheme.reached(total)
        self.period_end = self._end_of(day)
        if reached >= self.rank:
            self._keep(day, reached, until, total)
        elif self.grace_until is not None:
            self.fallback = self.scheme.code(reached)
        elif self.scheme.grace_days:
            self.grace_until = day + timedelta(days=self.scheme.grace_days - 1)
            self.fallback = self.scheme.code(reached)
            if self.scheme.period == ROLLING:
                self.period_end = None
            self._note("grace", day, self.code, total)
        else:
            self._fall(day, reached, total)

    def _keep(self, day: date, reached: int, until: int, total: Decimal) -> None:
        if reached > self.rank:
            # A return has left the months that count.
            self._become(day, reached, "up", until, None)
        elif self.rank == NO_TIER:
            self.period_end = None if self.scheme.period == ROLLING else self.period_end
        elif self.scheme.tiers[self.rank].threshold:
            self._note("kept", day, self.code, total)

    def _end_grace(self, day: date) -> None:
        total = self.record.total(
            self.scheme, self.scheme.window_start(self.joined_on, day), self.record.before(day)
        )
        reached = max(self.scheme.reached(total), self.scheme.rank(self.fallback))
        if reached >= self.rank:
            self._become(day, reached, "kept", self.record.before(day), None)
        else:
            self._fall(day, reached, total)

    def _become(
        self, day: date, rank: int, kind: Literal["up", "kept"], until: int, receipt: UUID | None
    ) -> None:
        before, self.code = self.code, self.scheme.code(rank)
        self.grace_until = self.fallback = None
        if kind == "up":
            self.since = day
        if self.scheme.period == ROLLING:
            self.period_end = self._end_of(day)
        total = self.record.total(self.scheme, self.scheme.window_start(self.joined_on, day), until)
        self.steps.append(Step(kind, day, before, self.code, half_up(total), receipt))

    def _fall(self, day: date, rank: int, total: Decimal | None = None) -> None:
        before, self.code = self.code, self.scheme.code(rank)
        self.grace_until = self.fallback = None
        self.since = None if self.code is None else day
        if self.scheme.period == ROLLING:
            self.period_end = None if self.code is None else self._end_of(day)
        self.steps.append(Step("down", day, before, self.code, half_up(total or Decimal(0))))

    def _note(self, kind: Literal["kept", "grace"], day: date, after: str | None, total: Decimal) -> None:
        self.steps.append(Step(kind, day, self.code, after, half_up(total), until=self.grace_until))

    def _reached(self, day: date, until: int) -> int:
        first = self.scheme.window_start(self.joined_on, day)
        return (
            self.scheme.reached(self.record.total(self.scheme, first, until))
            if self.scheme.tiers
            else NO_TIER
        )

    def _end_of(self, day: date) -> date:
        return self.scheme.period_end(self.joined_on, day)


def missing_to_keep(
    schemes: Schemes, record: Record, held: Earned, *, joined_on: date, today: date
) -> int | None:
    """
    Return what is missing at `today` for keeping a tier beyond its period; None when nothing is, or it is not yet time.

    Of rolling months what will still count at the end does.
    """
    scheme = schemes.on(today)
    rank = scheme.rank(held.code)
    if rank == NO_TIER or held.period_end is None or not scheme.tiers[rank].threshold:
        return None
    if not held.period_end - timedelta(days=scheme.warning_days) <= today < held.period_end:
        return None
    first = scheme.window_start(joined_on, held.period_end - DAY)
    left = scheme.tiers[rank].threshold - record.total(scheme, first, record.before(today + DAY))
    return int(left.to_integral_value(ROUND_CEILING)) if left > 0 else None


def next_due(
    schemes: Schemes, held: Earned, *, today: date, warned_for: date | None, ends: Sequence[date] = ()
) -> date | None:
    """
    Return the next day after `today` on which something can happen to a tier without a receipt.

    `ends` are the last days of the tiers that were granted.
    """
    scheme = schemes.on(today)
    turns = [schemes.next_start(today), held.period_end, held.grace_until and held.grace_until + DAY]
    turns += [end + DAY for end in ends]
    if held.period_end is not None and warned_for != held.period_end and scheme.rank(held.code) > NO_TIER:
        turns.append(held.period_end - timedelta(days=scheme.warning_days))
    return min((turn for turn in turns if turn is not None and turn > today), default=None)

"""What past baskets would have used of the limits of offers, in the order of their time. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from rewards.carts import Left
from rewards.offers import Limits, Offer

DAYS_KEPT: Final = 8
"""Days after which counts of a store's day and week cannot matter any more, odd clocks aside."""

NOTHING: Final = (0, 0)
"""Uses and amount where nothing was counted."""

_Period = tuple[str, int, str]


class Budgets:
    """
    Counts uses and amounts as a rehearsal goes on, all from zero, and says what is left.

    It counts by offer code, and for a person by the member, or by the account of a card that has none.
    """

    def __init__(self, offers: Iterable[Offer]) -> None:
        self.limits: dict[str, Limits] = {
            offer.code: offer.limits for offer in offers if offer.limits.counted
        }
        self.uses: Counter[str] = Counter()
        self.amounts: Counter[str] = Counter()
        self.ended: dict[str, tuple[str, str]] = {}
        """By code, the moment at which its uses or amount were used up, and the store's own day."""
        self.closed_days: Counter[str] = Counter()
        """By code, on how many days of a store its budget of the day was used up."""
        self._closed: set[_Period] = set()
        self._periods: dict[_Period, list[int]] = {}
        self._member_days: Counter[tuple[str, str, str]] = Counter()
        self._members: Counter[tuple[str, str]] = Counter()
        self._added: Counter[tuple[str, str]] = Counter()

    def left(self, *, store_id: int, day: date, person: str | None) -> Mapping[str, Left]:
        """Return what is left for a basket of that day, by offer code; worked out when it is looked up."""
        return _Lefts(self, store_id, day, person)

    def left_of(self, code: str, limits: Limits, store_id: int, day: date, person: str | None) -> Left:
        """Return what is left of one offer's limits for a basket."""
        of_day, of_week = periods_of(day)
        day_uses, day_amount = self._periods.get((code, store_id, of_day), NOTHING)
        week_uses, week_amount = self._periods.get((code, store_id, of_week), NOTHING)
        of_member = of_member_day = 0
        if person and limits.per_person:
            of_member = self._members.get((code, person), 0)
            of_member_day = self._member_days.get((code, person, of_day), 0)
        return Left(
            _rest(limits.uses, self.uses.get(code, 0)),
            _rest(limits.amount, self.amounts.get(code, 0)),
            _rest(limits.per_member_day, of_member_day),
            _rest(limits.per_member, of_member),
            _rest(limits.per_store_day_uses, day_uses),
            _rest(limits.per_store_day_amount, day_amount),
            _rest(limits.per_store_week_uses, week_uses),
            _rest(limits.per_store_week_amount, week_amount),
        )

    def take(
        self,
        code: str,
        *,
        times: int,
        amount: int,
        store_id: int,
        day: date,
        person: str | None,
        moment: datetime,
    ) -> None:
        """Count an offer's applications on a basket; the last use ends its budget at this `moment`."""
        limits = self.limits.get(code)
        if limits is None:
            return
        self.uses[code] += times
        self.amounts[code] += amount
        if limits.uses is not None and self.uses[code] >= limits.uses:
            self.note_end(code, moment, day)
        of_day, of_week = periods_of(day)
        # What no limit asks for is not kept: it would fill every day's part of a rehearsal.
        if limits.per_store_day_uses is not None or limits.per_store_day_amount is not None:
            self._count((code, store_id, of_day), times, amount)
        if limits.per_store_week_uses is not None or limits.per_store_week_amount is not None:
            self._count((code, store_id, of_week), times, amount)
        if person is not None and limits.per_member_day is not None:
            self._member_days[code, person, of_day] += times
        if person is not None and limits.per_member is not None:
            self._members[code, person] += times
            self._added[code, person] += times

    def _count(self, period: _Period, times: int, amount: int) -> None:
        counts = self._periods.setdefault(period, [0, 0])
        counts[0] += times
        counts[1] += amount

    def note_exhausted(
        self, code: str, left: Left, times: int, *, store_id: int, day: date, moment: datetime
    ) -> None:
        """
        Note what stopped an offer that still applied so many times on a basket.

        `left` is what there was before it; what the shopper alone has used up is no end of a budget.
        """
        uses = [left.uses, left.store_day_uses, left.store_week_uses, left.member, left.member_day]
        by_uses = [rest for rest in uses if rest is not None]
        if by_uses and min(by_uses) <= times:
            stopped, least = uses[:3], min(by_uses)
        else:
            stopped = [left.amount, left.store_day_amount, left.store_week_amount]
            least = min((rest for rest in stopped if rest is not None), default=0)
        if stopped[0] == least:
            self.note_end(code, moment, day)
        elif least in stopped:
            self.close(code, store_id, day)

    def note_end(self, code: str, moment: datetime, day: date) -> None:
        """Note the first moment at which the whole budget of an offer was used up."""
        if code not in self.ended:
            self.ended[code] = (moment.isoformat(), day.isoformat())

    def close(self, code: str, store_id: int, day: date) -> None:
        """Note that a store's budget of an offer was used up on that day."""
        if not self.is_closed(code, store_id, day):
            self._closed.add((code, store_id, day.isoformat()))
            self.closed_days[code] += 1

    def is_closed(self, code: str, store_id: int, day: date) -> bool:
        """Return whether that was noted already."""
        return (code, store_id, day.isoformat()) in self._closed

    def document(self, day: date) -> dict[str, Any]:
        """
        Forget what cannot matter after `day`, and return the state as JSON, to be gone on from by `take_up`.

        What members used in all is only told since the last document: `take_up` every one of them.
        """
        since = (day - timedelta(days=DAYS_KEPT)).isoformat()
        since_week = week_of(day - timedelta(days=DAYS_KEPT))
        self._periods = {
            key: counts
            for key, counts in self._periods.items()
            if key[2] >= (since_week if "W" in key[2] else since)
        }
        self._member_days = Counter(
            {key: count for key, count in self._member_days.items() if key[2] >= since}
        )
        self._closed = {key for key in self._closed if key[2] >= since}
        added, self._added = self._added, Counter()
        return {
            "uses": dict(self.uses),
            "amounts": dict(self.amounts),
            "ended": dict(self.ended),
            "closed_days": dict(self.closed_days),
            "closed": sorted(map(list, self._closed)),
            "periods": [[*key, *counts] for key, counts in self._periods.items()],
            "member_days": [[*key, count] for key, count in self._member_days.items()],
            "members": [[*key, count] for key, count in added.items()],
        }

    def take_up(self, document: Mapping[str, Any]) -> None:
        """Go on from what `document` wrote; of several in their order."""
        self.uses = Counter(document["uses"])
        self.amounts = Counter(document["amounts"])
        self.ended = {code: (moment, day) for code, (moment, day) in document["ended"].items()}
        self.closed_days = Counter(document["closed_days"])
        self._closed = {(code, store, day) for code, store, day in document["closed"]}
        self._periods = {
            (code, store, period): [uses, amount] for code, store, period, uses, amount in document["periods"]
        }
        self._member_days = Counter(
            {(code, person, day): count for code, person, day, count in document["member_days"]}
        )
        for code, person, count in document["members"]:
            self._members[code, person] += count


class _Lefts(Mapping[str, Left]):
    """What is left of each limited offer for one basket; most of them nobody asks for."""

    __slots__ = ("_budgets", "_where")

    def __init__(self, budgets: Budgets, store_id: int, day: date, person: str | None) -> None:
        self._budgets = budgets
        self._where = (store_id, day, person)

    def __getitem__(self, code: str) -> Left:
        return self._budgets.left_of(code, self._budgets.limits[code], *self._where)

    def get(self, code: str, default: Any = None) -> Any:
        limits = self._budgets.limits.get(code)
        return default if limits is None else self._budgets.left_of(code, limits, *self._where)

    def __iter__(self) -> Iterator[str]:
        return iter(self._budgets.limits)

    def __len__(self) -> int:
        return len(self._budgets.limits)


@lru_cache(maxsize=64)
def periods_of(day: date) -> tuple[str, str]:
    """Return a day and its week as counts are kept by them."""
    return day.isoformat(), week_of(day)


def week_of(day: date) -> str:
    """Return the ISO week of `day`, such as "2026-W47"."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def _rest(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)

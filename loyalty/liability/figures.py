"""
What points moved per day and what is outstanding, fast enough for a first page.

The night keeps sums of everything booked up to a moment, per business date (`points_day`) and per store and
end of the points (`points_owed`); what was booked since is added when somebody looks. So the figures are the
ledger's at any moment, and `regulars verify` compares the kept part with it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from core.driver import driver_of
from loyalty.lots import last_day

SETTLED_AFTER: Final = timedelta(minutes=1)
"""No request of a till books a moment that lies farther back when it commits; files say so themselves."""
LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WeekOfPoints:
    """Points that moved in the week from `monday`, all counts non-negative."""

    monday: date
    issued: int
    spent: int
    expired: int


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What the chain owes its members: points per month in which they will expire; what has ended is owed no more."""

    points: int
    accounts: int
    by_month: tuple[tuple[date, int], ...]


_MOVED = """
    select entry.business_date, entry.reason, sum(leg.points)::bigint
    from ledger_entry as entry join ledger_leg as leg using (entry_id)
    where leg.book in ('points', 'reserved')
      and entry.booked_at >= %(after)s and entry.booked_at < %(before)s
    group by entry.business_date, entry.reason
"""

_KEEP = f"""
    insert into points_day (business_date, reason, points) {_MOVED}
    on conflict (business_date, reason) do update set points = points_day.points + excluded.points
"""

# An end that never comes sorts last and is equal to itself, as no null is.
_LEFT = """
    select receipt.store_id, coalesce(lot.expires_at, 'infinity') as expires_at,
           coalesce(sum(leg.points) filter (where leg.book = 'points'), 0)::bigint as points,
           coalesce(sum(leg.points) filter (where leg.book = 'reserved'), 0)::bigint as reserved
    from ledger_entry as entry
    join ledger_leg as leg using (entry_id)
    join lot on lot.lot_id = leg.lot_id
    join receipt on receipt.business_date = lot.business_date and receipt.receipt_id = lot.receipt_id
    where leg.book in ('points', 'reserved') and {booked}
    group by receipt.store_id, coalesce(lot.expires_at, 'infinity')
"""

_KEEP_LEFT = f"""
    insert into points_owed (store_id, expires_at, points, reserved)
    {_LEFT.format(booked="entry.booked_at >= %(after)s and entry.booked_at < %(before)s")}
    on conflict (store_id, expires_at) do update
    set points = points_owed.points + excluded.points, reserved = points_owed.reserved + excluded.reserved
"""

OWED = f"""
    select store_id, expires_at, points, reserved from points_owed
    union all
    {_LEFT.format(booked="entry.booked_at >= %(kept_before)s")}
"""
"""What lies in the lots that receipts gave, a store and end twice where the sums are kept; for `with_kept_sums`."""

_GIVEN = """
    select expires_at, remaining from lot where receipt_id is null and remaining > 0 and expires_at is not null
"""

ENDED = """
    select ended.account_id, ended.points,
           least(ended.points, coalesce((
               select -sum(plain.remaining) from lot as plain
               where plain.account_id = ended.account_id and plain.receipt_id is null and plain.remaining < 0
           ), 0))::bigint as pays
    from (
        select account_id, sum(remaining)::bigint as points from lot
        where remaining > 0 and expires_at <= %(now)s group by account_id
    ) as ended
"""
"""
Accounts with points that have ended by `now` and are not booked out yet, and what of these pays a debt first.

Nobody can spend them any more, so they are not owed, whether or not a night has run since.
"""

_HELD = f"""
    with ended as ({ENDED})
    select coalesce(sum(points), 0)::bigint - (select coalesce(sum(points - pays), 0)::bigint from ended),
           count(*) filter (where points > 0) - (
               select count(*) from ended join balance using (account_id)
               where balance.points > 0 and balance.points <= ended.points - ended.pays)
    from balance
"""
_ENDING = f"""
    select expires_at, sum(points)::bigint
    from (
        select expires_at, points from ({OWED}) as owed where isfinite(expires_at)
        union all
        {_GIVEN}
    ) as ending
    where expires_at > %(now)s
    group by expires_at having sum(points) > 0
"""


def with_kept_sums(session: Session, statement: str, values: Mapping[str, Any] | None = None) -> list[Any]:
    """
    Return the rows of a statement that adds what was booked since `%(kept_before)s` to kept sums.

    The moment is asked before, so that it is planned for, and again after: a night may keep more meanwhile.
    """
    driver = driver_of(session)
    while True:
        before = _kept_before(session)
        rows = driver.execute(statement, {**(values or {}), "kept_before": before}).fetchall()
        if _kept_before(session) == before:
            return rows


def _kept_before(session: Session) -> datetime:
    row = driver_of(session).execute("select booked_before from points_summary").fetchone()
    return row[0] if row else LONG_AGO


def keep_points_days(session: Session, *, now: datetime) -> int:
    """Add what was booked since the last time to the kept sums, and return how many days and reasons changed."""
    driver = driver_of(session)
    driver.execute(
        "insert into points_summary (booked_before) values (%s) on conflict do nothing", (LONG_AGO,)
    )
    row = driver.execute("select booked_before from points_summary for update").fetchone()
    assert row is not None
    after, before = row[0], now - SETTLED_AFTER
    if before <= after:
        return 0
    changed = driver.execute(_KEEP, {"after": after, "before": before}).rowcount
    driver.execute(_KEEP_LEFT, {"after": after, "before": before})
    driver.execute("update points_summary set booked_before = %s", (before,))
    return changed


def mind_kept_days(session: Session, *, now: datetime) -> None:
    """
    Make sure that what this transaction books at `now` is not missed by the kept sums.

    For whoever books with a moment that may be long past, such as an import that has run for an
    hour: sums that reach beyond it are given up until the next night.
    """
    driver = driver_of(session)
    row = driver.execute("select booked_before from points_summary for share").fetchone()
    if row is not None and row[0] > now:
        driver.execute("delete from points_day")
        driver.execute("delete from points_owed")
        driver.execute("update points_summary set booked_before = %s", (LONG_AGO,))


_DAYS = """
    select business_date, reason, sum(points)::bigint
    from (
        select business_date, reason, points from points_day
        union all
        select entry.business_date, entry.reason, leg.points
        from ledger_entry as entry join ledger_leg as leg using (entry_id)
        where leg.book in ('points', 'reserved')
          and entry.booked_at >= %(kept_before)s
    ) as moved
    where business_date >= %(since)s and business_date < %(until)s
    group by business_date, reason
"""


def points_by_week(session: Session, *, since: date, until: date) -> list[WeekOfPoints]:
    """Return the weeks of the half-open period in which points moved, by business date, oldest first."""
    rows = with_kept_sums(session, _DAYS, {"since": since, "until": until})
    weeks: dict[date, dict[str, int]] = {}
    for day, reason, points in rows:
        sums = weeks.setdefault(day - timedelta(days=day.weekday()), {})
        sums[reason] = sums.get(reason, 0) + points
    return [_week(monday, sums) for monday, sums in sorted(weeks.items())]


def _week(monday: date, sums: dict[str, int]) -> WeekOfPoints:
    issued = sums.get("earn", 0) + sums.get("adjust", 0) + sums.get("reverse", 0)
    spent = -sums.get("spend", 0) - sums.get("return", 0)
    return WeekOfPoints(monday, max(0, issued), max(0, spent), max(0, -sums.get("expire", 0)))


def outstanding(session: Session, *, now: datetime, months: int = 13) -> Outstanding:
    """Return what all accounts hold together that has not ended, and the next months in which points expire."""
    held = driver_of(session).execute(_HELD, {"now": now}).fetchone()
    assert held is not None
    points, accounts = held
    return Outstanding(points, accounts, _by_month(with_kept_sums(session, _ENDING, {"now": now}))[:months])


def _by_month(rows: Iterable[Any]) -> tuple[tuple[date, int], ...]:
    months: dict[date, int] = {}
    for moment, points in rows:
        month = last_day(moment).replace(day=1)
        months[month] = months.get(month, 0) + int(points)
    return tuple(sorted(months.items()))

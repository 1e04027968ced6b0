"""The liability as the books have it now, and as the night kept it for each business day."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from psycopg.types.json import Json
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.clock import month_end
from core.driver import driver_of
from core.errors import NotFound
from loyalty.liability.estimate import Evidence, Fate, Liability, Line, Part, assess, ratio_interval
from loyalty.liability.figures import ENDED, OWED, with_kept_sums
from loyalty.lots import last_day
from loyalty.models import LiabilityLine, LiabilityReport
from loyalty.programme.rules import Programme
from sales.models import Store

KEPT_DAYS: Final = timedelta(days=40)
"""Reports of every day are kept so long, those of the last day of a month for ever."""


class NoReport(NotFound):
    """No night has kept a report for this day."""


@dataclass(frozen=True, slots=True)
class Report:
    """A liability with the day that it is for and the moment at which the books were read."""

    business_day: date
    taken_at: datetime
    liability: Liability


# What an account holds lies in lots, and what it has reserved was taken from lots. Points belong
# to the store whose receipt gave them; those that people gave, and debts, to the home store of
# the account's oldest member. What has ended is owed no more, but it pays a debt before it is gone.
_PARTS = f"""
    with given as (
        select account_id, expires_at, remaining as points
        from lot
        where receipt_id is null and remaining <> 0 and (expires_at is null or expires_at > %(now)s)
        union all
        select account_id, null, pays from ({ENDED}) as ended where pays > 0
        union all
        select lot.account_id, lot.expires_at, leg.points
        from redemption
        join ledger_entry as entry on entry.reference = redemption.redemption_id and entry.reason = 'reserve'
        join ledger_leg as leg on leg.entry_id = entry.entry_id and leg.book = 'reserved'
        join lot using (lot_id)
        where redemption.state = 'reserved' and lot.receipt_id is null
    ), placed as (
        select store_id, nullif(expires_at, 'infinity') as expires_at,
               case when expires_at > %(now)s then points else 0 end + reserved as points
        from ({OWED}) as owed
        union all
        select home.store_id, given.expires_at, given.points
        from given
        left join lateral (
            select store.store_id
            from member join store on store.store_code = member.home_store_code
            where member.account_id = given.account_id
            order by member.joined_on, member.member_id limit 1
        ) as home on true
    )
    select store_id, expires_at, sum(points)::bigint from placed group by store_id, expires_at
"""

# A lot is decided when it has ended and is empty. A point spent through a reservation leaves the
# book of reserved points; a return gives it back; undoing that return spends it again.
_FATES = """
    with decided as (
        select lot_id, account_id, (expires_at - interval '12 hours')::date as last_day
        from lot where expires_at <= %(now)s and remaining = 0 and earned > 0
    ), moves as materialized (
        select decided.account_id,
               case when entry.reason = 'expire' then 0 else greatest(0,
                   12 * (extract(year from decided.last_day) - extract(year from entry.business_date))
                   + extract(month from decided.last_day) - extract(month from entry.business_date))
               end::integer as months_left,
               sum(case when entry.reason = 'expire' then 0 else -leg.points end) as spent,
               sum(case when entry.reason = 'expire' then -leg.points else 0 end) as expired
        from decided
        join ledger_leg as leg using (lot_id)
        join ledger_entry as entry using (entry_id)
        where leg.book in ('points', 'reserved')
          and (entry.reason in ('spend', 'return', 'expire', 'reserve', 'release')
               or entry.reason = 'restore' and exists (
                   select from ledger_leg as counter
                   where counter.entry_id = entry.entry_id and counter.book = 'spent'))
        group by 1, 2
    ), accounts as (
        select sum(spent) as spent, sum(spent + expired) as decided from moves group by account_id
        having sum(spent + expired) > 0
    )
    select (select count(*) from accounts), (select count(*) from decided),
           coalesce(sum(spent), 0)::bigint, coalesce(sum(decided), 0)::bigint,
           coalesce(sum(spent * spent), 0), coalesce(sum(spent * decided), 0),
           coalesce(sum(decided * decided), 0),
           (select coalesce(json_agg(json_build_array(months_left, spent, expired) order by months_left), '[]')
            from (select months_left, sum(spent)::bigint as spent, sum(expired)::bigint as expired
                  from moves group by months_left) as by_month)
    from accounts
"""


def liability_now(session: Session, *, programme: Programme, now: datetime) -> Liability:
    """
    Return what is outstanding this moment, by store and month of expiry, with its expected redemption.

    The points add up to exactly what the accounts hold and have reserved, without those that have ended by `now`
    and wait for the night to book it.
    """
    stores = {row.store_id: row.currency for row in session.execute(select(Store.store_id, Store.currency))}
    usual = max(stores.values(), key=list(stores.values()).count, default="EUR")
    sums: dict[tuple[int | None, date | None], int] = {}
    for store_id, expires_at, points in with_kept_sums(session, _PARTS, {"now": now}):
        key = store_id, expires_at and last_day(expires_at).replace(day=1)
        sums[key] = sums.get(key, 0) + points
    parts = [
        Part(store_id, stores.get(store_id, usual) if store_id else usual, month, points)
        for (store_id, month), points in sorted(sums.items(), key=_by_store_and_month)
        if points
    ]
    values = {part.currency: programme.rule(part.currency).point_value for part in parts}
    return assess(parts, read_evidence(session, now=now), today=now.date(), point_values=values)


def read_evidence(session: Session, *, now: datetime) -> Evidence:
    """Return what became of all points that have ended by `now`."""
    row = driver_of(session).execute(_FATES, {"now": now}).fetchone()
    assert row is not None
    accounts, lots, spent, decided, squared, product, decided_squared, fates = row
    interval = ratio_interval(
        accounts=accounts,
        spent=spent,
        decided=decided,
        spent_squared=int(squared),
        product=int(product),
        decided_squared=int(decided_squared),
    )
    return Evidence(
        accounts=accounts,
        lots=lots,
        spent=spent,
        expired=decided - spent,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
        fates=tuple(Fate(*fate) for fate in fates),
    )


def keep_report(session: Session, *, business_day: date, programme: Programme, now: datetime) -> Liability:
    """Keep the liability as that of `business_day`, in place of what was kept for it, and clear old days."""
    liability = liability_now(session, programme=programme, now=now)
    driver = driver_of(session)
    driver.execute("delete from liability_report where business_day = %s", (business_day,))
    driver.execute(
        "insert into liability_report values (%s, %s, %s)",
        (business_day, now, Json(asdict(liability.evidence))),
    )
    with driver.cursor().copy(
        "copy liability_line (business_day, line_number, store_id, currency, month, points, value_amount, "
        "expected_amount) from stdin"
    ) as copy:
        for number, line in enumerate(liability.lines, 1):
            copy.write_row(
                (
                    business_day,
                    number,
                    line.store_id,
                    line.currency,
                    line.month,
                    line.points,
                    line.value_amount,
                    line.expected_amount,
                )
            )
    _forget(session, business_day)
    return liability


def _forget(session: Session, business_day: date) -> None:
    days = session.scalars(
        select(LiabilityReport.business_day).where(LiabilityReport.business_day < business_day - KEPT_DAYS)
    )
    if over := [day for day in days if day != month_end(day)]:
        session.execute(delete(LiabilityReport).where(LiabilityReport.business_day.in_(over)))


def report_days(session: Session) -> list[date]:
    """Return the days for which a report is kept, the newest first."""
    return list(
        session.scalars(select(LiabilityReport.business_day).order_by(LiabilityReport.business_day.desc()))
    )


def read_report(session: Session, *, business_day: date) -> Report:
    """Return the report kept for a day; raises `NoReport`."""
    kept = session.get(LiabilityReport, business_day)
    if kept is None:
        raise NoReport(f"No liability was kept for {business_day}")
    lines = session.execute(
        select(
            LiabilityLine.store_id,
            LiabilityLine.currency,
            LiabilityLine.month,
            LiabilityLine.points,
            LiabilityLine.value_amount,
            LiabilityLine.expected_amount,
        )
        .where(LiabilityLine.business_day == business_day)
        .order_by(LiabilityLine.line_number)
    )
    liability = Liability(tuple(Line(*row) for row in lines), _evidence(kept.evidence))
    return Report(business_day, kept.taken_at, liability)


def _evidence(kept: dict[str, Any]) -> Evidence:
    return Evidence(**{**kept, "fates": tuple(Fate(**fate) for fate in kept["fates"])})


def _by_store_and_month(item: tuple[tuple[int | None, date | None], int]) -> tuple[bool, int, date]:
    (store_id, month), _points = item
    return store_id is None, store_id or 0, month or date.max

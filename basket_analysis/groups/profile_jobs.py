"""The night's portrait of each group: what it buys, how and when it shops, kept with the run."""

import time
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import delete, insert, select, text
from sqlalchemy.orm import Session

from basket_analysis.analysis_runs import add_timing, is_completed, run_under_way
from basket_analysis.distinct import distinct
from basket_analysis.groups.profiles import EVERYBODY, FEWEST_SHOWN, Visits, profile_groups
from basket_analysis.mining.night_rules import MAX_BASKET, THEME_LEVEL, WINDOW_WEEKS
from basket_analysis.models import GroupProfile
from basket_analysis.reading import SoldLines, weeks_before
from basket_analysis.year_sold import year_sold
from core.jobs import Shift
from customers.memberships import group_of_members
from sales.models import Store

_HOURS = text(
    """
    select coalesce(membership.group_id, :everybody) as group_id,
           extract(isodow from receipt.business_date)::integer as weekday,
           extract(hour from receipt.closed_at at time zone store.timezone)::integer as hour,
           count(*) as baskets, count(distinct receipt.member_id) as members
    from receipt
    join store using (store_id)
    join group_membership as membership on membership.member_id = receipt.member_id and membership.run_id = :run_id
    where receipt.type = 'sale' and receipt.mode = 'live'
      and receipt.business_date >= :first_day and receipt.business_date < :following_day
    group by grouping sets (
      (membership.group_id, 2), (membership.group_id, 3), (2), (3)
    )
    """
)


def describe_groups(shift: Shift) -> Mapping[str, Any]:
    """Keep what each group of the run buys and how it shops, against everybody with a card."""
    began = time.monotonic()
    following = shift.business_day + timedelta(days=1)
    first_day = weeks_before(following, WINDOW_WEEKS)
    with shift.sessions.begin() as session:
        if is_completed(session, business_day=shift.business_day):
            return {"served_before": True}
        run_id = run_under_way(session, business_day=shift.business_day).run_id
        sold = year_sold(shift, session)
        membership = group_of_members(session, run_id=run_id)
        stores = session.execute(select(Store.store_id, Store.currency)).all()
        hours = _hours(session, run_id, first_day, following)
    shift.report(1, 3)
    figures = _figures(sold, membership, {row.store_id: row.currency for row in stores})
    shift.report(2, 3)
    rows = [
        {"run_id": run_id, "group_id": group, "figures": {**found, **hours.get(group, {})}}
        for group, found in figures.items()
    ]
    with shift.sessions.begin() as session:
        session.execute(delete(GroupProfile).where(GroupProfile.run_id == run_id))
        session.execute(insert(GroupProfile), rows)
        add_timing(session, run_id=run_id, step="describe_groups", seconds=time.monotonic() - began)
    shift.report(3, 3)
    return {"groups": len(rows) - 1}


def _figures(
    sold: SoldLines, membership: Mapping[UUID, str], currencies: Mapping[int, str]
) -> dict[str, dict[str, Any]]:
    groups = sorted(set(membership.values()))
    number = {group: place for place, group in enumerate(groups)}
    # Members of the run who bought nothing in the window count for the size of their group.
    bought = set(sold.members)
    others = [member for member in membership if member not in bought]
    everybody = [*sold.members, *sorted(others)]
    group_of = np.array([number.get(membership.get(member, ""), -1) for member in everybody], np.int32)
    stores = sold.stores.tolist()
    return profile_groups(
        sold.basket_table(THEME_LEVEL, max_basket=MAX_BASKET),
        _visits(sold),
        group_of,
        groups,
        stores=stores,
        currencies=[currencies[store] for store in stores],
    )


def _visits(sold: SoldLines) -> Visits:
    """Return the baskets of known members that hold any merchandise."""
    values = np.bincount(sold.basket, weights=sold.value, minlength=len(sold.member)).astype(np.int64)
    pairs = distinct(sold.basket.astype(np.int64) * max(1, len(sold.articles)) + sold.article)
    articles = np.bincount(pairs // max(1, len(sold.articles)), minlength=len(sold.member)).astype(np.int32)
    kept = (sold.member >= 0) & (articles > 0)
    return Visits(
        member=sold.member[kept],
        store=np.searchsorted(sold.stores, sold.store_id[kept]).astype(np.int32),
        day=sold.day[kept],
        value=values[kept],
        articles=articles[kept],
    )


def _hours(session: Session, run_id: UUID, first_day: date, following_day: date) -> dict[str, dict[str, Any]]:
    """Return baskets by weekday (1 Monday to 7) and by hour of each group; nothing of fewer than ten members."""
    rows = session.execute(
        _HOURS,
        {"everybody": EVERYBODY, "run_id": run_id, "first_day": first_day, "following_day": following_day},
    )
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.members >= FEWEST_SHOWN:
            name, key = ("weekdays", row.weekday) if row.weekday is not None else ("hours", row.hour)
            found.setdefault(row.group_id, {}).setdefault(name, {})[str(key)] = row.baskets
    return found

"""What the night does for decisions: what stores have to offer is written down, what came of decisions is found, old ones end."""

from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaigns.outcomes import BOUGHT_WITHIN, link_purchases
from core.driver import driver_of
from core.jobs import Shift

SOLD_WITHIN: Final = 28
"""Days: what a store sold in so many counts as being there, where nobody keeps stock records."""

COMES_LATE: Final = 7
"""Days that are looked at again each night, since receipts come late."""

COMMON: Final = 200
"""So many articles of most baskets are kept for each store."""

FEWEST_BASKETS: Final = 3

KEPT: Final = timedelta(days=400)
"""So long decisions are kept: a season can be held against the same one a year before."""

AHEAD: Final = timedelta(days=70)
BEHIND: Final = timedelta(days=2)

_SOLD = """
    insert into sold_lately (store_id, article_id, last_sold)
    select receipt.store_id, line.article_id, max(receipt.business_date)
    from receipt join receipt_line as line using (business_date, receipt_id)
    where receipt.business_date between %(first)s and %(day)s and line.business_date between %(first)s and %(day)s
      and receipt.type = 'sale' and receipt.mode = 'live' and line.article_id is not null and line.quantity > 0
    group by receipt.store_id, line.article_id
    on conflict (store_id, article_id) do update set last_sold = excluded.last_sold
    where sold_lately.last_sold < excluded.last_sold
"""

_NOT_SOLD = "delete from sold_lately where last_sold <= %(day)s::date - %(within)s::integer"

# Bags and deposits cost nothing, or less.
_COMMON = """
    insert into store_offers (store_id, article_ids, made_for)
    select store_id, array_agg(article_id order by baskets desc, article_id), %(day)s
    from (
        select receipt.store_id, line.article_id, count(distinct receipt.receipt_id) as baskets,
               row_number() over (partition by receipt.store_id
                                  order by count(distinct receipt.receipt_id) desc, line.article_id) as place
        from receipt join receipt_line as line using (business_date, receipt_id)
        where receipt.business_date > %(day)s::date - %(within)s::integer and receipt.business_date <= %(day)s
          and line.business_date > %(day)s::date - %(within)s::integer and line.business_date <= %(day)s
          and receipt.type = 'sale' and receipt.mode = 'live' and line.article_id is not null
          and line.quantity > 0 and line.unit_price > 0
        group by receipt.store_id, line.article_id
        having count(distinct receipt.receipt_id) >= %(fewest)s
    ) as counted
    where place <= %(most)s
    group by store_id
    on conflict (store_id) do update set article_ids = excluded.article_ids, made_for = excluded.made_for
"""

_FAULTY = """
    insert into returned_faulty (account_id, article_id, returned_on)
    select receipt.account_id, line.article_id, max(receipt.business_date)
    from receipt join receipt_line as line using (business_date, receipt_id)
    where receipt.business_date between %(first)s and %(day)s and line.business_date between %(first)s and %(day)s
      and receipt.type = 'return' and receipt.mode = 'live' and receipt.account_id is not null
      and line.article_id is not null and line.return_reason = 'faulty'
      and not exists (
          select from receipt_link as void
          where void.type = 'void' and void.original_receipt_id = receipt.receipt_id
            and void.original_business_date = receipt.business_date)
    group by receipt.account_id, line.article_id
    on conflict (account_id, article_id) do update set returned_on = greatest(returned_faulty.returned_on, excluded.returned_on)
"""

# A return may be voided after it was written down; another one of the same article still counts.
_NOT_FAULTY = """
    delete from returned_faulty as known
    using (
        select back.account_id, line.article_id
        from receipt_link as void
        join receipt as back
          on back.business_date = void.original_business_date and back.receipt_id = void.original_receipt_id
        join receipt_line as line on line.business_date = back.business_date and line.receipt_id = back.receipt_id
        where void.type = 'void' and void.business_date between %(first)s and %(day)s
          and back.type = 'return' and line.return_reason = 'faulty'
    ) as taken
    where known.account_id = taken.account_id and known.article_id = taken.article_id
      and not exists (
          select from receipt as other join receipt_line as line using (business_date, receipt_id)
          where other.account_id = known.account_id and other.type = 'return' and other.mode = 'live'
            and line.return_reason = 'faulty' and line.article_id = known.article_id
            and not exists (
                select from receipt_link as void
                where void.type = 'void' and void.original_receipt_id = other.receipt_id
                  and void.original_business_date = other.business_date))
"""

_KNOWN = "select (select max(made_for) from store_offers), (select min(business_date) from receipt)"


def prepare_decisions(shift: Shift) -> dict[str, Any]:
    """Write down what stores sell and what was brought back as faulty, and make the months that decisions lie in."""
    day = shift.business_day
    with shift.sessions.begin() as session:
        months = session.scalar(
            select(func.ensure_decision_months(shift.now.date() - BEHIND, shift.now.date() + AHEAD))
        )
    return {"months_made": months, **shift.transact(lambda session: _written(session, day))}


def _written(session: Session, day: date) -> dict[str, Any]:
    driver = driver_of(session)
    row = driver.execute(_KNOWN).fetchone()
    assert row is not None
    known, oldest = row
    values = {"day": day, "within": SOLD_WITHIN, "most": COMMON, "fewest": FEWEST_BASKETS}
    # The first night looks at all there is, later ones at what may have come since.
    again = day - timedelta(days=COMES_LATE) if known else None
    sold_since = again or day - timedelta(days=SOLD_WITHIN - 1)
    if known and known < day - timedelta(days=COMES_LATE):
        sold_since = day - timedelta(days=SOLD_WITHIN - 1)
    driver.execute(_SOLD, {**values, "first": sold_since})
    driver.execute(_NOT_SOLD, values)
    stores = driver.execute(_COMMON, values).rowcount
    faulty_since = again if known and known >= day - timedelta(days=COMES_LATE) else oldest
    faulty = driver.execute(_FAULTY, {**values, "first": faulty_since or day}).rowcount
    driver.execute(_NOT_FAULTY, {**values, "first": faulty_since or day})
    found = driver.execute("select count(*) from sold_lately").fetchone()
    return {"stores": stores, "sold_lately": found[0] if found else 0, "returned_faulty": faulty}


def follow_decisions(shift: Shift) -> dict[str, Any]:
    """Find what was bought of what was offered, and forget decisions of months that are over a year past."""
    first = shift.business_day - timedelta(days=COMES_LATE)
    bought = shift.transact(lambda session: link_purchases(session, first=first, last=shift.business_day))
    before = min(shift.business_day, shift.now.date()) - KEPT
    with shift.sessions.begin() as session:
        forgotten = session.scalar(select(func.forget_decisions(before)))
    return {"bought": bought, "within_days": BOUGHT_WITHIN, "months_forgotten": forgotten}

"""The shelf: what lies in a store, what it costs on a day, and the lowest price before a reduction."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from core.driver import driver_of

SHELF_DAYS = 28
"""What was never counted in a store counts as in stock there when it was sold there in so many days."""
LOWEST_DAYS = 30
"""A reduction is held against the lowest price of so many days before it (directive 98/6/EC, article 6a)."""

# What was sold since the count is taken off; what was brought back is not put on, it may be broken.
_COUNTED = """
    with counted as materialized (
        select store_id, article_id, quantity, counted_at from article_stock
        where store_id = any(%(stores)s) and (%(articles)s::integer[] is null or article_id = any(%(articles)s))
    ), first as (
        select store_id, min(counted_at) as counted_at from counted group by store_id
    ), gone as (
        select receipt.store_id, line.article_id, sum(line.quantity) as quantity
        from first
        join receipt on receipt.store_id = first.store_id and receipt.closed_at > first.counted_at
        join receipt_line as line
            on line.business_date = receipt.business_date and line.receipt_id = receipt.receipt_id
        join counted on counted.store_id = receipt.store_id and counted.article_id = line.article_id
            and receipt.closed_at > counted.counted_at
        where receipt.type = 'sale' and receipt.mode = 'live'
        group by receipt.store_id, line.article_id
    )
    select counted.store_id, counted.article_id, counted.quantity > coalesce(gone.quantity, 0)
    from counted left join gone using (store_id, article_id)
"""
_SOLD = """
    select distinct receipt.store_id, line.article_id
    from receipt
    join receipt_line as line using (business_date, receipt_id)
    where receipt.store_id = any(%(stores)s) and receipt.type = 'sale' and receipt.mode = 'live'
      and receipt.business_date > %(day)s::date - %(days)s and receipt.business_date <= %(day)s
      and line.business_date > %(day)s::date - %(days)s and line.business_date <= %(day)s
      and line.article_id is not null and line.quantity > 0
      and (%(articles)s::integer[] is null or line.article_id = any(%(articles)s))
"""


def in_stock(
    session: Session, *, store_ids: Collection[int], day: date, article_ids: Collection[int] | None = None
) -> dict[int, frozenset[int]]:
    """
    Return for each store which of `article_ids` (of all articles when None) lie there.

    A count decides, less what was sold since; what was never counted in a store lies there when it was
    sold there in the `SHELF_DAYS` days up to `day`.
    """
    asked = {
        "stores": list(store_ids),
        "articles": None if article_ids is None else list(article_ids),
        "day": day,
        "days": SHELF_DAYS,
    }
    driver = driver_of(session)
    counted = {(store, article): left for store, article, left in driver.execute(_COUNTED, asked)}
    there: dict[int, set[int]] = {store_id: set() for store_id in store_ids}
    for (store_id, article_id), left in counted.items():
        if left:
            there[store_id].add(article_id)
    for store_id, article_id in driver.execute(_SOLD, asked):
        if (store_id, article_id) not in counted:
            there[store_id].add(article_id)
    return {store_id: frozenset(articles) for store_id, articles in there.items()}


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """A price of the list in minor units, and since when it holds; None where no period is known."""

    minor: int
    since: date | None


HOME_CURRENCY = "(select currency from store order by store_id limit 1)"
"""
SQL for the currency of prices that name no store: that of the chain's first store, which never changes.

In stores that sell in another one such a price does not hold: a figure in koruna is none in euro.
"""

# Stores in whose currency prices are that name no store.
_AT_HOME = f"""
    select store_id from store where store_id = any(%(stores)s) and currency = {HOME_CURRENCY}
"""

_LISTED = f"""
    select distinct on (store_id, article_id) store_id, article_id, price, valid_from
    from (
        select store_id, article_id, price, valid_from, 0 as rank from article_price
        where store_id = any(%(stores)s) and valid_from <= %(day)s and (valid_to is null or valid_to > %(day)s)
          and (%(articles)s::integer[] is null or article_id = any(%(articles)s))
        union all
        select store.store_id, article_id, price, valid_from, 1 from article_price
        cross join ({_AT_HOME}) as store
        where article_price.store_id is null and valid_from <= %(day)s
          and (valid_to is null or valid_to > %(day)s)
          and (%(articles)s::integer[] is null or article_id = any(%(articles)s))
        union all
        select store.store_id, article_id, price, null::date, 2 from article
        cross join ({_AT_HOME}) as store
        where price is not null and (%(articles)s::integer[] is null or article_id = any(%(articles)s))
    ) as stated
    order by store_id, article_id, rank, valid_from desc
"""


def price_on(
    session: Session, *, store_ids: Collection[int], day: date, article_ids: Collection[int] | None = None
) -> dict[tuple[int, int], ListedPrice]:
    """
    Return by store and article what the list says on `day`; what it does not name is not there.

    The store's own price counts before the chain's, that before the price in the article's row; of
    several periods that hold, the one that began last. What names no store holds where `HOME_CURRENCY` is paid.
    """
    rows = driver_of(session).execute(
        _LISTED,
        {
            "stores": list(store_ids),
            "articles": None if article_ids is None else list(article_ids),
            "day": day,
        },
    )
    return {(row[0], row[1]): ListedPrice(row[2], row[3]) for row in rows}


# A period that ends may leave another in force, so both its days count.
_CHANGES = """
    select day, array_agg(distinct article_id)
    from article_price
    cross join lateral (values (valid_from), (valid_to)) as changed (day)
    where (store_id is null or store_id = any(%(stores)s)) and article_id = any(%(articles)s)
      and day > %(first)s and day < %(last)s
    group by day
    order by day
"""


def price_through(
    session: Session, *, store_ids: Collection[int], first: date, last: date, article_ids: Collection[int]
) -> dict[tuple[int, int], ListedPrice]:
    """
    Return by store and article what the list asks at most on any day from `first` until before `last`.

    That is what may be promised for all of these days; what the list does not name on the first day is not there.
    """
    listed = price_on(session, store_ids=store_ids, day=first, article_ids=article_ids)
    asked = {"stores": list(store_ids), "articles": list(article_ids), "first": first, "last": last}
    for day, articles in driver_of(session).execute(_CHANGES, asked).fetchall():
        later = price_on(session, store_ids=store_ids, day=day, article_ids=articles)
        listed |= {
            place: price
            for place, price in later.items()
            if place in listed and price.minor > listed[place].minor
        }
    return listed


@dataclass(frozen=True, slots=True)
class PricePeriod:
    """A price of a store (`own`) or of the chain, from a day until before another."""

    minor: int
    valid_from: date
    valid_to: date | None
    own: bool


_PERIODS = f"""
    select asked.store_id, asked.article_id, period.price, period.valid_from, period.valid_to,
           period.store_id is not null
    from unnest(%(stores)s::integer[], %(articles)s::integer[]) as asked (store_id, article_id)
    join article_price as period
        on period.article_id = asked.article_id and (
            period.store_id = asked.store_id
            or (period.store_id is null and asked.store_id in (select store_id from ({_AT_HOME}) as home)))
"""
_STANDING = f"""
    select store.store_id, article_id, price from article cross join ({_AT_HOME}) as store
    where article_id = any(%(articles)s)
"""


@dataclass(frozen=True, slots=True)
class Before:
    """What an article cost before a reduction: on the last day, and at the lowest in 30 days; None where it is not known."""

    last: int | None
    lowest: int | None


Began = tuple[int, int, date]
"""A store, an article, and the day on which its reduction begins."""


def prices_before(session: Session, beginnings: Collection[Began]) -> dict[Began, Before]:
    """
    Return what articles cost in the 30 days before their reductions began.

    A price in the article's row has no dates: it stands for every day that no period covers.
    """
    places = {(store_id, article_id) for store_id, article_id, _ in beginnings}
    asked = {"stores": [store for store, _ in places], "articles": [article for _, article in places]}
    driver = driver_of(session)
    periods: dict[tuple[int, int], list[PricePeriod]] = defaultdict(list)
    for store_id, article_id, *period in driver.execute(_PERIODS, asked):
        periods[store_id, article_id].append(PricePeriod(*period))
    standing = {
        (store_id, article_id): price for store_id, article_id, price in driver.execute(_STANDING, asked)
    }
    return {
        (store_id, article_id, begin): _before(
            begin, periods[store_id, article_id], standing=standing.get((store_id, article_id))
        )
        for store_id, article_id, begin in beginnings
    }


def _before(begin: date, periods: Collection[PricePeriod], *, standing: int | None) -> Before:
    known = [period for period in periods if period.valid_from < begin]
    if not known:
        return Before(standing, standing)
    return Before(
        price_in(known, begin - timedelta(days=1), standing=standing),
        lowest_before(begin, known, standing=standing),
    )


def lowest_before(begin: date, periods: Iterable[PricePeriod], *, standing: int | None) -> int | None:
    """Return the lowest price of the 30 days before `begin`; `standing` is that of days without a period."""
    known = list(periods)
    days = (begin - timedelta(days=back) for back in range(1, LOWEST_DAYS + 1))
    prices = [price_in(known, day, standing=standing) for day in days]
    return min((price for price in prices if price is not None), default=None)


def price_in(periods: Iterable[PricePeriod], day: date, *, standing: int | None) -> int | None:
    """Return what is in force on `day`: the store's before the chain's, of these the one that began last."""
    holding = [
        period
        for period in periods
        if period.valid_from <= day and (period.valid_to is None or day < period.valid_to)
    ]
    latest = max(holding, key=lambda period: (period.own, period.valid_from), default=None)
    return standing if latest is None else latest.minor

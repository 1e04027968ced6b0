"""What catalogs are made from: who gets one, what the shop has at which price, who bought what."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.orm import Session

from catalogs.selection import HALF_LIFE_DAYS, Bought
from core.driver import driver_of
from core.i18n import LANGUAGES
from loyalty.tiers.versions import schemes

SHELF_DAYS = 28
"""Without stock records, what was sold in a store in so many days counts as in stock."""
GROUP_DAYS = 56
"""What a group buys is counted over eight weeks."""
HISTORY_DAYS = 364
SMALLEST_GROUP_COUNT = 3
"""Fewer buyers say nothing about a group."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A store as its members know it."""

    store_id: int
    name: str
    currency: str


def shops(session: Session, store_ids: Collection[int]) -> dict[int, Shop]:
    """Return the stores of `store_ids`."""
    rows = driver_of(session).execute(
        "select store_id, name, currency from store where store_id = any(%s)", (list(store_ids),)
    )
    return {row[0]: Shop(*row) for row in rows}


def countries_of_stores(session: Session) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Return by country, in the order of their names, how many stores there are and in which currencies they sell."""
    rows = driver_of(session).execute(
        "select country, count(*), array_agg(distinct currency order by currency) from store"
        " where country is not null group by country order by country"
    )
    return {country: (stores, tuple(currencies)) for country, stores, currencies in rows}


_GROUP_BUYERS = """
    select membership.group_id, line.article_id, count(distinct membership.member_id) as buyers
    from group_membership as membership
    join receipt on receipt.member_id = membership.member_id
    join receipt_line as line using (business_date, receipt_id)
    where membership.run_id = %(run)s
      and receipt.business_date > %(day)s::date - %(days)s and receipt.business_date <= %(day)s
      and line.business_date > %(day)s::date - %(days)s and line.business_date <= %(day)s
      and receipt.type = 'sale' and receipt.mode = 'live'
      and line.article_id is not null and line.quantity > 0 and line.total_amount > 0
      and (%(countries)s::text[] = '{}' or receipt.store_id in
           (select store_id from store where country = any(%(countries)s)))
    group by membership.group_id, line.article_id
    having count(distinct membership.member_id) >= %(fewest)s
"""


def group_buyers(
    session: Session, *, run_id: UUID, day: date, countries: Collection[str] = ()
) -> dict[str, dict[int, int]]:
    """
    Return for every group of a run how many of its members bought which article in the last eight weeks.

    Where `countries` are named, only what was bought in their stores counts.
    """
    rows = driver_of(session).execute(
        _GROUP_BUYERS,
        {
            "run": run_id,
            "day": day,
            "days": GROUP_DAYS,
            "fewest": SMALLEST_GROUP_COUNT,
            "countries": list(countries),
        },
    )
    counted: dict[str, dict[int, int]] = defaultdict(dict)
    for group_id, article_id, buyers in rows:
        counted[group_id][article_id] = buyers
    return dict(counted)


def members_in_countries(
    session: Session, *, run_id: UUID, day: date, countries: Collection[str]
) -> dict[str, int]:
    """Return for every group of a run how many of its members bought in stores of `countries` in the last eight weeks."""
    rows = driver_of(session).execute(
        """
        select membership.group_id, count(distinct membership.member_id)
        from group_membership as membership
        join receipt on receipt.member_id = membership.member_id
        join store using (store_id)
        where membership.run_id = %(run)s and store.country = any(%(countries)s)
          and receipt.business_date > %(day)s::date - %(days)s and receipt.business_date <= %(day)s
          and receipt.type = 'sale' and receipt.mode = 'live'
        group by membership.group_id
        """,
        {"run": run_id, "day": day, "days": GROUP_DAYS, "countries": list(countries)},
    )
    return dict(rows.fetchall())


def categories_of(session: Session, article_ids: Collection[int]) -> dict[int, str]:
    """Return the categories of articles; those without one are left out."""
    rows = driver_of(session).execute(
        "select article_id, category from article where article_id = any(%s) and category is not null",
        (list(article_ids),),
    )
    return dict(rows.fetchall())


# Lines are looked up receipt by receipt: else the database may read a year of everybody's for a few hundred members.
_HISTORIES = """
    select receipt.account_id, line.article_id,
           sum(exp(-ln(2.0) * (%(day)s::date - receipt.business_date) / %(half)s))::float8 as recency,
           count(distinct receipt.receipt_id) as baskets, max(receipt.business_date) as last_day
    from receipt
    cross join lateral (
        select article_id from receipt_line
        where business_date = receipt.business_date and receipt_id = receipt.receipt_id
          and business_date > %(since)s and business_date <= %(day)s
          and article_id is not null and quantity > 0
        offset 0
    ) as line
    where receipt.account_id = any(%(accounts)s) and receipt.type = 'sale' and receipt.mode = 'live'
      and receipt.business_date > %(since)s and receipt.business_date <= %(day)s
      and (receipt.account_id = any(%(whole)s)
        or (receipt.account_id, line.article_id) in (select * from unnest(%(limited)s::uuid[], %(articles)s::integer[])))
    group by receipt.account_id, line.article_id
"""


def read_histories(
    session: Session,
    accounts: Collection[UUID],
    *,
    day: date,
    only: Mapping[UUID, Collection[int]] = MappingProxyType({}),
) -> dict[UUID, list[Bought]]:
    """
    Return what each account bought in the last year, weighted by recency.

    Of accounts in `only` just those articles: a year of a good customer's articles is ten times as many as are asked about.
    """
    limited = [(account, article) for account, articles in only.items() for article in articles]
    rows = driver_of(session).execute(
        _HISTORIES,
        {
            "accounts": list(accounts),
            "whole": [account for account in accounts if account not in only],
            "limited": [account for account, _article in limited],
            "articles": [article for _account, article in limited],
            "day": day,
            "since": day - timedelta(days=HISTORY_DAYS),
            "half": float(HALF_LIFE_DAYS),
        },
    )
    bought: dict[UUID, list[Bought]] = defaultdict(list)
    for account_id, article_id, recency, baskets, last_day in rows:
        bought[account_id].append(Bought(article_id, recency, baskets, last_day))
    return dict(bought)


_BROUGHT_BACK = """
    select receipt.account_id, line.article_id
    from receipt
    join receipt_line as line using (business_date, receipt_id)
    where receipt.account_id = any(%(accounts)s) and receipt.type = 'return' and receipt.mode = 'live'
      and receipt.business_date > %(since)s and line.business_date > %(since)s and line.article_id is not null
"""


def read_brought_back(session: Session, accounts: Collection[UUID], *, day: date) -> dict[UUID, set[int]]:
    """Return which articles each account brought back in the last year; nobody wants to be offered those."""
    rows = driver_of(session).execute(
        _BROUGHT_BACK, {"accounts": list(accounts), "since": day - timedelta(days=HISTORY_DAYS)}
    )
    returned: dict[UUID, set[int]] = defaultdict(set)
    for account_id, article_id in rows:
        returned[account_id].add(article_id)
    return dict(returned)


def tier_names(session: Session, accounts: Collection[UUID], *, day: date) -> dict[UUID, dict[str, str]]:
    """Return what the tier of each account is called, by language; those without one are left out."""
    scheme = schemes(session).on(day)
    names = {tier.code: {language: tier.name(language) for language in LANGUAGES} for tier in scheme.tiers}
    if not names:
        return {}
    rows = driver_of(session).execute(
        "select account_id, tier_code from tier_standing where account_id = any(%s) and tier_code = any(%s)",
        (list(accounts), list(names)),
    )
    return {account_id: names[code] for account_id, code in rows}

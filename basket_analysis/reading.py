"""Baskets out of the database: live sales less what was voided or brought back, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Literal
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from basket_analysis.assortment.store_baskets import StoreBaskets
from basket_analysis.assortment.store_sales import SalesTable
from basket_analysis.baskets import (
    NON_MERCHANDISE_CATEGORIES,
    NON_MERCHANDISE_DEPARTMENTS,
    BasketTable,
    Int32s,
    Int64s,
    tabulate,
)
from basket_analysis.distinct import distinct
from basket_analysis.groups.fading import fade
from core.binary_copy import read_columns
from core.driver import driver_of

Level = Literal["article", "type", "category", "brand"]

_SALES = """
    create temporary table mined_sale on commit drop as
    select (row_number() over (order by receipt.business_date, receipt.receipt_id) - 1)::integer as basket,
           receipt.business_date, receipt.receipt_id, receipt.store_id,
           case when member.profiling_objected_at is null then member.member_id end as member_id
    from receipt
    left join member on member.member_id = receipt.member_id
    where receipt.type = 'sale' and receipt.mode = 'live'
      and receipt.business_date >= %s and receipt.business_date < %s
      and coalesce(member.company_name, member.company_id, member.vat_id) is null
      and not exists (
        select from receipt_link as link
        where link.original_receipt_id = receipt.receipt_id and link.type = 'void' and link.business_date < %s
      )
"""

_BASKETS = """
    copy (
      select store_id, coalesce(member.number, -1)::integer, business_date - date '2000-01-01'
      from mined_sale
      left join mined_member as member using (member_id)
      order by basket
    ) to stdout (format binary)
"""

_MEMBERS = """
    create temporary table mined_member on commit drop as
    select member_id, (row_number() over (order by member_code) - 1)::integer as number
    from member
    where member_id in (select member_id from mined_sale)
"""

_LINES = """
    copy (
      with returned as (
        select link.original_receipt_id as receipt_id, line.original_line_number as line_number,
               sum(line.counted_quantity) as quantity
        from receipt_link as link
        join receipt_line as line using (business_date, receipt_id)
        where link.type = 'return' and link.original_receipt_id is not null and link.business_date < '{heard}'
          and not exists (
            select from receipt_link as undone
            where undone.original_receipt_id = link.receipt_id and undone.type = 'void'
              and undone.business_date < '{heard}'
          )
        group by 1, 2
      )
      select sale.basket, line.article_id,
             round(line.total_amount * (1 - coalesce(returned.quantity, 0) / line.quantity))::bigint
      from mined_sale as sale
      join receipt_line as line using (business_date, receipt_id)
      left join returned using (receipt_id, line_number)
      where line.article_id is not null
        and line.business_date >= '{first}' and line.business_date < '{following}'
        and line.unit_price > 0 and line.quantity > coalesce(returned.quantity, 0)
    ) to stdout (format binary)
"""

_ARTICLES = "select article_id, sku, department, category, type, brand from article order by sku"


@dataclass(frozen=True, slots=True)
class ArticleKinds:
    """An article and the words it is filed under; a level that it lacks is None."""

    article_id: int
    sku: str
    department: str | None
    category: str | None
    type: str | None
    brand: str | None

    @property
    def merchandise(self) -> bool:
        """Whether it lies on a shelf: fuel, coupons and the like do not."""
        return (
            self.department not in NON_MERCHANDISE_DEPARTMENTS
            and self.category not in NON_MERCHANDISE_CATEGORIES
        )

    def at(self, level: Level) -> str | None:
        """Return what the article is called at `level`, None where nothing is known."""
        return {"article": self.sku, "type": self.type, "category": self.category, "brand": self.brand}[level]


@dataclass(frozen=True)
class SoldLines:
    """
    Sale lines of known merchandise within [first_day, following_day), as parallel arrays.

    Per line: `basket`, `article` (index into `articles`), `value` in minor units, net of what came
    back. Per basket: `store_id`, `member` (index into `members` by member code, -1 for nobody known or
    somebody who objects to profiling), `day` (days since 2000-01-01). Companies are left out.
    """

    basket: Int32s
    article: Int32s
    value: Int64s
    store_id: Int32s
    member: Int32s
    day: Int32s
    members: tuple[UUID, ...]
    articles: tuple[ArticleKinds, ...]
    first_day: date
    following_day: date

    @cached_property
    def stores(self) -> Int32s:
        """The stores that sold anything, in order of their ids."""
        return distinct(self.store_id)

    def basket_table(self, level: Level, *, max_basket: int | None = None) -> BasketTable:
        """
        Return the baskets as sets of articles, types, categories or brands, in order of their days.

        Of a basket longer than `max_basket` those items stay that most baskets of its day hold. Baskets weigh less
        the nearer they are to the first and the last day.
        """
        labels = [article.at(level) for article in self.articles]
        names = sorted({label for label in labels if label is not None})
        code_of = {name: code for code, name in enumerate(names)}
        codes = np.array([-1 if label is None else code_of[label] for label in labels] or [-1], np.int32)
        items = codes[self.article]
        known = items >= 0
        used, baskets = np.unique(self.basket[known], return_inverse=True)
        owners = self.member[used]
        return tabulate(
            baskets=baskets.astype(np.int32),
            items=items[known],
            names=names,
            basket_count=len(used),
            owners=owners[baskets],
            households=[str(number).zfill(9) for number in range(len(self.members))],
            max_basket=max_basket,
            days=self.day[used],
            weights=fade(self.day[used], first=int(self.day.min()), last=int(self.day.max()))
            if len(used)
            else None,
        )

    def basket_days(self, level: Level) -> Int32s:
        """Return the day of each basket of the table of `level`, which never falls."""
        labelled = np.array([article.at(level) is not None for article in self.articles] or [False])
        days: Int32s = self.day[distinct(self.basket[labelled[self.article]])]
        return days

    def sales_table(self) -> SalesTable:
        """Return the lines of known members per store, over the whole weeks that end with the period."""
        weeks = max(1, (self.following_day - self.first_day).days // 7)
        age = (self.following_day - date(2000, 1, 1)).days - 1 - self.day
        week = weeks - 1 - age // 7
        kept = (self.member >= 0) & (week >= 0)
        lines = kept[self.basket]
        used, baskets = np.unique(self.basket[lines], return_inverse=True)
        pairs, first = np.unique(
            baskets.astype(np.int64) * max(1, len(self.articles)) + self.article[lines], return_inverse=True
        )
        types = _codes([article.type for article in self.articles])
        return SalesTable(
            basket=(pairs // max(1, len(self.articles))).astype(np.int32),
            article=(pairs % max(1, len(self.articles))).astype(np.int32),
            value=np.bincount(first, weights=self.value[lines], minlength=len(pairs)).astype(np.int64),
            store=np.searchsorted(self.stores, self.store_id[used]).astype(np.int32),
            household=self.member[used],
            week=week[used].astype(np.int32),
            type_of=types,
            stores=len(self.stores),
            weeks=weeks,
        )

    def store_baskets(self) -> StoreBaskets:
        """Return the baskets by store, at the level of articles, over the whole weeks that end with the period."""
        weeks = max(1, (self.following_day - self.first_day).days // 7)
        age = (self.following_day - date(2000, 1, 1)).days - 1 - self.day
        week = weeks - 1 - age // 7
        lines = (week >= 0)[self.basket]
        used, baskets = np.unique(self.basket[lines], return_inverse=True)
        pairs, first = np.unique(
            baskets.astype(np.int64) * max(1, len(self.articles)) + self.article[lines], return_inverse=True
        )
        values = np.bincount(first, weights=self.value[lines], minlength=len(pairs))
        return StoreBaskets(
            stores=tuple(map(str, self.stores)),
            items=tuple(article.sku for article in self.articles),
            households=len(self.members),
            basket=(pairs // max(1, len(self.articles))).astype(np.int32),
            item=(pairs % max(1, len(self.articles))).astype(np.int32),
            value=np.rint(values * 100).astype(np.int64),
            store=np.searchsorted(self.stores, self.store_id[used]).astype(np.int32),
            household=self.member[used],
            week=week[used].astype(np.int32),
            type_of=_codes([article.type for article in self.articles]),
            category_of=_codes([article.category for article in self.articles]),
            weeks=weeks,
        )


def read_sold_lines(
    session: Session, *, first_day: date, following_day: date, heard_before: date | None = None
) -> SoldLines:
    """
    Return what was sold on the business days from `first_day` to before `following_day`.

    What came back or was voided later counts too, unless `heard_before` ends what has been heard of: then nothing
    of that day and later changes what was sold.
    """
    driver = driver_of(session)
    heard = heard_before or date.max
    driver.execute(_SALES, (first_day, following_day, heard))
    driver.execute("analyze mined_sale")
    driver.execute(_MEMBERS)
    members = driver.execute("select member_id from mined_member order by number").fetchall()
    baskets = read_columns(driver, _BASKETS, (("store_id", "i4"), ("member", "i4"), ("day", "i4")))
    lines = _LINES.format(
        first=first_day.isoformat(), following=following_day.isoformat(), heard=heard.isoformat()
    )
    sold = read_columns(driver, lines, (("basket", "i4"), ("article", "i4"), ("value", "i8")))
    # Asked last: each statement sees what was committed before it, so every article of the lines is known.
    articles = tuple(ArticleKinds(*row) for row in driver.execute(_ARTICLES).fetchall())
    driver.execute("drop table mined_member, mined_sale")
    place = np.full(max((article.article_id for article in articles), default=0) + 1, -1, np.int32)
    place[[article.article_id for article in articles]] = np.arange(len(articles))
    article = place[sold["article"]]
    merchandise = np.array([kinds.merchandise for kinds in articles] or [False])
    kept = merchandise[article]
    return SoldLines(
        basket=sold["basket"][kept],
        article=article[kept],
        value=sold["value"][kept],
        store_id=baskets["store_id"],
        member=baskets["member"],
        day=baskets["day"],
        members=tuple(row[0] for row in members),
        articles=articles,
        first_day=first_day,
        following_day=following_day,
    )


def weeks_before(following_day: date, weeks: int) -> date:
    """Return the first day of the `weeks` that end before `following_day`."""
    return following_day - timedelta(weeks=weeks)


def _codes(labels: Sequence[str | None]) -> Int32s:
    code_of = {
        label: code for code, label in enumerate(sorted({label for label in labels if label is not None}))
    }
    return np.array([-1 if label is None else code_of[label] for label in labels], np.int32)

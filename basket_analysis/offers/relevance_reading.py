"""Purchases of known members out of the database, as far as they had happened before a day, some members at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from basket_analysis.baskets import Int32s, Int64s
from basket_analysis.offers.relevance_purchases import FEWEST_BUYERS, Purchases, RankedLevel
from basket_analysis.reading import ArticleKinds
from core.binary_copy import read_columns
from core.driver import driver_of

HISTORY_WEEKS = 104
"""How far back purchases are looked at one by one: two years, so that each season is seen once before."""

SAMPLE = 4_096
"""Of more members than this a sample is learnt from; who is in it is decided by their codes."""

AT_ONCE = 5_000
"""So many members' purchases are in memory at once."""

EPOCH = date(2000, 1, 1)

_MEMBERS = """
    create temporary table ranked_member on commit {ending} as
    select member_id, member_code, (row_number() over (order by member_code collate "C") - 1)::integer as number,
           row_number() over (order by md5(member_code), member_code) <= %s as sampled
    from member
    where profiling_objected_at is null
      and exists (
        select from receipt
        where receipt.member_id = member.member_id and receipt.mode = 'live' and receipt.business_date < %s
      )
"""

_SALES = """
    create temporary table ranked_sale on commit {ending} as
    select (row_number() over (order by business_date, closed_at, receipt_id) - 1)::integer as basket,
           business_date, receipt_id, store_id, member.number as member, member.sampled
    from receipt
    join ranked_member as member using (member_id)
    where receipt.type = 'sale' and receipt.mode = 'live'
      and receipt.business_date >= %(first)s and receipt.business_date < %(as_of)s
      and not exists (
        select from receipt_link as link
        where link.original_receipt_id = receipt.receipt_id and link.type = 'void'
          and link.business_date < %(as_of)s
      )
"""

# What was bought at any time, voided sales apart: what came back is known to the member all the same.
_KNOWN = """
    create temporary table ranked_pair on commit {ending} as
    select member, sampled, article_id from ranked_sale
    join receipt_line as line using (business_date, receipt_id)
    where line.article_id is not null and line.quantity > 0
      and line.business_date >= '{first}' and line.business_date < '{as_of}'
    union
    select member.number, member.sampled, line.article_id
    from receipt
    join ranked_member as member using (member_id)
    join receipt_line as line using (business_date, receipt_id)
    where receipt.type = 'sale' and receipt.mode = 'live' and receipt.business_date < '{first}'
      and line.business_date < '{first}' and line.article_id is not null and line.quantity > 0
      and not exists (
        select from receipt_link as link
        where link.original_receipt_id = receipt.receipt_id and link.type = 'void'
          and link.business_date < '{as_of}'
      )
"""

_LINES = """
    copy (
      with returned as (
        select link.original_receipt_id as receipt_id, line.original_line_number as line_number,
               sum(line.counted_quantity) as quantity
        from receipt_link as link
        join receipt_line as line using (business_date, receipt_id)
        where link.type = 'return' and link.original_receipt_id is not null and link.business_date < '{as_of}'
          and not exists (
            select from receipt_link as undone
            where undone.original_receipt_id = link.receipt_id and undone.type = 'void'
              and undone.business_date < '{as_of}'
          )
        group by 1, 2
      )
      select sale.member, sale.basket, sale.business_date - date '2000-01-01', sale.store_id, line.article_id,
             (line.quantity - coalesce(returned.quantity, 0))::real, line.total_amount::real,
             line.discount_amount::real
      from ranked_sale as sale
      join receipt_line as line using (business_date, receipt_id)
      left join returned using (receipt_id, line_number)
      where line.article_id is not null and line.quantity > coalesce(returned.quantity, 0)
        and line.business_date >= '{first}' and line.business_date < '{as_of}' and {whose}
      order by sale.basket, line.line_number
    ) to stdout (format binary)
"""
_LINE = (
    ("member", "i4"), ("basket", "i4"), ("day", "i4"), ("store", "i4"), ("article", "i4"), ("quantity", "f4"),
    ("value", "f4"), ("reduction", "f4"),
)  # fmt: skip

_PAIRS = "copy (select member, article_id from ranked_pair where {whose}) to stdout (format binary)"

_ARTICLES = """
    select article_id, sku, department, category, type, brand, buyers
    from article
    join (select article_id, count(*) as buyers from ranked_pair group by article_id) as sold using (article_id)
    order by sku collate "C"
"""

_TYPES = """
    select type, count(distinct member) from ranked_pair join article using (article_id)
    where type is not null and article_id = any(%s)
    group by type
"""


@dataclass(frozen=True)
class Bought:
    """
    What was bought before a day, ready to be read some members at a time within the session's transaction.

    Where it is held (see `bought_before`) later transactions of the same connection can read it as well: `within`.

    `members` and `codes` are numbered by code, `articles` by sku; articles are merchandise that members bought.
    `buyers` are the members who ever bought each article, `type_buyers` each type.
    """

    session: Session
    as_of: date
    members: tuple[UUID, ...]
    codes: tuple[str, ...]
    articles: tuple[ArticleKinds, ...]
    buyers: Int64s
    types: tuple[str, ...]
    type_buyers: Int64s

    def rankable(self, level: RankedLevel) -> Int64s:
        """Return the numbers of the articles or types that enough members bought."""
        buyers = self.type_buyers if level == "type" else self.buyers
        return np.flatnonzero(buyers >= FEWEST_BUYERS)

    def sample(self) -> tuple[Int32s, Purchases]:
        """Return who is learnt from, and what they bought; their numbers in the purchases are places in the former."""
        driver = driver_of(self.session)
        rows = driver.execute("select number from ranked_member where sampled order by number").fetchall()
        numbers = np.array([row[0] for row in rows], np.int32)
        return numbers, self._read("sampled", numbers)

    def within(self, session: Session) -> "Bought":
        """Return the same, to be read in the transaction of `session`."""
        return replace(self, session=session)

    def turns(self) -> Iterator[Int32s]:
        """Yield the numbers of all members, some at a time."""
        for first in range(0, len(self.members), AT_ONCE):
            yield np.arange(first, min(first + AT_ONCE, len(self.members)), dtype=np.int32)

    def of(self, numbers: Int32s) -> Purchases:
        """Return what the members of a turn bought."""
        return self._read(f"member between {numbers[0]} and {numbers[-1]}", numbers)

    def parts(self) -> Iterator[tuple[Int32s, Purchases]]:
        """Yield all members in turns, with what they bought."""
        for numbers in self.turns():
            yield numbers, self.of(numbers)

    def _read(self, whose: str, numbers: Int32s) -> Purchases:
        driver = driver_of(self.session)
        days = _days(self.as_of)
        sold = read_columns(driver, _LINES.format(whose=whose, **days), _LINE)
        known = read_columns(driver, _PAIRS.format(whose=whose), (("member", "i4"), ("article", "i4")))
        number = self._numbers
        lines, pairs = (
            np.flatnonzero(number[_within(ids, number)] >= 0) for ids in (sold["article"], known["article"])
        )
        types = {label: code for code, label in enumerate(self.types)}
        return Purchases(
            member=np.searchsorted(numbers, sold["member"][lines]).astype(np.int32),
            basket=sold["basket"][lines],
            day=sold["day"][lines],
            store=sold["store"][lines],
            article=number[sold["article"][lines]],
            quantity=sold["quantity"][lines],
            value=sold["value"][lines],
            reduction=sold["reduction"][lines],
            known_member=np.searchsorted(numbers, known["member"][pairs]).astype(np.int32),
            known_article=number[known["article"][pairs]],
            members=len(numbers),
            articles=len(self.articles),
            types=len(self.types),
            as_of=(self.as_of - EPOCH).days,
            type_of=np.array([types.get(kinds.type or "", -1) for kinds in self.articles], np.int32),
            category_of=_codes([kinds.category for kinds in self.articles]),
            department_of=_codes([kinds.department for kinds in self.articles]),
            make_of=_codes([f"{kinds.type}|{kinds.brand}" for kinds in self.articles]),
        )

    @property
    def _numbers(self) -> Int32s:
        """The number of each article by its id, -1 for what is not ranked; the last place stands for unknown ids."""
        numbers = np.full(max((kinds.article_id for kinds in self.articles), default=0) + 2, -1, np.int32)
        numbers[[kinds.article_id for kinds in self.articles]] = np.arange(len(self.articles))
        return numbers


def bought_before(session: Session, as_of: date, *, sample: int = SAMPLE, held: bool = False) -> Bought:
    """
    Return what members bought before `as_of`; nothing that was booked for later days is looked at.

    With `held`, the connection keeps who bought when until `let_go`, beyond the transaction.

    Members are those with any receipt before `as_of` who do not object to profiling. What was bought before the
    last two years is only known as bought.
    """
    driver = driver_of(session)
    days = _days(as_of)
    ending = "preserve rows" if held else "drop"
    let_go(session)
    driver.execute(_MEMBERS.format(ending=ending), (sample, as_of))
    driver.execute("analyze ranked_member")
    driver.execute(_SALES.format(ending=ending), days)
    driver.execute("analyze ranked_sale")
    driver.execute(_KNOWN.format(ending=ending, **days))
    driver.execute("analyze ranked_pair")
    members = driver.execute("select member_id, member_code from ranked_member order by number").fetchall()
    rows = [(ArticleKinds(*row[:6]), row[6]) for row in driver.execute(_ARTICLES).fetchall()]
    sold = [(kinds, buyers) for kinds, buyers in rows if kinds.merchandise]
    types = sorted(driver.execute(_TYPES, ([kinds.article_id for kinds, _ in sold],)).fetchall())
    return Bought(
        session=session,
        as_of=as_of,
        members=tuple(row[0] for row in members),
        codes=tuple(row[1] for row in members),
        articles=tuple(kinds for kinds, _ in sold),
        buyers=np.array([buyers for _, buyers in sold], np.int64),
        types=tuple(row[0] for row in types),
        type_buyers=np.array([row[1] for row in types], np.int64),
    )


def let_go(session: Session) -> None:
    """Forget what the connection held."""
    driver_of(session).execute(
        "drop table if exists pg_temp.ranked_member, pg_temp.ranked_sale, pg_temp.ranked_pair"
    )


def _days(as_of: date) -> dict[str, str]:
    return {"first": (as_of - timedelta(weeks=HISTORY_WEEKS)).isoformat(), "as_of": as_of.isoformat()}


def _within(ids: Int32s, number: Int32s) -> NDArray[np.int32]:
    """Return `ids` with those that have no number at the place that stands for none."""
    return np.minimum(ids, len(number) - 1)


def _codes(labels: list[str | None]) -> Int32s:
    code_of = {
        label: code for code, label in enumerate(sorted({label for label in labels if label is not None}))
    }
    return np.array([-1 if label is None else code_of[label] for label in labels], np.int32)

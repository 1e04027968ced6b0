"""
Pair counts kept by business day, so that a night counts only what is new.

A day's counts are those of its baskets as they stood when it was counted, and its fingerprint says what they stood on:
how many receipts came, which returns and voids name them, how many belong to companies, how many lines were of
articles nobody knew. A day whose fingerprint is another one now is counted anew, and so is each day that sold an
article which is filed elsewhere since. Nothing has to tell us of changes, so none can be missed by a forgotten call.

The counts of the window are the sum of its days': yesterday's, less the days that left or changed, and the new ones.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

import numpy as np
from sqlalchemy.orm import Session

from basket_analysis.baskets import BasketTable
from basket_analysis.mining.level_counts import Changes, Int64s, LevelCounter, Standing
from basket_analysis.mining.pair_counts import PairCounts, pair_counts
from basket_analysis.mining.tallies import Tally
from basket_analysis.reading import Level, SoldLines
from core.driver import driver_of

_LOCK = "select pg_advisory_xact_lock(hashtextextended('regulars counted days', 0))"

# The links name the day of the sale; a void of a return names that of the return, whose link names the sale's.
_FINGERPRINTS = """
    with link as (
        select receipt_id, type, original_receipt_id, original_business_date as day
        from receipt_link where original_receipt_id is not null
    ), links as (
        select day, count(*) as number, bit_xor(hashtextextended(receipt_id::text, 0)) as mark
        from (
            select day, receipt_id from link
            union all
            select back.day, undone.receipt_id
            from link as undone join link as back on back.receipt_id = undone.original_receipt_id
            where undone.type = 'void'
        ) as named
        where day >= %(first)s and day < %(following)s
        group by day
    ), receipts as (
        select business_date as day, count(*) as number from receipt
        where business_date >= %(first)s and business_date < %(following)s group by business_date
    ), companies as (
        select receipt.business_date as day, count(*) as number
        from member join receipt on receipt.account_id = member.account_id and receipt.member_id = member.member_id
        where coalesce(member.company_name, member.company_id, member.vat_id) is not null
          and receipt.business_date >= %(first)s and receipt.business_date < %(following)s
        group by receipt.business_date
    ), unknown as (
        select business_date as day, count(*) as number from receipt_flag
        where code = 'unknown_article' and state = 'open'
          and business_date >= %(first)s and business_date < %(following)s
        group by business_date
    )
    select receipts.day, concat_ws(' ', receipts.number, coalesce(links.number, 0), coalesce(links.mark, 0),
           coalesce(companies.number, 0), coalesce(unknown.number, 0))
    from receipts left join links using (day) left join companies using (day) left join unknown using (day)
"""

_FILED_ELSEWHERE = """
    select article.article_id from article join counted_article as before using (article_id)
    where (article.department, article.category, article.type, article.brand)
       is distinct from (before.department, before.category, before.type, before.brand)
"""

_FILE = """
    insert into counted_article select article_id, department, category, type, brand from article
    on conflict (article_id) do update
    set department = excluded.department, category = excluded.category, type = excluded.type, brand = excluded.brand
    where (counted_article.department, counted_article.category, counted_article.type, counted_article.brand)
       is distinct from (excluded.department, excluded.category, excluded.type, excluded.brand)
"""


_SOLD_ON = "select distinct article_id from receipt_line where business_date = %s and article_id is not null"

_NOTE_DAY = """
    insert into counted_day (business_date, fingerprint, articles, counted_at) values (%s, %s, %s, %s)
    on conflict (business_date) do update
    set fingerprint = excluded.fingerprint, articles = excluded.articles, counted_at = excluded.counted_at
"""

_NAME = """
    insert into counted_item (level, name)
    select %s, name from unnest(%s::text[]) as new (name)
    where not exists (select from counted_item as known where known.level = %s and known.name = new.name)
"""


@dataclass(frozen=True)
class Counted:
    """
    The counts of the window at one level.

    Code c of `table` is called numbers[c] in `tally`, which holds all pairs of items in at least `least` baskets.
    """

    level: Level
    table: BasketTable
    numbers: Int64s
    tally: Tally
    least: int

    @cached_property
    def pairs(self) -> PairCounts:
        """All pairs of the items in at least `least` baskets."""
        return pair_counts(self.tally, self.numbers, self.least)


@dataclass(frozen=True, slots=True)
class Update:
    """What one update did: days counted, days taken away, and the levels counted wholly anew with the reason."""

    days_counted: int
    days_left: int
    recounted: Mapping[Level, str]
    windows: Mapping[Level, Counted]


def stand_of_days(session: Session, *, first_day: date, following_day: date) -> Standing:
    """
    Return how the days stand, and hold off whoever else would count until the transaction ends.

    What comes between this question and the reading of baskets is counted tonight and looks changed
    tomorrow, when its day is counted once more.
    """
    driver = driver_of(session)
    driver.execute(_LOCK)
    prints = driver.execute(_FINGERPRINTS, {"first": first_day, "following": following_day}).fetchall()
    refiled = frozenset(int(row[0]) for row in driver.execute(_FILED_ELSEWHERE).fetchall())
    driver.execute(_FILE)
    return Standing(first_day, following_day, {day: str(mark) for day, mark in prints}, refiled)


def update_counts(
    session: Session,
    sold: SoldLines,
    standing: Standing,
    *,
    levels: Mapping[Level, Callable[[int], int]],
    max_basket: int,
    now: datetime,
    full: bool = False,
) -> Update:
    """
    Bring the kept counts of `levels` up to `standing`, and return them.

    `sold` are the baskets of the same days, read after `standing` was asked. Each level says how many of so many
    baskets must hold an item for its pairs to be wanted. A level is counted wholly anew when `full` asks for it, when
    nothing was kept, when the cap is another one, when an item became frequent whose pairs were not kept, or when
    the sum disagrees with the baskets.
    """
    changes = _changes(session, standing)
    counted = frozenset(standing.fingerprints) if full else changes.dirty
    _note_days(session, standing, counted, now=now)
    windows: dict[Level, Counted] = {}
    recounted: dict[Level, str] = {}
    for level, least_of in levels.items():
        table = sold.basket_table(level, max_basket=max_basket)
        numbers = _numbers(session, sold, level, table)
        counter = LevelCounter(
            level,
            table,
            numbers=numbers,
            days=sold.basket_days(level),
            least=least_of(len(table)),
            max_basket=max_basket,
        )
        reason = "asked for" if full else counter.patch(session, standing, changes)
        if reason:
            counter.recount(session, standing, now=now)
            recounted[level] = reason
        windows[level] = Counted(level, table, numbers, counter.tally, counter.least)
    driver_of(session).execute("delete from counted_day where business_date = any(%s)", (list(changes.gone),))
    return Update(len(counted), len(changes.gone), recounted, windows)


def _changes(session: Session, standing: Standing) -> Changes:
    driver = driver_of(session)
    rows = driver.execute("select business_date, fingerprint from counted_day").fetchall()
    before: dict[date, str] = {row[0]: row[1] for row in rows}
    refiled = _days_that_sold(session, standing.refiled)
    dirty = frozenset(
        day for day, mark in standing.fingerprints.items() if before.get(day) != mark or day in refiled
    )
    gone = frozenset(before) - frozenset(standing.fingerprints)
    return Changes(dirty, dirty & frozenset(before), gone)


def _days_that_sold(session: Session, articles: frozenset[int]) -> set[date]:
    """Return the counted days that sold any of `articles`."""
    if not articles:
        return set()
    wanted = np.array(sorted(articles), np.int32)
    rows = driver_of(session).execute("select business_date, articles from counted_day").fetchall()
    return {day for day, packed in rows if np.isin(np.frombuffer(packed, "<i4"), wanted).any()}


def _note_days(session: Session, standing: Standing, days: frozenset[date], *, now: datetime) -> None:
    """Note how the days to be counted stand, and which articles they sold, merchandise or not."""
    driver = driver_of(session)
    for day in sorted(days):
        rows = driver.execute(_SOLD_ON, (day,)).fetchall()
        articles = np.array(sorted(row[0] for row in rows), "<i4").tobytes()
        driver.execute(_NOTE_DAY, (day, standing.fingerprints[day], articles, now))


def _numbers(session: Session, sold: SoldLines, level: Level, table: BasketTable) -> Int64s:
    """Return the number of each code of `table` in tallies: an article's id, else one that is kept for its name."""
    if level == "article":
        ids = {article.sku: article.article_id for article in sold.articles}
    else:
        driver = driver_of(session)
        driver.execute(_NAME, (level, list(table.items), level))
        rows = driver.execute(
            "select name, item_number from counted_item where level = %s", (level,)
        ).fetchall()
        ids = {str(name): int(number) for name, number in rows}
    return np.array([ids[name] for name in table.items], np.int64)

"""Reads what came of a run: who of those with a copy bought what stood on which page, and who got no copy."""

from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalogs.models import CatalogRun
from catalogs.personal_vouchers import voucher_states
from catalogs.runs.leaving_copies import HELD_BACK
from catalogs.runs.operations import NoSuchRun
from catalogs.runs.results import (
    FEWEST,
    PERSONAL,
    Effect,
    PageResult,
    Results,
    Shown,
    cells_of,
    effect_of,
    items_of,
    told,
)
from core.driver import driver_of

# What accounts of a run's audience bought within its period, by article.
_BOUGHT: Final = """
    bought as materialized (
        select member.member_id, line.article_id,
               sum(line.total_amount) filter (where receipt.currency = %(currency)s)::bigint as minor
        from catalog_recipient as recipient
        join member using (member_id)
        join receipt on receipt.account_id = member.account_id
          and receipt.business_date >= %(first)s and receipt.business_date < %(following)s
          and receipt.type = 'sale' and receipt.mode = 'live'
        join receipt_line as line on line.business_date = receipt.business_date
          and line.receipt_id = receipt.receipt_id
          and line.business_date >= %(first)s and line.business_date < %(following)s
          and line.article_id is not null and line.quantity > 0
        where recipient.catalog_run_id = %(run)s
        group by member.member_id, line.article_id
    )
"""

# Of each channel only those copies are looked at that have left; the other channel's readers got nothing yet.
_LEFT: Final = f"copy.channel = any(%(channels)s) and copy.state = 'sent' and not {HELD_BACK.replace('catalog_copy', 'copy')}"

# One statement, so that purchases are read once. Whoever was to get a copy but was left out counts with those who got
# one: only chance tells the two sides apart.
_RESULTS: Final = f"""
    with {_BOUGHT},
    shown as (
        select copy.copy_id, copy.member_id,
               case when item ->> 'why' = 'group' then (item ->> 'page')::integer else {PERSONAL} end as page,
               coalesce((item ->> 'place')::integer, 0) as place, (item ->> 'article_id')::integer as article_id
        from catalog_copy as copy
        join edition using (edition_id)
        cross join lateral jsonb_array_elements(copy.picks) as item
        where edition.catalog_run_id = %(run)s and {_LEFT}
          and (%(edition)s::uuid is null or edition.edition_id = %(edition)s)
    ), met as (
        select shown.copy_id, shown.page, shown.place, shown.article_id, bought.member_id is not null as hit,
               coalesce(bought.minor, 0) as minor
        from shown left join bought using (member_id, article_id)
    ), pages as materialized (
        select distinct edition_id, (item ->> 'article_id')::integer as article_id
        from catalog_copy as copy
        join edition using (edition_id)
        cross join lateral jsonb_array_elements(copy.picks) as item
        where edition.catalog_run_id = %(run)s and item ->> 'why' = 'group'
    ), spent as (
        select member_id, sum(minor)::bigint as minor from bought group by member_id
    ), hits as (
        select distinct bought.member_id
        from bought
        join catalog_recipient as recipient
          on recipient.catalog_run_id = %(run)s and recipient.member_id = bought.member_id
        join pages on pages.edition_id = recipient.edition_id and pages.article_id = bought.article_id
    ), households as (
        select recipient.held_out, bool_or(hits.member_id is not null) as hit,
               max(coalesce(spent.minor, 0)) as minor
        from catalog_recipient as recipient
        join member using (member_id)
        left join hits using (member_id)
        left join spent using (member_id)
        left join catalog_copy as copy
          on copy.edition_id = recipient.edition_id and copy.member_id = recipient.member_id
        where recipient.catalog_run_id = %(run)s and recipient.channel = any(%(channels)s)
          and (%(edition)s::uuid is null or recipient.edition_id = %(edition)s)
          and (recipient.held_out or recipient.left_out is not null or copy.state = 'sent'
            or copy.state = 'dropped' and copy.dropped_why <> 'cancelled')
        -- A household shops together: what it bought counts once.
        group by member.account_id, recipient.held_out
    )
    select 'item', array[page, place, article_id], false, count(*), count(*) filter (where hit), sum(minor)::bigint
    from met group by page, place, article_id
    union all
    select 'page', array[page], false, count(*), count(*) filter (where hit), sum(minor)::bigint
    from (
        select page, bool_or(hit) as hit, sum(minor) as minor from met group by page, copy_id
    ) as of_copy
    group by page
    union all
    -- How many households of a side spent how much, and bought something shown or not.
    select case when held_out then 'held out' else 'wanted' end, array[]::integer[], hit, count(*), 0, minor
    from households group by held_out, hit, minor
    order by 1, 2
"""

_CHANNELS: Final = f"""
    select copy.channel, count(*)
    from catalog_copy as copy
    join edition using (edition_id)
    where catalog_run_id = %(run)s and copy.state = 'sent' and not {HELD_BACK.replace("catalog_copy", "copy")}
      and (%(edition)s::uuid is null or edition.edition_id = %(edition)s)
    group by copy.channel order by copy.channel desc
"""

_CURRENCY: Final = """
    select store.currency from catalog_recipient join store using (store_id)
    where catalog_run_id = %s group by 1 order by count(*) desc, 1 limit 1
"""


def results_of_run(
    session: Session,
    *,
    run_id: UUID,
    edition_id: UUID | None = None,
    channel: str | None = None,
    today: date | None = None,
) -> Results:
    """
    Return what came of the copies of a run that were sent, within its period as far as it is known.

    Those that left by `channel`, or by any: whoever is to get a copy by a way by which none has left yet, or was held
    out of it, counts on neither side.
    Money is counted in the currency that most of its audience pays in. Nothing is said about fewer than ten
    people. Raises `NoSuchRun`.
    """
    run = session.scalar(select(CatalogRun).where(CatalogRun.catalog_run_id == run_id))
    if run is None:
        raise NoSuchRun("there is no such catalog run")
    driver = driver_of(session)
    row = driver.execute(_CURRENCY, (run_id,)).fetchone()
    currency = row[0] if row else ""
    values: dict[str, Any] = {
        "run": run_id,
        "edition": edition_id,
        "first": run.valid_from,
        "following": run.valid_to,
        "currency": currency,
    }
    sent: dict[str, int] = dict(driver.execute(_CHANNELS, values).fetchall())
    counted = [one for one in sent if channel in {None, one}]
    values["channels"] = counted
    shown: list[Shown] = []
    pages: list[PageResult] = []
    sides: dict[str, list[tuple[bool, int]]] = {"wanted": [], "held out": []}
    for part, place, hit, count, buyers, minor in driver.execute(_RESULTS, values):
        if part == "item":
            page, at, article_id = place
            shown.append(Shown(page, at, article_id, count, buyers, minor))
        elif part == "page" and count >= FEWEST:
            pages.append(PageResult(place[0], count, *told(count, buyers, minor)))
        elif part in sides:
            sides[part].extend([(hit, minor)] * count)
    effect: Effect = effect_of(sides["wanted"], sides["held out"], currency=currency)
    return Results(
        sent=sum(sent[one] for one in counted),
        channels=tuple(sent),
        held_out=len(sides["held out"]),
        over=today is not None and today >= run.valid_to,
        currency=currency,
        pages=tuple(pages),
        cells=cells_of(shown),
        items=items_of(shown),
        effect=effect,
        vouchers=voucher_states(session, catalog_run_id=run_id),
    )


_OF_COPY: Final = """
    select (item ->> 'page')::integer, (item ->> 'place')::integer, article.article_id, article.name,
           item ->> 'why',
           exists (
               select from receipt join receipt_line as line using (business_date, receipt_id)
               where receipt.account_id = member.account_id and receipt.type = 'sale' and receipt.mode = 'live'
                 and receipt.business_date >= edition.valid_from and receipt.business_date < edition.valid_to
                 and line.business_date >= edition.valid_from and line.business_date < edition.valid_to
                 and line.article_id = article.article_id and line.quantity > 0
           )
    from catalog_copy as copy
    join edition using (edition_id)
    join member using (member_id)
    cross join lateral jsonb_array_elements(copy.picks) as item
    join article on article.article_id = (item ->> 'article_id')::integer
    where copy.copy_code = %s
    order by 1, 2
"""


def bought_from_copy(
    session: Session, *, copy_code: str
) -> list[tuple[int, int | None, int, str, str, bool]]:
    """Return what a copy showed (page, place, article, name, why) and whether its reader bought it in the period."""
    return list(driver_of(session).execute(_OF_COPY, (copy_code,)).fetchall())

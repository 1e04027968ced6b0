"""What is known of members' visits, money, answers and company out of the database, as arrays."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from basket_analysis.baskets import Int32s
from basket_analysis.standings.phases import Codes, Visits
from basket_analysis.standings.value_classes import Money, Told
from core.binary_copy import read_columns
from core.driver import driver_of
from customers.models import PHASES, VALUE_CLASSES

COSTS_KNOWN = 0.9
"""Where the cost of so much of the revenue is known, value is margin; else it is revenue."""

_MEMBERS = """
    create temporary table judged_member on commit drop as
    select member_id, account_id, joined_on, (row_number() over (order by member_code) - 1)::integer as number
    from member
    where profiling_objected_at is null and coalesce(company_name, company_id, vat_id) is null
      and (joined_on <= %(day)s
           or member_id in (select member_id from receipt where business_date <= %(day)s and member_id is not null))
"""

_VISITS = """
    copy (
      select member.number, receipt.business_date - date '{first}',
             array_position('{{{currencies}}}'::text[], receipt.currency),
             count(*) filter (where receipt.type = 'sale')::integer,
             sum(case receipt.type when 'sale' then payable_amount else -payable_amount end)::bigint
      from receipt join judged_member as member using (member_id)
      where receipt.business_date >= '{first}' and receipt.business_date <= '{day}'
        and receipt.mode = 'live' and receipt.type in ('sale', 'return')
        and not exists (
          select from receipt_link as link
          where link.original_receipt_id = receipt.receipt_id and link.type = 'void'
        )
      group by 1, 2, 3
      order by 1, 2, 3
    ) to stdout (format binary)
"""

_FACTS = """
    copy (
      select member.joined_on - date '{first}',
             ((one.email is not null)::integer + (one.phone is not null)::integer
               + (one.birth_date is not null)::integer + (one.home_store_code is not null)::integer),
             coalesce(consents.granted, 0)::integer, coalesce(answers.given, 0)::integer,
             coalesce(redemptions.made, 0)::integer,
             coalesce(household.members, 1)::integer - 1,
             coalesce(array_position('{{{phases}}}'::text[], was.phase), 0),
             coalesce(array_position('{{{classes}}}'::text[], was.value_class), 0),
             coalesce(was.phase_since - date '{first}', 0),
             coalesce(was.value_since - date '{first}', 0),
             coalesce(was.last_visit - date '{first}', -1)
      from judged_member as member
      join member as one using (member_id)
      left join (
        select member_id, count(*) filter (where granted) as granted from (
          select distinct on (member_id, purpose, channel) member_id, granted from consent
          order by member_id, purpose, channel, recorded_at desc, consent_id desc
        ) as newest group by member_id
      ) as consents using (member_id)
      left join (
        select member_id, count(*) as given from reaction
        where recorded_at >= timestamptz '{day} 12:00+00' - interval '365 days' group by member_id
      ) as answers using (member_id)
      left join (
        select member_id, count(*) as made from receipt
        where business_date > date '{day}' - 365 and business_date <= '{day}' and type = 'sale' and mode = 'live'
          and (redemption_ids <> '[]'::jsonb or voucher_codes <> '[]'::jsonb)
        group by member_id
      ) as redemptions using (member_id)
      left join (
        select account_id, count(*) as members from judged_member group by account_id
      ) as household on household.account_id = member.account_id
      left join member_standing as was
        on was.member_id = member.member_id and was.run_id = (select run_id from served_run)
      order by member.number
    ) to stdout (format binary)
"""

_MARGINS = """
    copy (
      select member.number, sum(line.total_amount)::double precision,
             sum(line.total_amount) filter (where article.cost is not null)::double precision,
             sum(article.cost * line.quantity)::double precision
      from judged_member as member
      join receipt using (member_id)
      join receipt_line as line using (business_date, receipt_id)
      left join article using (article_id)
      where receipt.business_date > date '{day}' - 365 and receipt.business_date <= '{day}'
        and line.business_date > date '{day}' - 365 and line.business_date <= '{day}'
        and receipt.type = 'sale' and receipt.mode = 'live'
      group by 1
      having sum(line.total_amount) filter (where article.cost is not null) > 0
      order by 1
    ) to stdout (format binary)
"""


@dataclass(frozen=True, slots=True)
class Before:
    """What the served run said of each member: index into PHASES and VALUE_CLASSES (-1: nothing), and the days as indexes."""

    phase: Codes
    value_class: Codes
    phase_since: Int32s
    value_since: Int32s
    last_visit: Int32s


@dataclass(frozen=True)
class Past:
    """
    All that standings are judged by, for members in the order of their codes; day 0 is `first_day`.

    `currency` is the index into `currencies` of what most of a member's visits were paid in, -1 without a visit;
    `money` has rows of that currency only. `margin_share` is the share of what members paid that
    stays as margin, None where costs are not known.
    """

    first_day: date
    days: int
    visits: Visits
    visits_per_day: NDArray[np.int64]
    currencies: tuple[str, ...]
    currency: Int32s
    money: Money
    margin_share: NDArray[np.float64] | None
    told: Told
    household: Int32s
    before: Before
    codes: tuple[UUID, ...]


def read_past(session: Session, *, first_day: date, business_day: date) -> Past:
    """
    Return the past of every consumer who does not object to profiling, up to the end of a business day.

    Leaves the temporary table judged_member (member_id, number) to the transaction.
    """
    driver = driver_of(session)
    driver.execute(_MEMBERS, {"day": business_day})
    driver.execute("create index on judged_member (number); analyze judged_member")
    ids = tuple(
        row[0] for row in driver.execute("select member_id from judged_member order by number").fetchall()
    )
    currencies = tuple(
        row[0] for row in driver.execute("select distinct currency from store order by 1").fetchall()
    )
    places = {
        "first": first_day.isoformat(),
        "day": business_day.isoformat(),
        "currencies": ",".join(currencies),
        "phases": ",".join(PHASES),
        "classes": ",".join(VALUE_CLASSES),
    }
    columns = [("owner", "i4"), ("day", "i4"), ("currency", "i4"), ("sales", "i4"), ("amount", "i8")]
    rows = read_columns(driver, _VISITS.format(**places), columns)
    names = (
        "joined", "facts", "consents", "answers", "redemptions", "household", "phase", "value_class",
        "phase_since", "value_since", "last_visit",
    )  # fmt: skip
    facts = read_columns(driver, _FACTS.format(**places), [(name, "i4") for name in names])
    days = (business_day - first_day) // timedelta(days=1) + 1
    visits, currency = _visits(rows, facts["joined"], len(ids), days, len(currencies))
    own = rows["currency"] - 1 == currency[rows["owner"]]
    return Past(
        first_day=first_day,
        days=days,
        visits=visits,
        visits_per_day=np.bincount(visits.day, minlength=days).astype(np.int64),
        currencies=currencies,
        currency=currency,
        money=Money(rows["owner"][own], rows["day"][own], rows["amount"][own]),
        margin_share=_margins(session, places, len(ids)) if len(currencies) == 1 else None,
        told=Told(facts["facts"], facts["consents"], facts["answers"], facts["redemptions"]),
        household=facts["household"],
        before=Before(
            (facts["phase"] - 1).astype(np.int8),
            (facts["value_class"] - 1).astype(np.int8),
            facts["phase_since"],
            facts["value_since"],
            facts["last_visit"],
        ),
        codes=ids,
    )


def _visits(
    rows: dict[str, NDArray[Any]], joined: Int32s, members: int, days: int, currencies: int
) -> tuple[Visits, Int32s]:
    """Return the days with a purchase, and the currency that most of each member's were paid in."""
    bought = rows["sales"] > 0
    owner, day, paid = rows["owner"][bought], rows["day"][bought], rows["currency"][bought] - 1
    counts = np.bincount(
        owner.astype(np.int64) * max(1, currencies) + paid, minlength=members * max(1, currencies)
    )
    by_currency = counts.reshape(members, max(1, currencies))
    currency = np.where(by_currency.any(axis=1), by_currency.argmax(axis=1), -1).astype(np.int32)
    first = np.ones(len(owner), np.bool_)
    first[1:] = (owner[1:] != owner[:-1]) | (day[1:] != day[:-1])
    sizes = np.bincount(owner[first], minlength=members)
    began = np.where(joined < 0, -1, np.minimum(joined, days - 1)).astype(np.int32)
    return Visits(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), day[first], began), currency


def _margins(session: Session, places: dict[str, str], members: int) -> NDArray[np.float64] | None:
    """Return what stays of each member's payments; the chain's share for those whose goods' costs are not known."""
    driver = driver_of(session)
    if driver.execute("select exists (select from article where cost is not null)").fetchone() != (True,):
        return None
    columns = [("owner", "i4"), ("paid", "f8"), ("known", "f8"), ("cost", "f8")]
    rows = read_columns(driver, _MARGINS.format(**places), columns)
    if not len(rows["owner"]) or rows["known"].sum() < COSTS_KNOWN * rows["paid"].sum():
        return None
    shares = np.full(members, 1 - rows["cost"].sum() / rows["known"].sum())
    shares[rows["owner"]] = 1 - rows["cost"] / rows["known"]
    return shares

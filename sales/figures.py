"""What the tills took, in figures per week: sales, baskets, and how many of them were known by a card."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from sales.models import Receipt, ReceiptFlag, Store


@dataclass(frozen=True, slots=True)
class WeekOfSales:
    """
    One week from its Monday, in one currency.

    Amounts are what was charged less what was returned, in minor units; receipts
    voided or not live do not count.
    """

    monday: date
    baskets: int
    baskets_with_card: int
    amount: int
    amount_with_card: int


def sales_by_week(
    session: Session, *, since: date, until: date, currency: str, store_id: int | None = None
) -> list[WeekOfSales]:
    """Return the weeks of the half-open period that have receipts, oldest first; `store_id` None means all stores."""
    monday = func.date_trunc("week", Receipt.business_date).label("monday")
    sign = case((Receipt.type == "return", -1), else_=1)
    known = Receipt.account_id.is_not(None)
    sale = Receipt.type == "sale"
    statement = (
        select(
            monday,
            func.count().filter(sale),
            func.count().filter(sale, known),
            func.coalesce(func.sum(sign * Receipt.payable_amount), 0),
            func.coalesce(func.sum(sign * Receipt.payable_amount).filter(known), 0),
        )
        .where(
            Receipt.business_date >= since,
            Receipt.business_date < until,
            Receipt.mode == "live",
            Receipt.type.in_(("sale", "return")),
            Receipt.currency == currency,
        )
        .group_by(monday)
        .order_by(monday)
    )
    if store_id is not None:
        statement = statement.where(Receipt.store_id == store_id)
    return [
        WeekOfSales(start.date(), baskets, with_card, int(amount), int(amount_with_card))
        for start, baskets, with_card, amount, amount_with_card in session.execute(statement)
    ]


@dataclass(frozen=True, slots=True)
class StoreSales:
    """What one store took in a period, in minor units of its currency."""

    store_code: str
    name: str
    currency: str
    baskets: int
    baskets_with_card: int
    amount: int


def sales_by_store(
    session: Session, *, since: date, until: date, currency: str, limit: int = 10
) -> list[StoreSales]:
    """Return the stores selling in `currency` that took most in the half-open period."""
    amount = func.sum(case((Receipt.type == "return", -1), else_=1) * Receipt.payable_amount)
    statement = (
        select(
            Store.store_code,
            Store.name,
            Store.currency,
            func.count().filter(Receipt.type == "sale"),
            func.count().filter(Receipt.type == "sale", Receipt.account_id.is_not(None)),
            amount,
        )
        .join(Store, Store.store_id == Receipt.store_id)
        .where(
            Receipt.business_date >= since,
            Receipt.business_date < until,
            Receipt.mode == "live",
            Receipt.type.in_(("sale", "return")),
            Receipt.currency == Store.currency,
            Store.currency == currency,
        )
        .group_by(Store.store_id)
        .order_by(amount.desc(), Store.store_code)
        .limit(limit)
    )
    return [
        StoreSales(code, name, currency, baskets, with_card, int(taken))
        for code, name, currency, baskets, with_card, taken in session.execute(statement)
    ]


def latest_business_date(session: Session, *, store_id: int | None = None) -> date | None:
    """Return the newest day that has a receipt."""
    statement = select(func.max(Receipt.business_date))
    if store_id is not None:
        statement = statement.where(Receipt.store_id == store_id)
    return session.scalar(statement)


def open_flags(session: Session, *, store_id: int | None = None) -> dict[str, int]:
    """Return how many flags wait for a person, by code, the most frequent first."""
    statement = (
        select(ReceiptFlag.code, func.count())
        .where(ReceiptFlag.state == "open")
        .group_by(ReceiptFlag.code)
        .order_by(func.count().desc(), ReceiptFlag.code)
    )
    if store_id is not None:
        statement = statement.where(ReceiptFlag.store_id == store_id)
    return {row.code: row[1] for row in session.execute(statement)}

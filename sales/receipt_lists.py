"""Receipts as people look at them: lists, and one receipt with its lines and flags."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.keyset import Ask, Page, read_page
from sales.models import Article, Receipt, ReceiptFlag, ReceiptLine, Store, Till

RECEIPT_SORTS: Final = ("business_date", "payable_amount", "receipt_number")


class NoSuchReceipt(NotFound):
    """There is no such receipt, or it is another store's."""


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """One receipt of a list; amounts in minor units."""

    business_date: date
    receipt_id: UUID
    store_code: str
    store_name: str
    timezone: str
    till_code: str
    receipt_number: str
    type: str
    mode: str
    closed_at: datetime
    card_number: str | None
    member_id: UUID | None
    currency: str
    payable_amount: int
    flags: int


@dataclass(frozen=True, slots=True)
class LineView:
    """One line; `name` is the till's, or the article's where the till sent none."""

    line_number: int
    article_id: int | None
    sku: str | None
    name: str | None
    quantity: Decimal
    unit: str | None
    unit_price: int
    discount_amount: int
    total_amount: int
    tax_rate: Decimal | None
    points: int


@dataclass(frozen=True, slots=True)
class FlagView:
    """Something odd about a receipt."""

    flag_id: int
    code: str
    line_number: int | None
    detail: str
    state: str
    resolved_by: str | None


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """One receipt as a person reads it."""

    row: ReceiptRow
    received_at: datetime
    operator_code: str | None
    offline: bool
    gross_amount: int
    discount_amount: int
    points_amount: int
    rounding_amount: int
    tenders: tuple[tuple[str, int], ...]
    original: str | None
    original_date: date | None
    original_id: UUID | None
    lines: tuple[LineView, ...]
    flags: tuple[FlagView, ...]
    printed: tuple[str, ...]


def list_receipts(
    session: Session,
    ask: Ask,
    *,
    store_id: int | None = None,
    account_id: UUID | None = None,
    member_id: UUID | None = None,
    article_id: int | None = None,
) -> Page[ReceiptRow]:
    """
    Return a page of receipts of one store, one account or with one article, or of all.

    With `member_id` those of others who share the account are left out; what nobody was named on stays.

    Filters: type, mode, since and until (days, both included), card (yes, no). Words are
    a receipt number or a card number.
    """
    statement = _receipts()
    if store_id is not None:
        statement = statement.where(Receipt.store_id == store_id)
    if account_id is not None:
        statement = statement.where(Receipt.account_id == account_id)
    if member_id is not None:
        statement = statement.where(or_(Receipt.member_id == member_id, Receipt.member_id.is_(None)))
    if article_id is not None:
        with_article = select(ReceiptLine.receipt_id).where(
            ReceiptLine.business_date == Receipt.business_date,
            ReceiptLine.receipt_id == Receipt.receipt_id,
            ReceiptLine.article_id == article_id,
        )
        statement = statement.where(with_article.exists())
    statement = _narrowed(statement, ask)
    page = read_page(session, statement, ask=ask, sorts=RECEIPT_SORTS, key="receipt_id", filled=RECEIPT_SORTS)
    return Page(tuple(_receipt_row(row) for row in page.rows), page.following, page.previous)


def _narrowed(statement: Select[*tuple[Any, ...]], ask: Ask) -> Select[*tuple[Any, ...]]:
    for name, column in (("type", Receipt.type), ("mode", Receipt.mode)):
        if value := ask.filters.get(name):
            statement = statement.where(column == value)
    if day := _day(ask.filters.get("since")):
        statement = statement.where(Receipt.business_date >= day)
    if day := _day(ask.filters.get("until")):
        statement = statement.where(Receipt.business_date <= day)
    if known := ask.filters.get("card"):
        has_account = Receipt.account_id.is_not(None)
        statement = statement.where(has_account if known == "yes" else ~has_account)
    if ask.words:
        statement = statement.where(
            (Receipt.receipt_number == ask.words) | (Receipt.card_number == ask.words)
        )
    return statement


def read_receipt(
    session: Session, *, business_date: date, receipt_id: UUID, store_id: int | None = None
) -> ReceiptView:
    """Return one receipt whole; raises `NoSuchReceipt`, also for another store's when `store_id` is given."""
    where = (Receipt.business_date == business_date, Receipt.receipt_id == receipt_id)
    row = session.execute(_receipts().where(*where)).one_or_none()
    receipt = session.execute(select(Receipt).where(*where)).scalar_one_or_none()
    if row is None or receipt is None or store_id not in {None, receipt.store_id}:
        raise NoSuchReceipt("There is no such receipt")
    original = (
        f"{receipt.original_store_code}/{receipt.original_till_code}/{receipt.original_receipt_number}"
        if receipt.original_receipt_number
        else None
    )
    return ReceiptView(
        row=_receipt_row(row),
        received_at=receipt.received_at,
        operator_code=receipt.operator_code,
        offline=receipt.offline,
        gross_amount=receipt.gross_amount,
        discount_amount=receipt.discount_amount,
        points_amount=receipt.points_amount,
        rounding_amount=receipt.rounding_amount,
        tenders=tuple((str(one["type"]), int(one["amount"])) for one in receipt.tenders or ()),
        original=original,
        original_date=receipt.original_business_date,
        original_id=receipt.original_receipt_id,
        lines=read_lines(session, {(business_date, receipt_id)}).get(receipt_id, ()),
        flags=_flags(session, business_date, receipt_id),
        printed=tuple((receipt.answer or {}).get("print", ())),
    )


def own_receipts(
    session: Session, keys: Collection[tuple[date, UUID]], *, account_id: UUID, member_id: UUID
) -> set[UUID]:
    """Return which of some receipts are a member's own to read: theirs, or their account's without a name on them."""
    if not keys:
        return set()
    found = session.scalars(
        select(Receipt.receipt_id).where(
            tuple_(Receipt.business_date, Receipt.receipt_id).in_(list(keys)),
            or_(
                Receipt.member_id == member_id,
                Receipt.member_id.is_(None) & (Receipt.account_id == account_id),
            ),
        )
    )
    return set(found)


def read_lines(session: Session, keys: Collection[tuple[date, UUID]]) -> dict[UUID, tuple[LineView, ...]]:
    """Return the lines of some receipts, in their order."""
    if not keys:
        return {}
    rows = session.execute(
        _LINES.where(tuple_(ReceiptLine.business_date, ReceiptLine.receipt_id).in_(list(keys))).order_by(
            ReceiptLine.receipt_id, ReceiptLine.line_number
        )
    )
    found: dict[UUID, list[LineView]] = {}
    for receipt_id, *line in rows:
        found.setdefault(receipt_id, []).append(LineView(*line))
    return {receipt_id: tuple(lines) for receipt_id, lines in found.items()}


_LINES: Final = select(
    ReceiptLine.receipt_id,
    ReceiptLine.line_number,
    ReceiptLine.article_id,
    func.coalesce(ReceiptLine.sku, Article.sku),
    func.coalesce(ReceiptLine.name, Article.name),
    ReceiptLine.quantity,
    ReceiptLine.unit,
    ReceiptLine.unit_price,
    ReceiptLine.discount_amount,
    ReceiptLine.total_amount,
    ReceiptLine.tax_rate,
    ReceiptLine.points,
).outerjoin(Article, Article.article_id == ReceiptLine.article_id)


def _flags(session: Session, business_date: date, receipt_id: UUID) -> tuple[FlagView, ...]:
    statement = (
        select(
            ReceiptFlag.flag_id,
            ReceiptFlag.code,
            ReceiptFlag.line_number,
            ReceiptFlag.detail,
            ReceiptFlag.state,
            ReceiptFlag.resolved_by,
        )
        .where(ReceiptFlag.business_date == business_date, ReceiptFlag.receipt_id == receipt_id)
        .order_by(ReceiptFlag.flag_id)
    )
    return tuple(FlagView(*row) for row in session.execute(statement))


def _receipts() -> Select[*tuple[Any, ...]]:
    flags = (
        select(func.count())
        .where(
            ReceiptFlag.business_date == Receipt.business_date, ReceiptFlag.receipt_id == Receipt.receipt_id
        )
        .scalar_subquery()
    )
    return (
        select(
            Receipt.business_date,
            Receipt.receipt_id,
            Store.store_code,
            Store.name.label("store_name"),
            Store.timezone,
            Till.till_code,
            Receipt.receipt_number,
            Receipt.type,
            Receipt.mode,
            Receipt.closed_at,
            Receipt.card_number,
            Receipt.member_id,
            Receipt.currency,
            Receipt.payable_amount,
            flags.label("flags"),
        )
        .join(Store, Store.store_id == Receipt.store_id)
        .join(Till, Till.till_id == Receipt.till_id)
    )


def _receipt_row(row: Any) -> ReceiptRow:
    return ReceiptRow(*row[:15])


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None

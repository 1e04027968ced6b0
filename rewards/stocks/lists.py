"""Stocks of gifts and their movements, for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from core.i18n import called
from core.keyset import Ask, Page, read_page
from rewards.models import Reward, RewardStock, StockMovement
from rewards.stocks.operations import NoSuchStock
from sales.models import Store


@dataclass(frozen=True, slots=True)
class StockRow:
    """What a store has of a reward; `available` is what nobody holds."""

    reward_code: str
    names: Mapping[str, str]
    store_id: int
    store_code: str
    store_name: str
    points: int
    active: bool
    on_hand: int
    reserved: int
    low_at: int | None
    available: int

    @property
    def low(self) -> bool:
        """Whether so little can be had that the store wanted to be told."""
        return self.low_at is not None and self.available <= self.low_at

    def name(self, language: str) -> str:
        """Return what it is called in `language`, else in English, else its code."""
        return called(self.names, language, self.reward_code)

    def document(self) -> dict[str, Any]:
        """Return it as the offers format has it."""
        return {
            "reward_code": self.reward_code,
            "store_code": self.store_code,
            "on_hand": self.on_hand,
            "reserved": self.reserved,
            "available": self.available,
        }


@dataclass(frozen=True, slots=True)
class MovementRow:
    """A movement of a stock."""

    movement_id: int
    reward_code: str
    store_code: str
    kind: str
    on_hand: int
    reserved: int
    moved_at: datetime
    actor: str
    redemption_id: UUID | None
    business_date: date | None
    receipt_id: UUID | None
    offer_code: str | None
    note: str | None


def _stock() -> Select[*tuple[Any, ...]]:
    return (
        select(
            RewardStock.reward_code,
            Reward.name,
            RewardStock.store_id,
            Store.store_code,
            Store.name.label("store_name"),
            Reward.points,
            Reward.active,
            RewardStock.on_hand,
            RewardStock.reserved,
            RewardStock.low_at,
            (RewardStock.on_hand - RewardStock.reserved).label("available"),
        )
        .join_from(RewardStock, Reward, Reward.reward_code == RewardStock.reward_code)
        .join(Store, Store.store_id == RewardStock.store_id)
    )


def stock_rows(session: Session, *, store_id: int | None = None) -> list[StockRow]:
    """Return all stocks, or those of one store, by reward and store."""
    statement = _stock().order_by(RewardStock.reward_code, Store.store_code)
    if store_id is not None:
        statement = statement.where(RewardStock.store_id == store_id)
    return [StockRow(*row) for row in session.execute(statement)]


def stock_row(session: Session, *, reward_code: str, store_id: int) -> StockRow:
    """Return the stock of a reward in a store; raises `NoSuchStock`."""
    statement = _stock().where(RewardStock.reward_code == reward_code, RewardStock.store_id == store_id)
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NoSuchStock(f"this store keeps no stock of {reward_code!r}")
    return StockRow(*row)


def list_stock(session: Session, ask: Ask, *, store_id: int | None = None) -> Page[StockRow]:
    """Return a page of stocks; filter `low`: "1" for those that are low."""
    statement = _stock().add_columns(
        func.concat(RewardStock.reward_code, " ", Store.store_code).label("stock_key")
    )
    if store_id is not None:
        statement = statement.where(RewardStock.store_id == store_id)
    if ask.filters.get("low"):
        statement = statement.where(RewardStock.on_hand - RewardStock.reserved <= RewardStock.low_at)
    if ask.words:
        statement = statement.where(RewardStock.reward_code.icontains(ask.words, autoescape=True))
    page = read_page(
        session,
        statement,
        ask=ask,
        sorts=("reward_code", "store_code", "points", "on_hand", "reserved", "available"),
        key="stock_key",
    )
    return Page(tuple(StockRow(*row[:11]) for row in page.rows), page.following, page.previous, page.total)


def low_stock(session: Session, *, store_id: int | None = None) -> list[StockRow]:
    """Return the stocks of rewards to be had that are low, the emptiest first."""
    return sorted(
        (row for row in stock_rows(session, store_id=store_id) if row.low and row.active),
        key=lambda row: (row.available, row.reward_code, row.store_code),
    )


def list_movements(session: Session, ask: Ask, *, reward_code: str, store_id: int) -> Page[MovementRow]:
    """Return a page of the movements of a reward in a store; filter `kind`."""
    statement = (
        select(
            StockMovement.movement_id,
            StockMovement.reward_code,
            Store.store_code,
            StockMovement.kind,
            StockMovement.on_hand,
            StockMovement.reserved,
            StockMovement.moved_at,
            StockMovement.actor,
            StockMovement.redemption_id,
            StockMovement.business_date,
            StockMovement.receipt_id,
            StockMovement.offer_code,
            StockMovement.note,
        )
        .join_from(StockMovement, Store, Store.store_id == StockMovement.store_id)
        .where(StockMovement.reward_code == reward_code, StockMovement.store_id == store_id)
    )
    if ask.filters.get("kind"):
        statement = statement.where(StockMovement.kind == ask.filters["kind"])
    page = read_page(
        session, statement, ask=ask, sorts=("movement_id",), key="movement_id", filled=("movement_id",)
    )
    return Page(tuple(MovementRow(*row[:13]) for row in page.rows), page.following, page.previous, page.total)

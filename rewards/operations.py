"""Writes about rewards: the last piece goes to exactly one person."""

from sqlalchemy.orm import Session

from core.driver import driver_of
from core.errors import Conflict


class OutOfStock(Conflict):
    """No piece of the reward is left in the store."""


def take_piece(session: Session, *, reward_code: str, store_id: int) -> None:
    """
    Take one piece of a reward from a store's stock; raises `OutOfStock`.

    A reward without a stock record in any store is no physical thing and never runs out.
    """
    row = (
        driver_of(session)
        .execute(
            """
            with taken as (
                update reward_stock set on_hand = on_hand - 1
                where reward_code = %(code)s and store_id = %(store_id)s and on_hand > 0
                returning 1
            )
            select exists (select from taken), exists (select from reward_stock where reward_code = %(code)s)
            """,
            {"code": reward_code, "store_id": store_id},
        )
        .fetchone()
    )
    assert row is not None
    taken, physical = row
    if physical and not taken:
        raise OutOfStock(f"no {reward_code} is left in this store")


def put_piece_back(session: Session, *, reward_code: str, store_id: int) -> None:
    """Put a piece back that was taken for somebody who does not get it."""
    driver_of(session).execute(
        "update reward_stock set on_hand = on_hand + 1 where reward_code = %s and store_id = %s",
        (reward_code, store_id),
    )

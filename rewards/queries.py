"""Reads about rewards."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.driver import driver_of
from core.errors import NotFound


class RewardNotFound(NotFound):
    """There is no such reward to be had now."""


@dataclass(frozen=True, slots=True)
class AffordableReward:
    """A reward that some points buy, by its name in one language."""

    reward_code: str
    name: str
    points: int


_AFFORDABLE = """
    select reward.reward_code, coalesce(reward.name ->> %(language)s, reward.name ->> 'en', reward.reward_code),
           reward.points
    from reward
    where reward.active and reward.points <= %(points)s and (
        exists (select from reward_stock as stock
                where stock.reward_code = reward.reward_code and store_id = %(store_id)s and on_hand > 0)
        or not exists (select from reward_stock as stock where stock.reward_code = reward.reward_code))
    order by reward.points desc, reward.reward_code
"""


def affordable_rewards(
    session: Session, *, points: int, store_id: int, language: str
) -> tuple[AffordableReward, ...]:
    """
    Return what `points` buy in a store, the dearest first.

    A reward without a stock record in any store is no physical thing and never runs out.
    """
    if points <= 0:
        return ()
    values = {"points": points, "store_id": store_id, "language": language}
    rows = driver_of(session).execute(_AFFORDABLE, values, prepare=True).fetchall()
    return tuple(AffordableReward(*row) for row in rows)


def price_of_reward(session: Session, *, reward_code: str) -> int:
    """Return the points that an active reward costs; raises `RewardNotFound`."""
    row = (
        driver_of(session)
        .execute("select points from reward where reward_code = %s and active", (reward_code,))
        .fetchone()
    )
    if row is None:
        raise RewardNotFound(f"there is no reward {reward_code!r}")
    return int(row[0])

"""Reads about rewards."""

from collections.abc import Iterable, Mapping
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


IN_STORE = """
    select json_agg(json_build_array(reward.reward_code, reward.name, reward.points)
                    order by reward.points desc, reward.reward_code)
    from reward
    where reward.active and (
        exists (select from reward_stock as stock
                where stock.reward_code = reward.reward_code and store_id = %(store_id)s and on_hand > 0)
        or not exists (select from reward_stock as stock where stock.reward_code = reward.reward_code))
"""
"""
The rewards that can be had in a store, the dearest first, as one value that is a part of larger questions.

A reward without a stock record in any store is no physical thing and never runs out.
"""


def affordable_rewards(
    in_store: Iterable[tuple[str, Mapping[str, str], int]] | None, *, points: int, language: str
) -> tuple[AffordableReward, ...]:
    """Return what `points` buy of the rewards that `IN_STORE` found, in the same order."""
    return tuple(
        AffordableReward(code, names.get(language) or names.get("en") or code, price)
        for code, names, price in in_store or ()
        if price <= points
    )


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

"""Reads about rewards."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.driver import driver_of


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
    left join reward_stock as stock
      on stock.reward_code = reward.reward_code and stock.store_id = %(store_id)s
    where reward.active and reward.points <= %(points)s and coalesce(stock.on_hand, 1) > 0
    order by reward.points desc, reward.reward_code
"""


def affordable_rewards(
    session: Session, *, points: int, store_id: int, language: str
) -> tuple[AffordableReward, ...]:
    """
    Return what `points` buy in a store, the dearest first.

    A reward without a stock record is no physical thing and never runs out.
    """
    if points <= 0:
        return ()
    values = {"points": points, "store_id": store_id, "language": language}
    rows = driver_of(session).execute(_AFFORDABLE, values, prepare=True).fetchall()
    return tuple(AffordableReward(*row) for row in rows)

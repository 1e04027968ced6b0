"""Rewards that people make and change: what they are called and cost, and where they lie first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.audit import record_event
from core.errors import NotFound, Refused
from core.i18n import called
from rewards.document_reading import CODE
from rewards.models import Reward
from rewards.offer_decisions import hold_book, let_tills_see
from rewards.stocks.operations import Cause, deliver

MOST_POINTS: Final = 10**9
LONGEST_PICKUP: Final = 60


class NoSuchReward(NotFound):
    """There is no reward of this code, active or not."""


class BadReward(Refused):
    """What a reward is to be breaks a rule; `field` names which of its parts."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, slots=True)
class RewardKind:
    """A reward: its names by language, what it costs in points (0: offers alone give it), how long it lies aside."""

    reward_code: str
    names: Mapping[str, str]
    points: int
    active: bool = True
    pickup_days: int = 3

    def name(self, language: str) -> str:
        """Return what it is called in `language`, else in English, else its code."""
        return called(self.names, language, self.reward_code)


def reward_kinds(session: Session) -> list[RewardKind]:
    """Return all rewards, those that are not given any more too, by code."""
    rows = session.scalars(
        select(Reward).order_by(Reward.reward_code).execution_options(populate_existing=True)
    )
    return [_kind(row) for row in rows]


def reward_kind(session: Session, reward_code: str) -> RewardKind:
    """Return one; raises `NoSuchReward`."""
    row = session.get(Reward, reward_code, populate_existing=True)
    if row is None:
        raise NoSuchReward(f"there is no reward {reward_code!r}")
    return _kind(row)


def put_reward(session: Session, kind: RewardKind, *, new: bool, actor: str, now: datetime) -> bool:
    """
    Let a reward be as `kind` says, from the next question of a till on; returns whether that changed anything.

    What is reserved keeps the points that it cost. A `new` one must not be there yet. Raises `BadReward`, `NoSuchReward`.
    """
    _check(kind)
    hold_book(session)
    row = session.get(Reward, kind.reward_code, populate_existing=True, with_for_update=True)
    if new and row is not None:
        raise BadReward("reward_code", "there is a reward of this code already")
    if not new and row is None:
        raise NoSuchReward(f"there is no reward {kind.reward_code!r}")
    before = None if row is None else _kind(row)
    if before == kind:
        return False
    values = {
        "name": dict(kind.names),
        "points": kind.points,
        "active": kind.active,
        "pickup_days": kind.pickup_days,
    }
    session.execute(
        insert(Reward)
        .values(reward_code=kind.reward_code, **values)
        .on_conflict_do_update(index_elements=[Reward.reward_code], set_=values)
    )
    if before is not None and before.names != kind.names:
        # The live offers are kept with what they call their gifts.
        let_tills_see(session, actor=actor, now=now)
    record_event(
        session,
        now=now,
        actor=actor,
        action="reward.create" if before is None else "reward.change",
        subject_kind="reward",
        subject_id=kind.reward_code,
        detail={"before": before and _detail(before), "after": _detail(kind)},
    )
    return True


def stock_first(
    session: Session, *, reward_code: str, pieces: Mapping[int, int], actor: str, now: datetime
) -> None:
    """Note what lies in the stores, by their ids, when a reward is new; raises `BadCount`."""
    for store_id, count in sorted(pieces.items()):
        if count:
            deliver(
                session, reward_code=reward_code, store_id=store_id, pieces=count, cause=Cause(now, actor)
            )


def _kind(row: Reward) -> RewardKind:
    return RewardKind(row.reward_code, dict(row.name), row.points, row.active, row.pickup_days)


def _detail(kind: RewardKind) -> dict[str, Any]:
    return {
        "names": dict(kind.names),
        "points": kind.points,
        "active": kind.active,
        "pickup_days": kind.pickup_days,
    }


def _check(kind: RewardKind) -> None:
    rules = (
        ("reward_code", CODE.match(kind.reward_code), "a code has up to 32 signs of A-Z, 0-9, _ and -"),
        ("name_en", any(kind.names.values()), "a reward needs a name"),
        ("points", 0 <= kind.points <= MOST_POINTS, f"points lie between 0 and {MOST_POINTS}"),
        (
            "pickup_days",
            1 <= kind.pickup_days <= LONGEST_PICKUP,
            f"it lies aside for 1 to {LONGEST_PICKUP} days",
        ),
    )
    for part, kept, words in rules:
        if not kept:
            raise BadReward(part, words)

"""What a group buys and how it shops, as the night described it, ready for people to look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from basket_analysis.groups.profiles import EVERYBODY
from basket_analysis.models import GroupProfile
from customers.models import GroupMembership
from customers.standing_counts import said_of_one_line
from sales.models import Store


@dataclass(frozen=True, slots=True)
class CategoryShare:
    """
    A category that a group buys more or less often than everybody, among baskets of like size.

    `expected` are the baskets it would be in if the group were like everybody, `ratio` = baskets / expected;
    `share` of the group's baskets and `chain_share` of everybody's are without regard to size. `members` is None where
    one to nine people could be computed from it.
    """

    item: str
    baskets: int
    expected: float
    ratio: float
    members: int | None
    share: float
    chain_share: float


@dataclass(frozen=True, slots=True)
class StoreShare:
    """A store where a group is more at home than everybody: the shares of its and of all members who shop there."""

    store_code: str
    name: str
    baskets: int
    share: float
    chain_share: float
    members: int


@dataclass(frozen=True, slots=True)
class Habits:
    """
    How people shop: mean value per basket in minor units by currency, different articles per basket.

    `gap` are the days between visits of the member in the middle, `per_month` the visits of a member; baskets
    by weekday (1 Monday to 7) and hour, without those of fewer than ten members.
    """

    members: int
    baskets: int
    per_basket: Mapping[str, float]
    articles: float | None
    gap: float | None
    per_month: float | None
    weekdays: Mapping[int, int]
    hours: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Portrait:
    """A group against everybody with a card."""

    habits: Habits
    everybody: Habits
    over: tuple[CategoryShare, ...]
    under: tuple[CategoryShare, ...]
    stores: tuple[StoreShare, ...]


def portrait_of_group(session: Session, *, run_id: UUID, group_id: str) -> Portrait | None:
    """Return a group's portrait; None where the run made none, or the group has fewer than ten members."""
    rows = session.execute(
        select(GroupProfile.group_id, GroupProfile.figures).where(
            GroupProfile.run_id == run_id, GroupProfile.group_id.in_((group_id, EVERYBODY))
        )
    )
    figures = {row.group_id: row.figures for row in rows}
    own, everybody = figures.get(group_id), figures.get(EVERYBODY)
    if own is None or everybody is None or "baskets" not in own:
        return None
    return Portrait(
        habits=_habits(own),
        everybody=_habits(everybody),
        over=tuple(CategoryShare(**row) for row in own["over"]),
        under=tuple(CategoryShare(**row) for row in own["under"]),
        stores=_stores(session, own["stores"]),
    )


def second_themes(session: Session, *, run_id: UUID, group_id: str) -> list[tuple[str, int]]:
    """
    Return the themes that come second for the members of a group, with how many, the most first.

    None of fewer than ten, nor any from which those could be found: all members less those that are told.
    """
    told = told_second_themes(session, run_id=run_id, group_id=group_id)
    found = [(theme, members) for theme, members in told.items() if theme and members]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def told_second_themes(session: Session, *, run_id: UUID, group_id: str) -> dict[str, int | None]:
    """Return how many members of a group have each theme as their second, "" for those with none; None is kept back."""
    rows = session.execute(
        select(GroupMembership.second_group_id, func.count())
        .where(GroupMembership.run_id == run_id, GroupMembership.group_id == group_id)
        .group_by(GroupMembership.second_group_id)
    )
    # Members without a second theme are a part of the whole as well.
    counted = {row[0] or "": row[1] for row in rows}
    return said_of_one_line(counted, sorted(counted))


def _habits(figures: Mapping[str, Any]) -> Habits:
    return Habits(
        members=figures["members"],
        baskets=figures["baskets"],
        per_basket=figures["per_basket"],
        articles=figures["articles"],
        gap=figures["gap"],
        per_month=figures["per_month"],
        weekdays={int(day): baskets for day, baskets in figures.get("weekdays", {}).items()},
        hours={int(hour): baskets for hour, baskets in figures.get("hours", {}).items()},
    )


def _stores(session: Session, rows: list[dict[str, Any]]) -> tuple[StoreShare, ...]:
    found = session.execute(
        select(Store.store_id, Store.store_code, Store.name).where(
            Store.store_id.in_([row["store_id"] for row in rows])
        )
    )
    names = {row.store_id: (row.store_code, row.name) for row in found}
    return tuple(
        StoreShare(
            *names[row["store_id"]],
            baskets=row["baskets"],
            share=row["share"],
            chain_share=row["chain_share"],
            members=row["members"],
        )
        for row in rows
        if row["store_id"] in names
    )

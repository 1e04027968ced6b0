"""What customers remember of the analysis: which shopper group each member is in, run by run."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, insert, select
from sqlalchemy.orm import Session

from customers.models import GroupMembership, MemberStanding


def remember_groups(session: Session, *, run_id: UUID, members: Iterable[Mapping[str, Any]]) -> None:
    """Write who is in which group of a run, in place of what was remembered of it."""
    session.execute(delete(GroupMembership).where(GroupMembership.run_id == run_id))
    rows = [{"run_id": run_id, **member} for member in members]
    if rows:
        session.execute(insert(GroupMembership), rows)


def forget_groups(session: Session, *, runs: Select[UUID]) -> None:
    """Forget which groups the `runs` put members into."""
    session.execute(delete(GroupMembership).where(GroupMembership.run_id.in_(runs)))


def forget_standings(session: Session, *, runs: Select[UUID]) -> None:
    """Forget where the `runs` saw members in their life, and what they took them to be worth."""
    session.execute(delete(MemberStanding).where(MemberStanding.run_id.in_(runs)))


def group_of_members(session: Session, *, run_id: UUID) -> dict[UUID, str]:
    """Return the group of each member that a run put into one."""
    rows = session.execute(
        select(GroupMembership.member_id, GroupMembership.group_id).where(GroupMembership.run_id == run_id)
    )
    return {row.member_id: row.group_id for row in rows}

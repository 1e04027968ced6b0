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
    """Forget what the `runs` found: groups of members, and their standings."""
    for table in (GroupMembership, MemberStanding):
        session.execute(delete(table).where(table.run_id.in_(runs)))


def group_of_members(session: Session, *, run_id: UUID) -> dict[UUID, str]:
    """Return the group of each member that a run put into one."""
    rows = session.execute(
        select(GroupMembership.member_id, GroupMembership.group_id).where(GroupMembership.run_id == run_id)
    )
    return {row.member_id: row.group_id for row in rows}

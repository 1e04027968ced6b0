"""Members who do not want to be profiled: noted and taken back; it holds at once."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.audit import record_event
from customers.models import Member
from customers.operations import MemberNotFound


def object_to_profiling(session: Session, *, member_code: str, now: datetime, actor: str) -> None:
    """Note that a member does not want to be profiled; an earlier objection stays. Raises `MemberNotFound`."""
    if _objected_at(session, member_code) is None:
        _note(session, member_code, objected_at=now, action="member.object", now=now, actor=actor)


def withdraw_objection(session: Session, *, member_code: str, now: datetime, actor: str) -> None:
    """Note that a member may be profiled again; nothing changes without an objection. Raises `MemberNotFound`."""
    if _objected_at(session, member_code) is not None:
        _note(
            session, member_code, objected_at=None, action="member.withdraw_objection", now=now, actor=actor
        )


def _objected_at(session: Session, member_code: str) -> datetime | None:
    row = session.execute(
        select(Member.profiling_objected_at).where(Member.member_code == member_code).with_for_update()
    ).one_or_none()
    if row is None:
        raise MemberNotFound(f"there is no member {member_code!r}")
    objected_at: datetime | None = row.profiling_objected_at
    return objected_at


def _note(
    session: Session,
    member_code: str,
    *,
    objected_at: datetime | None,
    action: str,
    now: datetime,
    actor: str,
) -> None:
    session.execute(
        update(Member).where(Member.member_code == member_code).values(profiling_objected_at=objected_at)
    )
    record_event(session, now=now, actor=actor, action=action, subject_kind="member", subject_id=member_code)

"""Moves of members from one phase, value class or shopper group to another, as events of their histories."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import driver_of

_STANDINGS = """
    insert into contact (member_id, at, channel, direction, kind, detail, source)
    select now_in.member_id, %(now)s, 'analysis', 'internal', move.kind,
           jsonb_build_object('from', move.before, 'to', move.after, 'since', move.since), %(source)s
    from member_standing as now_in
    join member_standing as was on was.member_id = now_in.member_id and was.run_id = %(before)s
    cross join lateral (values
        ('phase', was.phase, now_in.phase, now_in.phase_since),
        ('value_class', was.value_class, now_in.value_class, now_in.value_since)
    ) as move (kind, before, after, since)
    where now_in.run_id = %(run)s and move.before <> move.after
    order by now_in.member_id, move.kind
    on conflict do nothing
"""

_GROUPS = """
    insert into contact (member_id, at, channel, direction, kind, detail, source)
    select now_in.member_id, %(now)s, 'analysis', 'internal', 'group',
           jsonb_build_object('from', was.group_id, 'to', now_in.group_id), %(source)s
    from group_membership as now_in
    join group_membership as was on was.member_id = now_in.member_id and was.run_id = %(before)s
    where now_in.run_id = %(run)s and was.group_id <> now_in.group_id
    order by now_in.member_id
    on conflict do nothing
"""


def record_moves(session: Session, *, before: UUID, run: UUID, now: datetime) -> int:
    """
    Write an event for each member whom `run` sees elsewhere than the run `before` did; returns how many.

    Whom only one of the two has seen did not move. The same two runs write nothing twice.
    """
    values = {"before": before, "run": run, "now": now, "source": f"run {run}"}
    driver = driver_of(session)
    return sum(driver.execute(statement, values).rowcount for statement in (_STANDINGS, _GROUPS))

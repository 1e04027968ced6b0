"""What the night does for receipts: months are made before their first receipt comes."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.jobs import Shift

DAYS_AHEAD = timedelta(days=100)
DAYS_BEHIND = timedelta(days=2)
"""Somewhere it may still be the month before."""


def make_months(session: Session, *, today: date) -> int:
    """Make the partitions of this month and of those that begin within a hundred days; returns how many were missing."""
    made: int = session.execute(
        select(func.ensure_receipt_months(today - DAYS_BEHIND, today + DAYS_AHEAD))
    ).scalar_one()
    return made


def prepare_months(shift: Shift) -> dict[str, Any]:
    """Make the months to come."""
    with shift.sessions.begin() as session:
        return {"months_made": make_months(session, today=shift.now.date())}

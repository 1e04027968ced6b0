"""What the night does for receipts: months are made before their first receipt comes."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from core.jobs import Shift

DAYS_AHEAD = timedelta(days=100)
DAYS_BEHIND = timedelta(days=2)
"""Somewhere it may still be the month before."""


def prepare_months(shift: Shift) -> dict[str, Any]:
    """Make the partitions of this month and of those that begin within a hundred days; returns how many were missing."""
    today = shift.now.date()
    with shift.sessions.begin() as session:
        made = session.scalar(select(func.ensure_receipt_months(today - DAYS_BEHIND, today + DAYS_AHEAD)))
    return {"months_made": made}

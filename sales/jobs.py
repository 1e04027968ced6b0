"""What the night does for receipts: months are made before their first receipt comes."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from core.jobs import Shift

DAYS_AHEAD = 100


def prepare_months(shift: Shift) -> dict[str, Any]:
    """Make the partitions of the months that begin within a hundred days; returns how many were missing."""
    first = shift.business_day
    with shift.sessions.begin() as session:
        made = session.scalar(
            select(
                func.ensure_receipt_months(first, max(first, shift.now.date()) + timedelta(days=DAYS_AHEAD))
            )
        )
    return {"months_made": made}

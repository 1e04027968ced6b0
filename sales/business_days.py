"""The chain's business days: whose clock it lives by, and which day is closed."""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import zone
from sales.models import Store


def chain_timezone(session: Session) -> str:
    """Return the time zone that most stores are in, the first by name among equals; "UTC" before there are any."""
    found = session.scalar(
        select(Store.timezone).group_by(Store.timezone).order_by(func.count().desc(), Store.timezone).limit(1)
    )
    return found or "UTC"


def last_closed_day(now: datetime, *, hour: int, timezone: str) -> date:
    """Return the newest day that is closed: the following one has reached `hour` on the clock of `timezone`."""
    local = now.astimezone(zone(timezone))
    return local.date() - timedelta(days=1 if local.hour >= hour else 2)


def closing_moment(day: date, *, hour: int, timezone: str) -> datetime:
    """Return the moment (UTC) from which `day` is closed."""
    return datetime.combine(day + timedelta(days=1), time(hour), tzinfo=zone(timezone)).astimezone(UTC)


def begun_somewhere(day: date, now: datetime) -> bool:
    """Return whether `day` has begun in the easternmost time zone there is, UTC+14."""
    return day <= (now + timedelta(hours=14)).date()

"""Moments are aware UTC inside; the store's time zone decides business days."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import Refused


class UnknownTimeZone(Refused):
    """The name is not in the IANA time zone database."""


def now() -> datetime:
    """Return this moment in UTC; edges call it once and pass it on."""
    return datetime.now(UTC)


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """Return the IANA time zone called `name`; raises `UnknownTimeZone`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownTimeZone(f"{name!r} is not a time zone of the IANA database") from error


# A till's request asks for the day of one moment again and again.
@lru_cache(maxsize=512)
def business_day(moment: datetime, timezone: str) -> date:
    """Return the calendar day of `moment` in `timezone`."""
    return moment.astimezone(zone(timezone)).date()


def day_start(day: date, timezone: str) -> datetime:
    """Return the moment (UTC) at which `day` starts in `timezone`, on days of DST changes too."""
    return datetime.combine(day, time(0), tzinfo=zone(timezone)).astimezone(UTC)


def month_end(day: date, months: int = 0) -> date:
    """Return the last day of the month that lies `months` after the month of `day`."""
    index = day.year * 12 + day.month - 1 + months + 1
    return date(index // 12, index % 12 + 1, 1) - timedelta(days=1)

"""What the database writes into JSON, read back: identifiers, days and moments, and None for what is not there."""

from datetime import date, datetime
from uuid import UUID


def uuid_in(text: str | None) -> UUID | None:
    """Return the UUID that `text` writes."""
    return None if text is None else UUID(text)


def day_in(text: str | None) -> date | None:
    """Return the day that `text` writes, as in 2026-11-23."""
    return None if text is None else date.fromisoformat(text)


def moment_in(text: str | None) -> datetime | None:
    """Return the moment that `text` writes, as in 2026-11-23T18:05:09.5+00:00."""
    return None if text is None else datetime.fromisoformat(text)

"""
Ids of decisions: the same for the same person, day, place and article, and telling the day they were made on. Pure.

They look like any UUID of version 7 that was made at midnight.
"""

from datetime import UTC, date, datetime
from hashlib import sha256
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0x2 << 62
_HASHED = ((1 << 80) - 1) & ~(0xF << 76) & ~(0x3 << 62)


def decision_id(day: date, *what: object) -> UUID:
    """Return the id of the decision of `day` about `what`: whose it is, in which channel and store, which article."""
    moment = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
    digest = sha256("|".join(map(str, what)).encode()).digest()
    hashed = int.from_bytes(digest[:10]) & _HASHED
    return UUID(int=(moment << 80) | hashed | _VERSION | _VARIANT)


def day_of(identity: UUID) -> date | None:
    """Return the day of a decision; None for an id that no decision can have."""
    if identity.version != 7:
        return None
    try:
        moment = datetime.fromtimestamp((identity.int >> 80) / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    day = moment.date()
    return day if moment == datetime(day.year, day.month, day.day, tzinfo=UTC) else None

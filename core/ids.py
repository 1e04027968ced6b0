"""Identifiers: UUIDs of version 7 for what crosses the wire, integers for the rest."""

from typing import NewType
from uuid import UUID

import uuid6

MemberId = NewType("MemberId", UUID)
AccountId = NewType("AccountId", UUID)
ReceiptId = NewType("ReceiptId", UUID)
StoreId = NewType("StoreId", int)
TillId = NewType("TillId", int)
ArticleId = NewType("ArticleId", int)


def uuid7() -> UUID:
    """Return a new UUID of version 7 (RFC 9562): ordered by the time it was made."""
    return UUID(int=uuid6.uuid7().int)

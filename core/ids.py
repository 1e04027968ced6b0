"""Identifiers: UUIDs of version 7 for what crosses the wire, integers for the rest."""

import secrets
from collections.abc import Sequence
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


def uuid7s_at(milliseconds: Sequence[int]) -> list[str]:
    """Return a new UUID of version 7, as text, for each moment given in milliseconds since 1970."""
    noise = secrets.token_hex(10 * len(milliseconds))
    return [
        # The variant's two bits are 10: what begins the fourth group is one of 8, 9, a, b.
        f"{moment:012x}7{noise[at : at + 3]}{'89ab'[int(noise[at + 3], 16) & 3]}{noise[at + 4 : at + 19]}"
        for at, moment in zip(
            range(0, 20 * len(milliseconds), 20), (_clock(moment) for moment in milliseconds), strict=True
        )
    ]


def _clock(milliseconds: int) -> int:
    """Return what fits in the 48 bits that a UUID has for its moment."""
    return min(max(milliseconds, 0), 2**48 - 1)

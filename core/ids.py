"""Identifiers: UUIDs of version 7 for what crosses the wire, integers for the rest."""

import re
import secrets
from collections.abc import Sequence
from typing import NewType
from uuid import UUID

import numpy as np
import uuid6

MemberId = NewType("MemberId", UUID)
AccountId = NewType("AccountId", UUID)
ReceiptId = NewType("ReceiptId", UUID)
StoreId = NewType("StoreId", int)
TillId = NewType("TillId", int)
ArticleId = NewType("ArticleId", int)

_AS_WRITTEN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE).fullmatch


def uuid7() -> UUID:
    """Return a new UUID of version 7 (RFC 9562): ordered by the time it was made."""
    return UUID(int=uuid6.uuid7().int)


def find_uuid(text: str) -> UUID | None:
    """Return the UUID that `text` writes, None when it writes none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def is_uuid(text: str) -> bool:
    """Return whether `text` is a UUID as it is usually written: five groups of hexadecimal digits."""
    return _AS_WRITTEN(text) is not None


def uuid7s_at(milliseconds: Sequence[int]) -> list[str]:
    """Return a new UUID of version 7, as 32 hexadecimal digits, for each moment in milliseconds since 1970."""
    count = len(milliseconds)
    ids = np.frombuffer(bytearray(secrets.token_bytes(16 * count)), np.uint8).reshape(count, 16)
    # The moment has 48 bits, most significant first.
    clock = np.clip(np.array(milliseconds, np.int64), 0, 2**48 - 1).astype(">u8")
    ids[:, :6] = clock.view(np.uint8).reshape(count, 8)[:, 2:]
    ids[:, 6] = 0x70 | ids[:, 6] & 0x0F
    ids[:, 8] = 0x80 | ids[:, 8] & 0x3F
    digits = ids.tobytes().hex()
    return [digits[at : at + 32] for at in range(0, 32 * count, 32)]

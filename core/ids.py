"""Identifiers: UUIDs of version 7 for what crosses the wire, integers for the rest."""

import re
import secrets
from collections.abc import Sequence
from typing import NewType
from uuid import UUID

import numpy as np
import pyarrow as pa
import uuid6
from numpy.typing import NDArray

from core.coded import Coded

MemberId = NewType("MemberId", UUID)
AccountId = NewType("AccountId", UUID)
ReceiptId = NewType("ReceiptId", UUID)
StoreId = NewType("StoreId", int)
TillId = NewType("TillId", int)
ArticleId = NewType("ArticleId", int)

ID = pa.binary(16)
"""What an id is in a column of arrow's."""

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
    digits = uuid7_bytes_at(np.array(milliseconds, np.int64)).tobytes().hex()
    return [digits[at : at + 32] for at in range(0, len(digits), 32)]


def uuid7_bytes_at(milliseconds: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return a new UUID of version 7, a row of 16 bytes, for each moment in milliseconds since 1970."""
    count = len(milliseconds)
    ids = np.frombuffer(bytearray(secrets.token_bytes(16 * count)), np.uint8).reshape(count, 16)
    # The moment has 48 bits, most significant first.
    clock = np.clip(milliseconds, 0, 2**48 - 1).astype(">u8")
    ids[:, :6] = clock.view(np.uint8).reshape(count, 8)[:, 2:]
    ids[:, 6] = 0x70 | ids[:, 6] & 0x0F
    ids[:, 8] = 0x80 | ids[:, 8] & 0x3F
    return ids


def ids_as_arrow(ids: NDArray[np.uint8]) -> pa.Array:
    """Return ids, a row of 16 bytes each, as a column of arrow's."""
    content = pa.py_buffer(np.ascontiguousarray(ids))
    return pa.FixedSizeBinaryArray.from_buffers(ID, len(ids), [None, content])


def coded_ids(ids: Coded[UUID]) -> pa.Array:
    """Return a column of ids as arrow's."""
    return ids.of_each(lambda one: one.bytes).as_arrow(ID)

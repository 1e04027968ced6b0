"""
Allowances: how many points of a card a till may let be spent while it is offline, signed by us. Pure.

A till keeps them as they are and hands them back on the receipt; only we can make and check one, so
they are as short as they can be: `key.points.issued.expires.signature`, times in milliseconds. The
card is not in it but under the signature, since the receipt names it.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.errors import Refused

MEANT = b"regulars allowance 1\n"
"""What is signed begins with it, so that no other signature of ours can be taken for an allowance's."""
SIGNATURE = 16
"""Bytes of the signature that are kept: 128 bits, of which one guess at a time can be tried."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

_FORM = re.compile(
    r"([0-9a-z]{1,20})\.([0-9]{1,12})\.([0-9]{1,15})\.([0-9]{1,15})\.[A-Za-z0-9_-]{22}"
).fullmatch


class NoAllowance(Refused):
    """The text is no allowance of this card that we signed."""


@dataclass(frozen=True, slots=True)
class Key:
    """A secret that signs allowances and the name that they call it by."""

    key_id: str
    secret: bytes
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many points of a card may be spent offline from `issued_at` on and before `expires_at`."""

    key_id: str
    points: int
    issued_at: datetime
    expires_at: datetime


class Signer:
    """Signs allowances that are issued together."""

    def __init__(self, key: Key, *, issued_at: datetime, expires_at: datetime) -> None:
        self.key = key
        self._times = f".{milliseconds(issued_at)}.{milliseconds(expires_at)}"

    def sign(self, card_number: str, points: int) -> str:
        """Return the allowance of `points` for a card."""
        said = f"{self.key.key_id}.{points}{self._times}"
        return f"{said}.{_signature(self.key, card_number, said)}"


def key_named(text: str) -> str | None:
    """Return the key that an allowance says it was signed with, None when `text` has not the form of one."""
    match = _FORM(text)
    return match[1] if match else None


def read_allowance(text: str, *, card_number: str | None, key: Key | None) -> Allowance:
    """
    Return what `text` allows the card, if `key` signed it and was not revoked; raises `NoAllowance`.

    Whether it held when it was used is for the caller to say.
    """
    match = _FORM(text)
    if match is None:
        raise NoAllowance("it has not the form of an allowance")
    if key is None or card_number is None or key.key_id != match[1]:
        raise NoAllowance("we never signed it")
    said = text.rpartition(".")[0]
    if not hmac.compare_digest(text, f"{said}.{_signature(key, card_number, said)}"):
        raise NoAllowance("we never signed it for this card")
    if key.revoked:
        raise NoAllowance(f"the key {key.key_id} that signed it was revoked")
    return Allowance(key.key_id, int(match[2]), moment(int(match[3])), moment(int(match[4])))


def milliseconds(moment: datetime) -> int:
    """Return whole milliseconds since 1970, cut."""
    return (moment - EPOCH) // MILLISECOND


def moment(milliseconds: int) -> datetime:
    """Return the moment that lies so many milliseconds after the start of 1970."""
    return EPOCH + milliseconds * MILLISECOND


def _signature(key: Key, card_number: str, said: str) -> str:
    meant = b"%s%s\n%s" % (MEANT, card_number.encode(), said.encode())
    whole = hmac.digest(key.secret, meant, "sha256")
    return urlsafe_b64encode(whole[:SIGNATURE]).rstrip(b"=").decode()

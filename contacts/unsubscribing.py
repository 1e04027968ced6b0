"""
Unsubscribing with one click (RFC 8058): the link in a mail says who withdraws from what, and is signed.

The link needs no sign-in: whoever can read the mail may. It works for ever, as long as there is the database
that signed it.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from contacts.consents import decide_consent
from contacts.models import MailSecret
from core.errors import NotFound
from customers.consents import agrees
from customers.models import Member

PURPOSES: Final = ("offers", "catalog", "surveys")
PATH: Final = "/unsubscribe/"
_SIGNED, _MARK = 17, 16


class BadLink(NotFound):
    """The link was not made by us."""


def unsubscribe_path(key: bytes, *, member_id: UUID, purpose: str) -> str:
    """Return the path by which a member withdraws from mail of a purpose."""
    signed = member_id.bytes + bytes([PURPOSES.index(purpose)])
    return PATH + urlsafe_b64encode(signed + _mark(key, signed)).decode().rstrip("=")


def signing_key(session: Session) -> bytes:
    """Return the key of this database."""
    return session.scalars(select(MailSecret.key)).one()


def read_link(session: Session, token: str) -> tuple[UUID, str]:
    """Return who would withdraw from what by a link's last part; raises `BadLink`."""
    try:
        whole = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (Error, ValueError):
        raise BadLink("there is no such link") from None
    signed, mark = whole[:_SIGNED], whole[_SIGNED:]
    if not hmac.compare_digest(mark, _mark(signing_key(session), signed)) or len(signed) != _SIGNED:
        raise BadLink("there is no such link")
    if session.get(Member, UUID(bytes=signed[:16])) is None:
        raise BadLink("there is no such link")
    return UUID(bytes=signed[:16]), PURPOSES[signed[16]]


def unsubscribe(session: Session, token: str, *, now: datetime) -> str:
    """
    Withdraw the consent that a link names, at once, and return its purpose; raises `BadLink`.

    What was withdrawn already stays so: a second click changes nothing.
    """
    member_id, purpose = read_link(session, token)
    if agrees(session, member_id=member_id, purpose=purpose, channel="email"):
        decide_consent(
            session,
            member_id=member_id,
            purpose=purpose,
            channel="email",
            granted=False,
            source="unsubscribe",
            text_version="link",
            actor="member",
            now=now,
        )
    return purpose


def _mark(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, b"unsubscribe" + signed, "sha256")[:_MARK]

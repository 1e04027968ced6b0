"""The sessions of customers: whose one is, kept alive while it is used, ended here or everywhere."""

import hashlib
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.audit import record_event
from customers.models import Member
from sales.models import Store
from web.models import CustomerSession, SignInCode
from web.operations import SEEN_STEP, token_hash
from web.queries import IDLE, LONGEST_SESSION, home_timezone
from web.state import Customer

_HOME_CURRENCY: Final = "EUR"
"""Of a chain without a store."""


def customer_of_session(
    session: Session, *, token_sha256: bytes, now: datetime
) -> tuple[Customer, datetime] | None:
    """Return the member whose session this is, and when it was last seen; None when it ended or idled out."""
    row = session.execute(
        select(Member, CustomerSession, Store)
        .join(CustomerSession, CustomerSession.member_id == Member.member_id)
        .outerjoin(Store, Store.store_code == Member.home_store_code)
        .where(
            CustomerSession.token_sha256 == token_sha256,
            CustomerSession.seen_at > now - IDLE,
            CustomerSession.created_at > now - LONGEST_SESSION,
        )
    ).one_or_none()
    if row is None:
        return None
    member, own, store = row
    return _customer(session, member, own, store), own.seen_at


def touch_customer_session(session: Session, *, token: str, seen_at: datetime, now: datetime) -> None:
    """Note that a session is in use, at most once a minute."""
    if now - seen_at >= SEEN_STEP:
        session.execute(
            update(CustomerSession)
            .where(CustomerSession.token_sha256 == token_hash(token))
            .values(seen_at=now)
        )


def end_customer_session(session: Session, *, token: str) -> None:
    """End the session of `token`, if there is one."""
    session.execute(delete(CustomerSession).where(CustomerSession.token_sha256 == token_hash(token)))


def end_all_sessions(
    session: Session, *, member_id: UUID, member_code: str, actor: str, now: datetime
) -> None:
    """End all sessions of a member, in every browser, and the codes that would open another."""
    session.execute(delete(CustomerSession).where(CustomerSession.member_id == member_id))
    session.execute(delete(SignInCode).where(SignInCode.member_id == member_id))
    record_event(
        session,
        now=now,
        actor=actor,
        action="customer.sign_out_everywhere",
        subject_kind="member",
        subject_id=member_code,
    )


def address_hash(email: str) -> bytes:
    """Return what is kept of the address whose mailbox a customer has shown to hold."""
    return hashlib.sha256(email.encode()).digest()


def _customer(session: Session, member: Any, own: Any, store: Any) -> Customer:
    currency = store.currency if store else session.scalar(select(Store.currency).order_by(Store.store_id))
    return Customer(
        member_id=member.member_id,
        account_id=member.account_id,
        member_code=member.member_code,
        given_name=member.given_name,
        family_name=member.family_name,
        email=member.email,
        language=member.language,
        account_role=member.role,
        csrf_token=own.csrf_token,
        store_id=store.store_id if store else None,
        store_name=store.name if store else None,
        currency=currency or _HOME_CURRENCY,
        timezone=store.timezone if store else home_timezone(session),
        email_is_proven=member.email is not None and own.email_sha256 == address_hash(member.email),
    )

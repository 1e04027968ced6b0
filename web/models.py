"""Tables: the people who work with Regulars and the customers on their own pages: sessions, codes, attempts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base


class Person(Base):
    """Somebody who signs in, with one role; a store manager and a cashier belong to a store."""

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint(
            "role in ('cashier', 'store_manager', 'marketing', 'desk', 'analyst', 'auditor', 'administrator')",
            name="role",
        ),
        CheckConstraint("role not in ('cashier', 'store_manager') or store_id is not null", name="store"),
    )

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str]
    store_id: Mapped[int | None] = mapped_column(ForeignKey("store.store_id"))
    language: Mapped[str] = mapped_column(server_default="en")
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class WebSession(Base):
    """A signed-in browser; the cookie's token is stored as its SHA-256 only."""

    __tablename__ = "web_session"

    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.person_id"), index=True)
    csrf_token: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)


class SignInAttempt(Base):
    """A sign-in that was evaluated; the throttle counts these per account."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (Index("sign_in_attempt_login_idx", "login", "attempted_at"),)

    attempt_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    login: Mapped[str]
    attempted_at: Mapped[datetime]
    succeeded: Mapped[bool]


class SignInCode(Base):
    """
    A customer's way in that is open in one browser: what was mailed is kept as hashes only.

    One is kept for every request, whether it led to a member (`member_id`) or not, so that both cost the same.
    The short code is good in the browser that asked, the long one in any.
    """

    __tablename__ = "sign_in_code"
    __table_args__ = (
        Index("sign_in_code_member_id_idx", "member_id", postgresql_where="member_id is not null"),
    )

    browser_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("member.member_id"))
    account_key: Mapped[str]
    """Whose tries are counted: the member's, or the number's that was typed where nobody has it."""
    code_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    pass_sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    email_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    sent_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    pass_expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class CustomerSession(Base):
    """A browser in which a customer is signed in; nothing of the people's sessions is shared with it."""

    __tablename__ = "customer_session"

    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"), index=True)
    csrf_token: Mapped[str]
    email_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The address whose mailbox the customer has shown to hold."""
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)

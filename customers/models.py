"""Tables: accounts, members, cards, consents and remembered group membership."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base
from core.keyset import alphabetical

CARD_STATES = ("stock", "issued", "active", "blocked", "replaced", "expired")
ACCOUNT_ROLES = ("owner", "spender", "earner")
LANGUAGES = ("en", "cs", "sk", "pl")
PHASES = ("new", "growing", "peak", "fading", "lost", "won_back")
VALUE_CLASSES = ("vip", "potential", "steady", "low")


def _beginnings(name: str, words: str, *, where: str | None = None) -> Index:
    """Return an index by which rows are found whose words begin so, whatever collation the server has."""
    labelled = literal_column(words, Text).label("words")
    return Index(name, labelled, postgresql_ops={"words": "text_pattern_ops"}, postgresql_where=where)


class Account(Base):
    """What holds points: one member's, or a household's shared by several members."""

    __tablename__ = "account"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_code: Mapped[str | None] = mapped_column(unique=True)
    opened_at: Mapped[datetime]


class Member(Base):
    """A person or a company enrolled in the programme."""

    __tablename__ = "member"
    __table_args__ = (
        CheckConstraint("role in ('owner', 'spender', 'earner')", name="role"),
        CheckConstraint("language in ('en', 'cs', 'sk', 'pl')", name="language"),
        Index("member_email_idx", text("lower(email)"), postgresql_where="email is not null"),
        Index("member_phone_idx", "phone", postgresql_where="phone is not null"),
        _beginnings("member_phone_end_idx", "reverse(phone)", where="phone is not null"),
        _beginnings("member_family_name_idx", "lower(family_name)"),
        _beginnings("member_given_name_idx", "lower(given_name)"),
        Index(
            "member_name_idx",
            alphabetical(literal_column("(family_name || ' ') || given_name", Text)),
            "member_id",
        ),
        Index("member_joined_on_idx", "joined_on", "member_id"),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_code: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), index=True)
    role: Mapped[str] = mapped_column(server_default="owner")
    given_name: Mapped[str]
    family_name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    language: Mapped[str]
    birth_date: Mapped[date | None]
    home_store_code: Mapped[str | None]
    company_name: Mapped[str | None]
    company_id: Mapped[str | None]
    vat_id: Mapped[str | None]
    joined_on: Mapped[date]
    profiling_objected_at: Mapped[datetime | None]


class Card(Base):
    """A number that a till can scan; kept for ever, since late receipts still name it."""

    __tablename__ = "card"
    __table_args__ = (
        CheckConstraint(
            "state in ('stock', 'issued', 'active', 'blocked', 'replaced', 'expired')", name="state"
        ),
        CheckConstraint("state <> 'replaced' or replaced_by is not null", name="successor"),
        CheckConstraint(
            "state <> 'blocked' or (blocked_reason is not null and blocked_at is not null)", name="reason"
        ),
        CheckConstraint("state in ('stock', 'expired') or account_id is not null", name="account"),
    )

    card_number: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.account_id"), index=True)
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("member.member_id"), index=True)
    replaced_by: Mapped[str | None] = mapped_column(ForeignKey("card.card_number"))
    blocked_reason: Mapped[str | None]
    blocked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]


class Consent(Base):
    """One decision of a member about a purpose in a channel; the newest one holds."""

    __tablename__ = "consent"
    __table_args__ = (Index("consent_member_id_idx", "member_id", "purpose", "channel", "recorded_at"),)

    consent_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"))
    purpose: Mapped[str]
    channel: Mapped[str | None]
    granted: Mapped[bool]
    text_version: Mapped[str]
    source: Mapped[str]
    recorded_at: Mapped[datetime]


class GroupMembership(Base):
    """Which shopper group a run of the analysis put a member into, and how strongly."""

    __tablename__ = "group_membership"
    __table_args__ = (
        Index("group_membership_member_id_idx", "member_id"),
        Index("group_membership_group_id_idx", "run_id", "group_id"),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"), primary_key=True)
    group_id: Mapped[str]
    strength: Mapped[float | None]
    second_group_id: Mapped[str | None]
    second_strength: Mapped[float | None]
    baskets: Mapped[int]


class MemberStanding(Base):
    """Where a run of the analysis saw a member in their life with the chain, and what it took them to be worth."""

    __tablename__ = "member_standing"
    __table_args__ = (
        CheckConstraint("phase in ('new', 'growing', 'peak', 'fading', 'lost', 'won_back')", name="phase"),
        CheckConstraint("value_class in ('vip', 'potential', 'steady', 'low')", name="value_class"),
        Index("member_standing_member_id_idx", "member_id"),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"), primary_key=True)
    phase: Mapped[str]
    phase_since: Mapped[date]
    value_class: Mapped[str]
    value_since: Mapped[date]
    financial: Mapped[int] = mapped_column(BigInteger)
    """What the next year is expected to bring, in minor units of `currency`."""
    currency: Mapped[str | None]
    """NULL without a purchase."""
    margin: Mapped[bool]
    """Whether `financial` is margin; else it is revenue."""
    financial_rank: Mapped[float] = mapped_column(REAL)
    """Share of the members of the same currency whose `financial` is lower."""
    informational: Mapped[int] = mapped_column(SmallInteger)
    """0 to 100: the sum of the four below."""
    told_profile: Mapped[int] = mapped_column(SmallInteger)
    told_consents: Mapped[int] = mapped_column(SmallInteger)
    told_answers: Mapped[int] = mapped_column(SmallInteger)
    told_redemptions: Mapped[int] = mapped_column(SmallInteger)
    reference_value: Mapped[int]
    """People reached: `brought` and `household`."""
    brought: Mapped[int]
    household: Mapped[int]
    visits: Mapped[int]
    """Days with a purchase within the time that was looked at."""
    last_visit: Mapped[date | None]
    silence: Mapped[float] = mapped_column(REAL)
    """Days since the last visit, counted as the chain trades; so are the pauses below."""
    usual_gap: Mapped[float] = mapped_column(REAL)
    long_gap: Mapped[float] = mapped_column(REAL)
    lost_gap: Mapped[float] = mapped_column(REAL)
    recent_gap: Mapped[float | None] = mapped_column(REAL)
    earlier_gap: Mapped[float | None] = mapped_column(REAL)


class HouseholdInvitation(Base):
    """A code with which one more member joins a household; used once."""

    __tablename__ = "household_invitation"
    __table_args__ = (
        CheckConstraint("role in ('owner', 'spender', 'earner')", name="role"),
        CheckConstraint("used_by is null or used_at is not null", name="used"),
    )

    invitation_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), index=True)
    code_sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    role: Mapped[str]
    invited_by: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    """When it was used, or taken back: then nobody used it."""
    used_by: Mapped[UUID | None] = mapped_column(ForeignKey("member.member_id"))

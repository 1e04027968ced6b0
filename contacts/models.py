"""Tables: what passed between the chain and its members, and what they answered to what they were offered."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    TEXT,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Sequence,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base

DIRECTIONS = ("inbound", "outbound", "internal")


class Contact(Base):
    """
    One dated event between the chain and a member; it is never changed.

    Inbound is what the member did or said, outbound what the chain said, internal what the chain found out.
    """

    __tablename__ = "contact"
    __table_args__ = (
        CheckConstraint("direction in ('inbound', 'outbound', 'internal')", name="direction"),
        Index("contact_member_id_idx", "member_id", "at"),
        Index(
            "contact_source_idx",
            "source",
            "kind",
            "member_id",
            unique=True,
            postgresql_where="source is not null",
        ),
    )

    contact_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"))
    at: Mapped[datetime]
    channel: Mapped[str]
    direction: Mapped[str]
    kind: Mapped[str]
    detail: Mapped[dict[str, Any]]
    source: Mapped[str | None]
    """What brought it about; the same source writes an event of a kind about a member once."""


class Reaction(Base):
    """
    One answer of a member; it is never changed, the newest about the same subject holds.

    The subject is everything for the scope "all"; otherwise the category if there is one, the article, or, for
    an answer that names no article, the offer. An answer that was "taken_back" is a row of its own, about what
    it takes back.
    """

    __tablename__ = "reaction"
    __table_args__ = (
        CheckConstraint(
            "reaction in ('accepted', 'not_now', 'never', 'wrong_product', 'taken_back')", name="reaction"
        ),
        CheckConstraint("scope in ('item', 'category', 'all')", name="scope"),
        CheckConstraint("scope = 'all' or sku is not null or offer_code is not null", name="subject"),
        CheckConstraint("card_number is not null or member_id is not null", name="whose"),
        CheckConstraint("(reaction = 'taken_back') = (takes_back is not null)", name="taken_back"),
        UniqueConstraint("takes_back"),
        Index("reaction_member_id_idx", "member_id", postgresql_where="member_id is not null"),
        Index("reaction_account_id_idx", "account_id", postgresql_where="member_id is null"),
    )

    reaction_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("member.member_id"))
    """Who answered; NULL for a card without a member, whose answers hold for whoever registers it."""
    card_number: Mapped[str | None]
    """NULL where the member answered without one, on the account page or at the desk."""
    reaction: Mapped[str]
    scope: Mapped[str]
    sku: Mapped[str | None]
    """What the answer was about, whatever its scope, as it was said; NULL when that was everything or an offer."""
    article_id: Mapped[int | None] = mapped_column(ForeignKey("article.article_id"))
    """The article of that number; NULL while nobody has heard of it."""
    category: Mapped[str | None]
    """The article's category at that moment, when the answer is about all of it."""
    channel: Mapped[str]
    actor: Mapped[str]
    recorded_at: Mapped[datetime]
    offer_code: Mapped[str | None]
    """The offer that was answered, if one was."""
    decision_id: Mapped[UUID | None]
    """The decision by which it was offered, if it is known."""
    takes_back: Mapped[int | None] = mapped_column(ForeignKey("reaction.reaction_id"))
    moved_at: Mapped[datetime | None]
    """When it came to the member with a card or an account; NULL for what they said themselves."""


class ConsentRequest(Base):
    """
    Whether somebody agrees to mail, asked of the mailbox itself; until it is confirmed, nothing is agreed to.

    What is confirmed is written as consents; this row stays and says who had asked where, when and in which words.
    """

    __tablename__ = "consent_request"
    __table_args__ = (
        CheckConstraint(
            "cardinality(purposes) > 0 and purposes <@ array['offers', 'catalog', 'surveys']::text[]",
            name="purposes",
        ),
        Index("consent_request_member_id_idx", "member_id", "asked_at"),
    )

    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"))
    purposes: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    email_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    text_version: Mapped[str]
    source: Mapped[str]
    asked_at: Mapped[datetime]
    valid_until: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]


class MemberCase(Base):
    """A complaint, return dispute, grievance or question of a member, until it is resolved."""

    __tablename__ = "member_case"
    __table_args__ = (
        CheckConstraint("kind in ('complaint', 'return', 'grievance', 'question')", name="kind"),
        CheckConstraint("state in ('open', 'resolved')", name="state"),
        CheckConstraint("(business_date is null) = (receipt_id is null)", name="receipt"),
        CheckConstraint(
            "(state = 'resolved') = "
            "(resolved_at is not null and resolved_by is not null and resolution is not null)",
            name="resolved",
        ),
        Index("member_case_member_id_idx", "member_id"),
        Index("member_case_state_idx", "state", "opened_at"),
    )

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_number: Mapped[str] = mapped_column(unique=True)
    """What people say on the phone: a number and its check digit."""
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"))
    kind: Mapped[str]
    article_id: Mapped[int | None] = mapped_column(ForeignKey("article.article_id"))
    business_date: Mapped[date | None]
    receipt_id: Mapped[UUID | None]
    channel: Mapped[str]
    text: Mapped[str]
    owner: Mapped[str | None]
    """The login of whoever sees to it."""
    state: Mapped[str]
    opened_at: Mapped[datetime]
    opened_by: Mapped[str]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
    resolution: Mapped[str | None]


CASE_NUMBERS = Sequence("member_case_number_seq", start=1001, metadata=Base.metadata)


class OutgoingMail(Base):
    """
    One mail to one person, from the moment it waits; of one kind from one source a person gets at most one.

    `handed_at` is written before the mail is handed over: what is lost from then on may have arrived, so it is
    "uncertain" and not sent again. Triggers cancel what waits for somebody who withdraws.
    """

    __tablename__ = "outgoing_mail"
    __table_args__ = (
        CheckConstraint("language in ('en', 'cs', 'sk', 'pl')", name="language"),
        CheckConstraint("purpose in ('service', 'offers', 'catalog', 'surveys')", name="purpose"),
        CheckConstraint(
            "state in ('queued', 'sending', 'sent', 'uncertain', 'failed', 'cancelled')", name="state"
        ),
        CheckConstraint("purpose = 'service' or member_id is not null", name="whom"),
        CheckConstraint("text is not null or state not in ('queued', 'sending')", name="body"),
        CheckConstraint("(state = 'sending') = (leased_until is not null)", name="lease"),
        CheckConstraint("(state in ('queued', 'sending')) = (finished_at is null)", name="finished"),
        Index(
            "outgoing_mail_member_idx",
            "source",
            "kind",
            "member_id",
            unique=True,
            postgresql_where="member_id is not null",
        ),
        Index(
            "outgoing_mail_recipient_idx",
            "source",
            "kind",
            "recipient",
            unique=True,
            postgresql_where="member_id is null",
        ),
        Index(
            "outgoing_mail_waiting_idx",
            "urgency",
            "not_before",
            postgresql_where="state in ('queued', 'sending')",
        ),
        Index("outgoing_mail_member_id_idx", "member_id", "queued_at"),
        Index("outgoing_mail_queued_at_idx", "queued_at"),
    )

    mail_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("member.member_id"))
    kind: Mapped[str]
    source: Mapped[str]
    """What brought it about, such as "case 1001-9"."""
    purpose: Mapped[str]
    """What the person must have agreed to; "service" needs no consent."""
    urgency: Mapped[int] = mapped_column(SmallInteger)
    """0 when somebody waits before a screen, 1 for service, 2 for the rest; lower ones go first."""
    language: Mapped[str]
    recipient: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str | None]
    """NULL once a mail with a secret has been sent."""
    html: Mapped[str | None]
    attachments: Mapped[list[Any]]
    """Files of the data folder: path, name, content_type, and sha256 if it has to be that very content."""
    queued_at: Mapped[datetime]
    not_before: Mapped[datetime]
    not_after: Mapped[datetime | None]
    """From then on it is of no use and not sent any more."""
    as_of: Mapped[datetime | None]
    """Until when it heeds what its member said; who refuses anything later does not get it. NULL where no article is shown."""
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default="0")
    leased_until: Mapped[datetime | None]
    handed_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    """What the mail server said last, or why it was not sent."""


class MailSecret(Base):
    """The key of this database that signs the links by which people unsubscribe."""

    __tablename__ = "mail_secret"
    __table_args__ = (CheckConstraint("only_row", name="only_row"),)

    only_row: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    key: Mapped[bytes] = mapped_column(LargeBinary)

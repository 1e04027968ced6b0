"""Writes about contacts: what passed between chain and member is kept and dated; answers are audited too."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from contacts.models import Contact, Reaction
from contacts.reactions import TAKEN_BACK, React, Scope
from contacts.thanks import thank_for_answer
from core.audit import record_event
from core.errors import Conflict, NotFound
from customers.models import Card, Member
from customers.queries import holder_of_card
from sales.queries import find_article

THANKED_AT = frozenset({"desk", "account"})
"""Where who says "never" is thanked by mail: a till says thank you itself."""


class NoAccount(Conflict):
    """The card was never in use, so there is nobody whose answer it could be."""


class NoSuchAnswer(NotFound):
    """The member gave no such answer."""


class AlreadyTakenBack(Conflict):
    """The answer was taken back before."""


Direction = Literal["inbound", "outbound", "internal"]


def record_contact(
    session: Session,
    *,
    member_id: UUID,
    at: datetime,
    channel: str,
    direction: Direction,
    kind: str,
    detail: Mapping[str, Any],
    source: str | None = None,
) -> bool:
    """
    Write one event into the history of a member.

    With a `source` an event of a kind is written once, however often it is recorded; returns whether it was now.
    """
    statement = (
        insert(Contact)
        .values(
            member_id=member_id,
            at=at,
            channel=channel,
            direction=direction,
            kind=kind,
            detail=dict(detail),
            source=source,
        )
        .on_conflict_do_nothing()
        .returning(Contact.contact_id)
    )
    return session.scalar(statement) is not None


def record_reaction(
    session: Session,
    *,
    card_number: str | None = None,
    member_id: UUID | None = None,
    reaction: React,
    scope: Scope,
    sku: str | None = None,
    offer_code: str | None = None,
    decision_id: UUID | None = None,
    channel: str,
    actor: str,
    now: datetime,
) -> int:
    """
    Keep what a member, or the holder of a card, answered; return the number of the answer.

    It is about the article `sku` or its category, about the offer where no article is named, or about all that
    could be offered. A card that is blocked or replaced counts: nobody is offered what was refused with it.
    The category of an article that has none is the article. An article that nobody has heard of yet
    is refused from the moment it is known. Raises `CardNotFound` or `NoAccount`.
    """
    assert sku is not None or offer_code is not None or scope == "all"
    whose = _answering(session, card_number=card_number, member_id=member_id)
    article = find_article(session, sku) if sku is not None else None
    category = article.category if article is not None and scope == "category" else None
    number = _keep(
        session,
        account_id=whose.account_id,
        member_id=whose.member_id,
        card_number=card_number,
        reaction=reaction,
        scope=scope,
        sku=sku,
        article_id=article.article_id if article is not None else None,
        category=category,
        offer_code=offer_code,
        decision_id=decision_id,
        channel=channel,
        actor=actor,
        recorded_at=now,
    )
    assert number is not None
    if whose.member_id is not None and reaction in {"never", "wrong_product"} and channel in THANKED_AT:
        thank_for_answer(
            session,
            member_id=whose.member_id,
            sku=sku,
            category=category,
            about_all=scope == "all",
            now=now,
        )
    return number


def take_back(
    session: Session, *, reaction_id: int, member_id: UUID, channel: str, actor: str, now: datetime
) -> int:
    """
    Keep that a member takes an answer back, and with it what they said before about the same; return its number.

    The answer itself stays in the history. An answer given with a card of the account before anybody had
    registered it may be taken back by each of the account's members. Raises `NoSuchAnswer` or `AlreadyTakenBack`.
    """
    account = select(Member.account_id).where(Member.member_id == member_id).scalar_subquery()
    taken = session.scalar(
        select(Reaction).where(
            Reaction.reaction_id == reaction_id,
            Reaction.reaction != TAKEN_BACK,
            or_(
                Reaction.member_id == member_id,
                Reaction.member_id.is_(None) & (Reaction.account_id == account),
            ),
        )
    )
    if taken is None:
        raise NoSuchAnswer("there is no such answer of this member")
    number = _keep(
        session,
        account_id=taken.account_id,
        member_id=member_id,
        card_number=None,
        reaction=TAKEN_BACK,
        scope=taken.scope,
        sku=taken.sku,
        article_id=taken.article_id,
        category=taken.category,
        offer_code=taken.offer_code,
        decision_id=taken.decision_id,
        takes_back=reaction_id,
        channel=channel,
        actor=actor,
        recorded_at=now,
    )
    if number is None:
        raise AlreadyTakenBack("this answer was taken back before")
    return number


@dataclass(frozen=True, slots=True)
class _Answering:
    """Whose answer it is; a card without member has an account all the same."""

    account_id: UUID
    member_id: UUID | None


def _answering(session: Session, *, card_number: str | None, member_id: UUID | None) -> _Answering:
    if member_id is not None:
        account_id = session.scalars(select(Member.account_id).where(Member.member_id == member_id)).one()
        return _Answering(account_id, member_id)
    assert card_number is not None
    holder = holder_of_card(session, card_number)
    if holder.member_id is None:
        # Whoever takes the card over meanwhile takes this answer along, or is its member already.
        held = select(Card.card_number).where(Card.card_number == card_number)
        session.execute(held.with_for_update(read=True, key_share=True))
        holder = holder_of_card(session, card_number)
    if holder.account_id is None:
        raise NoAccount(f"card {card_number} was never in use")
    return _Answering(holder.account_id, holder.member_id)


def _keep(session: Session, **answer: Any) -> int | None:
    """
    Write an answer, into the member's history and the audit trail too; return its number.

    None when it takes back what was taken back before: then nothing is written.
    """
    statement = insert(Reaction).values(answer).on_conflict_do_nothing(index_elements=[Reaction.takes_back])
    number: int | None = session.scalar(statement.returning(Reaction.reaction_id))
    if number is None:
        return None
    subject = {"scope": answer["scope"], "sku": answer["sku"], "category": answer["category"]}
    if answer["offer_code"] is not None:
        subject["offer_code"] = answer["offer_code"]
    if answer["member_id"] is not None:
        record_contact(
            session,
            member_id=answer["member_id"],
            at=answer["recorded_at"],
            channel=answer["channel"],
            direction="inbound",
            kind="reaction",
            detail={"reaction": answer["reaction"], **subject},
            source=f"reaction {number}",
        )
    record_event(
        session,
        now=answer["recorded_at"],
        actor=answer["actor"],
        action=f"reaction.{answer['reaction']}",
        subject_kind="member" if answer["member_id"] else "account",
        subject_id=str(answer["member_id"] or answer["account_id"]),
        detail={**subject, "channel": answer["channel"]},
    )
    return number

"""Writes about contacts: what passed between chain and member is kept and dated; answers are audited too."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from contacts.models import Contact, Reaction
from contacts.reactions import React, Scope
from core.audit import record_event
from core.errors import Conflict
from customers.queries import holder_of_card
from sales.queries import find_article


class NoAccount(Conflict):
    """The card was never in use, so there is nobody whose answer it could be."""


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
    card_number: str,
    reaction: React,
    scope: Scope,
    sku: str | None,
    channel: str,
    actor: str,
    now: datetime,
) -> None:
    """
    Keep what the holder of a card answered about the article `sku`, its category or all that could be offered.

    A card that is blocked or replaced counts: nobody is offered what was refused with it.
    The category of an article that has none is the article. An article that nobody has heard of yet
    is refused from the moment it is known. Raises `CardNotFound` or `NoAccount`.
    """
    holder = holder_of_card(session, card_number)
    if holder.account_id is None:
        raise NoAccount(f"card {card_number} was never in use")
    assert sku is not None or scope == "all"
    article = find_article(session, sku) if sku is not None else None
    category = article.category if article is not None and scope == "category" else None
    answer = Reaction(
        account_id=holder.account_id,
        member_id=holder.member_id,
        card_number=card_number,
        reaction=reaction,
        scope=scope,
        sku=sku,
        article_id=article.article_id if article is not None else None,
        category=category,
        channel=channel,
        actor=actor,
        recorded_at=now,
    )
    session.add(answer)
    session.flush()
    if holder.member_id is not None:
        record_contact(
            session,
            member_id=holder.member_id,
            at=now,
            channel=channel,
            direction="inbound",
            kind="reaction",
            detail={"reaction": reaction, "scope": scope, "sku": sku, "category": category},
            source=f"reaction {answer.reaction_id}",
        )
    record_event(
        session,
        now=now,
        actor=actor,
        action=f"reaction.{reaction}",
        subject_kind="member" if holder.member_id else "account",
        subject_id=str(holder.member_id or holder.account_id),
        detail={"scope": scope, "sku": sku, "category": category, "channel": channel},
    )

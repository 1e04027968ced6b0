"""Writes about contacts: what a member answered is kept, dated and audited."""

from datetime import datetime

from sqlalchemy.orm import Session

from contacts.models import Reaction
from contacts.reactions import React, Scope
from core.audit import record_event
from core.errors import Conflict
from customers.queries import holder_of_card
from sales.queries import find_article


class NoAccount(Conflict):
    """The card was never in use, so there is nobody whose answer it could be."""


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
    session.add(
        Reaction(
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
    )
    session.flush()
    record_event(
        session,
        now=now,
        actor=actor,
        action=f"reaction.{reaction}",
        subject_kind="member" if holder.member_id else "account",
        subject_id=str(holder.member_id or holder.account_id),
        detail={"scope": scope, "sku": sku, "category": category, "channel": channel},
    )

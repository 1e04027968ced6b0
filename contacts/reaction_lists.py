"""What a member answered to offers, for people to read: which answers stand, until when, and what each was about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from contacts.reactions import TAKEN_BACK, Answered, Subject
from core.driver import driver_of

_ANSWERS = """
    select reaction.reaction_id, reaction.reaction, reaction.scope, reaction.sku, article.name,
           coalesce(reaction.article_id, article.article_id) as article_id,
           coalesce(reaction.category, case when scope = 'category' then article.category end) as category,
           reaction.offer_code, reaction.channel, reaction.recorded_at,
           greatest(reaction.recorded_at, reaction.moved_at)
    from reaction
    left join article on article.sku = reaction.sku
    where reaction.member_id = %(member_id)s
       or reaction.member_id is null
          and reaction.account_id = (select account_id from member where member_id = %(member_id)s)
    order by reaction.recorded_at desc, reaction.reaction_id desc
"""


@dataclass(frozen=True, slots=True)
class AnswerView:
    """
    One answer of a member.

    `standing` says that it is the last word about its subject and still refuses it, until the moment `until`
    where that is known; only such an answer can be taken back.
    """

    reaction_id: int
    reaction: str
    scope: str
    sku: str | None
    name: str | None
    category: str | None
    offer_code: str | None
    channel: str
    recorded_at: datetime
    until: datetime | None
    standing: bool
    known_at: datetime
    """From when it holds for this member: later than it was given where it came with a card or an account."""


def answers_of_member(session: Session, member_id: UUID, now: datetime) -> list[AnswerView]:
    """Return every answer of a member, the newest first; those given before somebody registered their card too."""
    answers: list[AnswerView] = []
    said: set[Subject] = set()
    rows = driver_of(session).execute(_ANSWERS, {"member_id": member_id}).fetchall()
    for (
        reaction_id,
        reaction,
        scope,
        sku,
        name,
        article_id,
        category,
        offer_code,
        channel,
        at,
        known_at,
    ) in rows:
        answer = Answered(reaction, scope, article_id, category, at, offer_code)
        # Articles that nobody has heard of have no number to tell them apart by.
        subject = ("item", sku) if answer.subject == ("item", None) else answer.subject
        standing = subject not in said and answer.refuses(now)
        said.add(subject)
        if reaction != TAKEN_BACK:
            answers.append(
                AnswerView(
                    reaction_id,
                    reaction,
                    scope,
                    sku,
                    name,
                    category,
                    offer_code,
                    channel,
                    at,
                    answer.until(),
                    standing=standing,
                    known_at=known_at,
                )
            )
    return answers

"""Reads about contacts: what members refused."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from contacts.reactions import Answered, Refusals, standing_refusals
from core.driver import driver_of

_ANSWERS = """
    select member_id, account_id, reaction, scope, coalesce(reaction.article_id, article.article_id),
           coalesce(reaction.category, case when scope = 'category' then article.category end), recorded_at
    from reaction
    left join article on article.sku = reaction.sku and reaction.article_id is null
    where member_id = any(%(members)s) or member_id is null and account_id = any(%(accounts)s)
    order by recorded_at, reaction_id
"""


def refusals_of(session: Session, accounts: Mapping[UUID, UUID], *, now: datetime) -> dict[UUID, Refusals]:
    """
    Return what members refuse at `now`, by member; those who refuse nothing are left out.

    `accounts` gives each member's account: answers given with its cards before anybody had
    registered them hold for all of its members.
    """
    values = {"members": list(accounts), "accounts": list(set(accounts.values()))}
    own: dict[UUID, list[Answered]] = defaultdict(list)
    for member_id, account_id, *answer in driver_of(session).execute(_ANSWERS, values).fetchall():
        if member_id is not None:
            own[member_id].append(Answered(*answer))
        else:
            for heir, account in accounts.items():
                if account == account_id:
                    own[heir].append(Answered(*answer))
    standing = {member_id: standing_refusals(answers, now=now) for member_id, answers in own.items()}
    return {member_id: refusals for member_id, refusals in standing.items() if refusals != Refusals()}

"""What members refuse, as one question to the database: for whoever has no time for more than one."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from contacts.reactions import OPEN_CASE, Answered, Refusals, standing_refusals

REFUSALS: Final = f"""
    select answers.member_id, answers.account_id, answers.reaction, answers.scope, answers.article_id,
           answers.category, answers.recorded_at, answers.offer_code,
           (select name from article where article.article_id = answers.article_id)
    from (
        select reaction.reaction_id, reaction.member_id, reaction.account_id, reaction.reaction, reaction.scope,
               coalesce(reaction.article_id, article.article_id) as article_id,
               coalesce(reaction.category, case when scope = 'category' then article.category end) as category,
               reaction.recorded_at, reaction.offer_code
        from reaction
        left join article on article.sku = reaction.sku and reaction.article_id is null
        where reaction.member_id = any(%(members)s::uuid[])
           or reaction.member_id is null and reaction.account_id = any(%(accounts)s::uuid[])
        union all
        select 0, member_case.member_id, null, '{OPEN_CASE}', 'item', member_case.article_id,
               article.category, member_case.opened_at, null
        from member_case
        join article on article.article_id = member_case.article_id
        where member_case.member_id = any(%(members)s::uuid[]) and member_case.state = 'open'
    ) as answers
    order by answers.recorded_at, answers.reaction_id
"""
"""
Every answer of `members`, and those given with cards of `accounts` before anybody had registered them; with the
articles of open cases. From the oldest to the newest: member, account, and the values of `Answered`.
"""


def refusals_from(rows: Iterable[tuple[Any, ...]], *, now: datetime) -> Refusals:
    """Return what one member refuses at `now`; `rows` answer REFUSALS for that member and their account."""
    return standing_refusals((Answered(*row[2:]) for row in rows), now=now)

"""
The history of a member: every dated event between them and the chain, in either direction.

What has a table of its own stays there and is joined here: consents, returns, joining. The rest is written into
`contact` when it happens.
"""

from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from contacts.queries import ContactView, contacts_of_member
from core.driver import driver_of

MOST: Final = 300
"""Events that are looked back at."""

_ELSEWHERE: Final = """
    select 0, recorded_at, source, 'inbound', 'consent',
           jsonb_build_object('purpose', purpose, 'channel', channel, 'granted', granted)
    from consent where member_id = %(member_id)s
    union all
    select 0, joined_on::timestamp at time zone %(timezone)s, 'desk', 'inbound', 'joined', '{}'::jsonb
    from member where member_id = %(member_id)s
    union all
    (
        select 0, receipt.closed_at, 'till', 'inbound', 'return',
               jsonb_build_object(
                   'receipt_number', receipt.receipt_number, 'store', store.name,
                   'business_date', receipt.business_date, 'receipt_id', receipt.receipt_id,
                   'what', coalesce((
                       select jsonb_agg(distinct coalesce(line.name, article.name, line.sku, '?'))
                       from receipt_line as line left join article on article.article_id = line.article_id
                       where line.business_date = receipt.business_date and line.receipt_id = receipt.receipt_id
                   ), '[]'::jsonb),
                   'faulty', exists (
                       select from receipt_line as line
                       where line.business_date = receipt.business_date
                         and line.receipt_id = receipt.receipt_id and line.return_reason = 'faulty'))
        from receipt
        join store on store.store_id = receipt.store_id
        where receipt.account_id = (select account_id from member where member_id = %(member_id)s)
          and receipt.member_id = %(member_id)s and receipt.type = 'return' and receipt.mode = 'live'
        order by receipt.closed_at desc limit %(limit)s
    )
"""


def history_of_member(
    session: Session, *, member_id: UUID, timezone: str, limit: int = MOST
) -> list[ContactView]:
    """
    Return the newest events of a member, newest first.

    A day without a moment, that of joining, begins in `timezone`.
    """
    values = {"member_id": member_id, "timezone": timezone, "limit": limit}
    joined = [ContactView(*row) for row in driver_of(session).execute(_ELSEWHERE, values).fetchall()]
    events = [*contacts_of_member(session, member_id=member_id, limit=limit), *joined]
    return sorted(events, key=lambda event: event.at, reverse=True)[:limit]

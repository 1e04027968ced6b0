"""Answers that come to a member: given with a card before anybody had registered it, they hold for who takes it over."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import driver_of

_COPY: Final = """
    with come as (
        insert into reaction (account_id, member_id, card_number, reaction, scope, sku, article_id, category, channel,
                              actor, recorded_at, offer_code, decision_id, moved_at)
        select said.account_id, %(member)s, said.card_number, said.reaction, said.scope, said.sku, said.article_id,
               said.category, said.channel, said.actor, said.recorded_at, said.offer_code, said.decision_id, %(now)s
        from reaction as said
        where said.account_id = %(account)s and said.member_id is null
          and not exists (
              select from reaction as own
              where own.member_id = %(member)s and own.moved_at is not null
                and own.recorded_at = said.recorded_at and own.reaction = said.reaction and own.scope = said.scope
                and own.sku is not distinct from said.sku and own.offer_code is not distinct from said.offer_code)
        order by said.reaction_id
        returning reaction_id, recorded_at, channel, reaction, scope, sku, category, offer_code
    ), told as (
        insert into contact (member_id, at, channel, direction, kind, detail, source)
        select %(member)s, recorded_at, channel, 'inbound', 'reaction',
               jsonb_build_object('reaction', reaction, 'scope', scope, 'sku', sku, 'category', category)
               || case when offer_code is null then '{}' else jsonb_build_object('offer_code', offer_code) end,
               'reaction ' || reaction_id
        from come
        on conflict do nothing
    )
    select count(*) from come
"""


def bring_answers(session: Session, *, account_id: UUID, member_id: UUID, now: datetime) -> int:
    """
    Let what was answered with unregistered cards of an account hold for a member, wherever they go; return how many.

    Answers are never changed: the member gets copies, each once, that keep the moment of the answer. To be called
    once the account's cards are held, so that no answer comes in between.
    """
    row = (
        driver_of(session).execute(_COPY, {"account": account_id, "member": member_id, "now": now}).fetchone()
    )
    return int(row[0]) if row else 0

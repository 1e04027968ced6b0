"""The copies that a hand-over takes along, what is known of each, and the moment from which they are sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import driver_of

HELD_BACK: Final = """
    exists (select from outgoing_mail
            where outgoing_mail.kind = 'catalog' and outgoing_mail.source = catalog_copy.copy_code
              and outgoing_mail.member_id = catalog_copy.member_id
              and outgoing_mail.state in ('cancelled', 'failed'))
"""
"""Whether a `catalog_copy` that was queued to be mailed never left: its mail was cancelled or failed."""


@dataclass(frozen=True, slots=True)
class CopyToSend:
    """A copy on its way out, with what its manifest and its mail say."""

    copy_id: UUID
    copy_code: str
    edition_id: UUID
    member_id: UUID
    member_code: str
    name: str
    email: str | None
    language: str
    store_code: str | None
    channel: str
    path: str
    sha256: bytes
    pages: int
    agreed_to_catalog: bool


def copies_of_handover(session: Session, handover_id: UUID) -> list[CopyToSend]:
    """Return the copies that a hand-over takes along, neighbours of one edition, store and language."""
    rows = driver_of(session).execute(
        """
        select copy.copy_id, copy.copy_code, copy.edition_id, member.member_id, member.member_code,
               coalesce(nullif(trim(member.given_name || ' ' || member.family_name), ''), member.company_name, ''),
               member.email, copy.language, store.store_code, copy.channel, copy.path, copy.sha256,
               copy.pages,
               coalesce((select granted from consent where consent.member_id = member.member_id
                         and purpose = 'catalog' and channel = 'email'
                         order by recorded_at desc, consent_id desc limit 1), false)
        from catalog_copy as copy
        join edition using (edition_id)
        join member using (member_id)
        left join store on store.store_id = copy.store_id
        where copy.handover_id = %s and copy.state = 'made'
        order by edition.edition_code, copy.store_id, copy.language, copy.copy_code
        """,
        (handover_id,),
    )
    return [CopyToSend(*row) for row in rows]


def send_copies(
    session: Session, *, handover_id: UUID, now: datetime, only: list[UUID] | None = None
) -> list[UUID]:
    """
    Let the copies of a hand-over be sent, or `only` those whose mails are queued; returns them.

    Each is written into its member's history, but for mailed ones: of these the history tells when the mail was sent.
    """
    rows = driver_of(session).execute(
        """
        with gone as (
            update catalog_copy set state = 'sent', sent_at = %(now)s, handover_id = %(handover)s
            where state = 'made'
              and case when %(only)s::uuid[] is null then handover_id = %(handover)s else copy_id = any(%(only)s) end
            returning copy_id, copy_code, member_id, edition_id, channel, pages, sha256
        ), told as (
            insert into contact (member_id, at, channel, direction, kind, detail, source)
            select member_id, %(now)s, gone.channel, 'outbound', 'catalog',
                   jsonb_build_object('copy_code', copy_code, 'edition', edition.edition_code,
                                      'title', edition.group_name, 'valid_from', edition.valid_from,
                                      'valid_to', edition.valid_to, 'pages', pages),
                   'catalog ' || copy_code
            from gone join edition using (edition_id)
            where %(only)s::uuid[] is null
            on conflict do nothing
        )
        select copy_id from gone
        """,
        {"now": now, "handover": handover_id, "only": only},
    )
    return [row[0] for row in rows.fetchall()]

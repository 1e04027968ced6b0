"""What members choose for themselves."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.audit import record_event
from core.errors import Refused
from core.i18n import LANGUAGES
from customers.models import Member


class NoSuchLanguage(Refused):
    """We write in other languages."""


def choose_language(session: Session, *, member_id: UUID, language: str, actor: str, now: datetime) -> None:
    """Write to a member in `language` from now on, on paper and screens too; raises `NoSuchLanguage`."""
    if language not in LANGUAGES:
        raise NoSuchLanguage(f"{language!r} is not one of {', '.join(LANGUAGES)}")
    row = session.execute(
        select(Member.member_code, Member.language).where(Member.member_id == member_id).with_for_update()
    ).one()
    if row.language == language:
        return
    session.execute(update(Member).where(Member.member_id == member_id).values(language=language))
    record_event(
        session,
        now=now,
        actor=actor,
        action="member.language",
        subject_kind="member",
        subject_id=row.member_code,
        detail={"language": language, "was": row.language},
    )

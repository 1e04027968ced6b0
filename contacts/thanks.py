"""Thanks by mail to members who told us what they do not want; at most one a day."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from contacts.mail_texts import write_mail
from contacts.outbox import queue_mail
from core.clock import business_day
from customers.models import Member
from sales.business_days import chain_timezone
from sales.models import Article


def thank_for_answer(
    session: Session,
    *,
    member_id: UUID,
    sku: str | None,
    category: str | None,
    about_all: bool,
    now: datetime,
) -> UUID | None:
    """Queue thanks for a "never" or "wrong product", to members with an address who had none today."""
    person = session.execute(
        select(Member.given_name, Member.email, Member.language).where(Member.member_id == member_id)
    ).one()
    if person.email is None:
        return None
    name = session.scalar(select(Article.name).where(Article.sku == sku)) if sku is not None else None
    day = business_day(now, chain_timezone(session))
    return queue_mail(
        session,
        member_id=member_id,
        kind="answer_thanks",
        source=f"day {day.isoformat()}",
        recipient=person.email,
        language=person.language,
        mail=write_mail(
            "answer_thanks",
            person.language,
            name=person.given_name,
            subject=category or name or sku or "",
            about_all=about_all,
        ),
        now=now,
    )

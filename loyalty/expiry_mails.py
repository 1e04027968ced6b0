"""Mails to members whose points end soon: thirty and seven days before, once each, in their language."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from contacts.mail_texts import write_mail
from contacts.outbox import queue_mail
from core.driver import driver_of
from core.i18n import show_date, show_money, show_number
from core.jobs import Shift
from core.money import Money
from loyalty.lots import last_day
from loyalty.programme.rules import Programme
from loyalty.programme.versions import programmes
from sales.models import Store

AT_ONCE: Final = 200
STILL_NEWS: Final = timedelta(days=3)
"""Warnings older than this were told, or are of a time before mails were sent."""

# Who may spend is told; earners cannot do anything about it.
_UNTOLD: Final = """
    select member.member_id, member.given_name, member.email, member.language, warned.points, warned.expires_at,
           warned.source
    from (
        select expiry_warning.*, 'points ' || account_id || ' ' || expires_at || ' ' || days_before as source
        from expiry_warning
        where warned_at > %(since)s and expires_at > %(now)s
    ) as warned
    join member on member.account_id = warned.account_id and member.role <> 'earner' and member.email is not null
    where not exists (
        select from outgoing_mail as told
        where told.member_id = member.member_id and told.kind = 'expiry_warning' and told.source = warned.source
    )
    order by warned.expires_at, member.member_id limit %(limit)s
"""


def tell_of_expiry(shift: Shift) -> dict[str, Any]:
    """
    Put a mail into the outbox for each member who was warned and not told; returns how many.

    Each member is told once for each end and distance, however often this runs; each portion is its own transaction.
    """
    told = 0
    while True:
        done = shift.transact(lambda session: _tell_next(session, now=shift.now))
        told += done
        shift.report(told, None)
        if done < AT_ONCE:
            return {"mails": told}


def _tell_next(session: Session, *, now: datetime) -> int:
    programme = programmes(session).on(now.date())
    currency = session.scalar(
        select(Store.currency).group_by(Store.currency).order_by(func.count().desc(), Store.currency).limit(1)
    )
    values = {"since": now - STILL_NEWS, "now": now, "limit": AT_ONCE}
    rows = driver_of(session).execute(_UNTOLD, values).fetchall()
    for member_id, name, email, language, points, expires_at, source in rows:
        queue_mail(
            session,
            member_id=member_id,
            kind="expiry_warning",
            source=source,
            recipient=email,
            language=language,
            mail=write_mail(
                "expiry_warning",
                language,
                name=name,
                points=show_number(points, language),
                day=show_date(last_day(expires_at), language, style="long"),
                value=_worth(programme, points, currency, language),
            ),
            not_after=expires_at,
            now=now,
        )
    return len(rows)


def _worth(programme: Programme, points: int, currency: str | None, language: str) -> str:
    return show_money(Money(programme.value_of(points, currency), currency), language) if currency else ""

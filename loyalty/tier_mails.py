"""Mails to members whose tier will be lost unless they buy more: once for each end of a period, in their language."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from contacts.mail_texts import write_mail
from contacts.outbox import queue_mail
from core.clock import day_start
from core.driver import driver_of
from core.i18n import show_date
from core.jobs import Shift
from loyalty.tier_schemes import read_schemes
from loyalty.tier_words import amount_words, tier_name

AT_ONCE: Final = 200
STILL_NEWS: Final = timedelta(days=3)
"""Warnings older than this were told, or are of a time before mails were sent."""

# Who holds a higher tier by somebody's grant loses nothing yet; tills do not warn them either.
_UNTOLD: Final = """
    select member.member_id, member.given_name, member.email, member.language, warned.tier_code, warned.missing,
           warned.ends_on, warned.source
    from (
        select event.account_id, event.to_code as tier_code, (event.detail ->> 'missing')::bigint as missing,
               (event.detail ->> 'until')::date as ends_on,
               'tier ' || event.account_id || ' ' || (event.detail ->> 'until') as source
        from tier_event as event
        where event.kind = 'warned' and event.recorded_at > %(since)s
    ) as warned
    join tier_standing as standing on standing.account_id = warned.account_id
        and standing.tier_code = warned.tier_code and standing.earned_code = warned.tier_code
        and standing.period_end = warned.ends_on
    join member on member.account_id = warned.account_id and member.email is not null
    where warned.ends_on > %(today)s and not exists (
        select from outgoing_mail as told
        where told.member_id = member.member_id and told.kind = 'tier_warning' and told.source = warned.source
    )
    order by warned.ends_on, member.member_id limit %(limit)s
"""


def tell_of_tiers(shift: Shift) -> dict[str, Any]:
    """
    Put a mail into the outbox for each member whose account was warned and who was not told; returns how many.

    Each is told once for each end of a period, however often this runs; each portion is its own transaction.
    """
    told = 0
    while True:
        done = shift.transact(lambda session: _tell_next(session, now=shift.now))
        told += done
        shift.report(told, None)
        if done < AT_ONCE:
            return {"mails": told}


def _tell_next(session: Session, *, now: datetime) -> int:
    values = {"since": now - STILL_NEWS, "today": now.date(), "limit": AT_ONCE}
    rows = driver_of(session).execute(_UNTOLD, values).fetchall()
    scheme = read_schemes(session).on(now.date()) if rows else None
    for member_id, name, email, language, tier, missing, ends_on, source in rows:
        assert scheme is not None
        mail = write_mail(
            "tier_warning",
            language,
            name=name,
            tier=tier_name(scheme, tier, language),
            missing=amount_words(scheme, missing, language),
            day=show_date(_last_day(ends_on), language, style="long"),
        )
        queue_mail(
            session,
            member_id=member_id,
            kind="tier_warning",
            source=source,
            recipient=email,
            language=language,
            mail=mail,
            not_after=day_start(ends_on, "UTC"),
            now=now,
        )
    return len(rows)


def _last_day(ends_on: date) -> date:
    """Return the last day on which what is bought counts: the period ends with it."""
    return ends_on - timedelta(days=1)

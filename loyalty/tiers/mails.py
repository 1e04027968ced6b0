"""Mails to members whose tier will be lost unless they buy more: once for each end of a period, in their language."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from contacts.mail_texts import write_mail
from contacts.outbox import queue_mail
from core.clock import day_start
from core.driver import driver_of
from core.i18n import show_date
from core.jobs import Shift
from loyalty.tiers.scheme import Schemes
from loyalty.tiers.standings import read_known
from loyalty.tiers.versions import read_schemes
from loyalty.tiers.walk import earned, missing_to_keep
from loyalty.tiers.words import amount_words, tier_name

AT_ONCE: Final = 200
STILL_NEWS: Final = timedelta(days=3)
"""Warnings older than this were told, or are of a time before mails were sent."""

# Who holds a higher tier by somebody's grant loses nothing yet; tills do not warn them either.
_UNTOLD: Final = """
    select warned.account_id, member.member_id, member.given_name, member.email, member.language, warned.tier_code,
           warned.ends_on, warned.source
    from (
        select event.account_id, event.to_code as tier_code, (event.detail ->> 'until')::date as ends_on,
               'tier ' || event.account_id || ' ' || (event.detail ->> 'until') as source
        from tier_event as event
        where event.kind = 'warned' and event.recorded_at > %(since)s
    ) as warned
    join tier_standing as standing on standing.account_id = warned.account_id
        and standing.tier_code = warned.tier_code and standing.earned_code = warned.tier_code
        and standing.period_end = warned.ends_on
    join member on member.account_id = warned.account_id and member.email is not null
    where warned.ends_on > %(today)s
      and (%(last)s::uuid is null or (warned.ends_on, member.member_id) > (%(ended)s::date, %(last)s::uuid))
      and not exists (
        select from outgoing_mail as told
        where told.member_id = member.member_id and told.kind = 'tier_warning' and told.source = warned.source
    )
    order by warned.ends_on, member.member_id limit %(limit)s
"""


def tell_of_tiers(shift: Shift) -> dict[str, Any]:
    """
    Put a mail into the outbox for each member whose account was warned and who was not told; returns how many.

    Each is told once for each end of a period, however often this runs, and what is missing by now: who has bought
    enough since hears nothing. Each portion is its own transaction.
    """
    today = max(shift.business_day + timedelta(days=1), shift.now.date())
    told, last = 0, None
    while True:
        sent, last = shift.transact(partial(_tell_next, after=last, today=today, now=shift.now))
        told += sent
        shift.report(told, None)
        if last is None:
            return {"mails": told}


def _tell_next(
    session: Session, *, after: tuple[date, UUID] | None, today: date, now: datetime
) -> tuple[int, tuple[date, UUID] | None]:
    """Tell a portion; return how many mails that were, and after whom the next portion begins, None at the end."""
    ended, last = after or (None, None)
    values = {"since": now - STILL_NEWS, "today": now.date(), "ended": ended, "last": last, "limit": AT_ONCE}
    rows = driver_of(session).execute(_UNTOLD, values).fetchall()
    if not rows:
        return 0, None
    schemes = read_schemes(session)
    scheme = schemes.on(today)
    lacking = _lacking(session, schemes, {row[0] for row in rows}, today)
    for account_id, member_id, name, email, language, tier, ends_on, source in rows:
        if account_id not in lacking:
            continue
        mail = write_mail(
            "tier_warning",
            language,
            name=name,
            tier=tier_name(scheme, tier, language),
            missing=amount_words(scheme, lacking[account_id], language),
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
    told = sum(row[0] in lacking for row in rows)
    return told, (rows[-1][6], rows[-1][1]) if len(rows) == AT_ONCE else None


def _lacking(
    session: Session, schemes: Schemes, account_ids: Collection[UUID], today: date
) -> dict[UUID, int]:
    """Return what each account still needs for keeping its tier; not of those that need nothing."""
    found = {}
    for known in read_known(session, account_ids=sorted(account_ids)):
        held = earned(schemes, known.record, joined_on=known.joined_on, today=today)
        missing = missing_to_keep(schemes, known.record, held, joined_on=known.joined_on, today=today)
        if missing is not None:
            found[known.account_id] = missing
    return found


def _last_day(ends_on: date) -> date:
    """Return the last day on which what is bought counts: the period ends with it."""
    return ends_on - timedelta(days=1)

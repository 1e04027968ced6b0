"""Mails to members whose gifts lie aside: once for each, when its last days have come, in their language."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from contacts.mail_texts import write_mail
from contacts.outbox import queue_mail
from core.clock import business_day
from core.driver import driver_of
from core.i18n import called, show_date
from core.jobs import Shift

AT_ONCE: Final = 200
TOLD_BEFORE: Final = timedelta(days=3)
"""How long before a gift goes back its member is reminded."""
JUST_RESERVED: Final = timedelta(hours=12)
"""Who chose a gift a moment ago needs no reminder of it."""

# Of a household whoever may spend is told: they paid for it. Not who left it, card in hand, since the gift was reserved.
_UNTOLD: Final = """
    select member.member_id, member.given_name, member.email, member.language, reward.name, reward.reward_code,
           gift.pickup_code, store.name as store_name, store.timezone, gift.expires_at, gift.source
    from (
        select redemption.*, 'gift ' || redemption_id as source from redemption
        where state = 'reserved' and pickup_code is not null
          and expires_at > %(now)s and expires_at <= %(until)s and reserved_at <= %(before)s
    ) as gift
    join reward on reward.reward_code = gift.reward_code
    join store on store.store_id = gift.store_id
    join member on member.account_id = gift.account_id and member.role <> 'earner' and member.email is not null
    where not exists (
        select from outgoing_mail as told
        where told.member_id = member.member_id and told.kind = 'gift_waits' and told.source = gift.source
    )
    order by gift.expires_at, gift.source, member.member_id limit %(limit)s
"""


def tell_of_pickups(shift: Shift) -> dict[str, Any]:
    """
    Put a mail into the outbox for each member whose gift goes back soon and who was not told; returns how many.

    Each is told once for each gift, however often this runs; each portion is its own transaction.
    """
    told = 0
    while True:
        done = shift.transact(lambda session: _tell_next(session, now=shift.now))
        told += done
        shift.report(told, None)
        if done < AT_ONCE:
            return {"mails": told}


def _tell_next(session: Session, *, now: datetime) -> int:
    values = {"now": now, "until": now + TOLD_BEFORE, "before": now - JUST_RESERVED, "limit": AT_ONCE}
    rows = driver_of(session).execute(_UNTOLD, values).fetchall()
    for member_id, name, email, language, names, reward, code, store, timezone, expires_at, source in rows:
        mail = write_mail(
            "gift_waits",
            language,
            name=name,
            gift=called(names, language, reward),
            code=code,
            store=store,
            day=show_date(
                business_day(expires_at - timedelta(microseconds=1), timezone), language, style="long"
            ),
        )
        queue_mail(
            session,
            member_id=member_id,
            kind="gift_waits",
            source=source,
            recipient=email,
            language=language,
            mail=mail,
            not_after=expires_at,
            now=now,
        )
    return len(rows)

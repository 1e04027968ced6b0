"""
Sends what waits in the outbox: each mail at most once.

A mail is claimed for some minutes, whoever else sends too. Before its content is handed to the server that is
written down, unless it was cancelled or its member does not agree any more. So whatever breaks from then on, a
connection or this process, leaves a mail that may have arrived: it stays as "uncertain", for people to see, and
is not sent again. What broke before is sent again, later each time.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from contacts.mail_servers import Answer, Connection, MailServer, ServerDown
from contacts.messages import NoAttachment, Sender, Waiting
from contacts.operations import record_contact
from contacts.outbox import SECRET_KINDS, WANTED
from core import clock
from core.database import Sessions
from core.driver import driver_of

log = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=5)
"""For how long a mail belongs to whoever claimed it; longer than a server may take to answer all it is asked."""
SWEEP_EVERY: Final = timedelta(minutes=1)
ATTEMPTS: Final = 8
FIRST_PAUSE: Final = timedelta(minutes=1)
"""After the first refusal; twice as long after each further one."""

_SWEEP = (
    """
    update outgoing_mail set state = 'uncertain', leased_until = null, finished_at = %(now)s,
        answer = 'the sender was interrupted', text = case when kind = any(%(secret)s) then null else text end,
        html = case when kind = any(%(secret)s) then null else html end
    where state = 'sending' and leased_until < %(now)s and handed_at is not null
    """,
    """
    update outgoing_mail set state = 'queued', leased_until = null
    where state = 'sending' and leased_until < %(now)s and handed_at is null
    """,
    """
    update outgoing_mail set state = 'cancelled', finished_at = %(now)s, answer = 'too late',
        text = case when kind = any(%(secret)s) then null else text end,
        html = case when kind = any(%(secret)s) then null else html end
    where state = 'queued' and not_after <= %(now)s
    """,
)

_DUE = "state = 'queued' and not_before <= %(now)s and (not_after is null or not_after > %(now)s)"

_WAITS = f"select exists (select from outgoing_mail where {_DUE})"

_CLAIM = f"""
    update outgoing_mail set state = 'sending', leased_until = %(lease)s, attempts = attempts + 1
    where mail_id = (
        select mail_id from outgoing_mail where {_DUE}
        order by urgency, not_before limit 1 for update skip locked
    )
    returning mail_id, member_id, kind, purpose, language, recipient, subject, text, html, attachments, queued_at,
        attempts, leased_until
"""

_HOLD_MEMBER = "select from member where member_id = %(member_id)s for no key update"

_HOLD_BACK = """
    update outgoing_mail set state = 'cancelled', leased_until = null, finished_at = %(now)s,
        answer = 'the member refused something meanwhile'
    from member
    where mail_id = %(mail_id)s and leased_until = %(lease)s and handed_at is null and as_of is not null
      and member.member_id = outgoing_mail.member_id
      and (exists (select from reaction as said
                   where said.member_id = member.member_id and said.reaction not in ('accepted', 'taken_back')
                     and greatest(said.recorded_at, said.moved_at) > as_of)
        or exists (select from reaction as said
                   where said.member_id is null and said.account_id = member.account_id
                     and said.reaction not in ('accepted', 'taken_back') and said.recorded_at > as_of)
        or exists (select from member_case
                   where member_case.member_id = member.member_id and member_case.state = 'open'
                     and member_case.article_id is not null and member_case.opened_at > as_of)
        or exists (select from receipt join receipt_line as line using (business_date, receipt_id)
                   where receipt.account_id = member.account_id and receipt.type = 'return' and receipt.mode = 'live'
                     and receipt.business_date >= as_of::date - 7 and line.business_date >= as_of::date - 7
                     and receipt.received_at > as_of and line.return_reason = 'faulty'))
    returning 1
"""

_HAND_OVER = f"""
    update outgoing_mail set handed_at = %(now)s
    where mail_id = %(mail_id)s and leased_until = %(lease)s and leased_until > %(now)s and handed_at is null
      and (not_after is null or not_after > %(now)s)
      and (purpose = 'service'
           or exists (select from member where member.member_id = outgoing_mail.member_id and {WANTED}))
    returning 1
"""

_FINISH = """
    update outgoing_mail set state = %(state)s, leased_until = null, answer = %(answer)s,
        handed_at = case when %(state)s in ('sent', 'uncertain') then handed_at end,
        finished_at = case when %(state)s <> 'queued' then %(now)s::timestamptz end,
        not_before = coalesce(%(not_before)s, not_before),
        text = case when %(state)s <> 'queued' and kind = any(%(secret)s) then null else text end,
        html = case when %(state)s <> 'queued' and kind = any(%(secret)s) then null else html end
    where mail_id = %(mail_id)s and leased_until = %(lease)s
    returning 1
"""


@dataclass(slots=True)
class Post:
    """Sends for one house through one mail server; `now` is asked before each mail."""

    sessions: Sessions
    server: MailServer
    sender: Sender
    now: Callable[[], datetime] = clock.now
    stopping: threading.Event = field(default_factory=threading.Event)

    def drain(self) -> Counter[str]:
        """
        Send what is due, one after the other, until nothing is; return how many of each outcome there were.

        Raises `ServerDown` when the server cannot be reached: then all that is left waits, and no attempt counts.
        """
        outcomes: Counter[str] = Counter()
        swept = self._sweep()
        connection: Connection | None = None
        try:
            while not self.stopping.is_set():
                if connection is None or not connection.open:
                    if not self._waits():
                        break
                    connection = self.server.connect()
                if not swept <= self.now() < swept + SWEEP_EVERY:
                    swept = self._sweep()
                mail = self._claim()
                if mail is None:
                    break
                outcomes[self._finish(mail, self._send(connection, mail))] += 1
        finally:
            if connection is not None:
                connection.quit()
        return outcomes

    def run(self, *, every: float) -> None:
        """Send for ever, looking `every` so many seconds, until `stopping` is set; a server that is down is waited for."""
        pause = every
        while not self.stopping.wait(pause):
            try:
                outcomes = self.drain()
                pause = every
                if outcomes:
                    log.info("mail: %s", ", ".join(f"{count} {name}" for name, count in outcomes.items()))
            except ServerDown as error:
                pause = min(max(pause * 2, 1.0), 60.0)
                log.warning("the mail server cannot be reached (%s); next try in %.0f s", error, pause)

    def _send(self, connection: Connection, mail: Waiting) -> Answer:
        try:
            message = self.sender.compose(mail)
        except (NoAttachment, ValueError) as refusal:
            return Answer("failed", str(refusal))
        return connection.send(
            sender=self.sender.address.addr_spec,
            recipient=mail.recipient,
            message=message,
            hand_over=lambda: self._hand_over(mail),
        )

    def _sweep(self) -> datetime:
        moment = self.now()
        values = {"now": moment, "secret": list(SECRET_KINDS)}
        with self.sessions.begin() as session:
            for statement in _SWEEP:
                driver_of(session).execute(statement, values)
        return moment

    def _waits(self) -> bool:
        with self.sessions.begin() as session:
            found = driver_of(session).execute(_WAITS, {"now": self.now()}).fetchone()
        return bool(found and found[0])

    def _claim(self) -> Waiting | None:
        moment = self.now()
        with self.sessions.begin() as session:
            row = driver_of(session).execute(_CLAIM, {"now": moment, "lease": moment + LEASE}).fetchone()
        return None if row is None else Waiting(*row)

    def _hand_over(self, mail: Waiting) -> bool:
        values = {
            "now": self.now(),
            "mail_id": mail.mail_id,
            "lease": mail.leased_until,
            "purpose": mail.purpose,
            "member_id": mail.member_id,
        }
        with self.sessions.begin() as session:
            driver = driver_of(session)
            if mail.purpose != "service":
                # As whoever queues and whoever withdraws: the member first, then the mail.
                driver.execute(_HOLD_MEMBER, values)
                if driver.execute(_HOLD_BACK, values).fetchone() is not None:
                    return False
            return driver.execute(_HAND_OVER, values).fetchone() is not None

    def _finish(self, mail: Waiting, answer: Answer) -> str:
        """Keep what became of a mail, in its member's history too; return its state."""
        moment = self.now()
        state: str = {"withdrawn": "cancelled", "later": "queued"}.get(answer.outcome, answer.outcome)
        if state == "queued" and mail.attempts >= ATTEMPTS:
            state = "failed"
        values: dict[str, Any] = {
            "mail_id": mail.mail_id,
            "lease": mail.leased_until,
            "state": state,
            "answer": answer.words.replace("\x00", ""),
            "now": moment,
            "not_before": moment + FIRST_PAUSE * 2 ** (mail.attempts - 1) if state == "queued" else None,
            "secret": list(SECRET_KINDS),
        }
        with self.sessions.begin() as session:
            if driver_of(session).execute(_FINISH, values).fetchone() is not None:
                _remember(session, mail, state, moment)
        return state


def _remember(session: Session, mail: Waiting, state: str, moment: datetime) -> None:
    if mail.member_id is None or state not in {"sent", "uncertain"}:
        return
    record_contact(
        session,
        member_id=mail.member_id,
        at=moment,
        channel="email",
        direction="outbound",
        kind="mail",
        detail={"mail": mail.kind, "subject": mail.subject, "purpose": mail.purpose, "state": state},
        source=f"mail {mail.mail_id}",
    )

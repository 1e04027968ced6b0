"""Words for tests about mail: members with an address, mails that wait, and a sender for them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text

from contacts.consents import decide_consent
from contacts.mail_lists import MailView, list_mails
from contacts.mail_servers import MailServer
from contacts.mail_texts import Mail
from contacts.mailer import Post
from contacts.messages import Sender, sender_address
from contacts.outbox import queue_mail
from contacts.unsubscribing import signing_key
from core.database import Sessions
from core.keyset import Ask
from customers.models import Account, Member
from tests.shop import NOON

HELLO = Mail("Hello", "Hello there,\n\nand good-bye.\n", "<html><body><p>Hello there</p></body></html>")
PUBLIC = "https://club.example"


@dataclass
class House:
    """A house with members; `now` is what its clock says."""

    sessions: Sessions
    data: Path
    now: datetime = NOON

    def enrol(self, *names: str) -> list[UUID]:
        """Return new members with an address each."""
        people = [UUID(int=number) for number in range(1, len(names) + 1)]
        with self.sessions.begin() as session:
            session.execute(insert(Account), [{"account_id": person, "opened_at": NOON} for person in people])
            session.execute(
                insert(Member),
                [
                    {
                        "member_id": person,
                        "member_code": f"M{name}",
                        "account_id": person,
                        "given_name": name,
                        "family_name": "",
                        "email": f"{name}@example.org",
                        "language": "en",
                        "joined_on": NOON.date(),
                    }
                    for person, name in zip(people, names, strict=True)
                ],
            )
        return people

    def queue(self, person: UUID, **changes: Any) -> UUID | None:
        with self.sessions.begin() as session:
            member = session.get_one(Member, person)
            wanted = {
                "kind": "case_opened",
                "source": "case 1",
                "recipient": member.email or "",
                "language": "en",
                "mail": HELLO,
                "now": self.now,
            }
            return queue_mail(session, member_id=person, **(wanted | changes))

    def decide(self, person: UUID, *, granted: bool, purpose: str = "offers") -> None:
        with self.sessions.begin() as session:
            decide_consent(
                session,
                member_id=person,
                purpose=purpose,
                channel="email",
                granted=granted,
                source="desk",
                text_version="1",
                actor="test",
                now=self.now,
            )

    def post(self, server: MailServer, **changes: Any) -> Post:
        with self.sessions() as session:
            key = signing_key(session)
        sender = Sender(sender_address("Club <club@example.com>"), PUBLIC, key, self.data)
        return Post(self.sessions, server, sender, **({"now": lambda: self.now} | changes))

    def mails(self) -> list[MailView]:
        with self.sessions() as session:
            return list(list_mails(session, Ask(sort="queued_at", limit=2000)).rows)

    def states(self) -> list[str]:
        return [mail.state for mail in self.mails()]

    def count(self, statement: str) -> int:
        with self.sessions() as session:
            return int(session.scalar(text(f"select count(*) from {statement}")) or 0)

    def code_of(self, person: UUID) -> str:
        with self.sessions() as session:
            return session.scalars(select(Member.member_code).where(Member.member_id == person)).one()

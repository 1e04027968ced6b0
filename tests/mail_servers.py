"""Mail servers to be written to: real ones, that do to each mail what a test wants."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from contacts.mail_servers import MailServer
from contacts.mailbox import HOST, _free_port

Mood = str
"""What becomes of a mail: "take", "later", "refuse", "cut" before the content, or "lose" after it was taken."""


@dataclass
class Sink:
    """Takes mails, or not, as `mood` says for each recipient; `taken` counts what really arrived."""

    mood: Callable[[str], Mood] = lambda _recipient: "take"
    taken: Counter[str] = field(default_factory=Counter)
    mails: list[EmailMessage] = field(default_factory=list)
    busy: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0

    @property
    def server(self) -> MailServer:
        return MailServer.at(f"smtp://{HOST}:{self.port}")

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        envelope.mood = self.mood(address)
        if envelope.mood == "cut":
            server.transport.abort()
        if envelope.mood == "later":
            return "451 Not now"
        if envelope.mood == "refuse":
            return "550 Nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 Fine"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if envelope.mood == "later, all of it":
            return "452 Full"
        if envelope.mood == "refuse, all of it":
            return "554 Spam"
        with self.busy:
            self.taken[envelope.rcpt_tos[0]] += 1
            mail = message_from_bytes(envelope.content, policy=default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        if envelope.mood == "lose":
            server.transport.abort()
        return "250 Kept"


@contextmanager
def listening(sink: Sink) -> Iterator[Sink]:
    """Let a sink take mail for as long as the block lasts; on the same port again if it had one."""
    sink.port = sink.port or _free_port()

    class _Controller(Controller):
        def factory(self) -> Any:
            return SMTP(self.handler, enable_SMTPUTF8=True)

    controller = _Controller(sink, hostname=HOST, port=sink.port)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()

"""Mail servers to be written to: real ones, that do to each mail what a test wants."""

import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from contacts.mail_servers import MailServer
from contacts.mailbox import HOST
from tests.ports import free_port

Mood = str
"""What becomes of a mail: "take", "later", "refuse", "cut" before the content, or "lose" after it was taken."""


CERTIFICATE = Path(__file__).parent / "contacts" / "tls" / "server.pem"
"""Key and certificate of 127.0.0.1, which signed itself."""


def certified() -> ssl.SSLContext:
    """Return what a server with that certificate speaks TLS with."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


def _knows(_server: Any, _session: Any, _envelope: Any, _mechanism: str, login: Any) -> AuthResult:
    return AuthResult(success=(login.login, login.password) == (b"post", b"s@fe"), handled=False)


@dataclass
class Sink:
    """Takes mails, or not, as `mood` says for each recipient; `taken` counts what really arrived."""

    mood: Callable[[str], Mood] = lambda _recipient: "take"
    taken: Counter[str] = field(default_factory=Counter)
    mails: list[EmailMessage] = field(default_factory=list)
    busy: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0
    security: str = "smtp"
    """As in `SMTP_URL`; with TLS it shows a certificate that it signed itself, and asks for user and password."""

    @property
    def server(self) -> MailServer:
        if self.security == "smtp":
            return MailServer.at(f"smtp://{HOST}:{self.port}")
        return MailServer.at(f"{self.security}://post:s%40fe@{HOST}:{self.port}?ca={CERTIFICATE}")

    def options(self) -> dict[str, Any]:
        """Return what the protocol is told."""
        if self.security == "smtp":
            return {}
        if self.security == "starttls":
            safely = {"tls_context": certified(), "require_starttls": True, "auth_required": True}
            return {"authenticator": _knows, **safely}
        # It does not see that the connection is TLS from the start.
        return {"authenticator": _knows, "auth_require_tls": False}

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
    sink.port = sink.port or free_port()

    class _Controller(Controller):
        def factory(self) -> Any:
            return SMTP(self.handler, enable_SMTPUTF8=True, **sink.options())

    wrapped = certified() if sink.security == "smtps" else None
    controller = _Controller(sink, hostname=HOST, port=sink.port, ssl_context=wrapped, ready_timeout=60)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()

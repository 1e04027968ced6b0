"""The mail server that takes our mail: where it is, how we speak to it, and what its answers mean."""

import re
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from core.errors import Refused

PATIENCE: Final = 30.0
"""Seconds that an answer may take."""
_PORTS: Final = {"smtp": 25, "smtps": 465, "starttls": 587}
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_GO_AHEAD: Final = 354

Outcome = Literal["sent", "uncertain", "later", "failed", "withdrawn"]


class NoMailServer(Refused):
    """SMTP_URL does not name a mail server."""


class ServerDown(Exception):  # noqa: N818 - read as "raise ServerDown"
    """The server cannot be reached, or lets us in no further; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one mail, and what the server said."""

    outcome: Outcome
    words: str


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server; `security` is "smtp" (none), "smtps" (TLS from the start) or "starttls"."""

    host: str
    port: int
    security: str
    user: str | None
    password: str | None
    ca_file: str | None = None
    """Who is trusted beside those that this machine trusts: certificates in PEM."""

    @classmethod
    def at(cls, url: str) -> "MailServer":
        """
        Return the server of a URL: `smtps://user:password@host`, `starttls://…:587` or `smtp://host:25`.

        `?ca=FILE` at its end names whom to trust as well, for a server with a certificate of the house's own.
        Raises `NoMailServer`, also for a password that would travel in the clear. Neither is repeated.
        """
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            raise NoMailServer("SMTP_URL has no port number where one should be") from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise NoMailServer("SMTP_URL is not like smtps://user:password@host, starttls://… or smtp://host")
        if parts.scheme == "smtp" and parts.password and parts.hostname not in _HERE:
            raise NoMailServer("SMTP_URL would send a password in the clear; use smtps:// or starttls://")
        (ca_file, *_others) = parse_qs(parts.query).get("ca", [None])
        if ca_file is not None and not Path(ca_file).is_file():
            raise NoMailServer("SMTP_URL names a file of certificates that is not there")
        return cls(
            parts.hostname,
            port or _PORTS[parts.scheme],
            parts.scheme,
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            ca_file,
        )

    def connect(self) -> "Connection":
        """Return an open connection; raises `ServerDown`."""
        try:
            return Connection(self._open())
        except (OSError, smtplib.SMTPException) as error:
            raise ServerDown(_words(error)) from error

    def _open(self) -> smtplib.SMTP:
        trusted = ssl.create_default_context()
        if self.ca_file is not None:
            trusted.load_verify_locations(self.ca_file)
        if self.security == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=PATIENCE, context=trusted)
        else:
            smtp = smtplib.SMTP(self.host, self.port, timeout=PATIENCE)
        try:
            if self.security == "starttls":
                smtp.starttls(context=trusted)
            smtp.ehlo_or_helo_if_needed()
            if self.user:
                smtp.login(self.user, self.password or "")
        except BaseException:
            smtp.close()
            raise
        return smtp


class Connection:
    """An open connection to a mail server."""

    def __init__(self, smtp: smtplib.SMTP) -> None:
        self._smtp = smtp
        self.open = True

    def send(self, *, sender: str, recipient: str, message: bytes, hand_over: Callable[[], bool]) -> Answer:
        """
        Send one mail to one person and return what became of it.

        When the server is ready for the content, `hand_over` is asked: False keeps it back. From then on a
        connection that breaks leaves open whether the mail was taken: that is "uncertain", and never sent again.
        Before, and where the server itself refuses for now, it is "later". Never raises for what a server does.
        """
        handed = False
        try:
            refusal = self._envelope(sender, recipient)
            if refusal is not None:
                return refusal
            code, words = self._smtp.docmd("DATA")
            if code != _GO_AHEAD:
                return self._refused(code, words)
            if not hand_over():
                # The only way out of DATA is to hang up.
                self.close()
                return Answer("withdrawn", "not wanted any more")
            handed = True
            self._smtp.send(_dotted(message))
            return self._taken(*self._smtp.getreply())
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return Answer("uncertain" if handed else "later", _words(error))

    def _taken(self, code: int, words: bytes) -> Answer:
        """Return what the answer to a whole mail means."""
        if code // 100 in {4, 5}:
            return self._refused(code, words)
        if code // 100 == 2:
            return Answer("sent", _said(code, words))
        self.close()
        return Answer("uncertain", _said(code, words))

    def _envelope(self, sender: str, recipient: str) -> Answer | None:
        """Say from whom and to whom; return the refusal, if it is one."""
        options = []
        if not recipient.isascii():
            if not self._smtp.has_extn("smtputf8"):
                return Answer("failed", "the mail server takes no such address (SMTPUTF8)")
            options = ["SMTPUTF8"]
        code, words = self._smtp.mail(sender, options)
        if code // 100 != 2:
            self._begin_again()
            # It is us whom the server does not like: that is no fault of this mail.
            return Answer("later", _said(code, words))
        code, words = self._smtp.rcpt(recipient)
        return None if code // 100 == 2 else self._refused(code, words)

    def _refused(self, code: int, words: bytes) -> Answer:
        if code in {-1, 421}:
            self.close()
        else:
            self._begin_again()
        # Five hundred and more is for good, all else for now.
        return Answer("failed" if code // 100 == 5 else "later", _said(code, words))

    def _begin_again(self) -> None:
        """Forget the mail that was refused; a server that does not let us is hung up on."""
        try:
            self._smtp.rset()
        except (OSError, smtplib.SMTPException):
            self.close()

    def close(self) -> None:
        """Hang up."""
        self.open = False
        self._smtp.close()

    def quit(self) -> None:
        """Take leave."""
        if self.open:
            self.open = False
            try:
                self._smtp.quit()
            except (OSError, smtplib.SMTPException):
                self._smtp.close()


def _dotted(message: bytes) -> bytes:
    """Return a message as DATA takes it: lines end in CRLF, a leading dot is doubled, a lone one ends it."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", message)
    whole = lines if lines.endswith(b"\r\n") else lines + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", whole) + b".\r\n"


def _said(code: int, words: bytes) -> str:
    return f"{code} {words.decode(errors='replace')}"[:500]


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        reason = error.smtp_error
        return (
            f"{error.smtp_code} {reason.decode(errors='replace') if isinstance(reason, bytes) else reason}"[
                :500
            ]
        )
    return f"{type(error).__name__}: {error}"[:500]

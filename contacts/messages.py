"""Mails as they travel: made by the library from what waits in the outbox, so that no text becomes a header."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from html import escape
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from contacts.mail_texts import HOUSE, one_line
from contacts.unsubscribing import unsubscribe_path
from core.errors import Refused
from core.i18n import translations

_POLICY: Final = SMTP.clone(cte_type="7bit", raise_on_defect=False)


class BadSender(Refused):
    """MAIL_FROM is no address."""


class NoAttachment(Refused):
    """A file that a mail is to bring along is not there, or is not the one it was."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail of the outbox that is to be sent now."""

    mail_id: UUID
    member_id: UUID | None
    kind: str
    purpose: str
    language: str
    recipient: str
    subject: str
    text: str
    html: str | None
    attachments: list[dict[str, Any]]
    queued_at: datetime
    attempts: int
    leased_until: datetime


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes: the sender's address, where members reach the house, and what signs the links to it."""

    address: Address
    public_url: str
    key: bytes
    data: Path

    def compose(self, mail: Waiting) -> bytes:
        """Return a mail as it travels; raises `NoAttachment`."""
        message = EmailMessage(policy=_POLICY)
        message["From"] = self.address
        message["To"] = Address(addr_spec=mail.recipient)
        message["Subject"] = one_line(mail.subject)
        message["Date"] = mail.queued_at
        # The same mail always has the same number: who gets it twice can tell.
        message["Message-ID"] = f"<{mail.mail_id}@{self.address.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        text, html = mail.text, mail.html
        if mail.purpose != "service" and mail.member_id is not None:
            link = self.public_url + unsubscribe_path(
                self.key, member_id=mail.member_id, purpose=mail.purpose
            )
            message["List-Unsubscribe"] = f"<{link}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
            words = translations(mail.language).gettext(
                "You do not want such mail any more? Unsubscribe here"
            )
            text = f"{text}\n-- \n{words}: {link}\n"
            html = html and _with_footer(html, words, link)
        message.set_content(text.replace(HOUSE, self.public_url))
        if html:
            message.add_alternative(html.replace(HOUSE, escape(self.public_url)), subtype="html")
        for one in mail.attachments:
            kind, _, subtype = str(one["content_type"]).partition("/")
            message.add_attachment(
                self._read(one), maintype=kind, subtype=subtype, filename=one_line(one["name"])
            )
        return message.as_bytes()

    def _read(self, one: dict[str, Any]) -> bytes:
        path = (self.data / str(one["path"])).resolve()
        if not path.is_relative_to(self.data.resolve()):
            raise NoAttachment("an attachment lies outside the data folder")
        try:
            content = path.read_bytes()
        except OSError as error:
            raise NoAttachment(f"the attachment {one['name']} cannot be read") from error
        if one.get("sha256") not in {None, hashlib.sha256(content).hexdigest()}:
            raise NoAttachment(f"the attachment {one['name']} is not the file it was")
        return content


def sender_address(text: str) -> Address:
    """Return the address of `Name <address>` or of an address alone; raises `BadSender`."""
    name, address = parseaddr(text)
    user, _, domain = address.rpartition("@")
    if not user or not domain:
        raise BadSender("MAIL_FROM is no address, such as Shop <shop@example.com>")
    return Address(one_line(name), user, domain)


def _with_footer(html: str, words: str, link: str) -> str:
    footer = (
        '<p style="max-width:560px;margin:16px auto 0;font-size:13px;color:#5b645f">'
        f'<a href="{escape(link)}" style="color:#5b645f">{escape(words)}</a></p>'
    )
    return html.replace("</body>", f"{footer}</body>", 1)

"""The command groups `regulars mail` and `regulars cases`."""

import logging
import signal
import threading
from pathlib import Path

import click
from sqlalchemy import select

from contacts.case_lists import list_cases
from contacts.cases import KINDS as CASE_KINDS
from contacts.cases import Kind, open_case, resolve_case
from contacts.mail_lists import STATES, list_mails
from contacts.mail_servers import MailServer, ServerDown
from contacts.mailbox import open_mailbox
from contacts.mailer import Post
from contacts.messages import Sender, sender_address
from contacts.unsubscribing import signing_key
from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.errors import NotFound, Refused
from core.keyset import Ask
from core.settings import Settings
from customers.models import Member
from customers.operations import MemberNotFound
from sales.queries import find_article

ACTOR = "command line"
EVERY = 1.0


class NotSetUp(Refused):
    """Something that mail needs is not set."""


class NoSuchArticle(NotFound):
    """There is no article of this number."""


@click.group()
def mail() -> None:
    """Mail to members: what waits in the outbox, and sending it."""


@mail.command("send")
@click.option("--forever", is_flag=True, help="Go on, looking for new mail every second.")
@json_option
@pass_workplace
@refusals_exit_2
def mail_send(workplace: Workplace, *, forever: bool, as_json: bool) -> None:
    """
    Send what is due through the mail server of SMTP_URL.

    MAIL_FROM says who writes, REGULARS_PUBLIC_URL where members reach the house. Exits with 1 when the server
    cannot be reached: then everything waits for the next time.
    """
    post = _post(workplace)
    if forever:
        logging.getLogger("contacts").setLevel(logging.INFO)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: post.stopping.set())
        post.run(every=EVERY)
        return
    try:
        outcomes = post.drain()
    except ServerDown as error:
        raise click.ClickException(f"the mail server cannot be reached: {error}") from error
    if as_json:
        print_json(dict(outcomes))
    else:
        click.echo(
            ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items())) or "nothing is due"
        )


@mail.command("list")
@click.option("--state", type=click.Choice(STATES))
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
@pass_workplace
@refusals_exit_2
def mail_list(workplace: Workplace, *, state: str | None, limit: int, as_json: bool) -> None:
    """List the newest mails with their state; not what they say."""
    ask = Ask(sort="queued_at", descending=True, limit=limit, filters={"state": state} if state else {})
    with workplace.sessions() as session:
        rows = list_mails(session, ask).rows
    if as_json:
        print_json(
            [
                {
                    "mail_id": row.mail_id,
                    "kind": row.kind,
                    "state": row.state,
                    "member_code": row.member_code,
                    "queued_at": row.queued_at.isoformat(),
                    "attempts": row.attempts,
                    "answer": row.answer,
                }
                for row in rows
            ]
        )
        return
    for row in rows:
        click.echo(
            f"{row.queued_at:%Y-%m-%d %H:%M} {row.state:9} {row.kind:15} {row.member_code or '':12} {row.answer or ''}"
        )


@mail.command("catch", hidden=True)
@click.option("--port", type=click.IntRange(1, 65535), required=True)
@pass_workplace
def mail_catch(workplace: Workplace, *, port: int) -> None:
    """Take every mail that is sent to a port of this machine and keep it in the data folder: for demonstrations."""
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    with open_mailbox(workplace.data / "mail", port=port):
        over.wait()


def _post(workplace: Workplace) -> Post:
    settings = Settings.load()
    if settings.smtp_url is None:
        raise NotSetUp("SMTP_URL names no mail server; until then mail waits in the outbox")
    if settings.public_url is None:
        raise NotSetUp("REGULARS_PUBLIC_URL does not say where members reach their account; mails link there")
    with workplace.sessions() as session:
        key = signing_key(session)
    sender = Sender(
        sender_address(settings.mail_from), settings.public_url.rstrip("/"), key, Path(workplace.data)
    )
    return Post(workplace.sessions, MailServer.at(settings.smtp_url), sender)


@click.group()
def cases() -> None:
    """Cases: complaints, return disputes, grievances and questions of members."""


@cases.command("list")
@click.option("--state", type=click.Choice(["open", "resolved"]))
@json_option
@pass_workplace
@refusals_exit_2
def cases_list(workplace: Workplace, *, state: str | None, as_json: bool) -> None:
    """List cases, the newest first."""
    ask = Ask(sort="opened_at", descending=True, limit=1000, filters={"state": state} if state else {})
    with workplace.sessions() as session:
        rows = list_cases(session, ask).rows
    if as_json:
        print_json(
            [
                {
                    "case_number": row.case_number,
                    "state": row.state,
                    "kind": row.kind,
                    "member_code": row.member_code,
                    "sku": row.sku,
                    "owner": row.owner,
                    "opened_at": row.opened_at.isoformat(),
                    "resolved_at": row.resolved_at.isoformat() if row.resolved_at else None,
                    "text": row.text,
                    "resolution": row.resolution,
                }
                for row in rows
            ]
        )
        return
    for row in rows:
        click.echo(
            f"{row.case_number:9} {row.state:8} {row.kind:9} {row.member_code:12} {row.article_name or ''}"
        )


@cases.command("open")
@click.argument("member_code", metavar="MEMBER")
@click.argument("text")
@click.option("--kind", type=click.Choice(CASE_KINDS), default="complaint", show_default=True)
@click.option("--article", "sku", help="The number of the article it is about.")
@pass_workplace
@refusals_exit_2
def cases_open(workplace: Workplace, *, member_code: str, text: str, kind: Kind, sku: str | None) -> None:
    """Open a case of a MEMBER; TEXT is what they say. Prints its number."""
    with workplace.sessions.begin() as session:
        member_id = session.scalar(select(Member.member_id).where(Member.member_code == member_code))
        if member_id is None:
            raise MemberNotFound(f"there is no member {member_code!r}")
        article = find_article(session, sku) if sku else None
        if sku and article is None:
            raise NoSuchArticle(f"there is no article {sku!r}")
        number = open_case(
            session,
            member_id=member_id,
            kind=kind,
            text=text,
            article_id=article.article_id if article else None,
            channel="desk",
            actor=ACTOR,
            now=clock.now(),
        )
    click.echo(number)


@cases.command("resolve")
@click.argument("case_number", metavar="CASE")
@click.argument("resolution")
@pass_workplace
@refusals_exit_2
def cases_resolve(workplace: Workplace, *, case_number: str, resolution: str) -> None:
    """Resolve a CASE; RESOLUTION is what the member is told, with thanks."""
    with workplace.sessions.begin() as session:
        resolve_case(
            session,
            case_number=case_number,
            resolution=resolution,
            channel="desk",
            actor=ACTOR,
            now=clock.now(),
        )
    click.echo(f"{case_number} is resolved")


commands: tuple[click.Command, ...] = (mail, cases)

"""The outbox: which mails wait, which were sent, and why others were not."""

from uuid import UUID

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from contacts.mail_lists import KINDS, STATES, MailView, list_mails, mails_by_state, read_mail
from core.audit import record_event
from core.settings import Settings
from web import contact_words
from web.cells import badge
from web.export import respond
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import gettext as _

blueprint = Blueprint("outbox", __name__, url_prefix="/outbox")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the mails, the newest first; the look at addresses is recorded."""
    with transaction() as session:
        table = Table(
            name="outbox",
            find=_("E-mail or member code"),
            default_sort="-queued_at",
            columns=_columns(),
            filters=(
                Filter(
                    key="state",
                    label=_("State"),
                    choices=tuple(Choice(one, contact_words.mail_state(one)[0]) for one in STATES),
                ),
                Filter(
                    key="kind",
                    label=_("Kind"),
                    choices=tuple(Choice(one, contact_words.mail_kind(one)) for one in KINDS),
                ),
            ),
            fetch=lambda ask: list_mails(session, ask),
            href=lambda row: url_for("outbox.show", mail_id=row.mail_id),
            empty=Empty(
                _("No mail yet"),
                _(
                    "Thanks, warnings and catalogs wait here for the mail server, and stay with what became of them."
                ),
                "inbox",
            ),
        )
        record_event(
            session,
            now=now(),
            actor=viewer().login,
            action="mail.list",
            subject_kind="list",
            subject_id="outbox",
        )
        return respond(
            "screens/outbox.html",
            table,
            counts=mails_by_state(session),
            states=STATES,
            contact_words=contact_words,
            sends=Settings.load().smtp_url is not None,
        )


@blueprint.get("/<uuid:mail_id>")
def show(mail_id: UUID) -> ResponseReturnValue:
    """Show one mail, but never what a sign-in code says; the look is recorded."""
    with transaction() as session:
        mail = read_mail(session, mail_id)
        record_event(
            session,
            now=now(),
            actor=viewer().login,
            action="mail.view",
            subject_kind="mail",
            subject_id=str(mail_id),
        )
        return render_template("screens/mail.html", mail=mail, contact_words=contact_words)


def _columns() -> tuple[Column[MailView], ...]:
    return (
        Column(
            key="subject",
            title=_("Mail"),
            value=lambda row: row.subject,
            second=lambda row: contact_words.mail_kind(row.kind),
        ),
        Column(
            key="state",
            title=_("State"),
            value=lambda row: contact_words.mail_state(row.state)[0],
            figure=_state,
            second=lambda row: row.answer if row.state != "sent" else None,
            sort=True,
        ),
        Column(key="recipient", title=_("To"), value=lambda row: row.recipient, personal=True),
        Column(key="member_code", title=_("Member"), value=lambda row: row.member_code, kind="code"),
        Column(key="queued_at", title=_("Queued"), value=lambda row: row.queued_at, kind="moment", sort=True),
        Column(
            key="finished_at",
            title=_("Finished"),
            value=lambda row: row.finished_at,
            kind="moment",
            sort=True,
        ),
        Column(
            key="attempts", title=_("Attempts"), value=lambda row: row.attempts, kind="number", shown=False
        ),
    )


def _state(row: MailView) -> Markup:
    return badge(*contact_words.mail_state(row.state))

"""The audit trail: who did or looked at what."""

import json

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from web.audit_words import action_words, details, in_short, kind_words, subject_words
from web.export import respond
from web.queries import AuditRow, audit_actions, list_audit, read_event
from web.state import transaction
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import NOTHING
from web.words import gettext as _

blueprint = Blueprint("audit", __name__, url_prefix="/audit")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the events, the newest first."""
    with transaction() as session:
        table = Table(
            name="audit",
            find=_("Person or subject, exactly"),
            default_sort="-happened_at",
            columns=_columns(),
            filters=(
                Filter(
                    key="action",
                    label=_("Action"),
                    choices=tuple(Choice(action, action_words(action)) for action in audit_actions(session)),
                ),
            ),
            fetch=lambda ask: list_audit(session, ask),
            href=lambda row: url_for("audit.show", event_id=row.event_id),
            empty=Empty(
                _("Nothing recorded yet"),
                _("Every change and every look at personal data is written here."),
                "history",
            ),
        )
        return respond("screens/audit.html", table)


@blueprint.get("/<int:event_id>")
def show(event_id: int) -> ResponseReturnValue:
    """Show one event with every detail that was kept of it."""
    with transaction() as session:
        event = read_event(session, event_id=event_id)
    return render_template(
        "screens/audit_event.html",
        event=event,
        action=action_words(event.action),
        kind=kind_words(event.subject_kind),
        details=details(event.detail),
    )


def _columns() -> tuple[Column[AuditRow], ...]:
    return (
        Column(
            key="happened_at", title=_("When"), value=lambda row: row.happened_at, kind="moment", sort=True
        ),
        Column(key="actor", title=_("Who"), value=lambda row: row.actor),
        Column(
            key="action",
            title=_("Action"),
            value=lambda row: row.action,
            figure=lambda row: action_words(row.action),
        ),
        Column(
            key="subject_kind",
            title=_("Kind of subject"),
            value=lambda row: row.subject_kind,
            figure=lambda row: kind_words(row.subject_kind),
            shown=False,
        ),
        Column(
            key="subject_id",
            title=_("Subject"),
            value=lambda row: row.subject_id,
            figure=lambda row: subject_words(row.subject_kind, row.subject_id)[0],
            second=lambda row: subject_words(row.subject_kind, row.subject_id)[1],
        ),
        Column(
            key="detail",
            title=_("Detail"),
            value=lambda row: json.dumps(row.detail, ensure_ascii=False) if row.detail else None,
            figure=lambda row: in_short(row.detail) or NOTHING,
        ),
    )

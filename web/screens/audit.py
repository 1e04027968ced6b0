"""The audit trail: who did or looked at what."""

import json

from flask import Blueprint
from flask.typing import ResponseReturnValue

from web.export import respond
from web.queries import AuditRow, audit_actions, list_audit
from web.state import transaction
from web.tables import Choice, Column, Empty, Filter, Table
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
                    choices=tuple(Choice(action, action) for action in audit_actions(session)),
                ),
            ),
            fetch=lambda ask: list_audit(session, ask),
            empty=Empty(
                _("Nothing recorded yet"),
                _("Every change and every look at personal data is written here."),
                "history",
            ),
        )
        return respond("screens/audit.html", table)


def _columns() -> tuple[Column[AuditRow], ...]:
    return (
        Column(
            key="happened_at", title=_("When"), value=lambda row: row.happened_at, kind="moment", sort=True
        ),
        Column(key="actor", title=_("Who"), value=lambda row: row.actor),
        Column(key="action", title=_("Action"), value=lambda row: row.action, kind="code"),
        Column(
            key="subject_kind", title=_("Kind of subject"), value=lambda row: row.subject_kind, shown=False
        ),
        Column(
            key="subject_id",
            title=_("Subject"),
            value=lambda row: row.subject_id,
            second=lambda row: row.subject_kind,
        ),
        Column(
            key="detail",
            title=_("Detail"),
            value=lambda row: json.dumps(row.detail, ensure_ascii=False) if row.detail else None,
        ),
    )

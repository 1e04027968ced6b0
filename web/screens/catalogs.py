"""Catalogs: editions, the archive of their copies, and the PDF of one copy."""

from pathlib import Path
from uuid import UUID

from flask import Blueprint, send_file, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from catalogs.copy_files import read_archived
from catalogs.copy_lists import (
    CopyRow,
    EditionRow,
    copies_in_all,
    list_copies,
    list_editions,
    read_copy,
    read_edition,
)
from core.audit import record_event
from core.errors import NotFound
from core.i18n import LANGUAGES
from core.job_runs import latest_runs
from web.catalogs.words import channel_words, copy_state
from web.cells import badge, icon
from web.export import respond
from web.groups.shown import groups_now, kept_name
from web.roles import NAMELESS_ROLES, may
from web.state import now, state, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import date_text, language_name, size_text
from web.words import gettext as _

blueprint = Blueprint("catalogs", __name__, url_prefix="/catalogs")


class CopyFileMissing(NotFound):
    """The archive's row is there, but its file is not in the data folder."""


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the editions."""
    with transaction() as session:
        groups = groups_now(session)
        table = Table(
            name="catalogs",
            find=_("Edition or group"),
            default_sort="-created_at",
            columns=_edition_columns(),
            fetch=lambda ask: list_editions(session, ask),
            href=lambda row: url_for("catalogs.show", edition_id=row.edition_id),
            in_panel=False,
            empty=Empty(
                _("No catalogs yet"),
                _("An edition is made per shopper group, and a copy per member who wants it."),
                "book-open-text",
                command="regulars catalogs make",
            ),
        )
        running = next((run for run in latest_runs(session, job="night", limit=3) if run.alive), None)
        return respond(
            "screens/catalogs.html", table, copies=copies_in_all(session), run=running, groups=groups
        )


@blueprint.get("/<uuid:edition_id>")
def show(edition_id: UUID) -> ResponseReturnValue:
    """List the copies of one edition."""
    names = viewer().role not in NAMELESS_ROLES and may(viewer().role, "members.show")
    with transaction() as session:
        edition = read_edition(session, edition_id=edition_id)
        table = Table(
            name="copies",
            names=names,
            find=_("Copy or member code"),
            default_sort="-made_at",
            columns=_copy_columns(),
            filters=(
                Filter(
                    key="language",
                    label=_("Language"),
                    choices=tuple(Choice(code, language_name(code)) for code in LANGUAGES),
                ),
                Filter(
                    key="state",
                    label=_("State"),
                    choices=tuple(
                        Choice(state, copy_state(state)[0])
                        for state in ("made", "sent", "held_back", "dropped")
                    ),
                ),
            ),
            fetch=lambda ask: list_copies(session, ask, edition_id=edition_id, store_id=viewer().store_id),
            empty=Empty(
                _("No copies yet"),
                _("They are made for members who consented to catalogs."),
                "book-open-text",
                command="regulars catalogs make --all",
            ),
        )
        return respond(
            "screens/edition.html",
            table,
            on_export=lambda: record_event(
                session,
                now=now(),
                actor=viewer().login,
                action="member.export",
                subject_kind="edition",
                subject_id=edition.edition_code,
            ),
            edition=edition,
        )


@blueprint.get("/copies/<uuid:copy_id>.pdf")
def download(copy_id: UUID) -> ResponseReturnValue:
    """Send one copy's PDF exactly as it was made, which its hash shows; the look is recorded."""
    with transaction() as session:
        copy = read_copy(session, copy_id=copy_id)
        record_event(
            session,
            now=now(),
            actor=viewer().login,
            action="catalog.download",
            subject_kind="member",
            subject_id=copy.member_code,
            detail={"copy_code": copy.copy_code},
        )
    path = _file(copy)
    # What is not what was made never leaves under the archive's name.
    read_archived(state().data, copy.path, copy.sha256)
    return send_file(
        path, mimetype="application/pdf", as_attachment=True, download_name=f"{copy.copy_code}.pdf"
    )


def _file(copy: CopyRow) -> Path:
    folder = state().data.resolve()
    path = (folder / copy.path).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        raise CopyFileMissing("The file of this copy is not in the data folder")
    return path


def _period(row: EditionRow | CopyRow) -> str:
    return f"{date_text(row.valid_from, 'short')} \N{EN DASH} {date_text(row.last_day, 'short')}"


def _edition_columns() -> tuple[Column[EditionRow], ...]:
    return (
        Column(
            key="group_name",
            title=_("Edition"),
            value=lambda row: kept_name(row.group_name, row.group_id),
            second=lambda row: row.edition_code,
            sort=True,
        ),
        Column(
            key="theme", title=_("Theme"), value=lambda row: row.theme, figure=lambda row: row.theme.title()
        ),
        Column(
            key="valid_from",
            title=_("Valid"),
            value=lambda row: row.valid_from,
            kind="date",
            figure=_period,
            sort=True,
        ),
        Column(key="copies", title=_("Copies"), value=lambda row: row.copies, kind="number", sort=True),
        Column(key="created_at", title=_("Made"), value=lambda row: row.created_at, kind="moment", sort=True),
    )


def _copy_columns() -> tuple[Column[CopyRow], ...]:
    columns: tuple[Column[CopyRow], ...] = (
        Column(key="copy_code", title=_("Copy"), value=lambda row: row.copy_code, kind="code", sort=True),
        Column(
            key="family_name",
            title=_("Member"),
            value=lambda row: f"{row.given_name} {row.family_name}",
            second=lambda row: row.member_code,
            sort=True,
            personal=True,
        ),
        Column(
            key="state",
            title=_("State"),
            value=lambda row: copy_state(row.state)[0],
            figure=lambda row: badge(*copy_state(row.state)),
        ),
        Column(
            key="channel",
            title=_("Goes out by"),
            value=lambda row: channel_words([row.channel]) if row.channel else "",
        ),
        Column(key="language", title=_("Language"), value=lambda row: language_name(row.language)),
        Column(key="store", title=_("Store"), value=lambda row: row.store_code),
        Column(key="pages", title=_("Pages"), value=lambda row: row.pages, kind="number", sort=True),
        Column(
            key="size",
            title=_("Size"),
            value=lambda row: row.size,
            kind="number",
            figure=lambda row: size_text(row.size),
            sort=True,
        ),
        Column(
            key="made_at",
            title=_("Made"),
            value=lambda row: row.made_at,
            kind="moment",
            sort=True,
            shown=False,
        ),
        Column(key="version", title=_("Version"), value=lambda row: row.version, kind="number", shown=False),
        Column(key="sha256", title="SHA-256", value=lambda row: row.sha256.hex(), kind="code", shown=False),
    )
    if not may(viewer().role, "catalogs.download"):
        return columns
    return (*columns, Column(key="pdf", title="PDF", value=lambda row: row.path, figure=_pdf))


def _pdf(row: CopyRow) -> Markup:
    return Markup('<a class="button button-small" href="{}" hx-boost="false" download>{}PDF</a>').format(
        url_for("catalogs.download", copy_id=row.copy_id), icon("download")
    )

"""The programme: the rules in force, planned and past; drafting a version, and a second person's decision on it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from flask import Blueprint, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from core.clock import business_day
from core.keyset import Ask, Page
from loyalty.drafts import NoReason, SamePerson, StartsTooSoon
from loyalty.programme.changes import (
    approve_version,
    change_draft,
    draft_version,
    reject_version,
    withdraw_version,
)
from loyalty.programme.example import SAMPLE_POINTS, example
from loyalty.programme.rules import DEFAULT, Programme, Programmes
from loyalty.programme.versions import (
    Version,
    all_versions,
    find_version,
    read_programmes,
    version_document,
)
from loyalty.programme.words import Sentence, changes, sentences
from loyalty.stored_versions import AHEAD, earliest_start
from sales.models import Store
from web import scope, wording
from web.cells import badge
from web.export import respond
from web.notices import go
from web.programme_forms import VersionForm, filled, read_form
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import date_text, language
from web.words import gettext as _

blueprint = Blueprint("programme", __name__, url_prefix="/programme")
STATES: Final = ("draft", "approved", "rejected", "withdrawn")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show the rules in force, what is planned and what waits, and list every version there ever was."""
    with transaction() as session:
        rules, versions, today = read_programmes(session), all_versions(session), _today(session)
        held = rules.on(today)
        currencies = _currencies(session)
        table = Table(
            name="programme",
            default_sort="-valid_from",
            columns=_columns(rules, today, currencies),
            filters=(
                Filter(
                    key="state",
                    label=_("State"),
                    choices=tuple(Choice(state, wording.version_state(state)[0]) for state in STATES),
                ),
            ),
            fetch=lambda ask: _page_of(versions, ask),
            href=lambda row: url_for("programme.show", version=row.number),
            in_panel=False,
            empty=Empty(
                _("No version yet"),
                _("The till contract's own programme holds until the first version starts."),
                "coins",
            ),
        )
        return respond(
            "screens/programme.html",
            table,
            held=held,
            story=next((one for one in versions if one.number == held.version), None),
            until=rules.until(held.version) if held.version else _first_start(rules),
            said=sentences(held, currencies, language()),
            planned=[
                one
                for one in reversed(versions)
                if one.state == "approved" and one.valid_from > today and rules.ever_holds(one.number)
            ],
            waiting=[one for one in versions if one.state == "draft"],
        )


@blueprint.get("/<int:version>")
def show(version: int) -> ResponseReturnValue:
    """Show a version: its rules in words, what they change, and a worked example; 0 is the contract's own."""
    return _page(version)


@blueprint.get("/<int:version>/rules.json")
def download(version: int) -> ResponseReturnValue:
    """Return a version as the file that the command line reads."""
    with transaction() as session:
        document = version_document(find_version(session, version=version))
    answer = jsonify(document)
    answer.headers["Content-Disposition"] = f'attachment; filename="programme-{version}.json"'
    return answer


@blueprint.get("/new")
def new() -> ResponseReturnValue:
    """Show the form of a new version, filled with the rules that will hold when it can start."""
    with transaction() as session:
        start = _earliest(session)
        rules = read_programmes(session).on(start)
        form = filled(rules, _currencies(session), valid_from=start)
        return _form(session, form, None)


@blueprint.post("/new")
def add() -> ResponseReturnValue:
    """Write a draft."""
    with transaction() as session:
        form = _entered(session)
        if form.errors or form.programme is None or form.valid_from is None:
            return _form(session, form, None), 422
        try:
            version = draft_version(
                session,
                programme=form.programme,
                valid_from=form.valid_from,
                note=form.note,
                actor=viewer().login,
                now=now(),
            )
        except StartsTooSoon as refusal:
            return _form(session, _too_soon(form, refusal), None), 422
    return go(url_for("programme.show", version=version), _("Drafted. A second person approves it."))


@blueprint.get("/<int:version>/edit")
def edit(version: int) -> ResponseReturnValue:
    """Show the form of a draft."""
    with transaction() as session:
        draft = find_version(session, version=version)
        form = filled(draft.rules, _currencies(session), valid_from=draft.valid_from, note=draft.note)
        return _form(session, form, draft)


@blueprint.post("/<int:version>/edit")
def change(version: int) -> ResponseReturnValue:
    """Change a draft; who changes it becomes its author."""
    with transaction() as session:
        draft = find_version(session, version=version)
        form = _entered(session)
        if form.errors or form.programme is None or form.valid_from is None:
            return _form(session, form, draft), 422
        try:
            change_draft(
                session,
                version=version,
                seen=_seen(),
                programme=form.programme,
                valid_from=form.valid_from,
                note=form.note,
                actor=viewer().login,
                now=now(),
            )
        except StartsTooSoon as refusal:
            return _form(session, _too_soon(form, refusal), draft), 422
    return go(url_for("programme.show", version=version), _("Changed. A second person approves it."))


@blueprint.post("/preview")
def preview() -> ResponseReturnValue:
    """Show what the entered rules would do; nothing is kept."""
    with transaction() as session:
        currencies = _currencies(session)
        form = read_form(session, request.form, currencies)
        return render_template("parts/programme_effect.html", **_effect(session, form, currencies))


@blueprint.post("/<int:version>/decision")
def decide(version: int) -> ResponseReturnValue:
    """Approve, reject or withdraw a draft."""
    decision, reason = request.form.get("decision", ""), request.form.get("reason", "")
    seen, actor = _seen(), viewer().login
    try:
        with transaction() as session:
            if decision == "approve":
                approve_version(session, version=version, seen=seen, actor=actor, now=now(), reason=reason)
                said = _("Approved.")
            elif decision == "reject":
                reject_version(session, version=version, seen=seen, actor=actor, now=now(), reason=reason)
                said = _("Rejected.")
            elif decision == "withdraw":
                withdraw_version(session, version=version, seen=seen, actor=actor, now=now())
                said = _("Withdrawn.")
            else:
                raise BadRequest
    except NoReason:
        return _page(version, errors={"reason": _("Say why: the author reads it")}), 422
    except SamePerson:
        return _page(version, errors={"reason": _("You drafted this: a second person approves it")}), 422
    except StartsTooSoon as refusal:
        return _page(version, errors={"reason": _start_words(refusal.earliest)}), 422
    return go(url_for("programme.show", version=version), said)


def _page(version: int, errors: dict[str, str] | None = None) -> str:
    with transaction() as session:
        rules, currencies, today = read_programmes(session), _currencies(session), _today(session)
        story = find_version(session, version=version) if version else None
        programme = story.rules if story else DEFAULT
        before = _before(rules, story)
        start = story.valid_from if story else today
        currency = _currency(session, currencies)
        return render_template(
            "screens/programme_version.html",
            version=version,
            story=story,
            state=_state(story, rules, today) if story else None,
            until=rules.until(version) if story and story.state == "approved" else _first_start(rules),
            said=sentences(programme, currencies, language()),
            before=before,
            changes=changes(before, programme, currencies, language()) if before else [],
            examples=_examples(before, programme, currency, start),
            sample_points=SAMPLE_POINTS,
            own=story is not None and story.drafted_by == viewer().login,
            errors=errors or {},
        )


def _form(session: Session, form: VersionForm, draft: Version | None) -> str:
    currencies = _currencies(session)
    return render_template(
        "screens/programme_form.html",
        form=form,
        given=form.given,
        draft=draft,
        earliest=earliest_start(session, now=now()),
        ahead=AHEAD,
        **_effect(session, form, currencies),
    )


def _effect(session: Session, form: VersionForm, currencies: Sequence[str]) -> dict[str, Any]:
    """Return what the effect of a form's rules is shown with; nothing of rules that cannot be read."""
    if form.programme is None:
        return {"effect": None, "errors": form.errors}
    start = form.valid_from or _earliest(session)
    before = read_programmes(session).on(start)
    currency = _currency(session, form.currencies or currencies)
    return {
        "effect": {
            "said": sentences(form.programme, form.currencies, language()),
            "changes": changes(before, form.programme, form.currencies, language()),
        },
        "before": before,
        "start": start,
        "examples": _examples(before, form.programme, currency, start),
        "sample_points": SAMPLE_POINTS,
        "errors": form.errors,
    }


def _examples(before: Programme | None, after: Programme, currency: str, day: date) -> list[Any]:
    """Return the sample basket under the rules there were and under the new ones."""
    return [example(one, currency, day) for one in (before, after) if one is not None]


def _before(rules: Programmes, story: Version | None) -> Programme | None:
    """Return the rules that a version takes the place of; None for the contract's own."""
    if story is None:
        return None
    held = rules.on(story.valid_from)
    if story.state != "approved" or held.version != story.number:
        return held
    return rules.on(story.valid_from - timedelta(days=1))


def _entered(session: Session) -> VersionForm:
    """Return the form as it was sent, with all that is wrong with it, a day that comes too soon as well."""
    form = read_form(session, request.form, _currencies(session))
    earliest = earliest_start(session, now=now())
    if form.valid_from is not None and earliest is not None and form.valid_from < earliest:
        form.errors["valid_from"] = _start_words(earliest)
    return form


def _too_soon(form: VersionForm, refusal: StartsTooSoon) -> VersionForm:
    form.errors["valid_from"] = _start_words(refusal.earliest)
    return form


def _start_words(earliest: date) -> str:
    return _("It can start on %(day)s at the earliest", day=date_text(earliest))


def _earliest(session: Session) -> date:
    return earliest_start(session, now=now()) or _today(session)


def _today(session: Session) -> date:
    return business_day(now(), scope.read(session).timezone)


def _currencies(session: Session) -> list[str]:
    return list(session.scalars(select(Store.currency).distinct().order_by(Store.currency)))


def _currency(session: Session, currencies: Sequence[str]) -> str:
    """Return the currency of the example: the scope's, if the rules speak of it."""
    own = scope.read(session).currency
    return own if own in currencies or not currencies else currencies[0]


def _first_start(rules: Programmes) -> date | None:
    return rules.approved[0].valid_from if rules.approved else None


def _seen() -> datetime:
    try:
        return datetime.fromisoformat(request.form.get("seen", ""))
    except ValueError as error:
        raise BadRequest from error


def _state(story: Version, rules: Programmes, today: date) -> tuple[str, str]:
    """Return words and meaning of where a version stands on its way."""
    if story.state != "approved":
        return wording.version_state(story.state)
    if not rules.ever_holds(story.number):
        return _("Replaced before it began"), ""
    if story.valid_from > today:
        return _("Planned"), "accent"
    return (_("In force"), "good") if rules.on(today).version == story.number else (_("Past"), "")


def _columns(rules: Programmes, today: date, currencies: Sequence[str]) -> tuple[Column[Version], ...]:
    def state(row: Version) -> Markup:
        return badge(*_state(row, rules, today))

    told = sentences(DEFAULT, currencies, language())
    return (
        Column(key="number", title=_("Version"), value=lambda row: row.number, kind="number"),
        Column(
            key="valid_from", title=_("Holds from"), value=lambda row: row.valid_from, kind="date", sort=True
        ),
        Column(key="state", title=_("State"), value=lambda row: _state(row, rules, today)[0], figure=state),
        Column(key="note", title=_("What for"), value=lambda row: row.note),
        Column(key="drafted_by", title=_("Drafted by"), value=lambda row: row.drafted_by),
        Column(key="decided_by", title=_("Decided by"), value=lambda row: row.decided_by),
        Column(
            key="decided_at", title=_("Decided"), value=lambda row: row.decided_at, kind="moment", shown=False
        ),
        *(_said_column(one, currencies) for one in told),
    )


def _said_column(said: Sentence, currencies: Sequence[str]) -> Column[Version]:
    """Return the column of what every version says about one thing; hidden, and in every file."""

    def words(row: Version) -> str:
        found = sentences(row.rules, currencies, language())
        return next((one.words for one in found if one.key == said.key), "")

    return Column(key=said.key, title=said.title, value=words, shown=False)


def _page_of(versions: Sequence[Version], ask: Ask) -> Page[Version]:
    """Return the versions asked for: there are few, one page holds them."""
    wanted = ask.filters.get("state")
    rows = [one for one in versions if wanted in {None, one.state}]
    rows.sort(key=lambda one: (one.valid_from, one.number), reverse=ask.descending)
    return Page(tuple(rows), None, None, len(rows))

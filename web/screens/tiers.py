"""Tiers: how many members stand where and who moves soon; versions, drafted and approved."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from flask import Blueprint, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from core.clock import business_day
from core.keyset import Ask, Page
from loyalty.drafts import NoReason, SamePerson, StartsTooSoon
from loyalty.stored_versions import AHEAD, earliest_start
from loyalty.tiers.changes import (
    approve_scheme,
    change_scheme_draft,
    draft_scheme,
    reject_scheme,
    withdraw_scheme,
)
from loyalty.tiers.previews import moves_under
from loyalty.tiers.queries import Move, accounts_by_tier, moving_soon
from loyalty.tiers.scheme import Scheme, Schemes
from loyalty.tiers.versions import SchemeVersion, all_schemes, find_scheme, read_schemes, version_document
from loyalty.tiers.words import amount_words, tier_changes, tier_name, tier_sentences
from web import scope, wording
from web.cells import badge
from web.charts import Axis, Chart, bar_options
from web.export import respond
from web.notices import go
from web.roles import NAMELESS_ROLES
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.tier_forms import TierForm, filled, read_form
from web.words import date_text, language, number_text, percent_text
from web.words import gettext as _

blueprint = Blueprint("tiers", __name__, url_prefix="/tiers")
STATES: Final = ("draft", "approved", "rejected", "withdrawn")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show how many stand where, who moves soon, what waits, and list every version there ever was."""
    with transaction() as session:
        rules, versions, today = read_schemes(session), all_schemes(session), _today(session)
        held = rules.on(today)
        counts = accounts_by_tier(session) if held.tiers else {}
        table = Table(
            name="tiers",
            default_sort="-valid_from",
            columns=_columns(rules, today),
            filters=(
                Filter(
                    key="state",
                    label=_("State"),
                    choices=tuple(Choice(state, wording.version_state(state)[0]) for state in STATES),
                ),
            ),
            fetch=lambda ask: _page_of(versions, ask),
            href=lambda row: url_for("tiers.show", version=row.number),
            in_panel=False,
            empty=Empty(
                _("No version yet"),
                _("Without tiers nobody has one. The first version says who reaches which."),
                "chevrons-up-down",
                command="regulars tiers import FILE",
            ),
        )
        return respond(
            "screens/tiers.html",
            table,
            held=held,
            story=next((one for one in versions if one.number == held.version), None),
            until=rules.next_start(today),
            said=tier_sentences(held, language()),
            chart=_chart(held, counts) if sum(counts.values()) else None,
            moves=[(one, *_said_of(held, one)) for one in moving_soon(session, today=today)]
            if held.tiers
            else [],
            names=viewer().role not in NAMELESS_ROLES,
            waiting=[one for one in versions if one.state == "draft"],
        )


@blueprint.get("/<int:version>")
def show(version: int) -> ResponseReturnValue:
    """Show a version: its tiers in words, and what they change."""
    return _page(version)


@blueprint.get("/<int:version>/tiers.json")
def download(version: int) -> ResponseReturnValue:
    """Return a version as the file that the command line reads."""
    with transaction() as session:
        document = version_document(find_scheme(session, version=version))
    answer = jsonify(document)
    answer.headers["Content-Disposition"] = f'attachment; filename="tiers-{version}.json"'
    return answer


@blueprint.get("/new")
def new() -> ResponseReturnValue:
    """Show the form of a new version, filled with the tiers that will hold when it can start."""
    with transaction() as session:
        start = _earliest(session)
        held = read_schemes(session).on(start)
        return _form(session, filled(held, currency=scope.read(session).currency, valid_from=start), None)


@blueprint.post("/new")
def add() -> ResponseReturnValue:
    """Write a draft."""
    with transaction() as session:
        form = read_form(request.form)
        if form.errors or form.scheme is None or form.valid_from is None:
            return _form(session, form, None), 422
        try:
            version = draft_scheme(
                session,
                scheme=form.scheme,
                valid_from=form.valid_from,
                note=form.note,
                actor=viewer().login,
                now=now(),
            )
        except StartsTooSoon as refusal:
            return _form(session, _too_soon(form, refusal), None), 422
    return go(url_for("tiers.show", version=version), _("Drafted. A second person approves it."))


@blueprint.get("/<int:version>/edit")
def edit(version: int) -> ResponseReturnValue:
    """Show the form of a draft."""
    with transaction() as session:
        draft = find_scheme(session, version=version)
        form = filled(
            draft.rules,
            currency=scope.read(session).currency,
            valid_from=draft.valid_from,
            note=draft.note,
        )
        return _form(session, form, draft)


@blueprint.post("/<int:version>/edit")
def change(version: int) -> ResponseReturnValue:
    """Change a draft; who changes it becomes its author."""
    with transaction() as session:
        draft = find_scheme(session, version=version)
        form = read_form(request.form)
        if form.errors or form.scheme is None or form.valid_from is None:
            return _form(session, form, draft), 422
        try:
            change_scheme_draft(
                session,
                version=version,
                seen=_seen(),
                scheme=form.scheme,
                valid_from=form.valid_from,
                note=form.note,
                actor=viewer().login,
                now=now(),
            )
        except StartsTooSoon as refusal:
            return _form(session, _too_soon(form, refusal), draft), 422
    return go(url_for("tiers.show", version=version), _("Changed. A second person approves it."))


@blueprint.post("/<int:version>/decision")
def decide(version: int) -> ResponseReturnValue:
    """Approve, reject or withdraw a draft."""
    decision, reason = request.form.get("decision", ""), request.form.get("reason", "")
    seen, actor = _seen(), viewer().login
    try:
        with transaction() as session:
            if decision == "approve":
                approve_scheme(session, version=version, seen=seen, actor=actor, now=now(), reason=reason)
                said = _("Approved.")
            elif decision == "reject":
                reject_scheme(session, version=version, seen=seen, actor=actor, now=now(), reason=reason)
                said = _("Rejected.")
            elif decision == "withdraw":
                withdraw_scheme(session, version=version, seen=seen, actor=actor, now=now())
                said = _("Withdrawn.")
            else:
                raise BadRequest
    except NoReason:
        return _page(version, errors={"reason": _("Say why: the author reads it")}), 422
    except SamePerson:
        return _page(version, errors={"reason": _("You drafted this: a second person approves it")}), 422
    except StartsTooSoon as refusal:
        return _page(version, errors={"reason": _start_words(refusal.earliest)}), 422
    return go(url_for("tiers.show", version=version), said)


def _page(version: int, errors: dict[str, str] | None = None) -> str:
    with transaction() as session:
        rules, today = read_schemes(session), _today(session)
        story = find_scheme(session, version=version)
        before = rules.on(story.valid_from)
        if story.state == "approved" and before.version == version:
            before = rules.on(story.valid_from - timedelta(days=1))
        return render_template(
            "screens/tier_version.html",
            version=version,
            story=story,
            state=_state(story, rules, today),
            said=tier_sentences(story.rules, language()),
            before=before,
            changes=tier_changes(before, story.rules, language()),
            own=story.drafted_by == viewer().login,
            errors=errors or {},
            moves=moves_under(session, draft=story, schemes=rules, today=today, now=now())
            if story.state == "draft"
            else None,
            tier_said=lambda code: _either_name(before, story.rules, code),
        )


def _either_name(before: Scheme, after: Scheme, code: str | None) -> str:
    """Return what a tier of either version is called."""
    if code is None:
        return _("no tier")
    return tier_name(after if after.rank(code) >= 0 else before, code, language())


def _form(session: Session, form: TierForm, draft: SchemeVersion | None) -> str:
    return render_template(
        "screens/tier_form.html",
        form=form,
        given=form.given,
        errors=form.errors,
        draft=draft,
        earliest=earliest_start(session, now=now()),
        ahead=AHEAD,
    )


def _chart(scheme: Scheme, counts: dict[str | None, int]) -> Chart:
    """Return how many accounts stand at each tier, the highest on top."""
    total = sum(counts.values())
    rows: list[tuple[str, int]] = [
        (tier.name(language()), counts.get(tier.code, 0)) for tier in reversed(scheme.tiers)
    ]
    without = total - sum(count for _name, count in rows)
    if without:
        rows.append((_("no tier"), without))
    top, most = scheme.tiers[-1].name(language()), rows[0][1]
    return Chart(
        key="tiers",
        title=_(
            "%(count)s of %(total)s accounts stand at %(tier)s",
            count=number_text(most),
            total=number_text(total),
            tier=top,
        ),
        note=_("as of the last receipt and the last night"),
        options=bar_options(
            [name for name, _count in rows],
            [count for _name, count in rows],
            [str(place) for place in range(len(rows))],
            Axis(),
        ),
        head=(_("Tier"), _("Accounts"), _("Share")),
        rows=tuple((name, number_text(count), percent_text(count / total, 1)) for name, count in rows),
        height="short",
    )


def _said_of(scheme: Scheme, move: Move) -> tuple[str, str, str]:
    """Return the tier that an account is about to lose, what it has, and what it needs, in words."""
    return (
        tier_name(scheme, move.tier_code, language()),
        amount_words(scheme, move.qualifying, language()),
        amount_words(scheme, move.missing, language()),
    )


def _too_soon(form: TierForm, refusal: StartsTooSoon) -> TierForm:
    form.errors["valid_from"] = _start_words(refusal.earliest)
    return form


def _start_words(earliest: date) -> str:
    return _("It can start on %(day)s at the earliest", day=date_text(earliest))


def _earliest(session: Session) -> date:
    return earliest_start(session, now=now()) or _today(session)


def _today(session: Session) -> date:
    return business_day(now(), scope.read(session).timezone)


def _seen() -> datetime:
    try:
        return datetime.fromisoformat(request.form.get("seen", ""))
    except ValueError as error:
        raise BadRequest from error


def _state(story: SchemeVersion, rules: Schemes, today: date) -> tuple[str, str]:
    """Return words and meaning of where a version stands on its way."""
    if story.state != "approved":
        return wording.version_state(story.state)
    if rules.on(story.valid_from).version != story.number:
        return _("Replaced before it began"), ""
    if story.valid_from > today:
        return _("Planned"), "accent"
    return (_("In force"), "good") if rules.on(today).version == story.number else (_("Past"), "")


def _columns(rules: Schemes, today: date) -> tuple[Column[SchemeVersion], ...]:
    def state(row: SchemeVersion) -> Markup:
        return badge(*_state(row, rules, today))

    def named(row: SchemeVersion) -> str:
        return ", ".join(tier.name(language()) for tier in row.rules.tiers)

    return (
        Column(key="number", title=_("Version"), value=lambda row: row.number, kind="number"),
        Column(
            key="valid_from", title=_("Holds from"), value=lambda row: row.valid_from, kind="date", sort=True
        ),
        Column(key="state", title=_("State"), value=lambda row: _state(row, rules, today)[0], figure=state),
        Column(key="tiers", title=_("Tiers"), value=named),
        Column(key="note", title=_("What for"), value=lambda row: row.note),
        Column(key="drafted_by", title=_("Drafted by"), value=lambda row: row.drafted_by),
        Column(key="decided_by", title=_("Decided by"), value=lambda row: row.decided_by),
    )


def _page_of(versions: Sequence[SchemeVersion], ask: Ask) -> Page[Any]:
    """Return the versions asked for: there are few, one page holds them."""
    wanted = ask.filters.get("state")
    rows = [one for one in versions if wanted in {None, one.state}]
    rows.sort(key=lambda one: (one.valid_from, one.number), reverse=ask.descending)
    return Page(tuple(rows), None, None, len(rows))

"""People who work with Regulars: who they are, their roles, and shutting them out."""

from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from core.errors import Conflict, NotFound
from core.keyset import Ask
from sales.store_lists import list_stores
from web import wording
from web.cells import badge
from web.export import respond
from web.notices import go
from web.operations import BadPerson, add_person, set_disabled, set_password
from web.passwords import WeakPassword, generate_password
from web.queries import PersonRow, list_people, person_by_id
from web.roles import ROLES, STORE_ROLES
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import ago
from web.words import gettext as _

blueprint = Blueprint("people", __name__, url_prefix="/people")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List everybody who may sign in."""
    with transaction() as session:
        table = Table(
            name="people",
            find=_("Login or name"),
            default_sort="name",
            columns=_columns(),
            filters=(
                Filter(
                    key="role",
                    label=_("Role"),
                    choices=tuple(Choice(role, wording.role_name(role)) for role in ROLES),
                ),
                Filter(
                    key="state",
                    label=_("State"),
                    choices=(Choice("active", _("May sign in")), Choice("disabled", _("Shut out"))),
                ),
            ),
            fetch=lambda ask: list_people(session, ask),
            href=lambda row: url_for("people.show", person_id=row.person_id),
            empty=Empty(_("Nobody yet"), _("Add the first person."), "shield-check"),
        )
        return respond("screens/people.html", table)


@blueprint.get("/new")
def new() -> ResponseReturnValue:
    """Show the form for a new person."""
    return _form({}, {})


@blueprint.post("/new")
def add() -> ResponseReturnValue:
    """Add a person; the generated password is shown once, on the answer."""
    given = {
        key: request.form.get(key, "").strip() for key in ("login", "name", "role", "store_code", "language")
    }
    role = given["role"]
    errors = {} if given["name"] else {"name": _("Enter a name")}
    if role in STORE_ROLES and not given["store_code"]:
        errors["store_code"] = _("This role belongs to a store: choose one")
    if errors:
        return _form(given, errors), 422
    try:
        with transaction() as session:
            person, password = add_person(
                session,
                login=given["login"],
                role=role,
                name=given["name"],
                store_code=given["store_code"] if role in STORE_ROLES else None,
                password=None,
                language=given["language"] or "en",
                actor=viewer().login,
                now=now(),
            )
            person_id = person.person_id
    except BadPerson as refusal:
        words = {"login": _("Use 2 to 64 letters, digits or . _ @ + -"), "role": _("Choose a role")}
        return _form(given, {refusal.field: words.get(refusal.field, str(refusal))}), 422
    except Conflict:
        return _form(given, {"login": _("Somebody has this login already")}), 422
    except NotFound:
        return _form(given, {"store_code": _("There is no such store")}), 422
    return _page(person_id, password=password)


@blueprint.get("/<uuid:person_id>")
def show(person_id: UUID) -> ResponseReturnValue:
    """Show one person."""
    return _page(person_id)


@blueprint.post("/<uuid:person_id>/disable")
def disable(person_id: UUID) -> ResponseReturnValue:
    """Shut a person out; can be undone on the same page."""
    with transaction() as session:
        set_disabled(session, person_id=person_id, disabled=True, actor=viewer().login, now=now())
    return go(
        url_for("people.show", person_id=person_id), _("Shut out. All their sessions have ended."), "caution"
    )


@blueprint.post("/<uuid:person_id>/enable")
def enable(person_id: UUID) -> ResponseReturnValue:
    """Let a person in again."""
    with transaction() as session:
        set_disabled(session, person_id=person_id, disabled=False, actor=viewer().login, now=now())
    return go(url_for("people.show", person_id=person_id), _("May sign in again."))


@blueprint.post("/<uuid:person_id>/password")
def reset_password(person_id: UUID) -> ResponseReturnValue:
    """Give a person a new password, shown once; all their sessions end."""
    password = generate_password()
    try:
        with transaction() as session:
            set_password(session, person_id=person_id, password=password, actor=viewer().login, now=now())
    except WeakPassword:
        return go(url_for("people.show", person_id=person_id), _("Try again."), "bad")
    return _page(person_id, password=password)


def _page(person_id: UUID, *, password: str | None = None) -> str:
    with transaction() as session:
        person = person_by_id(session, person_id=person_id)
    return render_template("screens/person.html", person=person, password=password)


def _form(given: dict[str, str], errors: dict[str, str]) -> str:
    with transaction() as session:
        stores = list_stores(session, Ask(sort="store_code", limit=2000)).rows
    return render_template(
        "screens/person_new.html",
        given=given,
        errors=errors,
        roles=[(role, wording.role_name(role)) for role in ROLES],
        stores=[(store.store_code, f"{store.store_code} · {store.name}") for store in stores],
    )


def _columns() -> tuple[Column[PersonRow], ...]:
    return (
        Column(
            key="name", title=_("Name"), value=lambda row: row.name, second=lambda row: row.login, sort=True
        ),
        Column(key="login", title=_("Login"), value=lambda row: row.login, sort=True, shown=False),
        Column(key="role", title=_("Role"), value=lambda row: wording.role_name(row.role), sort=True),
        Column(key="store_code", title=_("Store"), value=lambda row: row.store_name, sort=True),
        Column(key="state", title=_("State"), value=_state_words, figure=_state),
        Column(
            key="seen_at",
            title=_("Last seen"),
            value=lambda row: row.seen_at,
            kind="moment",
            figure=lambda row: ago(row.seen_at),
            sort=True,
        ),
        Column(
            key="created_at",
            title=_("Added"),
            value=lambda row: row.created_at,
            kind="moment",
            sort=True,
            shown=False,
        ),
    )


def _state_words(row: PersonRow) -> str:
    return _("Shut out") if row.disabled_at else _("May sign in")


def _state(row: PersonRow) -> Markup:
    return badge(_state_words(row), "bad" if row.disabled_at else "good")

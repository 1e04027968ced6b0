"""Stores, their tills, and the tills' keys."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from core.errors import RegularsError
from sales.operations import add_till, revoke_till_keys
from sales.store_lists import StoreRow, list_stores, read_store
from web.export import respond
from web.notices import go
from web.state import now, transaction, viewer
from web.tables import Column, Empty, Table
from web.words import ago, ngettext
from web.words import gettext as _

blueprint = Blueprint("stores", __name__, url_prefix="/stores")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the stores."""
    with transaction() as session:
        table = Table(
            name="stores",
            find=_("Code, name or city"),
            default_sort="store_code",
            columns=_columns(),
            fetch=lambda ask: list_stores(session, ask),
            href=lambda row: url_for("stores.show", code=row.store_code),
            in_panel=False,
            empty=Empty(
                _("No stores yet"),
                _("A store has a code, a name, a currency and a time zone; tills belong to it."),
                "store",
                command="regulars stores add S1 --name … --currency CZK --timezone Europe/Prague",
            ),
        )
        return respond("screens/stores.html", table)


@blueprint.get("/<path:code>/tills")
def show(code: str) -> ResponseReturnValue:
    """Show one store with its tills."""
    return _page(code)


@blueprint.post("/<path:code>/tills")
def new_key(code: str) -> ResponseReturnValue:
    """Give a till a key, making the till if need be; the key is shown once, on this page."""
    till_code = request.form.get("till_code", "").strip()
    try:
        with transaction() as session:
            key = add_till(session, store_code=code, till_code=till_code, now=now(), actor=viewer().login)
    except RegularsError:
        return _page(
            code, errors={"till_code": _("Use 1 to 40 letters, digits or . _ -")}, till_code=till_code
        ), 422
    return _page(code, key=key, key_of=till_code)


@blueprint.post("/<path:code>/tills/revoke")
def revoke_key(code: str) -> ResponseReturnValue:
    """Revoke all keys of a till; it is refused from the next request on."""
    till_code = request.form.get("till_code", "")
    with transaction() as session:
        revoked = revoke_till_keys(
            session, store_code=code, till_code=till_code, now=now(), actor=viewer().login
        )
    words = ngettext(
        "%(num)s key of till %(till)s is revoked. The till is refused from now on.",
        "%(num)s keys of till %(till)s are revoked. The till is refused from now on.",
        revoked,
        till=till_code,
    )
    return go(url_for("stores.show", code=code), words)


def _page(
    code: str,
    *,
    key: str | None = None,
    key_of: str = "",
    errors: dict[str, str] | None = None,
    till_code: str = "",
) -> str:
    with transaction() as session:
        store, tills = read_store(session, store_code=code)
    return render_template(
        "screens/store.html",
        store=store,
        tills=tills,
        key=key,
        key_of=key_of,
        errors=errors or {},
        till_code=till_code,
    )


def _columns() -> tuple[Column[StoreRow], ...]:
    return (
        Column(key="store_code", title=_("Code"), value=lambda row: row.store_code, kind="code", sort=True),
        Column(key="name", title=_("Name"), value=lambda row: row.name, sort=True),
        Column(key="city", title=_("City"), value=lambda row: row.city, sort=True),
        Column(key="country", title=_("Country"), value=lambda row: row.country, shown=False),
        Column(key="currency", title=_("Currency"), value=lambda row: row.currency),
        Column(key="timezone", title=_("Time zone"), value=lambda row: row.timezone, shown=False),
        Column(key="tills", title=_("Tills"), value=lambda row: row.tills, kind="number", sort=True),
        Column(
            key="seen_at",
            title=_("Last receipt"),
            value=lambda row: row.seen_at,
            kind="moment",
            timezone=lambda row: row.timezone,
            second=lambda row: ago(row.seen_at) if row.seen_at else None,
            sort=True,
        ),
    )

"""Staff cards: which operator's own card is which; a basket that they ring themselves earns nothing on it."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from core.errors import RegularsError
from core.keyset import Ask
from customers.cardnumbers import BadCardNumber
from customers.queries import CardNotFound
from sales.staff_cards import (
    AlreadyStaffCard,
    BadStaffCard,
    NoSuchStore,
    end_staff_card,
    register_staff_card,
    staff_cards,
)
from sales.store_lists import list_stores
from web.notices import go
from web.state import now, transaction, viewer
from web.typed import wrong_text
from web.words import gettext as _

blueprint = Blueprint("staff", __name__, url_prefix="/staff-cards")
FIELDS = ("card_number", "operator_code", "name", "store_code")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the staff cards, of the reader's store if they belong to one."""
    return _page()


@blueprint.post("/")
def add() -> ResponseReturnValue:
    """Bind a card to an operator, from now on."""
    given = {key: request.form.get(key, "").strip() for key in FIELDS}
    wrong = {key: wrong_text(given[key], needed=True, longest=80) for key in ("operator_code", "name")}
    errors = {key: words for key, words in wrong.items() if words}
    if errors:
        return _page(given, errors), 422
    try:
        with transaction() as session:
            register_staff_card(
                session,
                card_number=given["card_number"],
                store_code=viewer().store_code or given["store_code"],
                operator_code=given["operator_code"],
                name=given["name"],
                now=now(),
                actor=viewer().login,
            )
    except (BadCardNumber, CardNotFound, AlreadyStaffCard, NoSuchStore, BadStaffCard) as refusal:
        return _page(given, _why(refusal)), 422
    said = _("Bound. Baskets that they ring themselves earn nothing on it from now on.")
    return go(url_for("staff.index"), said)


def _why(refusal: RegularsError) -> dict[str, str]:
    """Return which field was refused, and why in the reader's words."""
    words: dict[type[RegularsError], dict[str, str]] = {
        BadCardNumber: {"card_number": _("This is no card number: its length or its check digit is wrong.")},
        CardNotFound: {"card_number": _("No card of this number was ever seen.")},
        AlreadyStaffCard: {"card_number": _("This card is bound to an operator already.")},
        NoSuchStore: {"store_code": _("Choose a store")},
    }
    return words.get(type(refusal), {"name": _("Use at most 80 characters.")})


@blueprint.post("/<int:staff_card_id>/end")
def end(staff_card_id: int) -> ResponseReturnValue:
    """Take a binding away, from now on."""
    with transaction() as session:
        end_staff_card(
            session,
            staff_card_id=staff_card_id,
            now=now(),
            actor=viewer().login,
            store_id=viewer().store_id,
        )
    return go(url_for("staff.index"), _("The card is an ordinary one from now on."))


def _page(given: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> str:
    with transaction() as session:
        rows = staff_cards(session, store_id=viewer().store_id)
        stores = list_stores(session, Ask(sort="store_code", limit=2000)).rows
    return render_template(
        "screens/staff.html",
        rows=rows,
        given=given or {},
        errors=errors or {},
        stores=[(store.store_code, f"{store.store_code} · {store.name}") for store in stores],
    )

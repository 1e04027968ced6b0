"""A receipt claimed late at the desk: paid without a card, claimed with what is printed on it and the amount."""

from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import UUID

from babel.numbers import get_currency_precision
from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.keyset import Ask
from customers.member_lists import read_member
from loyalty.claims import (
    CLAIMED_WITHIN,
    AlreadyTheirs,
    BadReceiptCode,
    Claimed,
    NoCardToClaimWith,
    NotClaimed,
    TooManyClaims,
    claim_receipt,
    parse_receipt_code,
)
from sales.receipts import Original
from sales.store_lists import list_stores, read_store
from web.notices import go
from web.state import now, transaction, viewer
from web.transactions import transact
from web.typed import wrong_text
from web.words import gettext as _
from web.words import ngettext

blueprint = Blueprint("claims", __name__, url_prefix="/members/<uuid:member_id>/claim")
FIELDS = ("code", "store_code", "till_code", "day", "receipt_number", "amount")


@blueprint.get("")
def new(member_id: UUID) -> ResponseReturnValue:
    """Ask for what is printed on the receipt."""
    return _form(member_id)


@blueprint.post("")
def add(member_id: UUID) -> ResponseReturnValue:
    """Claim the receipt; whatever is wrong about it, the answer is the same."""
    given = {key: request.form.get(key, "").strip() for key in FIELDS}
    errors = {key: wrong for key in FIELDS if (wrong := wrong_text(given[key]))}
    receipt = None if errors else _receipt(given, errors)
    amount = _amount(given, receipt, errors)
    if errors or receipt is None or amount is None:
        return _form(member_id, given, errors), 422
    named, paid = receipt, amount

    def work(session: Session) -> Claimed | NotClaimed:
        return claim_receipt(
            session, member_id=member_id, receipt=named, amount=paid, now=now(), actor=viewer().login
        )

    try:
        claimed = transact(work)
    except TooManyClaims:
        words = _("Too many claims of this account were wrong today. Nothing is looked up until tomorrow.")
        return _form(member_id, given, {"code": words}), 422
    except AlreadyTheirs:
        return go(
            url_for("members.show", member_id=member_id),
            _("The receipt is theirs already: it stands in their statement."),
        )
    except NoCardToClaimWith:
        words = _("The member has no card in use: give them one first.")
        return _form(member_id, given, {"code": words}), 422
    if isinstance(claimed, NotClaimed):
        words = ngettext(
            "No such receipt can be claimed. %(num)s more try today.",
            "No such receipt can be claimed. %(num)s more tries today.",
            claimed.left,
        )
        return _form(member_id, given, {"code": words}), 422
    said = ngettext(
        "The receipt is theirs: %(num)s point.", "The receipt is theirs: %(num)s points.", claimed.points
    )
    return go(url_for("members.show", member_id=member_id), said)


def _receipt(given: dict[str, str], errors: dict[str, str]) -> Original | None:
    """Return the receipt that was meant, by its code or by its parts."""
    if given["code"]:
        try:
            return parse_receipt_code(given["code"])
        except BadReceiptCode:
            errors["code"] = _("Write it as store/till/day/number, as in B01/1/2026-11-21/000123.")
            return None
    for key in ("store_code", "till_code", "day", "receipt_number"):
        if not given[key]:
            errors[key] = _("This is needed.")
    try:
        day = date.fromisoformat(given["day"]) if given["day"] else None
    except ValueError:
        errors["day"] = _("Write the day as 2026-11-21.")
        return None
    if errors or day is None:
        return None
    return Original(given["store_code"], given["till_code"], day, given["receipt_number"])


def _amount(given: dict[str, str], receipt: Original | None, errors: dict[str, str]) -> int | None:
    """Return what was paid, in minor units of the store's currency."""
    typed = given["amount"].replace(" ", "").replace("\N{NO-BREAK SPACE}", "").replace(",", ".")
    try:
        minor = Decimal(typed).scaleb(_decimals(receipt.store_code if receipt else ""))
    except InvalidOperation:
        errors.setdefault("amount", _("Write the amount as 259.80."))
        return None
    if not minor.is_finite() or minor != minor.to_integral_value() or abs(minor) >= 10**15:
        errors.setdefault("amount", _("Write the amount as 259.80."))
        return None
    return int(minor)


def _decimals(store_code: str) -> int:
    """Return how many decimals amounts of a store have; two where there is no such store."""
    try:
        with transaction() as session:
            return int(get_currency_precision(read_store(session, store_code=store_code)[0].currency))
    except NotFound:
        return 2


def _form(member_id: UUID, given: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> str:
    with transaction() as session:
        member = read_member(session, member_id=member_id)
        stores = list_stores(session, Ask(sort="store_code", limit=2000)).rows
    return render_template(
        "screens/claim.html",
        member=member,
        days=CLAIMED_WITHIN.days,
        stores=[(store.store_code, f"{store.store_code} · {store.name}") for store in stores],
        given=given or {},
        errors=errors or {},
    )

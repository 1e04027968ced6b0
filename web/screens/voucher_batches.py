"""Batches of vouchers: what they are, how many are out, and their vouchers issued, printed and cancelled."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import business_day
from core.i18n import LANGUAGES, major
from core.money import Money
from customers.models import Member
from rewards.vouchers.batches import BadBatch, Batch, BatchNotFound, batch_of, batches, put_batch
from rewards.vouchers.changes import NoReasonGiven, cancel_vouchers
from rewards.vouchers.issue import TooMany, issue_vouchers
from rewards.vouchers.lists import batch_rows
from sales.business_days import chain_timezone
from sales.models import Store
from web import gift_words
from web.amounts import NoAmount, only_currency, read_amount
from web.export import respond
from web.notices import go
from web.state import now, transaction, viewer
from web.typed import wrong_text
from web.voucher_shown import open_codes, printed, table_of_vouchers
from web.words import gettext as _
from web.words import number_text

blueprint = Blueprint("voucher_batches", __name__, url_prefix="/vouchers")
MOST_PRINTED = 800


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the batches with how many of their vouchers are open and used."""
    with transaction() as session:
        rows = batch_rows(session)
    return render_template("screens/voucher_batches.html", rows=rows, states=gift_words.voucher_states())


@blueprint.get("/new")
def new() -> ResponseReturnValue:
    """Show the form for a batch."""
    with transaction() as session:
        currency = only_currency(session) or ""
    return _form(
        {"currency": currency, "residual": "forfeit", "symbology": "code128", "ean_prefix": "27"}, {}
    )


@blueprint.post("/new")
def add() -> ResponseReturnValue:
    """Make a batch."""
    return _put(known=None)


@blueprint.get("/batches/<batch_code>/edit")
def edit(batch_code: str) -> ResponseReturnValue:
    """Show the form with a batch; what is changed holds for vouchers to come."""
    with transaction() as session:
        batch = batch_of(session, batch_code)
    return _form(_given(batch), {}, batch)


@blueprint.post("/batches/<batch_code>/edit")
def change(batch_code: str) -> ResponseReturnValue:
    """Change what the vouchers of a batch are that are issued from now on."""
    return _put(known=batch_code)


@blueprint.get("/batches/<batch_code>")
def show(batch_code: str) -> ResponseReturnValue:
    """Show a batch and its vouchers."""
    with transaction() as session:
        row = next((row for row in batch_rows(session) if row.batch.batch_code == batch_code), None)
        if row is None:
            raise BatchNotFound(f"there is no batch of vouchers {batch_code!r}")
        stores = session.scalars(select(Store.name).where(Store.store_id.in_(row.batch.store_ids))).all()
        return respond(
            "screens/voucher_batch.html",
            table_of_vouchers(session, batch=batch_code),
            row=row,
            batch=row.batch,
            states=gift_words.voucher_states(),
            residuals=gift_words.residuals(),
            symbologies=gift_words.symbologies(),
            stores=stores,
        )


@blueprint.post("/batches/<batch_code>/issue")
def issue(batch_code: str) -> ResponseReturnValue:
    """Issue vouchers, for anybody or for one member."""
    here = url_for("voucher_batches.show", batch_code=batch_code)
    digits = request.form.get("count", "").strip()
    member_code = request.form.get("member_code", "").strip()
    count = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 7 else 0
    try:
        with transaction() as session:
            account_id = None
            if member_code:
                account_id = session.scalar(
                    select(Member.account_id).where(Member.member_code == member_code)
                )
                if account_id is None:
                    return go(here, _("There is no member of this code."), "bad")
            issued = issue_vouchers(
                session,
                batch_code=batch_code,
                count=count,
                today=business_day(now(), chain_timezone(session)),
                now=now(),
                actor=viewer().login,
                account_id=account_id,
                bound=account_id is not None,
            )
    except TooMany:
        words = _("Enter how many: up to 100,000 at once, and with EAN-13 no more than 100,000 open in all.")
        return go(here, words, "bad")
    return go(here, _("Vouchers issued: %(count)s.", count=number_text(len(issued))))


@blueprint.post("/batches/<batch_code>/print")
def print_sheets(batch_code: str) -> ResponseReturnValue:
    """Return the open vouchers of a batch as sheets for the printer, which is written down."""
    with transaction() as session:
        codes = open_codes(session, batch_code=batch_code, most=MOST_PRINTED)
        if not codes:
            here = url_for("voucher_batches.show", batch_code=batch_code)
            return go(here, _("No voucher of this batch is open. Issue some first."), "caution")
        content = printed(session, codes)
    return Response(
        content,
        mimetype="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{batch_code}.pdf"'},
    )


@blueprint.post("/batches/<batch_code>/cancel")
def cancel(batch_code: str) -> ResponseReturnValue:
    """Cancel what nobody has used of a batch."""
    here = url_for("voucher_batches.show", batch_code=batch_code)
    reason = request.form.get("reason", "").strip()
    if words := wrong_text(reason, needed=True):
        return go(here, words, "bad")
    try:
        with transaction() as session:
            batch_of(session, batch_code)
            cancelled = cancel_vouchers(
                session, batch_code=batch_code, reason=reason, actor=viewer().login, now=now()
            )
    except NoReasonGiven:
        return go(here, _("Say why in a few words"), "bad")
    return go(here, _("Vouchers cancelled: %(count)s.", count=number_text(len(cancelled))))


def _put(known: str | None) -> ResponseReturnValue:
    given = {key: request.form.get(key, "").strip() for key in request.form if key != "csrf_token"}
    chosen = request.form.getlist("stores")
    errors: dict[str, str] = {}
    with transaction() as session:
        before = batch_of(session, known) if known else None
        batch = _batch(session, known or given.get("batch_code", ""), given, chosen, errors)
        if not errors and before is None and batches(session, [batch.batch_code]):
            errors["batch_code"] = _("There is a batch of this code already")
        if not errors:
            try:
                put_batch(session, batch, actor=viewer().login, now=now())
            except BadBatch as refusal:
                errors[refusal.field] = _refusal(refusal)
    if errors:
        return _form(given | {"stores": chosen}, errors, before), 422
    return go(url_for("voucher_batches.show", batch_code=batch.batch_code), _("Saved."))


def _batch(
    session: Session, code: str, given: Mapping[str, str], chosen: list[str], errors: dict[str, str]
) -> Batch:
    currency = given.get("currency", "").upper() or None
    store_ids = session.scalars(
        select(Store.store_id).where(Store.store_code.in_(chosen)).order_by(Store.store_id)
    )
    return Batch(
        batch_code=code,
        names={tongue: given[f"name_{tongue}"] for tongue in LANGUAGES if given.get(f"name_{tongue}")},
        value_amount=_amount("value_amount", given, currency, errors),
        currency=currency,
        minimum_amount=_amount("minimum_amount", given, currency, errors) or 0,
        valid_days=_days(given, errors),
        residual=given.get("residual", "forfeit"),
        symbology=given.get("symbology", "code128"),
        ean_prefix=given.get("ean_prefix") or "27",
        store_ids=tuple(store_ids),
    )


def _amount(field: str, given: Mapping[str, str], currency: str | None, errors: dict[str, str]) -> int | None:
    """Return an amount typed in the currency's major unit as minor units."""
    try:
        return read_amount(given.get(field, ""), currency or "EUR")
    except NoAmount:
        errors[field] = _("Enter an amount such as 50 or 49.90")
        return None


def _days(given: Mapping[str, str], errors: dict[str, str]) -> int | None:
    text = given.get("valid_days", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        errors["valid_days"] = _("Enter a whole number of days")
        return None
    return int(text)


def _refusal(refusal: BadBatch) -> str:
    return {
        "batch_code": _("Use up to 32 of A to Z, 0 to 9, _ and -"),
        "currency": _("Amounts need their currency, three letters such as CZK"),
        "valid_days": _("Enter a whole number of days"),
        "residual": _("Only vouchers that are worth an amount leave a rest"),
        "ean_prefix": _("In-house numbers begin with 20 to 29"),
    }.get(refusal.field, _("This cannot be"))


def _given(batch: Batch) -> dict[str, Any]:
    def shown(amount: int | None) -> str:
        return "" if not amount else f"{major(Money(amount, batch.currency or 'EUR'))}"

    return {
        "value_amount": shown(batch.value_amount),
        "minimum_amount": shown(batch.minimum_amount),
        "currency": batch.currency or "",
        "valid_days": "" if batch.valid_days is None else str(batch.valid_days),
        "residual": batch.residual,
        "symbology": batch.symbology,
        "ean_prefix": batch.ean_prefix,
        "store_ids": batch.store_ids,
        **{f"name_{tongue}": name for tongue, name in batch.names.items()},
    }


def _form(given: Mapping[str, Any], errors: dict[str, str], batch: Batch | None = None) -> str:
    with transaction() as session:
        stores = session.execute(
            select(Store.store_code, Store.name, Store.store_id).order_by(Store.store_code)
        ).all()
    wanted = set(given.get("stores") or ())
    ids = set(given.get("store_ids") or ())
    return render_template(
        "screens/voucher_batch_form.html",
        given=given,
        errors=errors,
        batch=batch,
        residuals=list(gift_words.residuals().items()),
        symbologies=list(gift_words.symbologies().items()),
        stores=[(code, name, code in wanted or store_id in ids) for code, name, store_id in stores],
    )

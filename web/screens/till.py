"""The till simulator: a till in the browser that posts real receipts through the tills' interface."""

from collections.abc import Collection
from datetime import date, timedelta
from decimal import Decimal

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest, NotFound

from core.clock import business_day
from core.keyset import Ask
from loyalty.programme.versions import programmes
from rewards.reward_changes import reward_kinds
from rewards.vouchers.batches import batches
from sales.article_lists import find_articles, last_prices
from sales.figures import latest_business_date
from sales.operations import add_till
from sales.queries import ReceiptNotFound, StoreNotFound, StoreView, store_of_code, stored_answer
from sales.receipt_lists import NoSuchReceipt, read_receipt
from sales.shelf import price_on
from sales.store_lists import list_stores
from web import till_words
from web.assets import asset
from web.roles import may
from web.scanned_codes import meanings
from web.state import now, transaction, viewer
from web.words import language

blueprint = Blueprint("till", __name__, url_prefix="/till")
SIMULATOR = "SIM"
PARTS = ("server", "paper", "snapshot", "queue", "codes", "offers", "basket", "returns", "barcode", "scanner")
"""The files of the till; their addresses change with them, so the page has to tell."""
_LONGEST = 80
_PRICES_KEPT = timedelta(weeks=8)


@blueprint.get("/")
def simulator() -> ResponseReturnValue:
    """Show the simulator; people of one store stand at its till."""
    with transaction() as session:
        stores = [
            store
            for store in list_stores(session, Ask(sort="store_code", limit=1000)).rows
            if viewer().store_id in {None, store.store_id}
        ]
        names = {
            "rewards": {kind.reward_code: kind.name(language()) for kind in reward_kinds(session)},
            "batches": {code: batch.name(language()) for code, batch in batches(session).items()},
        }
    return render_template(
        "screens/till.html",
        stores=stores,
        may_key=may(viewer().role, "till.key"),
        words=till_words.words(),
        till_code=SIMULATOR,
        names=names,
        modules={name: asset(f"js/till/{name}.js") for name in PARTS},
    )


@blueprint.get("/articles")
def articles() -> ResponseReturnValue:
    """Return the few articles that fit the words, with the price that the store charges today, in its currency."""
    words = request.args.get("q", "").replace("\0", "").strip()[:_LONGEST]
    with transaction() as session:
        store = _store(session)
        found = find_articles(session, words)
        prices = _prices(session, store, [article.article_id for article in found])
    return jsonify(
        [
            {
                "sku": article.sku,
                "name": article.name,
                "brand": article.brand,
                "unit": article.unit,
                "tax_rate": format(article.tax_rate.normalize(), "f"),
                "price": prices.get(article.article_id),
            }
            for article in found
        ]
    )


def _store(session: Session) -> StoreView:
    """Return the store that the till stands in; people of one store stand in theirs."""
    try:
        return store_of_code(session, viewer().store_code or request.args.get("store", ""))
    except StoreNotFound as error:
        raise NotFound from error


def _prices(session: Session, store: StoreView, article_ids: Collection[int]) -> dict[int, int]:
    """Return what the list asks in a store today, else what was last paid in its currency."""
    listed = price_on(
        session,
        store_ids=[store.store_id],
        day=business_day(now(), store.timezone),
        article_ids=article_ids,
    )
    prices = {article_id: price.minor for (_store_id, article_id), price in listed.items()}
    unlisted = [article_id for article_id in article_ids if article_id not in prices]
    newest = latest_business_date(session)
    if newest and unlisted:
        prices |= last_prices(session, unlisted, since=newest - _PRICES_KEPT, currency=store.currency)
    return prices


@blueprint.get("/programme")
def programme() -> ResponseReturnValue:
    """Return how points are stated on receipts of a day."""
    day = _day()
    with transaction() as session:
        return jsonify({"points_as": programmes(session).on(day).points_as})


@blueprint.get("/code")
def code() -> ResponseReturnValue:
    """Return whether a code is that of a voucher or a gift card of ours, and of which."""
    with transaction() as session:
        store = _store(session)
        found = meanings(
            session,
            request.args.get("code", "").replace("\0", "")[:_LONGEST],
            store_id=store.store_id,
            currency=store.currency,
        )
    kinds = [one.kind for one in found if one.known and one.kind in {"voucher", "gift_card"}]
    return jsonify({"kind": kinds[0] if kinds else None})


def _day() -> date:
    try:
        return date.fromisoformat(request.args.get("day", ""))
    except ValueError as error:
        raise NotFound from error


@blueprint.get("/original")
def original() -> ResponseReturnValue:
    """Return the lines of a sale that something is brought back from; people of one store see theirs."""
    asked = {name: request.args.get(name, "").replace("\0", "") for name in ("store", "till", "number")}
    day = _day()
    with transaction() as session:
        try:
            stored = stored_answer(
                session,
                store_code=asked["store"],
                till_code=asked["till"],
                business_date=day,
                receipt_number=asked["number"],
            )
            receipt = read_receipt(
                session, business_date=day, receipt_id=stored.receipt_id, store_id=viewer().store_id
            )
        except (ReceiptNotFound, NoSuchReceipt) as error:
            raise NotFound from error
        rules = programmes(session).on(day)
    return jsonify(
        {
            "type": receipt.row.type,
            "currency": receipt.row.currency,
            "payable_amount": receipt.row.payable_amount,
            "point_value": rules.value_of(1, receipt.row.currency),
            "lines": [
                {
                    "line_number": line.line_number,
                    "sku": line.sku or "-",
                    "name": line.name or line.sku,
                    "quantity": format(line.quantity.normalize(), "f"),
                    "unit_price": line.unit_price,
                    "total_amount": line.total_amount,
                    "tax_rate": format((line.tax_rate or Decimal(0)).normalize(), "f"),
                }
                for line in receipt.lines
            ],
        }
    )


@blueprint.post("/key")
def key() -> ResponseReturnValue:
    """Give the simulator's till of a store a key of its own, as real as any other; recorded as one."""
    person = viewer()
    code = person.store_code or request.form.get("store", "")
    if not code:
        raise BadRequest
    with transaction() as session:
        secret = add_till(session, store_code=code, till_code=SIMULATOR, now=now(), actor=person.login)
    return jsonify({"key": secret, "till_code": SIMULATOR})

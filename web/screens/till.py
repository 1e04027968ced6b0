"""The till simulator: a till in the browser that posts real receipts through the tills' interface."""

from datetime import timedelta

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from core.keyset import Ask
from sales.article_lists import find_articles, last_prices
from sales.figures import latest_business_date
from sales.operations import add_till
from sales.store_lists import list_stores
from web import till_words
from web.roles import may
from web.state import now, transaction, viewer

blueprint = Blueprint("till", __name__, url_prefix="/till")
SIMULATOR = "SIM"
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
    return render_template(
        "screens/till.html", stores=stores, may_key=may(viewer().role, "till.key"), words=till_words.words()
    )


@blueprint.get("/articles")
def articles() -> ResponseReturnValue:
    """Return the few articles that fit the words, with the price to charge."""
    words = request.args.get("q", "").replace("\0", "").strip()[:_LONGEST]
    with transaction() as session:
        found = find_articles(session, words)
        newest = latest_business_date(session)
        unpriced = [article.article_id for article in found if article.price is None]
        paid = last_prices(session, unpriced, since=newest - _PRICES_KEPT) if newest else {}
    return jsonify(
        [
            {
                "sku": article.sku,
                "name": article.name,
                "brand": article.brand,
                "unit": article.unit,
                "tax_rate": format(article.tax_rate.normalize(), "f"),
                "price": article.price if article.price is not None else paid.get(article.article_id),
            }
            for article in found
        ]
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

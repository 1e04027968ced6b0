"""Bar codes: which layouts hold where, what they were before, and what a till understands when it scans something."""

from typing import cast, get_args

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from core.keyset import Ask
from rewards.vouchers.batches import batches
from sales.barcode_layouts import (
    LayoutNotFound,
    all_layouts,
    layout_changes,
    remove_layout,
    set_layout,
)
from sales.barcodes import ArticleBy, BadPattern, Holds, Layout
from sales.queries import StoreNotFound, StoreView, store_of_code
from sales.store_lists import list_stores
from web.notices import go
from web.scanned_codes import Meaning, clash, meanings, what_is_wrong
from web.state import now, transaction, viewer
from web.words import gettext as _

blueprint = Blueprint("barcodes", __name__, url_prefix="/bar-codes")
LONGEST = 60
COUNTRY = "country:"
STORE = "store:"
Errors = dict[str, str]


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show the layouts, their versions, and what the code in the address means in a store."""
    return _page()


@blueprint.post("/")
def add() -> ResponseReturnValue:
    """Set a layout in a store, a country or everywhere; one of this pattern there is replaced."""
    given = {name: request.form.get(name, "").replace("\0", "").strip() for name in _FIELDS}
    if wrong := _wrong(given):
        return _page(given, wrong), 422
    try:
        layout = Layout(
            given["pattern"].upper(),
            cast("Holds", given["holds"]),
            int(given["decimals"]),
            cast("ArticleBy", given["article_by"]),
        )
        with transaction() as session:
            store_code, country = _place(given["place"])
            set_layout(
                session, layout, store_code=store_code, country=country, now=now(), actor=viewer().login
            )
    except BadPattern:
        words = _(
            "Thirteen places: digits from 20 to 29 as prefix, I for each digit of the item, K for a check digit of the value if there is one, V for the value (4 or 5 digits with K), C at the end."
        )
        return _page(given, {"pattern": words}), 422
    except StoreNotFound:
        return _page(given, {"place": _("Choose where it holds.")}), 422
    return go(url_for("barcodes.index"), _("Tills read such codes so from now on."))


@blueprint.post("/remove")
def remove() -> ResponseReturnValue:
    """Take a layout away; receipts keep the articles that they were read as."""
    store_code, country = _place(request.form.get("place", "").replace("\0", ""))
    try:
        with transaction() as session:
            remove_layout(
                session,
                request.form.get("pattern", "").replace("\0", ""),
                store_code=store_code,
                country=country,
                now=now(),
                actor=viewer().login,
            )
    except (LayoutNotFound, StoreNotFound):
        return go(url_for("barcodes.index"), _("This layout was taken away already."), "caution")
    return go(url_for("barcodes.index"), _("Tills read such codes so no longer."))


_FIELDS = ("pattern", "holds", "decimals", "article_by", "place")


def _wrong(given: dict[str, str]) -> Errors:
    return {
        name: _("Choose one.")
        for name, allowed in (
            ("holds", get_args(Holds)),
            ("article_by", get_args(ArticleBy)),
            ("decimals", ("0", "1", "2", "3")),
        )
        if given[name] not in allowed
    }


def _place(place: str) -> tuple[str | None, str | None]:
    """Return the store's code and the country that a choice names; neither for all stores."""
    if place.startswith(STORE):
        return place.removeprefix(STORE), None
    return None, place.removeprefix(COUNTRY) if place.startswith(COUNTRY) else None


def _page(given: dict[str, str] | None = None, errors: Errors | None = None) -> str:
    scanned = request.args.get("scanned", "").replace("\0", "").strip()[:LONGEST]
    with transaction() as session:
        stores = list_stores(session, Ask(sort="store_code", limit=2000)).rows
        countries = sorted({one.country for one in stores if one.country})
        store = (
            _store(session, request.args.get("store") or viewer().store_code, stores[0].store_code)
            if stores
            else None
        )
        found: list[Meaning] = (
            meanings(session, scanned, store_id=store.store_id, currency=store.currency)
            if scanned and store
            else []
        )
        return render_template(
            "screens/barcodes.html",
            layouts=all_layouts(session),
            changes=layout_changes(session),
            voucher_batches=[one for one in batches(session).values() if one.symbology == "ean13"],
            stores=[(one.store_code, f"{one.store_code} · {one.name}") for one in stores],
            places=[
                *((COUNTRY + country, country) for country in countries),
                *((STORE + one.store_code, f"{one.store_code} · {one.name}") for one in stores),
            ],
            store=store,
            scanned=scanned,
            meanings=found,
            clash=clash(found),
            wrong="" if found or not scanned else what_is_wrong(scanned),
            given=given or {},
            errors=errors or {},
            holds=holds_words(),
            article_by=article_by_words(),
        )


def _store(session: Session, wanted: str | None, first: str) -> StoreView:
    try:
        return store_of_code(session, wanted or first)
    except StoreNotFound:
        return store_of_code(session, first)


def holds_words() -> dict[str, str]:
    """Return what the value of a layout can be."""
    return {"weight": _("Weight in kg"), "price": _("Price"), "quantity": _("Number of pieces")}


def article_by_words() -> dict[str, str]:
    """Return what the item's number of a layout can lead to."""
    return {
        "sku": _("SKU as printed"),
        "sku_unpadded": _("SKU without leading zeros"),
        "gtin": _("GTIN with a value of zero"),
    }

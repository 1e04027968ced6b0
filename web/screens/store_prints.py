"""A store's page and its categories on paper: the same findings, set on A4 as PDF."""

import re
import unicodedata
from typing import Any

from flask import Blueprint, Response, current_app, make_response, render_template
from flask.typing import ResponseReturnValue

from basket_analysis.assortment.store_lists import read_category, read_store
from basket_analysis.assortment.suggestion_lists import all_suggestions
from catalogs.reports import report_pdf
from core.clock import business_day
from core.errors import NotFound
from web import printed
from web.groups.shown import colour_of, groups_now, name_of
from web.screens.store_page import Shop, best_first, find_shop, page_of_store, suggestions_of, thing
from web.state import now, transaction
from web.stores import findings as store_findings

blueprint = Blueprint("store_prints", __name__, url_prefix="/shop")
_OPEN_SHOWN = 12
_ARTICLES_SHOWN = 30
_OTHERS_SHOWN = 12


class NotCompared(NotFound):
    """The store has too few baskets to be compared, so there is nothing to print."""


@blueprint.get("/<store_code>/print.pdf")
def of_store(store_code: str) -> ResponseReturnValue:
    """Return a store's page as PDF."""
    with transaction() as session:
        shop = find_shop(session, store_code)
        store = read_store(session, store_id=shop.store_id)
        if store is None:
            raise NotCompared("This store is not compared yet")
        groups = groups_now(session)
        context = page_of_store(session, shop, store, groups)
        suggestions = all_suggestions(session, store_id=shop.store_id)
    open_rows = [thing(row, groups) for row in best_first(suggestions, _OPEN_SHOWN) if row.kind != "keep"]
    known = store_findings.known_groups(store, groups)
    views = [view for one in known if (view := groups.find(one.group_id)) is not None]
    drawn = store_findings.drawn_categories(store)
    html = render_template(
        "prints/store.html",
        shop=shop,
        store=store,
        groups=[(one, name_of(view), colour_of(view)) for one, view in zip(known, views, strict=True)],
        most_share=max((max(one.high, one.elsewhere) for one in known), default=1.0),
        groups_finding=store_findings.groups_finding(store, groups),
        categories=[(one, store_findings.gap_between(one, shop.currency)) for one in drawn],
        most_gap=max((max(abs(one.low), abs(one.high)) for one in drawn), default=1),
        categories_finding=store_findings.categories_finding(store, shop.currency),
        rules=[store_findings.rule_sentence(rule) for rule in store.rules],
        no_rules=store_findings.no_rules_sentence(store),
        open_rows=open_rows,
        bounds=_bounds(open_rows),
        **_paper(shop),
        **context,
    )
    return _pdf(html, shop.code)


@blueprint.get("/<store_code>/category-print.pdf/<path:category>")
def of_category(store_code: str, category: str) -> ResponseReturnValue:
    """Return a category of a store as PDF."""
    with transaction() as session:
        shop = find_shop(session, store_code)
        found = read_category(session, store_id=shop.store_id, category=category)
        groups = groups_now(session)
        things = [thing(row, groups) for row in suggestions_of(session, shop, category=category)]
    here = [one for one in found.articles if one.here is not None]
    others = [one for one in found.articles if one.here is None]
    html = render_template(
        "prints/category.html",
        shop=shop,
        store=found.store,
        figures_of=found.figures,
        sentence=store_findings.category_sentence(found.figures, shop.currency),
        between=store_findings.gap_between(found.figures, shop.currency),
        things=things[:_OPEN_SHOWN],
        bounds=_bounds(things),
        articles=sorted(here, key=lambda one: -(one.here.households if one.here else 0))[:_ARTICLES_SHOWN],
        others=others[:_OTHERS_SHOWN],
        run=groups.run,
        **_paper(shop),
    )
    return _pdf(html, f"{shop.code}-{category}")


def _paper(shop: Shop) -> dict[str, Any]:
    return {"printed": printed, "stand_day": business_day(now(), shop.timezone)}


def _bounds(things: list[dict[str, Any]]) -> tuple[int, int]:
    rows = [one["row"] for one in things]
    return min((row.low for row in rows), default=0), max((row.high for row in rows), default=0)


def _pdf(html: str, name: str) -> Response:
    style, _, _ = current_app.jinja_env.loader.get_source(current_app.jinja_env, "prints/report.css")  # type: ignore[union-attr]
    response = make_response(report_pdf(html, style=style))
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    file = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-").lower() or "store"
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{file}.pdf"'
    return response

"""A store as its manager begins the week with it: what to do, what changed, and what the chain shows beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from basket_analysis.assortment.effect_lists import effects_of_store, track_record
from basket_analysis.assortment.store_lists import StoreView, read_category, read_store, stores_compared
from basket_analysis.assortment.suggestion_changes import changes_since_last_run
from basket_analysis.assortment.suggestion_lists import (
    ReasonMissing,
    SuggestionView,
    all_suggestions,
    read_suggestion,
    undo_decision,
)
from basket_analysis.assortment.suggestion_lists import decide as keep_decision
from core.clock import business_day
from core.errors import NotFound
from rewards.stocks.lists import low_stock
from sales.figures import WeekOfSales, latest_business_date, sales_by_week
from sales.models import Store
from sales.work_queue import waiting
from web import findings, scope
from web.export import respond
from web.groups.shown import GroupsShown, groups_now
from web.roles import may
from web.state import now, transaction, viewer
from web.stores import effect_words, suggestion_words
from web.stores import findings as store_findings
from web.stores.tables import articles_table, categories_table, results_table
from web.words import gettext as _

blueprint = Blueprint("store_page", __name__, url_prefix="/shop")

THINGS: Final = 3
"""So many things to do stand at the top; ten minutes are not enough for more."""
_WEEKS: Final = 13
_ASK: Final = ("list", "place_together", "delist")
"""Kinds of suggestions that ask for something to be done."""


class NoSuchShop(NotFound):
    """There is no such store, or it is not the reader's."""


@dataclass(frozen=True, slots=True)
class Shop:
    """The store that the page is about."""

    store_id: int
    code: str
    name: str
    currency: str
    timezone: str


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Lead to the reader's own store; whoever sees all of them, to the one chosen, or in scope, or first."""
    person = viewer()
    if person.store_code is not None:
        return redirect(url_for("store_page.show", store_code=person.store_code))
    with transaction() as session:
        known = [code for code, _name in stores_compared(session)]
        wanted = (request.args.get("store", ""), scope.read(session).store_code or "")
    code = next((one for one in wanted if one in known), next(iter(known), None))
    if code is None:
        return render_template("screens/store_page.html", shop=None, stores=[])
    return redirect(url_for("store_page.show", store_code=code))


@blueprint.get("/<store_code>/")
def show(store_code: str) -> ResponseReturnValue:
    """Show a store: what to do first, then what changed, then the evidence."""
    with transaction() as session:
        shop = find_shop(session, store_code)
        store = read_store(session, store_id=shop.store_id)
        groups = groups_now(session)
        context = page_of_store(session, shop, store, groups)
        stores = stores_compared(session) if viewer().store_id is None else []
        context |= {
            "waiting": waiting(session, store_id=shop.store_id),
            "low": len(low_stock(session, store_id=shop.store_id)),
        }
    if store is None:
        return render_template("screens/store_page.html", shop=shop, store=None, stores=stores, **context)
    return respond(
        "screens/store_page.html",
        categories_table(store, shop.code, shop.currency),
        shop=shop,
        store=store,
        stores=stores,
        groups_chart=store_findings.groups_chart(store, groups, shop.currency),
        categories_chart=store_findings.categories_chart(store, shop.code, shop.currency),
        rules=[store_findings.rule_sentence(rule) for rule in store.rules],
        no_rules=store_findings.no_rules_sentence(store),
        **context,
    )


@blueprint.get("/<store_code>/category/<path:category>")
def category(store_code: str, category: str) -> ResponseReturnValue:
    """Show a category of a store against the chain."""
    with transaction() as session:
        shop = find_shop(session, store_code)
        found = read_category(session, store_id=shop.store_id, category=category)
        groups = groups_now(session)
        rows = suggestions_of(session, shop, category=category)
    return respond(
        "screens/store_category.html",
        articles_table(found, shop.currency),
        shop=shop,
        category=found.figures,
        store=found.store,
        sentence=store_findings.category_sentence(found.figures, shop.currency),
        chart=store_findings.articles_chart(found.articles, found.store),
        things=[thing(row, groups) for row in rows],
        bounds=(min((row.low for row in rows), default=0), max((row.high for row in rows), default=0)),
        run=groups.run,
    )


@blueprint.get("/<store_code>/results")
def results(store_code: str) -> ResponseReturnValue:
    """Show what came of a store's decisions, and how good the advice was, here and in the chain."""
    with transaction() as session:
        shop = find_shop(session, store_code)
        found = effect_words.results_of(effects_of_store(session, shop.store_id))
        record, chain = track_record(session, shop.store_id), track_record(session)
    return respond(
        "screens/store_results.html",
        results_table(found),
        shop=shop,
        record=effect_words.record_rows(record),
        chain_record=effect_words.record_rows(chain) if chain != record else [],
        record_words=effect_words.record_words(record),
    )


@blueprint.post("/<store_code>/<uuid:suggestion_id>/answer")
def answer(store_code: str, suggestion_id: UUID) -> ResponseReturnValue:
    """Keep the manager's answer to a suggestion and show what to do next in its place."""
    decision, reason = request.form.get("decision", ""), request.form.get("reason", "")
    person = viewer()
    if decision not in {"accepted", "rejected"} or person.store_id is None:
        raise BadRequest
    error = ""
    with transaction() as session:
        shop = find_shop(session, store_code)
        try:
            keep_decision(
                session,
                suggestion_id=suggestion_id,
                store_id=person.store_id,
                decision=decision,
                reason=reason[:1000],
                actor=person.login,
                now=now(),
            )
        except ReasonMissing:
            error = _("Say why in a few words")
        answered = read_suggestion(session, suggestion_id=suggestion_id, store_id=person.store_id)
    if error:
        return _to_do(shop, wrong=suggestion_id, error=error), 422
    if not request.headers.get("HX-Request"):
        return redirect(url_for("store_page.show", store_code=shop.code), 303)
    return _to_do(shop, answered=answered)


@blueprint.post("/<store_code>/<uuid:suggestion_id>/undo")
def undo(store_code: str, suggestion_id: UUID) -> ResponseReturnValue:
    """Take an answer back and show the suggestion again."""
    person = viewer()
    if person.store_id is None:
        raise BadRequest
    with transaction() as session:
        shop = find_shop(session, store_code)
        undo_decision(
            session, suggestion_id=suggestion_id, store_id=person.store_id, actor=person.login, now=now()
        )
    if not request.headers.get("HX-Request"):
        return redirect(url_for("store_page.show", store_code=shop.code), 303)
    return _to_do(shop)


def find_shop(session: Session, store_code: str) -> Shop:
    """Return a store that the reader may see; raises `NoSuchShop`, for another's store as for one that is not."""
    row = session.execute(
        select(Store.store_id, Store.store_code, Store.name, Store.currency, Store.timezone).where(
            Store.store_code == store_code
        )
    ).one_or_none()
    if row is None or viewer().store_id not in {None, row.store_id}:
        raise NoSuchShop("There is no such store")
    return Shop(*row)


def page_of_store(
    session: Session, shop: Shop, store: StoreView | None, groups: GroupsShown
) -> dict[str, Any]:
    """Return what the screen and the printed page of a store both show."""
    weeks, earlier = _weeks(session, shop)
    chosen = replace(
        scope.read(session), store_id=shop.store_id, store_code=shop.code, currency=shop.currency
    )
    sales = [store_findings.sales_change([*earlier, *weeks], shop.currency)]
    moved = store_findings.moved_categories(store, shop.code) if store else ()
    suggestions = all_suggestions(session, store_id=shop.store_id)
    since = changes_since_last_run(session, shop.store_id)
    told = store_findings.suggestion_changes(since, shop.code)
    return {
        "things": [thing(row, groups) for row in best_first(suggestions)],
        "open_suggestions": sum(row.decision is None for row in suggestions),
        "changes": [change for change in (*sales, *told, *moved) if change is not None],
        "sales": findings.sales_totals(weeks, earlier) if weeks else None,
        "sales_chart": findings.sales_chart(weeks, earlier, chosen) if weeks else None,
        "share_chart": findings.share_chart(weeks) if len(weeks) > 1 else None,
        "results": effect_words.results_of(effects_of_store(session, shop.store_id)),
        "record_words": effect_words.record_words(track_record(session, shop.store_id)),
        "run": groups.run,
        "may_decide": may(viewer().role, "store_page.answer"),
    }


def suggestions_of(session: Session, shop: Shop, *, category: str) -> list[SuggestionView]:
    """Return a store's suggestions about the articles of a category, the open ones first."""
    rows = [row for row in all_suggestions(session, store_id=shop.store_id) if row.category == category]
    return sorted(rows, key=lambda row: row.decision is not None)


def _weeks(session: Session, shop: Shop) -> tuple[list[WeekOfSales], list[WeekOfSales]]:
    """Return the store's last full weeks and as many before them."""
    newest = latest_business_date(session, store_id=shop.store_id)
    if newest is None:
        return [], []
    today = min(business_day(now(), shop.timezone), newest + timedelta(days=1))
    until = scope.Scope.until(today)
    since = until - timedelta(weeks=_WEEKS)
    weeks = sales_by_week(
        session,
        since=since - timedelta(weeks=_WEEKS),
        until=until,
        currency=shop.currency,
        store_id=shop.store_id,
    )
    return [week for week in weeks if week.monday >= since], [week for week in weeks if week.monday < since]


def best_first(suggestions: Sequence[SuggestionView], most: int = THINGS) -> list[SuggestionView]:
    """
    Return what is worth doing first: the best of each kind that asks for something, then the next best.

    Kinds take turns, for their money cannot be compared: a listing is the better the more it brings, a delisting the less
    it loses.
    """
    waiting_ones = [row for row in suggestions if row.decision is None]
    found = [[row for row in waiting_ones if row.kind == kind] for kind in _ASK]
    longest = max(map(len, found))
    best = [rows[place] for place in range(longest) for rows in found if place < len(rows)]
    return (best or waiting_ones)[:most]


def thing(row: SuggestionView, groups: GroupsShown) -> dict[str, Any]:
    """Return a suggestion with its words."""
    return {
        "row": row,
        "title": suggestion_words.title(row),
        "money": suggestion_words.money_sentence(row),
        "meaning": suggestion_words.meaning_of_money(row),
        "between": suggestion_words.between(row),
        "reasons": suggestion_words.reasons(row, groups),
        "group": groups.mark(row.group_id),
    }


def _to_do(
    shop: Shop, *, answered: SuggestionView | None = None, wrong: UUID | None = None, error: str = ""
) -> str:
    with transaction() as session:
        groups = groups_now(session)
        suggestions = all_suggestions(session, store_id=shop.store_id)
    return render_template(
        "parts/store_to_do.html",
        shop=shop,
        things=[thing(row, groups) for row in best_first(suggestions)],
        open_suggestions=sum(row.decision is None for row in suggestions),
        may_decide=True,
        answered=answered,
        answered_title=suggestion_words.title(answered) if answered else "",
        wrong=wrong,
        error=error,
    )

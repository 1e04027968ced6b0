"""The lists of a store's page: its categories, and the articles of one category."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import url_for

from basket_analysis.assortment.store_lists import ArticleView, CategoryHere, CategoryView, StoreView
from core.keyset import Ask, Page
from web.cells import badge
from web.figures import bar, interval
from web.stores.effect_words import Result
from web.stores.findings import SURE, gap_between
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import NOTHING, money_estimate, number_text, percent_text, readable
from web.words import gettext as _

R = TypeVar("R")


def page_of(rows: Sequence[R], ask: Ask, keys: dict[str, Callable[[R], Any]]) -> Page[R]:
    """Return the page of rows at hand that `ask` wants; rows without a value come last."""
    key = keys[ask.sort]
    having = sorted((row for row in rows if key(row) is not None), key=key, reverse=ask.descending)
    ordered = [*having, *(row for row in rows if key(row) is None)]
    first = _place(ask.after)
    if ask.before is not None:
        first = max(0, _place(ask.before) - ask.limit)
    shown = ordered[first : first + ask.limit]
    end = first + len(shown)
    return Page(
        tuple(shown),
        str(end) if end < len(ordered) else None,
        str(first) if first > 0 else None,
        len(ordered),
    )


def _place(cursor: str | None) -> int:
    return min(int(cursor), 1_000_000) if cursor and cursor.isascii() and cursor.isdigit() else 0


def categories_table(store: StoreView, store_code: str, currency: str) -> Table[CategoryHere]:
    """Return the list of a store's categories against the other stores."""
    most = max((one.revenue for one in store.categories), default=1)
    bounds = (
        min((one.low for one in store.categories), default=0),
        max((one.high for one in store.categories), default=0),
    )

    def fetch(ask: Ask) -> Page[CategoryHere]:
        rows = [one for one in store.categories if ask.words.casefold() in readable(one.category).casefold()]
        match ask.filters.get("gap"):
            case "below":
                rows = [one for one in rows if one.gap < 0 and one.q <= SURE]
            case "above":
                rows = [one for one in rows if one.gap > 0 and one.q <= SURE]
        return page_of(rows, ask, _CATEGORY_SORTS)

    return Table(
        name="store-categories",
        find=_("Category"),
        default_sort="-revenue",
        columns=_category_columns(store, currency, most, bounds),
        filters=(
            Filter(
                key="gap",
                label=_("Against the other stores"),
                choices=(Choice("below", _("Surely below")), Choice("above", _("Surely above"))),
            ),
        ),
        fetch=fetch,
        href=lambda one: url_for("store_page.category", store_code=store_code, category=one.category),
        in_panel=False,
        empty=Empty(
            _("No category to show"),
            _("A category is shown when at least ten households bought it here within a year."),
            "tags",
        ),
    )


_CATEGORY_SORTS: dict[str, Callable[[CategoryHere], Any]] = {
    "category": lambda one: readable(one.category).casefold(),
    "revenue": lambda one: one.revenue,
    "gap": lambda one: one.gap,
    "households": lambda one: one.households,
    "lately": lambda one: one.lately,
}


def _category_columns(
    store: StoreView, currency: str, most: int, bounds: tuple[int, int]
) -> tuple[Column[CategoryHere], ...]:
    def currency_of(_row: CategoryHere) -> str:
        return currency

    return (
        Column(key="category", title=_("Category"), value=lambda one: readable(one.category), sort=True),
        Column(
            key="revenue",
            title=_("Per week"),
            value=lambda one: one.revenue,
            kind="money",
            currency=currency_of,
            figure=lambda one: money_estimate(one.revenue, currency),
            second=lambda one: _(
                "%(share)s of the store", share=percent_text(one.revenue / (store.revenue or 1), 1)
            ),
            sort=True,
        ),
        Column(
            key="size",
            title=_("Size"),
            value=lambda one: one.revenue,
            kind="code",
            figure=lambda one: bar(one.revenue, most, label=money_estimate(one.revenue, currency), width=72),
            shown=False,
        ),
        Column(
            key="gap",
            title=_("Against the other stores"),
            value=lambda one: one.gap,
            kind="money",
            currency=currency_of,
            figure=lambda one: money_estimate(one.gap, currency),
            second=lambda one: None if one.q <= SURE else _("may be chance"),
            sort=True,
        ),
        Column(
            key="between",
            title=_("Likely between"),
            value=lambda one: gap_between(one, currency),
            kind="code",
            figure=lambda one: interval(
                one.low, one.gap, one.high, bounds=bounds, label=gap_between(one, currency)
            ),
            second=lambda one: gap_between(one, currency),
        ),
        Column(
            key="households",
            title=_("Households"),
            value=lambda one: one.households,
            kind="number",
            second=lambda one: _(
                "%(share)s of the known", share=percent_text(one.households / max(store.households, 1))
            ),
            sort=True,
        ),
        Column(
            key="lately",
            title=_("Households in the last four weeks"),
            value=lambda one: one.lately,
            kind="number",
            second=lambda one: (
                None if one.before is None else _("before: %(before)s", before=number_text(one.before))
            ),
            sort=True,
        ),
    )


def articles_table(category: CategoryView, currency: str, *, limit: int | None = None) -> Table[ArticleView]:
    """Return the list of a category's articles, here and in the chain; with a `limit` the first so many only."""

    def fetch(ask: Ask) -> Page[ArticleView]:
        rows = [one for one in category.articles if ask.words.casefold() in one.name.casefold()]
        if place := ask.filters.get("sold"):
            rows = [one for one in rows if (one.here is not None) == (place == "here")]
        page = page_of(rows, ask, _ARTICLE_SORTS)
        return page if limit is None else Page(page.rows[:limit], None, None, page.total)

    return Table(
        name="store-articles",
        find=_("Article"),
        default_sort="-here",
        columns=_article_columns(category, currency),
        filters=(
            Filter(
                key="sold",
                label=_("Bought here"),
                choices=(
                    Choice("here", _("By ten households or more")),
                    Choice("seldom", _("By fewer, or not sold here")),
                ),
            ),
        ),
        fetch=fetch,
        href=lambda one: url_for("articles.show", sku=one.sku),
        empty=Empty(
            _("No article to show"),
            _("An article is shown when at least 30 households of the chain bought it within a year."),
            "tags",
        ),
    )


_ARTICLE_SORTS: dict[str, Callable[[ArticleView], Any]] = {
    "article": lambda one: one.name.casefold(),
    "here": lambda one: one.here.households if one.here else None,
    "chain": lambda one: one.penetration,
    "rate": lambda one: one.here.per_week if one.here else None,
    "revenue": lambda one: one.here.revenue if one.here else None,
    "halo": lambda one: one.here.halo if one.here else None,
    "exclusive": lambda one: one.here.exclusive if one.here else None,
}


def _article_columns(category: CategoryView, currency: str) -> tuple[Column[ArticleView], ...]:
    known = max(category.store.households, 1)

    def currency_of(_row: ArticleView) -> str:
        return currency

    return (
        Column(
            key="article",
            title=_("Article"),
            value=lambda one: one.name,
            second=lambda one: f"{one.sku} \N{MIDDLE DOT} {readable(one.type)}",
            sort=True,
        ),
        Column(
            key="here",
            title=_("Households here"),
            value=lambda one: one.here.households if one.here else None,
            kind="number",
            figure=lambda one: None if one.here else badge(_("fewer than 10")),
            second=lambda one: percent_text(one.here.households / known, 1) if one.here else None,
            sort=True,
        ),
        Column(
            key="chain",
            title=_("Where sold"),
            value=lambda one: one.penetration,
            kind="percent",
            digits=1,
            second=lambda one: _("%(num)s in the chain", num=number_text(one.households)),
            sort=True,
        ),
        Column(
            key="rate",
            title=_("Baskets per week"),
            value=lambda one: round(one.here.per_week, 1) if one.here else None,
            kind="number",
            digits=1,
            second=lambda one: _rates(one, category),
            sort=True,
        ),
        Column(
            key="revenue",
            title=_("Per week"),
            value=lambda one: one.here.revenue if one.here else None,
            kind="money",
            currency=currency_of,
            sort=True,
        ),
        Column(
            key="repeat",
            title=_("Bought again"),
            value=lambda one: one.here.repeat / one.here.households if one.here and one.here.repeat else None,
            kind="percent",
            second=lambda one: (
                _("chain: %(share)s", share=percent_text(one.repeat / one.households)) if one.repeat else None
            ),
        ),
        Column(
            key="exclusive",
            title=_("Only this one"),
            value=lambda one: one.here.exclusive if one.here else None,
            kind="number",
            second=lambda one: (
                _("chain: %(share)s", share=percent_text(one.exclusive / one.households))
                if one.exclusive
                else None
            ),
            sort=True,
        ),
        Column(
            key="substitute",
            title=_("Substitute"),
            value=lambda one: one.substitute,
            second=lambda one: (
                f"{one.substitute_sku} \N{MIDDLE DOT} "
                + _("%(num)s buy both", num=number_text(one.substitute_households))
                if one.substitute
                else None
            ),
        ),
        Column(
            key="caught",
            title=_("Others would catch"),
            value=lambda one: one.here.transfer if one.here else one.transfer,
            kind="percent",
            shown=False,
        ),
        Column(
            key="halo",
            title=_("Rest of its baskets"),
            value=lambda one: one.here.halo if one.here else None,
            kind="money",
            currency=currency_of,
            figure=lambda one: money_estimate(one.here.halo, currency) if one.here else NOTHING,
            sort=True,
        ),
        Column(
            key="stores",
            title=_("Stores that sell it"),
            value=lambda one: one.stores,
            kind="number",
            shown=False,
        ),
    )


def _rates(one: ArticleView, category: CategoryView) -> str | None:
    """Return how many of a thousand baskets hold an article here and where it is sold."""
    if one.here is None:
        return _("%(chain)s in a thousand where sold", chain=number_text(round(one.per_thousand, 1), 1))
    here = 1000 * one.here.baskets / max(category.store.baskets, 1)
    return _(
        "%(here)s in a thousand; where sold %(chain)s",
        here=number_text(round(here, 1), 1),
        chain=number_text(round(one.per_thousand, 1), 1),
    )


def results_table(results: Sequence[Result]) -> Table[Result]:
    """Return the list of a store's decisions with what came of them."""

    def money(value: Callable[[Result], int | None], key: str, title: str) -> Column[Result]:
        return Column(
            key=key,
            title=title,
            value=value,
            kind="money",
            currency=lambda one: one.effect.currency,
            shown=False,
            sort=True,
        )

    return Table(
        name="store-results",
        default_sort="-decided",
        columns=(
            Column(
                key="title", title=_("Decision"), value=lambda one: one.title, second=lambda one: one.reason
            ),
            Column(key="answer", title=_("Answer"), value=lambda one: one.answer),
            Column(key="decided", title=_("Decided"), value=lambda one: one.decided, kind="date", sort=True),
            Column(key="reason", title=_("Reason given"), value=lambda one: one.reason, shown=False),
            Column(key="foretold", title=_("Foretold per week"), value=lambda one: one.foretold),
            Column(
                key="measured",
                title=_("Measured per week"),
                value=lambda one: one.measured,
                figure=lambda one: one.drawn or one.measured,
                second=lambda one: one.measured if one.drawn else None,
            ),
            money(lambda one: one.effect.predicted, "predicted", _("Foretold")),
            money(lambda one: one.effect.effect, "effect", _("Measured")),
            money(lambda one: one.effect.low, "low", _("At least")),
            money(lambda one: one.effect.high, "high", _("At most")),
        ),
        filters=(
            Filter(
                key="state",
                label=_("State"),
                choices=(Choice("measured", _("Measured")), Choice("waiting", _("Waits"))),
            ),
        ),
        fetch=lambda ask: page_of(
            [one for one in results if ask.filters.get("state") in {None, one.effect.state}],
            ask,
            _RESULT_SORTS,
        ),
        empty=Empty(
            _("Nothing is decided yet"),
            _("Accept or reject a suggestion; six weeks later its effect stands here."),
            "clock",
        ),
    )


_RESULT_SORTS: dict[str, Callable[[Result], Any]] = {
    "decided": lambda one: one.effect.decided_at,
    "predicted": lambda one: one.effect.predicted,
    "effect": lambda one: one.effect.effect,
    "low": lambda one: one.effect.low,
    "high": lambda one: one.effect.high,
}

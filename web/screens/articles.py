"""Articles: the list, and what one article sells where."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from core.clock import business_day
from sales.article_lists import (
    ArticleRow,
    ArticleWeek,
    article_by_store,
    article_by_week,
    departments,
    list_articles,
    read_article,
    sold_of_article,
)
from sales.figures import latest_business_date
from web import scope
from web.charts import Axis, Chart, Series, column_options
from web.export import respond
from web.state import now, transaction, viewer
from web.tables import LONGEST_WORDS, Choice, Column, Empty, Filter, Table
from web.words import date_text, day_month, money_text, number_text, readable
from web.words import gettext as _

blueprint = Blueprint("articles", __name__, url_prefix="/articles")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the articles."""
    with transaction() as session:
        currency = scope.read(session).currency
        table = Table(
            name="articles",
            find=_("Name, article number or GTIN"),
            default_sort="sku",
            columns=_columns(currency),
            filters=(
                Filter(
                    key="department",
                    label=_("Department"),
                    choices=tuple(Choice(one, readable(one)) for one in departments(session)),
                ),
                *_filed(),
            ),
            fetch=lambda ask: list_articles(session, ask),
            href=lambda row: url_for("articles.show", sku=row.sku),
            empty=Empty(
                _("No articles yet"),
                _(
                    "Import the article master; receipts with unknown articles are kept and flagged until then."
                ),
                "tags",
                command="regulars articles import FILE",
            ),
        )
        return respond("screens/articles.html", table)


def _filed() -> tuple[Filter, ...]:
    """Return the filters that other screens lead here with: there are too many categories to choose from a menu."""
    names = {"category": _("Category"), "type": _("Kind"), "brand": _("Brand")}
    return tuple(
        Filter(key=key, label=label, choices=(Choice(wanted, readable(wanted)),))
        for key, label in names.items()
        if (wanted := request.args.get(key, "")[:LONGEST_WORDS])
    )


@blueprint.get("/<path:sku>")
def show(sku: str) -> ResponseReturnValue:
    """Show one article with its weeks and stores, in the reader's scope."""
    with transaction() as session:
        article = read_article(session, sku=sku)
        chosen = scope.read(session)
        newest = latest_business_date(session, store_id=viewer().store_id)
        today = (newest or business_day(now(), chosen.timezone)) + timedelta(days=1)
        sold = sold_of_article(
            session,
            article_id=article.article_id,
            since=chosen.since(today),
            until=today,
            store_id=viewer().store_id,
        )
    here = [one for one in sold if chosen.store_code in {None, one.store_code}]
    weeks = article_by_week(here, currency=chosen.currency)
    stores = article_by_store(sold, currency=chosen.currency)
    chart = _chart(weeks, chosen.currency) if weeks else None
    return render_template(
        "screens/article.html", article=article, weeks=weeks, stores=stores, chart=chart, scope=chosen
    )


def _chart(weeks: list[ArticleWeek], currency: str) -> Chart:
    total = sum((week.quantity for week in weeks), Decimal(0))
    return Chart(
        key="article",
        title=_(
            "%(pieces)s sold in %(baskets)s baskets",
            pieces=number_text(total.normalize()),
            baskets=number_text(sum(week.baskets for week in weeks)),
        ),
        note=_("Per week, from %(day)s", day=date_text(weeks[0].monday)),
        options=column_options(
            [day_month(week.monday) for week in weeks],
            (Series(_("Sold"), [float(week.quantity) for week in weeks]),),
            Axis(),
        ),
        head=(_("Week of"), _("Sold"), _("Baskets"), _("Revenue")),
        rows=tuple(
            (
                date_text(week.monday),
                number_text(week.quantity.normalize()),
                number_text(week.baskets),
                money_text(week.amount, currency),
            )
            for week in weeks
        ),
        height="short",
    )


def _said(field: str) -> Callable[[ArticleRow], str]:
    """Return what draws a name of the master as people write it; exports keep it as the master has it."""
    return lambda row: readable(getattr(row, field))


def _columns(currency: str) -> tuple[Column[ArticleRow], ...]:
    return (
        Column(
            key="article",
            title=_("Article"),
            value=lambda row: row.name,
            second=lambda row: row.brand,
            sort=True,
        ),
        Column(key="sku", title=_("Number"), value=lambda row: row.sku, kind="code", sort=True),
        Column(key="gtin", title="GTIN", value=lambda row: row.gtin, kind="code", shown=False),
        Column(
            key="department",
            title=_("Department"),
            value=lambda row: row.department,
            figure=_said("department"),
            sort=True,
        ),
        Column(
            key="category",
            title=_("Category"),
            value=lambda row: row.category,
            figure=_said("category"),
            sort=True,
        ),
        Column(
            key="type",
            title=_("Kind"),
            value=lambda row: row.type,
            figure=_said("type"),
            sort=True,
            shown=False,
        ),
        Column(key="brand", title=_("Brand"), value=lambda row: row.brand, sort=True, shown=False),
        Column(key="unit", title=_("Unit"), value=lambda row: row.unit, shown=False),
        Column(key="tax_rate", title=_("Tax %"), value=lambda row: row.tax_rate, kind="number", shown=False),
        Column(
            key="price",
            title=_("Price"),
            value=lambda row: row.price,
            kind="money",
            currency=lambda _row: currency,
        ),
    )

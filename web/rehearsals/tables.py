"""The tables behind a rehearsal's charts: by day, store, offer beside, article below cost, group and band."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from core.keyset import Ask, Page
from web.rehearsals.charts import Results, band_words
from web.tables import Column, Empty, Table
from web.words import gettext as _

VIEWS: Final = ("days", "stores", "beside", "articles", "groups", "bands")
Row = Mapping[str, Any]


def view_names() -> tuple[tuple[str, str], ...]:
    """Return the tables with their titles."""
    titles = (
        _("By day"),
        _("By store"),
        _("Offers beside"),
        _("Articles below cost"),
        _("Shopper groups"),
        _("Members by gain"),
    )
    return tuple(zip(VIEWS, titles, strict=True))


def results_table(
    view: str,
    found: Results,
    *,
    currency: str,
    stores: Mapping[str, str],
    articles: Mapping[str, str],
    group_words: Callable[[str | None], str],
) -> Table[Row]:
    """Return one of the tables; its rows are all at hand."""
    rows = _rows(view, found)
    columns = _columns(view, lambda _row: currency, stores=stores, articles=articles, group_words=group_words)
    return Table(
        name=f"rehearsal-{view}",
        columns=columns,
        default_sort=columns[0].key if view == "days" else f"-{_by_size(view)}",
        fetch=lambda ask: page_of(rows, columns, ask),
        empty=Empty(_("Nothing to tell"), _none(view, found), "inbox"),
    )


def _columns(
    view: str,
    money: "Money",
    *,
    stores: Mapping[str, str],
    articles: Mapping[str, str],
    group_words: Callable[[str | None], str],
) -> tuple[Column[Row], ...]:
    match view:
        case "days":
            return _day_columns(money)
        case "stores":
            return _store_columns(money, stores)
        case "beside":
            return _beside_columns(money)
        case "articles":
            return _article_columns(money, articles)
        case "groups":
            return _group_columns(money, group_words)
    return _band_columns(money)


def _rows(view: str, found: Results) -> Sequence[Row]:
    if view in {"groups", "bands"}:
        return list(found["winners"][view])
    if view == "articles":
        return list(found["margin"]["articles"])
    return list(found[view])


def _by_size(view: str) -> str:
    return {"stores": "discount", "beside": "baskets", "articles": "lack", "groups": "gain", "bands": "from"}[
        view
    ]


def _none(view: str, found: Results) -> str:
    if view in {"groups", "bands"} and found["winners"]["accounts"] is None:
        return _("Nothing is told of fewer than %(count)s people.", count=found["winners"]["fewest"])
    if view == "articles" and not found["margin"]["known"]:
        return _("The cost of the articles is not known.")
    return _("It gave nothing on these baskets.")


def page_of(rows: Sequence[Row], columns: Sequence[Column[Row]], ask: Ask) -> Page[Row]:
    """Return a page of rows that are all at hand; its cursors are places."""
    column = next(one for one in columns if one.key == ask.sort)
    ordered = sorted(
        rows, key=lambda row: (column.value(row) is None, column.value(row)), reverse=ask.descending
    )
    if ask.before is not None:
        end = _place(ask.before, len(ordered))
        start = max(0, end - ask.limit)
    else:
        start = _place(ask.after, len(ordered))
        end = start + ask.limit
    return Page(
        rows=tuple(ordered[start:end]),
        following=str(end) if end < len(ordered) else None,
        previous=str(start) if start else None,
        total=len(ordered),
    )


def _place(cursor: str | None, last: int) -> int:
    return min(int(cursor), last) if cursor and cursor.isascii() and cursor.isdigit() else 0


Money = Callable[[Row], str]


def _number(key: str, title: str) -> Column[Row]:
    return Column(key=key, title=title, value=lambda row: row[key], kind="number", sort=True)


def _amount(key: str, title: str, money: Money) -> Column[Row]:
    return Column(key=key, title=title, value=lambda row: row[key], kind="money", currency=money, sort=True)


def _given_columns(money: Money) -> tuple[Column[Row], ...]:
    return (
        _number("baskets", _("Baskets")),
        _number("with_card", _("With card")),
        _number("times", _("Uses")),
        _amount("discount", _("Discounts"), money),
        _number("points", _("Points")),
        _amount("worth", _("Worth of points, gifts, vouchers"), money),
    )


def _day_columns(money: Money) -> tuple[Column[Row], ...]:
    day: Column[Row] = Column(
        key="day", title=_("Day"), value=lambda row: date.fromisoformat(row["day"]), kind="date", sort=True
    )
    return (day, *_given_columns(money))


def _store_columns(money: Money, stores: Mapping[str, str]) -> tuple[Column[Row], ...]:
    store: Column[Row] = Column(
        key="store",
        title=_("Store"),
        value=lambda row: stores.get(row["store_code"], row["store_code"]),
        second=lambda row: row["store_code"],
        sort=True,
    )
    return (store, *_given_columns(money))


def _beside_columns(money: Money) -> tuple[Column[Row], ...]:
    return (
        Column(
            key="offer_code", title=_("Offer"), value=lambda row: row["offer_code"], kind="code", sort=True
        ),
        _number("baskets", _("Baskets with both")),
        _amount("discount", _("Own discounts there"), money),
        _amount("other_discount", _("Its discounts there"), money),
        Column(
            key="both",
            title=_("Together"),
            value=lambda row: row["discount"] + row["other_discount"],
            kind="money",
            currency=money,
            sort=True,
        ),
    )


def _article_columns(money: Money, articles: Mapping[str, str]) -> tuple[Column[Row], ...]:
    return (
        Column(
            key="sku",
            title=_("Article"),
            value=lambda row: articles.get(row["sku"], row["sku"]),
            second=lambda row: row["sku"],
            sort=True,
        ),
        _number("lines", _("Lines below cost")),
        _amount("lack", _("What they lack"), money),
    )


def _group_columns(money: Money, group_words: Callable[[str | None], str]) -> tuple[Column[Row], ...]:
    return (
        Column(
            key="group", title=_("Shopper group"), value=lambda row: group_words(row["group_id"]), sort=True
        ),
        _number("accounts", _("Members")),
        _number("baskets", _("Baskets")),
        _amount("gain", _("Gain"), money),
        Column(
            key="each",
            title=_("Gain of each"),
            value=lambda row: row["gain"] // row["accounts"],
            kind="money",
            currency=money,
            sort=True,
        ),
    )


def _band_columns(money: Money) -> tuple[Column[Row], ...]:
    return (
        Column(
            key="from",
            title=_("Gain"),
            value=lambda row: row["from"],
            figure=lambda row: band_words(row, money(row)),
            kind="money",
            currency=money,
            sort=True,
        ),
        Column(
            key="to", title=_("Below"), value=lambda row: row["to"], kind="money", currency=money, shown=False
        ),
        _number("accounts", _("Members")),
        _amount("gain", _("Gain of all"), money),
    )

"""What the chain owes its members in points: by store and month of expiry, with what is expected to be asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from core.audit import record_event
from core.keyset import Ask, Page
from loyalty.liability.estimate import Line, sums_by_month
from loyalty.liability.reports import Report, liability_now, read_report, report_days
from loyalty.programme.versions import programmes
from sales.store_lists import store_names
from web import scope
from web.export import respond
from web.findings import liability_chart
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import date_text, month_text
from web.words import gettext as _

blueprint = Blueprint("liability", __name__, url_prefix="/liability")
_VIEWS: Final = ("lines", "stores", "months")


@dataclass(frozen=True, slots=True)
class Row:
    """A part of what is owed, as the list shows it."""

    store: str | None
    month: date | None
    points: int
    value_amount: int
    expected_amount: int


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show the liability that the newest night kept, or of another day; before the first night, of this moment."""
    with transaction() as session:
        days = report_days(session)
        report = _report(session, days)
        lines = report.liability.lines
        currencies = list(dict.fromkeys(line.currency for line in lines))
        currency = _currency(session, currencies)
        months = sums_by_month(lines, currency)
        own = [line for line in lines if line.currency == currency]
        view = request.args.get("by", "stores")
        view = view if view in _VIEWS else "stores"
        names = store_names(session)
        table = Table(
            name="liability",
            default_sort="-points" if view == "stores" else "month",
            columns=_columns(view, currency),
            filters=_filters(days, currencies),
            fetch=lambda ask: _page(_rows(view, own, months, names), ask),
            empty=Empty(_("Nothing is owed"), _("No account holds points."), "coins"),
        )
        return respond(
            "screens/liability.html",
            table,
            on_export=lambda: _record(session),
            report=report,
            kept=report.business_day in days,
            currency=currency,
            evidence=report.liability.evidence,
            points=sum(line.points for line in own),
            value=sum(line.value_amount for line in own),
            expected=sum(line.expected_amount for line in own),
            others=[one for one in currencies if one != currency],
            chart=liability_chart(months, currency, report.business_day) if months else None,
            view=view,
        )


def _report(session: Session, days: Sequence[date]) -> Report:
    wanted = request.args.get("day", "")
    day = next((one for one in days if one.isoformat() == wanted), days[0] if days else None)
    if day is not None:
        return read_report(session, business_day=day)
    moment: datetime = now()
    programme = programmes(session).on(moment.date())
    return Report(moment.date(), moment, liability_now(session, programme=programme, now=moment))


def _currency(session: Session, currencies: Sequence[str]) -> str:
    wanted = request.args.get("currency", "") or scope.read(session).currency
    return wanted if wanted in currencies or not currencies else currencies[0]


def _rows(view: str, own: Sequence[Line], months: Sequence[Line], names: dict[int, str]) -> list[Row]:
    if view == "months":
        return [_row(line, None) for line in months]
    if view == "lines":
        return [_row(line, _store(line.store_id, names)) for line in own]
    stores: dict[int | None, list[Line]] = {}
    for line in own:
        stores.setdefault(line.store_id, []).append(line)
    return [
        Row(
            _store(store_id, names),
            None,
            sum(line.points for line in of_store),
            sum(line.value_amount for line in of_store),
            sum(line.expected_amount for line in of_store),
        )
        for store_id, of_store in stores.items()
    ]


def _row(line: Line, store: str | None) -> Row:
    return Row(store, line.month, line.points, line.value_amount, line.expected_amount)


def _store(store_id: int | None, names: dict[int, str]) -> str:
    return _("Of no store") if store_id is None else names.get(store_id, str(store_id))


_SORTS: Final[dict[str, Callable[[Row], Any]]] = {
    "store": lambda row: row.store or "",
    "month": lambda row: (row.month is None, row.month or date.max),
    "points": lambda row: row.points,
    "value": lambda row: row.value_amount,
    "expected": lambda row: row.expected_amount,
}


def _page(rows: list[Row], ask: Ask) -> Page[Row]:
    """Return a page of rows that are all at hand; its cursors are places."""
    ordered = sorted(rows, key=_SORTS[ask.sort], reverse=ask.descending)
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


def _filters(days: Sequence[date], currencies: Sequence[str]) -> tuple[Filter, ...]:
    found = []
    if days:
        choices = tuple(Choice(day.isoformat(), date_text(day)) for day in days)
        found.append(Filter(key="day", label=_("Day"), choices=choices))
    if len(currencies) > 1:
        found.append(
            Filter(key="currency", label=_("Currency"), choices=tuple(Choice(one, one) for one in currencies))
        )
    return tuple(found)


def _columns(view: str, currency: str) -> tuple[Column[Row], ...]:
    columns: tuple[Column[Row], ...] = (
        Column(key="store", title=_("Store"), value=lambda row: row.store, sort=True),
        Column(
            key="month",
            title=_("Last month"),
            value=lambda row: month_text(row.month) if row.month else _("never"),
            sort=True,
        ),
        Column(key="points", title=_("Points"), value=lambda row: row.points, kind="number", sort=True),
        Column(
            key="value",
            title=_("Value"),
            value=lambda row: row.value_amount,
            kind="money",
            currency=lambda _row: currency,
            sort=True,
        ),
        Column(
            key="expected",
            title=_("Expected to be spent"),
            value=lambda row: row.expected_amount,
            kind="money",
            currency=lambda _row: currency,
            sort=True,
        ),
    )
    hidden = {"stores": "month", "months": "store"}.get(view)
    return tuple(column for column in columns if column.key != hidden)


def _record(session: Session) -> None:
    record_event(
        session,
        now=now(),
        actor=viewer().login,
        action="liability.export",
        subject_kind="list",
        subject_id=request.query_string.decode()[:300] or "all",
    )

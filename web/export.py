"""Lists as files: CSV and Excel, with every cell that begins like a formula made harmless."""

import csv
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from io import BytesIO, StringIO
from typing import Any, Final, TypeVar

import xlsxwriter
from flask import Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from core.clock import zone
from core.i18n import major
from core.money import Money
from core.spreadsheets import harmless
from web.tables import Column, Table, asked, chosen, listing
from web.words import reader_timezone

R = TypeVar("R")
MOST_ROWS: Final = 100_000
_CHUNK: Final = 2_000
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def respond(
    template: str, table: Table[R], *, on_export: Callable[[], None] | None = None, **context: Any
) -> ResponseReturnValue:
    """
    Return the page of `table` in `template`, or all its rows as a file when the address asks for one.

    `on_export` is called before a file is made, so that taking personal data away is recorded.
    """
    wanted = request.args.get("format")
    if wanted in {"csv", "xlsx"} and on_export:
        on_export()
    if wanted == "csv":
        return _download(_csv(table), f"{table.name}.csv", "text/csv; charset=utf-8")
    if wanted == "xlsx":
        return _download(_xlsx(table), f"{table.name}.xlsx", _XLSX)
    return render_template(template, listing=listing(table), **context)


def all_rows(table: Table[R]) -> Iterator[R]:
    """Yield every row that the request's filters leave, in its order, up to 100,000."""
    ask, left = asked(table, limit=_CHUNK), MOST_ROWS
    page = table.fetch(ask)
    while True:
        yield from page.rows[:left]
        left -= len(page.rows)
        if page.following is None or left <= 0:
            return
        page = table.fetch(ask.following(page.following, limit=_CHUNK))


def plain(column: Column[R], row: R) -> Any:
    """Return a cell's value as a file carries it: numbers as numbers, money in the major unit, local moments."""
    value = column.value(row)
    if isinstance(value, datetime):
        timezone = column.timezone(row) if column.timezone else reader_timezone()
        return value.astimezone(zone(timezone)).replace(tzinfo=None, microsecond=0)
    if column.kind == "money" and value is not None and column.currency:
        return major(Money(value, column.currency(row)))
    if value is None or isinstance(value, int | float | Decimal | date):
        return value
    # What holds a sign to its figure in a line of a page is an unknown character to a spreadsheet.
    return harmless(str(value).replace("\N{WORD JOINER}", ""))


def _csv(table: Table[R]) -> bytes:
    columns = _columns(table)
    text = StringIO()
    text.write("\ufeff")  # The mark of byte order makes Excel read the file as UTF-8.
    writer = csv.writer(text)
    writer.writerow([harmless(title) for title, _ in columns])
    for row in all_rows(table):
        writer.writerow([value(row) for _, value in columns])
    return text.getvalue().encode()


def _xlsx(table: Table[R]) -> bytes:
    file = BytesIO()
    book = xlsxwriter.Workbook(
        file,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "default_date_format": "yyyy-mm-dd",
        },
    )
    sheet = book.add_worksheet(table.name[:31])
    bold = book.add_format({"bold": True, "bottom": 1})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    columns = _columns(table)
    for index, (title, _) in enumerate(columns):
        sheet.write_string(0, index, title, bold)
        sheet.set_column(index, index, max(12, len(title) + 3))
    line = 0
    for line, row in enumerate(all_rows(table), start=1):
        for index, (_, value_of) in enumerate(columns):
            value = value_of(row)
            if isinstance(value, datetime):
                sheet.write_datetime(line, index, value, moment)
            elif value is not None:
                sheet.write(line, index, value)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(line, 1), max(len(columns) - 1, 0))
    book.close()
    return file.getvalue()


def _columns(table: Table[R]) -> list[tuple[str, Callable[[R], Any]]]:
    """Return title and value of each chosen column; beside money stands its currency, and then its second line if that has a title."""
    columns: list[tuple[str, Callable[[R], Any]]] = []
    for column in chosen(table):
        title = column.title.replace("\N{NO-BREAK SPACE}", " ")
        columns.append((title, partial(plain, column)))
        if column.kind == "money" and column.currency:
            columns.append((f"{title} (ISO 4217)", column.currency))
        if column.second and column.second_title:
            words = Column(key=column.key, title=column.second_title, value=column.second)
            columns.append((words.title.replace("\N{NO-BREAK SPACE}", " "), partial(plain, words)))
    return columns


def _download(content: bytes, name: str, mimetype: str) -> Response:
    response = make_response(content)
    response.headers["Content-Type"] = mimetype
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response

"""Lists as people work with them: columns, filters, sorting, cursors, and what a row shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import urlencode

from flask import request
from markupsafe import Markup

from core.keyset import Ask, Page
from web.words import NOTHING, date_text, moment_text, money_text, number_text, percent_text

R = TypeVar("R")
Kind = Literal["text", "code", "number", "money", "percent", "date", "moment"]
NUMERIC: frozenset[str] = frozenset({"number", "money", "percent"})
PAGE_SIZE = 50
LONGEST_WORDS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[R]):
    """
    One column: `value` is what it is about, exported as it is and written by `kind` on the screen.

    `figure` draws instead of writing, where it has something to draw, `second` adds a quiet line, which files
    carry as a column of its own where it has a `second_title`, `currency` is needed for money, `personal` columns are not made for roles without names. `lesser` ones give
    way on a narrow screen, unless the reader asked for them.
    """

    key: str
    title: str
    value: Callable[[R], Any]
    kind: Kind = "text"
    currency: Callable[[R], str] | None = None
    timezone: Callable[[R], str] | None = None
    figure: Callable[[R], Markup | str | None] | None = None
    second: Callable[[R], str | None] | None = None
    second_title: str | None = None
    sort: bool = False
    shown: bool = True
    personal: bool = False
    lesser: bool = False
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that a filter can have, and its words."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Something a list can be narrowed by: one of `choices`, or a day when there are none."""

    key: str
    label: str
    choices: tuple[Choice, ...] = ()
    kind: Literal["choice", "day"] = "choice"

    def words(self, value: str) -> str:
        """Return how `value` is said on the chip."""
        return next((choice.label for choice in self.choices if choice.value == value), value)


@dataclass(frozen=True, slots=True)
class Empty:
    """What stands where a list has nothing: why, and the next step."""

    title: str
    words: str
    icon: str = "inbox"
    action: str | None = None
    href: str | None = None
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Pick(Generic[R]):
    """
    Rows can be chosen for something that is done to several at once.

    `form` is the id of the form that the choice goes with, under the name "chosen"; `value` is None
    for rows that cannot be chosen, `label` says to a screen reader which row it is.
    """

    form: str
    value: Callable[[R], str | None]
    label: Callable[[R], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Generic[R]):
    """A list: what it shows of a row, how it can be asked, and where its rows come from."""

    name: str
    columns: tuple[Column[R], ...]
    fetch: Callable[[Ask], Page[R]]
    default_sort: str
    empty: Empty
    href: Callable[[R], str] | None = None
    in_panel: bool = True
    filters: tuple[Filter, ...] = ()
    find: str | None = None
    names: bool = True
    pick: Pick[R] | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, written for the reader."""

    text: str
    numeric: bool
    kind: str
    second: str | None
    figure: Markup | str | None
    lesser: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the screen."""

    href: str | None
    cells: tuple[Cell, ...]
    pick: tuple[str, str] | None = None
    """Value and label of the box that chooses the row."""


@dataclass(frozen=True, slots=True)
class Head:
    """One column head: its title and the address that sorts by it."""

    title: str
    numeric: bool
    href: str | None
    order: Literal["ascending", "descending"] | None
    lesser: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter as it stands now."""

    filter: Filter
    value: str
    words: str
    clear: str
    keep: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list, ready for its template."""

    name: str
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    chips: tuple[Chip, ...]
    find: str | None
    words: str
    keep: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str, bool], ...]
    following: str | None
    previous: str | None
    total: int | None
    csv: str
    xlsx: str
    empty: Empty
    narrowed: bool
    clear: str
    in_panel: bool
    pick_form: str | None = None


def visible(table: Table[R]) -> tuple[Column[R], ...]:
    """Return the columns that the reader may see at all."""
    return tuple(column for column in table.columns if table.names or not column.personal)


def chosen(table: Table[R]) -> tuple[Column[R], ...]:
    """Return the columns that the reader wants to see: those asked for, or the usual ones."""
    wanted = set(request.args.getlist("columns"))
    columns = visible(table)
    picked = tuple(column for column in columns if column.key in wanted)
    return picked or tuple(column for column in columns if column.shown)


def asked(table: Table[R], *, limit: int = PAGE_SIZE) -> Ask:
    """Return what the request's address asks of `table`; what the list does not know is left out."""
    sorts = {column.key for column in visible(table) if column.sort}
    sort = request.args.get("sort", table.default_sort)
    if sort.removeprefix("-") not in sorts:
        sort = table.default_sort
    return Ask(
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
        limit=limit,
        after=request.args.get("after"),
        before=request.args.get("before"),
        words=_words() if table.find else "",
        filters=_filters(table),
    )


def listing(table: Table[R]) -> Listing:
    """Return the page of `table` that the request asks for."""
    ask = asked(table)
    page = table.fetch(ask)
    columns = chosen(table)
    return Listing(
        name=table.name,
        heads=tuple(_head(column, ask) for column in columns),
        lines=tuple(_line(table, columns, row) for row in page.rows),
        chips=tuple(_chip(one, ask.filters.get(one.key, "")) for one in table.filters),
        find=table.find,
        words=ask.words,
        keep=_kept({"q", "after", "before"}),
        columns=tuple((column.key, column.title, column in columns) for column in visible(table)),
        following=address(after=page.following, before=None) if page.following else None,
        previous=address(before=page.previous, after=None) if page.previous else None,
        total=page.total,
        csv=address(format="csv", after=None, before=None),
        xlsx=address(format="xlsx", after=None, before=None),
        empty=table.empty,
        narrowed=bool(ask.words or ask.filters),
        clear=request.path,
        in_panel=table.in_panel,
        pick_form=table.pick.form if table.pick else None,
    )


def address(**changes: str | None) -> str:
    """Return the present address with some of its arguments changed, or left out where None."""
    pairs = [(key, value) for key, value in request.args.items(multi=True) if key not in changes]
    pairs += [(key, value) for key, value in changes.items() if value is not None]
    return f"{request.path}?{urlencode(pairs)}" if pairs else request.path


def written(column: Column[R], row: R) -> str:  # noqa: PLR0911 - one per kind
    """Return the value of a cell as text in the reader's language."""
    value = column.value(row)
    if value is None or value == "":
        return NOTHING
    match column.kind:
        case "number":
            return number_text(value, column.digits)
        case "money":
            assert column.currency is not None
            return money_text(value, column.currency(row))
        case "percent":
            return percent_text(value, column.digits or 0)
        case "date":
            return date_text(value)
        case "moment":
            return moment_text(value, column.timezone(row) if column.timezone else None)
        case _:
            return str(value)


def _line(table: Table[R], columns: Sequence[Column[R]], row: R) -> Line:
    return Line(
        href=table.href(row) if table.href else None,
        cells=tuple(
            Cell(
                text=written(column, row),
                numeric=column.kind in NUMERIC,
                kind=column.kind,
                second=column.second(row) if column.second else None,
                figure=column.figure(row) if column.figure else None,
                lesser=_gives_way(column),
            )
            for column in columns
        ),
        pick=_picked(table.pick, row) if table.pick else None,
    )


def _picked(pick: Pick[R], row: R) -> tuple[str, str] | None:
    value = pick.value(row)
    return None if value is None else (value, pick.label(row))


def _gives_way(column: Column[R]) -> bool:
    return column.lesser and not request.args.getlist("columns")


def _head(column: Column[R], ask: Ask) -> Head:
    numeric = column.kind in NUMERIC
    if not column.sort:
        return Head(column.title, numeric, None, None, _gives_way(column))
    current = ask.sort == column.key
    # Numbers and dates are first asked from the top, words from A.
    first_descending = column.kind not in {"text", "code"}
    descending = not ask.descending if current else first_descending
    href = address(sort=("-" if descending else "") + column.key, after=None, before=None)
    order: Literal["ascending", "descending"] = "descending" if ask.descending else "ascending"
    return Head(column.title, numeric, href, order if current else None, _gives_way(column))


def _chip(one: Filter, value: str) -> Chip:
    words = one.words(value) if value else ""
    clear = address(**{one.key: None, "after": None, "before": None})
    return Chip(one, value, words, clear, _kept({one.key, "after", "before"}))


def _filters(table: Table[R]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in table.filters:
        value = request.args.get(one.key, "").replace("\0", "")[:LONGEST_WORDS]
        if value and (one.kind == "day" or any(choice.value == value for choice in one.choices)):
            found[one.key] = value
    return found


def _words() -> str:
    return request.args.get("q", "").replace("\0", "").strip()[:LONGEST_WORDS]


def _kept(without: set[str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (key, value)
        for key, value in request.args.items(multi=True)
        if key not in without and key != "format"
    )

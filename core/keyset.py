"""Lists that are read page by page: sorted by any column, continued by a cursor, never by counting off rows."""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.exc import DataError
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.errors import Refused

R = TypeVar("R")


class BadCursor(Refused):
    """The cursor was not made by this list, or the list cannot be sorted as asked."""


@dataclass(frozen=True, slots=True)
class Ask:
    """
    What the reader of a list asks for.

    `sort` names a column; the page starts after `after` or ends before `before`,
    which are cursors of an earlier page. `filters` are by name, `words` is free text.
    """

    sort: str
    descending: bool = False
    limit: int = 50
    after: str | None = None
    before: str | None = None
    words: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)

    def following(self, cursor: str, *, limit: int) -> "Ask":
        """Return the same question for the page after `cursor`."""
        return replace(self, after=cursor, before=None, limit=limit)


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Some rows of a list, with the cursors that lead on and back; `total` only where counting is cheap."""

    rows: tuple[R, ...]
    following: str | None
    previous: str | None
    total: int | None = None


def read_page(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    *,
    ask: Ask,
    sorts: Sequence[str],
    key: str,
    count: bool = False,
    filled: Sequence[str] = (),
) -> Page[Row[*tuple[Any, ...]]]:
    """
    Return the page of `statement` that `ask` wants, with the statement's own rows.

    `sorts` are the labels that may be sorted by, `key` the label of a unique column
    that breaks ties; rows without a value come last. Columns named in `filled` always
    have a value, so that the database can walk an index of theirs. Raises `BadCursor`.
    """
    rows = statement.subquery()
    if ask.sort not in sorts:
        raise BadCursor(f"This list cannot be sorted by {ask.sort!r}")
    column, unique = rows.c[ask.sort], rows.c[key]
    backwards = ask.before is not None
    cursor = ask.before if backwards else ask.after
    descending = ask.descending != backwards
    wanted = select(rows, cast(column, Text).label("_sort"), cast(unique, Text).label("_key"))
    is_filled = ask.sort in filled
    if cursor is not None:
        beyond = (
            _beyond_filled(column, unique, _decode(cursor), descending=descending)
            if is_filled
            else _beyond(column, unique, _decode(cursor), descending=descending, backwards=backwards)
        )
        wanted = wanted.where(beyond)
    ordered = _ordered(column, descending=descending, backwards=backwards, filled=is_filled)
    wanted = wanted.order_by(ordered, unique.desc() if descending else unique.asc()).limit(ask.limit + 1)
    try:
        found = session.execute(wanted).all()
    except DataError as error:
        raise BadCursor("This page marker was not made by this list") from error
    more = len(found) > ask.limit
    page = list(found[: ask.limit])
    if backwards:
        page.reverse()
    return Page(
        rows=tuple(page),
        following=_encode(page[-1]) if page and (more or backwards) else None,
        previous=_encode(page[0]) if page and (more if backwards else cursor is not None) else None,
        total=session.scalar(select(func.count()).select_from(rows)) if count else None,
    )


def _ordered(
    column: ColumnElement[Any], *, descending: bool, backwards: bool, filled: bool
) -> ColumnElement[Any]:
    ordered = column.desc() if descending else column.asc()
    if filled:
        return ordered
    # Rows without a value are last when reading forwards, hence first when reading backwards.
    return ordered.nulls_first() if backwards else ordered.nulls_last()


_PLAIN = (
    "áàâäãåąāăčćçďđéèêëěęēíìîïīľĺłňńñóòôöõőøōřŕšśşșťţțúùûüůűūýÿžźżß",
    "aaaaaaaaacccddeeeeeeeiiiiilllnnnoooooooorrsssstttuuuuuuuyyzzzs",
)
"""Letters of Central European names, and the plain ones they are sorted with."""


def alphabetical(text: ColumnElement[str] | InstrumentedAttribute[str]) -> ColumnElement[str]:
    """
    Return what to sort `text` by so that Č stands with C, whatever collations the server was built with.

    The embedded server knows none but code points, by which Čapek follows Zeman.
    """
    # Written out, not sent beside the statement: so the database finds an index of the same words in every plan.
    plain, letters = (literal_column(f"'{letters}'", Text) for letters in reversed(_PLAIN))
    return func.translate(func.lower(text), letters, plain, type_=Text)


def _beyond_filled(
    column: ColumnElement[Any],
    unique: ColumnElement[Any],
    cursor: tuple[str | None, str],
    *,
    descending: bool,
) -> ColumnElement[bool]:
    value, key = cast(literal(cursor[0]), column.type), cast(literal(cursor[1]), unique.type)
    row, last = tuple_(column, unique), tuple_(value, key)
    # The bound on the column alone is implied, but only with it does the database leave partitions out.
    return and_(column <= value, row < last) if descending else and_(column >= value, row > last)


def _beyond(
    column: ColumnElement[Any],
    unique: ColumnElement[Any],
    cursor: tuple[str | None, str],
    *,
    descending: bool,
    backwards: bool,
) -> ColumnElement[bool]:
    value, last = cursor
    last_key = cast(literal(last), unique.type)
    past_key = unique < last_key if descending else unique > last_key
    if value is None:
        same = and_(column.is_(None), past_key)
        return or_(same, column.is_not(None)) if backwards else same
    last_value = cast(literal(value), column.type)
    past = column < last_value if descending else column > last_value
    onwards = or_(past, and_(column == last_value, past_key))
    return onwards if backwards else or_(onwards, column.is_(None))


def _encode(row: Row[*tuple[Any, ...]]) -> str:
    text = json.dumps([row._mapping["_sort"], row._mapping["_key"]], separators=(",", ":"))  # noqa: SLF001
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[str | None, str]:
    try:
        value, key = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error) as error:
        raise BadCursor("This page marker was not made by this list") from error
    if not isinstance(key, str) or not (value is None or isinstance(value, str)):
        raise BadCursor("This page marker was not made by this list")
    return value, key

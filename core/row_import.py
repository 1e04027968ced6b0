"""Files of reference data: rows checked one by one, stored by the batch, all in the caller's transaction."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from core.errors import Refused, RegularsError
from core.payment_cards import payment_card_numbers
from core.progress import Report
from core.tabular import Columns, RefusedRow, RefusedRows, Summary, Table

Row = TypeVar("Row")
Cells = Mapping[str, str | None]
Fate = bool | str
"""What became of a row: True written, False unchanged, a text why it was refused."""

REPEATED = "{} stands further up in this file with other content"


class BadRow(Refused):
    """A cell is empty that must not be, or says something that it cannot mean."""


def import_rows(
    path: Path,
    columns: Columns,
    *,
    parse: Callable[[Cells], Row],
    key: Callable[[Row], str],
    store: Callable[[Sequence[Row]], Sequence[Fate]],
    report: Report,
) -> Summary:
    """
    Hand the rows of `path` to `store` in batches, each checked by `parse`, and return what became of them.

    What `parse` raises of `RegularsError` refuses the row. A row whose `key` came
    before is unchanged when it says the same, otherwise refused. Raises
    `UnreadableFile` or `WrongColumns`.
    """
    counts = {True: 0, False: 0}
    read = 0
    seen: dict[str, int] = {}
    with Table(path, columns) as table, RefusedRows(path, table.names) as sink:
        for batch in table.batches():
            read += batch.rows.num_rows + len(batch.refused)
            for unreadable in batch.refused:
                sink.add(unreadable)
            good: list[tuple[Cells, Row]] = []
            for cells in batch.rows.to_pylist():
                fate = _checked(cells, parse, key, seen, good)
                if isinstance(fate, str):
                    sink.add(RefusedRow(cells, fate))
                elif fate is not None:
                    counts[fate] += 1
            fates = store([row for _, row in good]) if good else ()
            for (cells, _), fate in zip(good, fates, strict=True):
                if isinstance(fate, str):
                    sink.add(RefusedRow(cells, fate))
                else:
                    counts[fate] += 1
            report(table.percent(), 100)
        report(100, 100)
    return Summary(read, counts[True], counts[False], sink.count, sink.written_to)


def _checked(
    cells: Cells,
    parse: Callable[[Cells], Row],
    key: Callable[[Row], str],
    seen: dict[str, int],
    good: list[tuple[Cells, Row]],
) -> Fate | None:
    """Put a good row among the `good`, returning None; otherwise return what became of it."""
    try:
        row = parse(cells)
    except RegularsError as refusal:
        return str(refusal)
    meaning = hash(repr(row))
    if key(row) in seen:
        return False if seen[key(row)] == meaning else REPEATED.format(repr(key(row)))
    seen[key(row)] = meaning
    good.append((cells, row))
    return None


def needed(cells: Cells, column: str) -> str:
    """Return the text in `column`; raises `BadRow` when the cell is empty."""
    text = optional(cells, column)
    if text is None:
        raise BadRow(f"{column} is empty")
    return text


def optional(cells: Cells, column: str, *, most: int = 500) -> str | None:
    """Return the text in `column`, None when it is empty; raises `BadRow` for payment-card numbers and long texts."""
    text = (cells[column] or "").strip()
    if len(text) > most:
        raise BadRow(f"{column} is longer than {most} characters")
    if payment_card_numbers(text):
        raise BadRow(f"{column} holds the number of a payment card, which is never stored")
    return text or None


def whole_number(cells: Cells, column: str, *, most: int = 10**14) -> int | None:
    """Return the whole number of at least zero in `column`, None when it is empty; raises `BadRow`."""
    text = optional(cells, column)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or int(text) > most:
        raise BadRow(f"{column} is no whole number from 0 to {most}")
    return int(text)

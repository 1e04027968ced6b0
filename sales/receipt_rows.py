"""
Rows of a receipts file, checked by themselves: one row is one line of a receipt.

Works on whole batches at once; what the columns mean is data-files' table, what is
malformed is what the till contract calls malformed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.payment_cards import mask_payment_cards, payment_card_numbers
from core.tabular import Columns
from sales.articlecodes import find_gtin
from sales.operations import CODE, UnknownCurrency, check_currency

IDENTITY = ("store_code", "till_code", "business_date", "receipt_number")
ORIGINAL = tuple(f"original_{column}" for column in IDENTITY)
HEAD = ("type", "closed_at", "card_number", "operator_code", "currency", *ORIGINAL)
LINE = (
    "line_number",
    "sku",
    "gtin",
    "name",
    "quantity",
    "unit",
    "unit_price",
    "discount_amount",
    "total_amount",
    "tax_rate",
    "original_line_number",
    "return_reason",
)
COLUMNS = Columns(
    required=(
        *IDENTITY,
        "type",
        "closed_at",
        "currency",
        "line_number",
        "quantity",
        "unit_price",
        "total_amount",
    ),
    optional=(
        "card_number",
        "operator_code",
        "sku",
        "gtin",
        "name",
        "unit",
        "discount_amount",
        "tax_rate",
        *ORIGINAL,
        "original_line_number",
        "return_reason",
    ),
)

SEPARATOR = "\x1f"
"""Parts the fields of a head; no cell that is accepted holds it."""
MOMENT = pa.timestamp("us", "UTC")
MOST = 10**14
"""The largest amount, as at the till."""
LAST_LINE = 2**31 - 1

_DATE = r"20\d\d-\d\d-\d\d"
_AMOUNT = r"-?\d{1,15}"
_CODE = CODE.pattern
_NUMBER = r"[A-Za-z0-9._-]{1,40}"

_RULES = (
    ("store_code", _CODE, "store_code is no store code"),
    ("till_code", _CODE, "till_code is no till code"),
    ("business_date", _DATE, "business_date is no date from 2000-01-01 to 2099-12-31"),
    ("receipt_number", _NUMBER, "receipt_number is not 1 to 40 of A-Z, a-z, 0-9, dot, hyphen, underscore"),
    ("type", "sale|return|void", "type is none of sale, return, void"),
    (
        "closed_at",
        r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)",
        "closed_at is no RFC 3339 moment with offset",
    ),
    ("card_number", r"[^\x1f]{1,40}", "card_number is longer than 40 characters"),
    ("operator_code", r"[^\x1f]{1,40}", "operator_code is longer than 40 characters"),
    ("currency", "[A-Z]{3}", "currency is no currency of ISO 4217"),
    ("line_number", r"\d{1,10}", "line_number is no whole number"),
    ("sku", r"[^\x1f]{1,64}", "sku is longer than 64 characters"),
    ("gtin", r"\d{8}|\d{12,14}", "gtin is no GTIN: its length or its check digit is wrong"),
    ("name", r"[^\x1f]{1,200}", "name is longer than 200 characters"),
    ("quantity", r"\d{1,9}(\.\d{1,3})?", "quantity is no number with at most three decimals"),
    ("unit", r"[^\x1f]{1,20}", "unit is longer than 20 characters"),
    ("unit_price", _AMOUNT, "unit_price is no whole number of minor units"),
    ("discount_amount", r"\d{1,15}", "discount_amount is no whole number of minor units, or below zero"),
    ("total_amount", _AMOUNT, "total_amount is no whole number of minor units"),
    ("tax_rate", r"\d{1,3}(\.\d{1,2})?", "tax_rate is no number with at most two decimals"),
    ("original_store_code", _CODE, "original_store_code is no store code"),
    ("original_till_code", _CODE, "original_till_code is no till code"),
    ("original_business_date", _DATE, "original_business_date is no date from 2000-01-01 to 2099-12-31"),
    ("original_receipt_number", _NUMBER, "original_receipt_number is no receipt number"),
    ("original_line_number", r"\d{1,10}", "original_line_number is no whole number"),
    ("return_reason", "faulty|unwanted|other", "return_reason is none of faulty, unwanted, other"),
)
_TEXTS = ("card_number", "operator_code", "sku", "name", "unit")
_MANY_DIGITS = r"\d(?:[ .\-\x{a0}\x{2009}\x{202f}\x{2010}-\x{2013}]?\d){12,}"

FindOwn = Callable[[set[str]], set[str]]
"""Returns which of some numbers are cards of our own."""


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """The rows that can be taken, typed, and why the others cannot."""

    good: pa.RecordBatch
    """Columns of `SCHEMA`."""
    bad: list[tuple[int, str, str]]
    """Row number, reason, and the identity that the row names, however malformed."""


SCHEMA = pa.schema(
    [
        ("row_number", pa.int64()),
        ("identity", pa.string()),
        ("head", pa.string()),
        ("line_number", pa.int64()),
        ("sku", pa.string()),
        ("gtin", pa.string()),
        ("name", pa.string()),
        ("quantity", pa.decimal128(14, 3)),
        ("unit", pa.string()),
        ("unit_price", pa.int64()),
        ("discount_amount", pa.int64()),
        ("total_amount", pa.int64()),
        ("tax_rate", pa.decimal128(5, 2)),
        ("original_line_number", pa.int64()),
        ("return_reason", pa.string()),
        ("masked", pa.bool_()),
        ("totals", pa.string()),
    ]
)
"""
`identity` is store/till/date/number; `head` what a receipt's rows have in common, see `HEAD`; `totals`
rounding, payable amount and tenders as JSON, null where the file says nothing about them.
"""


def check_rows(rows: pa.RecordBatch, *, first_row: int, own: FindOwn) -> CheckedRows:
    """Return the rows of a receipts file, numbered from `first_row`, as good and bad ones."""
    numbers = pa.array(np.arange(first_row, first_row + rows.num_rows))
    cells = {name: rows.column(name) for name in COLUMNS.all}
    totals = rows.column("totals") if "totals" in rows.schema.names else pa.nulls(rows.num_rows, pa.string())
    reasons: list[str | None] | None = None
    for mask, words in _complaints(cells):
        reasons = reasons or [None] * rows.num_rows
        for index in pc.indices_nonzero(mask).to_pylist():
            reasons[index] = reasons[index] or words
    identity = _joined([cells[name] for name in IDENTITY], "/")
    bad = [
        (first_row + index, words, identity[index].as_py())
        for index, words in enumerate(reasons or ())
        if words is not None
    ]
    if bad:
        keep = pa.array([words is None for words in reasons or ()], pa.bool_())
        # Encoded again, so that no distinct cell of a bad row is left to be made a number of.
        cells = {
            name: column.filter(keep).dictionary_decode().dictionary_encode()
            for name, column in cells.items()
        }
        numbers, identity, totals = numbers.filter(keep), identity.filter(keep), totals.filter(keep)
    return CheckedRows(
        _typed(cells, {"row_number": numbers, "identity": identity, "totals": totals}, own), bad
    )


def _complaints(cells: dict[str, pa.DictionaryArray]) -> Iterator[tuple[pa.Array, str]]:
    """Yield, for each rule that any row breaks, which rows do and what to say."""
    for name in COLUMNS.required:
        if cells[name].null_count:
            yield pc.is_null(cells[name]), f"{name} is empty"
    for name, pattern, words in _RULES:
        yield from _broken(cells[name], pc.match_substring_regex, f"^(?:{pattern})$", words)
    for names, sure, accept, words in _CHECKS:
        for name in names:
            yield from _broken(cells[name], _accepted, (sure, accept), f"{name} {words}")
    without = pc.and_(pc.is_null(cells["sku"]), pc.is_null(cells["gtin"]))
    stated = [pc.cast(pc.is_valid(cells[name]), pa.int8()) for name in ORIGINAL]
    count = pc.add(pc.add(stated[0], stated[1]), pc.add(stated[2], stated[3]))
    partly = pc.and_(pc.greater(count, 0), pc.less(count, 4))
    for mask, words in (
        (without, "neither sku nor gtin"),
        (partly, "the original needs store, till, business date and receipt number"),
    ):
        if pc.any(mask).as_py():
            yield mask, words


def _broken(
    column: pa.DictionaryArray, look: Callable[..., pa.Array], rule: Any, words: str
) -> Iterator[tuple[pa.Array, str]]:
    """Yield which cells `look` finds to break `rule`, if any does; each distinct cell is looked at once."""
    fine = look(column.dictionary, rule)
    if not pc.all(fine).as_py():
        yield pc.fill_null(pc.invert(fine).take(column.indices), fill_value=False), words


def _accepted(texts: pa.Array, rule: tuple[str | None, Callable[[str], bool]]) -> pa.Array:
    """Return which texts are fine: those that a pattern is sure of, and of the others those that are accepted."""
    sure, accept = rule
    if sure is None:
        return pa.array([accept(text) for text in texts.to_pylist()], pa.bool_())
    fine = pc.match_substring_regex(texts, f"^(?:{sure})$")
    if pc.all(fine).as_py():
        return fine
    doubtful = pc.invert(fine)
    asked = [accept(text) for text in texts.filter(doubtful).to_pylist()]
    return pc.replace_with_mask(fine, doubtful, pa.array(asked, pa.bool_()))


def _is_date(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return False
    return True


def _is_moment(text: str) -> bool:
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return moment.tzinfo is not None and 1 < moment.year < 9999


def _is_currency(text: str) -> bool:
    try:
        check_currency(text)
    except UnknownCurrency:
        return False
    return True


def _is_gtin(text: str) -> bool:
    return find_gtin(text) is not None


def _is_positive(text: str) -> bool:
    return any(digit in "123456789" for digit in text)


def _is_line_number(text: str) -> bool:
    return len(text) < 10 or not text.isdigit() or int(text) <= LAST_LINE


def _is_amount(text: str) -> bool:
    return len(text) < 15 or not text.removeprefix("-").isdigit() or abs(int(text)) <= MOST


_SURE_DATE = "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
"""A day that every month of every year has."""
_CHECKS: tuple[tuple[tuple[str, ...], str | None, Callable[[str], bool], str], ...] = (
    (("business_date", "original_business_date"), _SURE_DATE, _is_date, "is no day of the calendar"),
    (
        ("closed_at",),
        _SURE_DATE + r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?Z",
        _is_moment,
        "is no moment of the calendar and the clock",
    ),
    (("currency",), None, _is_currency, "is no currency of ISO 4217"),
    (("gtin",), None, _is_gtin, "is no GTIN: its length or its check digit is wrong"),
    (("quantity",), r"[0-9.]*[1-9][0-9.]*", _is_positive, "is zero"),
    (("line_number", "original_line_number"), ".{0,9}", _is_line_number, "is too large"),
    (("unit_price", "discount_amount", "total_amount"), ".{0,14}", _is_amount, "is too large"),
)
"""Columns, what is surely fine as a pattern of few steps, who knows the rest, and what to say."""


def _typed(cells: dict[str, pa.DictionaryArray], made: dict[str, pa.Array], own: FindOwn) -> pa.RecordBatch:
    """Return the columns of `SCHEMA`: those `made` already, the others from cells."""
    masked = pa.repeat(pa.scalar(value=False), len(made["row_number"]))
    for name in _TEXTS:
        cells[name], hidden = _without_payment_cards(cells[name], own)
        masked = masked if hidden is None else pc.or_(masked, hidden)
    moments = cells["closed_at"]
    microseconds = _moments(moments.dictionary).cast(pa.int64()).cast(pa.string())
    cells["closed_at"] = pa.DictionaryArray.from_arrays(moments.indices, microseconds)
    columns = {
        **made,
        "head": _joined([cells[name] for name in HEAD], SEPARATOR),
        "masked": masked,
    }
    for field in SCHEMA:
        if field.name not in columns:
            cell = cells[field.name]
            columns[field.name] = cell.dictionary.cast(field.type).take(cell.indices)
    columns["discount_amount"] = pc.fill_null(columns["discount_amount"], 0)
    return pa.RecordBatch.from_arrays([columns[field.name] for field in SCHEMA], schema=SCHEMA)


def _moments(texts: pa.Array) -> pa.Array:
    """Return moments with microseconds; finer fractions are cut off."""
    short = pc.replace_substring_regex(pc.utf8_upper(texts), r"(\.\d{6})\d+", r"\1")
    return short.cast(MOMENT)


def _joined(columns: list[pa.DictionaryArray], separator: str) -> pa.Array:
    texts = [column.dictionary.take(column.indices) for column in columns]
    return pc.binary_join_element_wise(*texts, separator, null_handling="replace", null_replacement="")


@lru_cache(maxsize=100_000)
def _payment_cards_in(text: str) -> tuple[str, ...]:
    """Remember the answer: the same member cards come in batch after batch."""
    return payment_card_numbers(text)


def _without_payment_cards(
    column: pa.DictionaryArray, own: FindOwn
) -> tuple[pa.DictionaryArray, pa.Array | None]:
    """Return the texts with payment-card numbers masked, and which texts that changed, None when none."""
    suspects = column.dictionary.filter(pc.match_substring_regex(column.dictionary, _MANY_DIGITS)).to_pylist()
    found = {text: numbers for text in suspects if (numbers := _payment_cards_in(text))}
    if not found:
        return column, None
    spare = own({number for numbers in found.values() for number in numbers})
    texts = column.dictionary.to_pylist()
    shown = [mask_payment_cards(text, spare) if text in found else text for text in texts]
    changed = pa.array([before != after for before, after in zip(texts, shown, strict=True)], pa.bool_())
    hidden = pc.fill_null(changed.take(column.indices), fill_value=False)
    return pa.DictionaryArray.from_arrays(column.indices, pa.array(shown, pa.string())), hidden

"""What the lines of a file's sales earn on, all at once, by the rules of their business dates."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.orm import Session

from loyalty.exclusions import excluded_articles
from loyalty.programme.rules import Programme, Programmes
from sales.receipt_chunks import Chunk
from sales.receipt_loading import Arrivals

SAFE = 2**62


def lines_left_out(session: Session, arrivals: Arrivals, rules: Programmes) -> np.ndarray | None:
    """Return which lines' articles earn nothing; None, and the database is not asked, where no version says so."""
    if not rules.approved:
        return None
    excluding = [
        (version, lines)
        for version, lines in _lines_by_version(arrivals.chunk, rules)
        if version.excluded and lines.any()
    ]
    if not excluding:
        return None
    left_out = np.zeros(arrivals.chunk.rows.num_rows, bool)
    for version, lines in excluding:
        articles = arrivals.articles.filter(pa.array(lines))
        known = [article for article in pc.unique(articles).to_pylist() if article is not None]
        found = excluded_articles(session, article_ids=known, excluded=version.excluded)
        chosen = pc.is_in(articles, pa.array(sorted(found), articles.type))
        left_out[lines] = chosen.to_numpy(zero_copy_only=False)
    return left_out if left_out.any() else None


def amounts_that_earn(chunk: Chunk, rules: Programmes, excluded: np.ndarray | None) -> np.ndarray:
    """Return what each line adds to the base of its receipt; nothing of a file was paid with points."""
    amounts = chunk.amounts("total_amount")
    if not rules.approved:
        return amounts
    for version, lines in _lines_by_version(chunk, rules):
        if version.net_of_tax and lines.any():
            amounts = np.where(lines, amounts - _tax(chunk, amounts), amounts)
    return amounts if excluded is None else np.where(excluded, 0, amounts)


def _lines_by_version(chunk: Chunk, rules: Programmes) -> list[tuple[Programme, np.ndarray]]:
    """Return every version that holds on one of the business dates, with the lines that are booked under it."""
    by_day = chunk.days.of_each(rules.on)
    versions = {version.version: version for version in by_day.distinct}
    of_line = by_day.of_each(lambda version: version.version).numbers()[chunk.receipt_of_line]
    return [(version, of_line == number) for number, version in versions.items()]


def _tax(chunk: Chunk, amounts: np.ndarray) -> np.ndarray:
    """Return the tax that each line's amount includes, halves rounded away from zero as one by one."""
    coded = chunk.rows.column("tax_rate").dictionary_encode()
    hundredths = [0 if rate is None else int(rate * 100) for rate in coded.dictionary.to_pylist()]
    places = pc.fill_null(coded.indices, len(hundredths)).to_numpy(zero_copy_only=False)
    rates = np.array([*hundredths, 0], np.int64)[places]
    if 2 * int(np.abs(amounts).max(initial=0)) * int(rates.max(initial=0)) >= SAFE:
        amounts, rates = amounts.astype(object), rates.astype(object)
    whole = 10_000 + rates
    tax: np.ndarray = (2 * np.abs(amounts) * rates + whole) // (2 * whole)
    return np.where(amounts < 0, -tax, tax)

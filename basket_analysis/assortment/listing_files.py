"""Listing candidates from a file of baskets, without a database."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from basket_analysis.assortment.listing import Candidate, ListingRanker
from basket_analysis.assortment.store_baskets import store_baskets
from basket_analysis.basket_files import read_baskets
from basket_analysis.result_files import keep_apart, refused_beside, write_rows

_CANDIDATES = pa.schema(
    [
        ("store", pa.string()),
        ("item", pa.string()),
        ("rank", pa.int64()),
        ("value_per_week", pa.int64()),
        ("low", pa.int64()),
        ("high", pa.int64()),
        ("households", pa.int64()),
    ]
)


def rank_listings(
    *, baskets: Path, out: Path, top: int, min_store_baskets: int, min_item_baskets: int
) -> dict[str, Any]:
    """
    Write the items that each store of a file might list, best first, and return the run's record.

    Value and interval stay empty where the file says no times or no values. Raises WrongColumns,
    UnreadableFile, SamePlace and Unwritable.
    """
    keep_apart([baskets], out, refused=out)
    rows = read_baskets(baskets, wanted=("household_id", "time", "store", "value", "type", "category"))
    table = store_baskets(rows)
    began = time.perf_counter()
    ranker = ListingRanker(min_store_baskets=min_store_baskets, min_item_baskets=min_item_baskets).fit(table)
    written = write_rows(out, _CANDIDATES, _batches(ranker, top))
    seconds = time.perf_counter() - began
    rows.refusals.write(refused_beside(out))
    return {
        "baskets": len(table.store),
        "stores": len(table.stores),
        "ranked_stores": len(ranker.stores_),
        "candidates": written,
        "learnt": ranker.learnt_,
        "rows_read": rows.rows_read,
        "rows_refused": len(rows.refusals),
        "seconds": round(seconds, 6),
    }


def _batches(ranker: ListingRanker, top: int) -> Iterator[Any]:
    for store in ranker.stores_:
        yield _batch(ranker.rank(store, top=top))


def _batch(candidates: list[Candidate]) -> Any:
    worths = [candidate.worth for candidate in candidates]
    columns: tuple[list[Any], ...] = (
        [candidate.store for candidate in candidates],
        [candidate.item for candidate in candidates],
        [candidate.rank for candidate in candidates],
        [worth and worth.per_week for worth in worths],
        [worth and worth.low for worth in worths],
        [worth and worth.high for worth in worths],
        [candidate.households for candidate in candidates],
    )
    arrays = [pa.array(values, kind.type) for values, kind in zip(columns, _CANDIDATES, strict=True)]
    return pa.record_batch(arrays, schema=_CANDIDATES)

"""Personal rankings into files, as of any day: `regulars offers rank`."""

import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from basket_analysis.offers.relevance_purchases import Kind, RankedLevel
from basket_analysis.offers.relevance_reading import Bought, bought_before
from basket_analysis.relevance import Ranked, RelevanceRanker
from basket_analysis.result_files import keep_apart, write_rows
from core.database import Sessions

_RANKED = pa.schema(
    [("household_id", pa.string()), ("item", pa.string()), ("rank", pa.int64()), ("score", pa.float64())]
)


def rank_offers_into_files(
    sessions: Sessions, *, level: RankedLevel, as_of: date, count: int, out: Path, new_out: Path | None
) -> dict[str, Any]:
    """
    Write for every member what they are likeliest to buy next, and what of the new to them; return the run's record.

    Only what happened before `as_of` is looked at. Raises SamePlace and Unwritable.
    """
    keep_apart([], out, new_out)
    began = time.process_time()
    kinds: tuple[Kind, ...] = ("all",) if new_out is None else ("all", "new")
    with sessions.begin() as session:
        bought = bought_before(session, as_of)
        lists = list(_ranked(bought, level, kinds, count))
    known = bought.types if level == "type" else tuple(kinds.sku for kinds in bought.articles)
    names = [known[number] for number in bought.rankable(level).tolist()]
    record: dict[str, Any] = {"as_of": as_of.isoformat(), "level": level, "members": len(bought.members)}
    for kind, path in (("all", out), ("new", new_out)):
        if path is not None:
            batches = (_batch(bought.codes, numbers, found[kind], names) for numbers, found in lists)  # type: ignore[index]
            record[f"rows_{kind}"] = write_rows(path, _RANKED, batches)
    return {**record, "cpu_seconds": round(time.process_time() - began, 3)}


def _ranked(
    bought: Bought, level: RankedLevel, kinds: tuple[Kind, ...], count: int
) -> Iterator[tuple[Any, dict[Kind, Ranked]]]:
    """Yield the lists of members, some at a time."""
    sampled, sample = bought.sample()
    buyers = bought.type_buyers if level == "type" else bought.buyers
    kept = bought.rankable(level)
    bought_there = sample.at(level, kept)
    ranker = RelevanceRanker(kinds=kinds).fit(bought_there, buyers[kept])
    if len(sampled) == len(bought.members):  # a small chain is its own sample
        yield sampled, ranker.rank(bought_there, own=sampled, count=count, origin=ranker.today)
        return
    place = np.full(len(bought.members), -1, np.int32)
    place[sampled] = np.arange(len(sampled))
    for numbers, purchases in bought.parts():
        yield numbers, ranker.rank(purchases.at(level, kept), own=place[numbers], count=count)


def _batch(codes: Sequence[str], numbers: Any, ranked: Ranked, names: Sequence[str]) -> Any:
    rows, places = np.nonzero(ranked.items >= 0)
    items = ranked.items[rows, places]
    columns = [
        pa.array([codes[number] for number in numbers[rows].tolist()], pa.string()),
        pa.array([names[item] for item in items.tolist()], pa.string()),
        pa.array(places + 1, pa.int64()),
        pa.array(np.round(ranked.scores[rows, places].astype(np.float64), 6), pa.float64()),
    ]
    return pa.record_batch(columns, schema=_RANKED)

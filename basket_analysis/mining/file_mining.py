"""Mining a file of baskets into files of itemsets and rules."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from basket_analysis.basket_files import BasketRows, read_baskets
from basket_analysis.baskets import BasketTable, tabulate
from basket_analysis.mining.files import write_itemsets, write_rules
from basket_analysis.mining.itemsets import Itemsets
from basket_analysis.mining.miners import MINERS
from basket_analysis.mining.rules import Rules, derive_rules
from basket_analysis.result_files import keep_apart, refused_beside, replacing


@dataclass(frozen=True, slots=True)
class MiningOrder:
    """What to mine, how, and where the results go."""

    baskets: Path
    min_support: Fraction
    out: Path
    rules: Path | None = None
    min_confidence: Fraction | None = None
    backend: str = "fast"
    max_basket: int | None = None
    max_length: int | None = None
    max_itemsets: int = 20_000_000


class _Stopwatch:
    """Measures the parts of a job."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 6)


def mine_file(order: MiningOrder) -> dict[str, Any]:
    """
    Do as `order` says and return the run's record.

    Nothing is written unless everything could be found. `seconds` is the time of the
    backend, `timings` that of every part, machine code being loaded or compiled apart.
    """
    keep_apart([order.baskets], order.out, order.rules, refused=order.out)
    watch = _Stopwatch()
    by_stratum = order.rules is not None
    with watch.part("load"):
        _warm_up(order.backend, by_stratum=by_stratum)
    with watch.part("read"):
        rows = read_baskets(order.baskets)
        table = as_table(rows, max_basket=order.max_basket)
    with watch.part("itemsets"):
        miner = MINERS[order.backend](
            order.min_support,
            max_length=order.max_length,
            max_itemsets=order.max_itemsets,
            by_stratum=by_stratum,
        )
        itemsets = miner.fit(table).itemsets_
    rules = None
    if order.min_confidence is not None:
        with watch.part("rules"):
            rules = derive_rules(table, itemsets, order.min_confidence)
    with watch.part("write"):
        _write(order, table, itemsets, rules)
        rows.refusals.write(refused_beside(order.out))
    return {
        "baskets": len(table),
        "items": len(table.items),
        "rows_read": rows.rows_read,
        "rows_refused": len(rows.refusals),
        "duplicates": table.duplicates,
        "min_count": itemsets.min_count,
        "itemsets": len(itemsets),
        "rules": 0 if rules is None else len(rules),
        "backend": order.backend,
        "seconds": watch.seconds["itemsets"],
        "timings": watch.seconds,
        "cap": order.max_basket,
        "baskets_cut": 0 if table.cap is None else table.cap.baskets_cut,
        "pairs_dropped": 0 if table.cap is None else table.cap.pairs_dropped,
    }


def as_table(rows: BasketRows, *, max_basket: int | None = None) -> BasketTable:
    """Return the basket table of a file's rows."""
    households = rows.others.get("household_id")
    return tabulate(
        baskets=rows.baskets,
        items=rows.items.codes,
        names=rows.items.texts,
        basket_count=rows.basket_count,
        owners=None if households is None else households.codes,
        households=() if households is None else households.texts,
        max_basket=max_basket,
    )


def _warm_up(backend: str, *, by_stratum: bool) -> None:
    """Load what mining needs by mining two baskets, so that the time of the real one is its own."""
    pair = np.array([0, 1, 0, 1], np.int32)
    tiny = tabulate(baskets=np.array([0, 0, 1, 1], np.int32), items=pair, names=("a", "b"), basket_count=2)
    itemsets = MINERS[backend](Fraction(1), by_stratum=by_stratum).fit(tiny).itemsets_
    if by_stratum:
        derive_rules(tiny, itemsets, Fraction(0))


def _write(order: MiningOrder, table: BasketTable, itemsets: Itemsets, rules: Rules | None) -> None:
    """Write both files, or neither."""
    with replacing(order.out) as out:
        write_itemsets(out, table.items, itemsets)
        if rules is not None and order.rules is not None:
            write_rules(order.rules, table.items, rules)

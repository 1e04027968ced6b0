"""
The miner for chains past one machine: Spark's own FP-growth, and a second walk for the counts per stratum.

Where Spark runs is Spark's configuration (`spark.master` in `SPARK_CONF_DIR`, or `spark-submit`); without any it runs in
this process' machine, on all its cores. Workers need Regulars installed when counts per stratum are wanted.
"""

import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import BasketTable
from basket_analysis.mining.itemsets import Int32s, Int64s, Level, Miner, lexicographic_order
from basket_analysis.mining.strata import STRATA
from core.errors import Refused

SETS_AT_ONCE = 100_000
"""So many itemsets are counted by stratum in one walk."""


class NoSpark(Refused):
    """Spark, or the Java that it runs on, is not installed here."""


class SparkFailed(Refused):
    """Spark gave up; the reason is its own."""


class SparkMiner(Miner):
    """FP-growth of Spark's machine-learning library (Li et al., "PFP: Parallel FP-Growth", 2008)."""

    name = "spark"

    def _levels(self, table: BasketTable, min_count: int) -> tuple[Level, ...]:
        if min_count == 1 and self._sets_of(int(np.diff(table.offsets).max())) > self.max_itemsets:
            raise self._refuse()  # Spark would go as deep as the longest basket, and its stack end
        spark = start_spark()
        import pyarrow as pa  # noqa: PLC0415 - for this backend alone
        from py4j.protocol import Py4JError  # noqa: PLC0415
        from pyspark.errors import PySparkException  # noqa: PLC0415
        from pyspark.ml.fpm import FPGrowth  # noqa: PLC0415
        from pyspark.sql import functions  # noqa: PLC0415

        frequent = table.item_counts >= min_count
        if not frequent.any():
            return ()
        baskets = _frequent_part(pa, table, frequent)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # of the pandas that we do not hand over
                frame = spark.createDataFrame(baskets)
            # Half a basket below the count: Spark rounds share times baskets up, and no float may round a set away.
            growth = FPGrowth(itemsCol="items", minSupport=(min_count - 0.5) / len(table), minConfidence=1.0)
            found = growth.fit(frame).freqItemsets
            if self.max_length is not None:
                found = found.where(functions.size("items") <= self.max_length)
            # One more than is allowed is enough to know, and all that ever comes here.
            rows = found.limit(self.max_itemsets + 1).toArrow().combine_chunks()
            if rows.num_rows > self.max_itemsets:
                raise self._refuse()
            levels = _by_length(rows, len(table.items))
            if not self.by_stratum:
                return levels
            walk = frame.select("items", "stratum").repartition(spark.sparkContext.defaultParallelism).rdd
            return tuple(_with_strata(spark, walk, level) for level in levels)
        except (Py4JError, PySparkException) as error:
            raise SparkFailed(f"Spark gave up: {_reason(error)}") from error

    def _sets_of(self, items: int) -> int:
        """Return how many sets one basket has, counted until there are too many."""
        sets = 0
        for length in range(1, min(items, self.max_length or items) + 1):
            sets += comb(items, length)
            if sets > self.max_itemsets:
                break
        return sets


def start_spark() -> Any:
    """Return the Spark session of this process, started if need be; raises NoSpark."""
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - half a gigabyte that nobody else needs
    except ImportError as error:
        raise NoSpark("the spark backend needs its extra: pip install 'regulars[spark]'") from error
    require_java()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if not {"SPARK_CONF_DIR", "SPARK_HOME", "MASTER"} & set(os.environ):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    session: Any = SparkSession.builder
    session = (
        session.appName("regulars")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    return session


def require_java() -> None:
    """Raise NoSpark when there is no Java to run Spark on."""
    home = os.environ.get("JAVA_HOME")
    if not (home and (Path(home) / "bin" / "java").exists()) and shutil.which("java") is None:
        raise NoSpark(
            "the spark backend needs a Java runtime (17 or newer): none is in JAVA_HOME or on the PATH"
        )


def _reason(error: Exception) -> str:
    lines = str(error).splitlines()
    told = next((line for line in lines if "Exception" in line or "Error" in line), lines[0] if lines else "")
    return " ".join(told.split())[:200]


def _frequent_part(pa: Any, table: BasketTable, frequent: NDArray[np.bool_]) -> Any:
    """Return the frequent items and the stratum of each basket; Spark wants all baskets to count shares of them."""
    kept = frequent[table.codes]
    places = np.concatenate([[0], np.cumsum(kept)])[table.offsets].astype(np.int32)
    items = pa.ListArray.from_arrays(pa.array(places), pa.array(table.codes[kept]))
    return pa.table({"items": items, "stratum": pa.array(table.strata)})


def _by_length(rows: Any, items: int) -> tuple[Level, ...]:
    """Return Spark's rows (items, freq) as levels in the order of all miners."""
    column = rows.column("items").combine_chunks()
    offsets = column.offsets.to_numpy()
    values = column.values.to_numpy(zero_copy_only=False).astype(np.int32)
    counts = rows.column("freq").to_numpy().astype(np.int64)
    lengths = np.diff(offsets)
    levels = []
    for length in range(1, int(lengths.max(initial=0)) + 1):
        chosen = np.flatnonzero(lengths == length)
        sets = np.sort(values[offsets[chosen][:, None] + np.arange(length)], axis=1)
        order = lexicographic_order(sets, items)
        levels.append(Level(sets[order], counts[chosen][order], np.empty((len(chosen), 0), np.int32)))
    return tuple(levels)


def _with_strata(spark: Any, walk: Any, level: Level) -> Level:
    """Return `level` with its counts per stratum, counted where the baskets lie."""
    parts = []
    for first in range(0, len(level), SETS_AT_ONCE):
        sets = spark.sparkContext.broadcast(level.items[first : first + SETS_AT_ONCE])

        def count(rows: Iterator[Any], sets: Any = sets) -> Iterator[Int32s]:
            yield strata_of(sets.value, rows)

        parts.append(walk.mapPartitions(count).treeReduce(np.add))
        sets.destroy()
    strata: Int32s = np.concatenate(parts)
    if not np.array_equal(strata.sum(axis=1), level.counts):
        raise SparkFailed("Spark gave up: its two walks over the baskets counted differently")
    return Level(level.items, level.counts, strata)


def strata_of(itemsets: Int32s, rows: Iterator[Any]) -> Int32s:
    """Return how many of `rows` (items, stratum) of each stratum hold each of `itemsets`, a row each."""
    holders: dict[int, list[int]] = {}
    strata: list[int] = []
    for number, (items, stratum) in enumerate(rows):
        strata.append(stratum)
        for item in items:
            holders.setdefault(item, []).append(number)
    known = np.array(strata, np.int64)
    arrays: dict[int, Int64s] = {item: np.array(numbers, np.int64) for item, numbers in holders.items()}
    nobody = np.empty(0, np.int64)
    counts = np.zeros((len(itemsets), STRATA), np.int32)
    for number, itemset in enumerate(itemsets.tolist()):
        shared = arrays.get(itemset[0], nobody)
        for item in itemset[1:]:
            shared = np.intersect1d(shared, arrays.get(item, nobody), assume_unique=True)
        counts[number] = np.bincount(known[shared], minlength=STRATA)
    return counts

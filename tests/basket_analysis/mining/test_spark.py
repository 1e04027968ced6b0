"""Spark in local mode, where it and a Java are installed; skipped with the reason where they are not."""

import shutil
import sys
from fractions import Fraction
from importlib.util import find_spec

import numpy as np
import pytest

from basket_analysis.mining.itemsets import FastMiner, TooManyItemsets
from basket_analysis.mining.spark import NoSpark, SparkMiner, require_java, start_spark, strata_of
from tests.basket_analysis.baskets_made import table_of

needs_spark = pytest.mark.skipif(
    find_spec("pyspark") is None or shutil.which("java") is None,
    reason="SPARK IS NOT TESTED: it needs `uv pip install 'pyspark>=4.3'` and a Java runtime",
)


def levels(itemsets):
    return [(level.items.tolist(), level.counts.tolist(), level.strata.tolist()) for level in itemsets.levels]


@needs_spark
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
class TestSparkMiner:
    def test_finds_what_the_fast_one_finds(self):
        generator = np.random.default_rng(11)
        table = table_of(
            [set(generator.zipf(1.5, size) % 30) for size in generator.integers(1, 30, 500)] + [[0, 1]] * 15
        )
        spark, fast = (
            miner(Fraction(6, 100), max_length=4, by_stratum=True).fit(table).itemsets_
            for miner in (SparkMiner, FastMiner)
        )
        assert len(fast) > 50
        assert levels(spark) == levels(fast)
        with pytest.raises(TooManyItemsets, match="1,000"):
            SparkMiner(Fraction(0), max_itemsets=1_000).fit(table_of([set(range(16))] * 2))


class TestSparkMinerWithoutSpark:
    """What is known before Spark is asked."""

    def test_finds_nothing_in_nothing(self):
        assert len(SparkMiner(Fraction(1, 2)).fit(table_of([])).itemsets_) == 0

    def test_refuses_the_sets_of_a_basket_of_ten_thousand_items(self):
        with pytest.raises(TooManyItemsets, match="20,000,000"):
            SparkMiner(Fraction(0)).fit(table_of([set(range(10_000))]))


class TestStartSpark:
    def test_says_what_is_missing(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pyspark.sql", None)
        with pytest.raises(NoSpark, match=r"needs its extra: pip install 'regulars\[spark\]'"):
            start_spark()

    def test_says_that_java_is_missing(self, monkeypatch):
        monkeypatch.setenv("PATH", "/nowhere")
        monkeypatch.delenv("JAVA_HOME", raising=False)
        with pytest.raises(NoSpark, match="needs a Java runtime"):
            require_java()


class TestStrataOf:
    def test_counts_each_set_by_stratum(self):
        rows = [([1, 2, 3], 2), ([1, 2], 1), ([1, 2, 9], 2), ([7], 0)]
        counts = strata_of(np.array([[1, 2], [2, 3], [1, 7], [8, 9]], np.int32), iter(rows))
        assert counts[:, :3].tolist() == [[0, 1, 2], [0, 0, 1], [0, 0, 0], [0, 0, 0]]
        assert counts[:, 3:].sum() == 0

import json

import numpy as np
import pytest

from basket_analysis.assortment.listing import ListingRanker
from basket_analysis.assortment.listing_files import rank_listings
from basket_analysis.assortment.store_baskets import store_baskets
from basket_analysis.basket_files import UnreadableFile, read_baskets
from tests.basket_analysis.baskets_made import read_csv, write_csv
from tests.basket_analysis.test_commands import regulars

__all__ = ["regulars"]

HEADER = ("basket_id", "item", "household_id", "time", "store", "value", "type", "category")
COLUMNS = ["store", "item", "rank", "value_per_week", "low", "high", "households"]


def chain(stores=12, baskets=60, weeks=12, seed=3):
    """
    Rows of a chain of two kinds of stores: even ones sell i0 to i9, odd ones i10 to i19, all of them i20 to i24.

    Every store lists one more item of its own kind half-way; store 0 has never sold i0.
    """
    random = np.random.default_rng(seed)
    rows = []
    for store in range(stores):
        kind = store % 2 * 10
        new = kind + 1 + store // 2 % 9
        for number in range(baskets):
            week = number * weeks // baskets
            own = [kind + int(n) for n in random.integers(0, 10, 3)]
            own = [n for n in own if (store or n) and (n != new or week >= weeks * 2 // 3)]
            for n in {*own, 20 + int(random.integers(0, 5))}:
                day = np.datetime64("2026-01-01") + week * 7
                rows.append((
                    f"b{store}-{number}", f"i{n}", f"h{store}-{number % 15}", f"{day}T10:00:00Z", f"s{store}", 100 + n,
                    f"t{n // 5}", f"c{n // 10}",
                ))  # fmt: skip

    return rows


@pytest.fixture
def file(tmp_path):
    return write_csv(tmp_path / "baskets.csv", chain(), columns=HEADER)


def ranked(path, out, **options):
    settings = {"top": 200, "min_store_baskets": 20, "min_item_baskets": 10} | options
    record = rank_listings(baskets=path, out=out, **settings)
    return record, read_csv(out)


class TestRankListings:
    def test_finds_what_the_stores_of_its_kind_sell_first(self, file, tmp_path):
        record, rows = ranked(file, tmp_path / "o.csv")
        assert record["learnt"]
        assert next(row["item"] for row in rows if row["store"] == "s0") == "i0"

    def test_writes_only_what_the_store_has_never_sold(self, file, tmp_path):
        _, rows = ranked(file, tmp_path / "o.csv")
        sold = {(row[4], row[1]) for row in chain()}
        assert rows
        assert not [row for row in rows if (row["store"], row["item"]) in sold]

    def test_ranks_each_store_from_one_without_a_gap(self, file, tmp_path):
        _, rows = ranked(file, tmp_path / "o.csv", top=4)
        assert list(rows[0]) == COLUMNS
        for store in {row["store"] for row in rows}:
            assert [row["rank"] for row in rows if row["store"] == store] == list("1234")

    def test_counts_the_households_of_the_whole_chain(self, file, tmp_path):
        _, rows = ranked(file, tmp_path / "o.csv")
        buyers = {}
        for row in chain():
            buyers.setdefault(row[1], set()).add(row[2])
        assert {row["item"]: int(row["households"]) for row in rows} == {
            row["item"]: len(buyers[row["item"]]) for row in rows
        }

    def test_gives_money_per_week_with_an_interval_around_it(self, file, tmp_path):
        _, rows = ranked(file, tmp_path / "o.csv")
        assert all(0 <= int(row["low"]) <= int(row["value_per_week"]) <= int(row["high"]) for row in rows)
        first = rows[0]
        # Even stores sell i0 in about three of ten baskets, five a week, at 100, and s0 sells its type.
        assert 30 < int(first["value_per_week"]) < 150

    def test_leaves_money_empty_without_times_or_values(self, tmp_path):
        for left_out in ("time", "value"):
            place = HEADER.index(left_out)
            rows = [row[:place] + row[place + 1 :] for row in chain()]
            path = write_csv(
                tmp_path / "b.csv", rows, columns=tuple(name for name in HEADER if name != left_out)
            )
            record, written = ranked(path, tmp_path / "o.csv")
            assert {row["value_per_week"] + row["low"] + row["high"] for row in written} == {""}
            assert next(row["item"] for row in written if row["store"] == "s0") == "i0"
            assert record["learnt"] == (left_out == "value")

    def test_needs_no_more_than_baskets_items_and_stores(self, tmp_path):
        path = write_csv(
            tmp_path / "b.csv",
            [(row[0], row[1], row[4]) for row in chain()],
            columns=("basket_id", "item", "store"),
        )
        record, rows = ranked(path, tmp_path / "o.csv")
        assert (record["learnt"], rows[0]["households"]) == (False, "0")

    def test_does_not_depend_on_the_order_of_rows(self, tmp_path):
        rows = chain()
        for name in ("one", "other"):
            ranked(write_csv(tmp_path / f"{name}.csv", rows, columns=HEADER), tmp_path / f"{name}-o.csv")
            np.random.default_rng(1).shuffle(rows)
        assert (tmp_path / "one-o.csv").read_bytes() == (tmp_path / "other-o.csv").read_bytes()

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "basket_id,item\n",
            "basket_id,item,store\n",
            "basket_id,item,store\n1,a,s\n",
            "basket_id,item\n1,a\n",
        ],
    )
    def test_writes_a_header_when_there_is_nothing_to_rank(self, tmp_path, text):
        path = tmp_path / "b.csv"
        path.write_text(text)
        _, rows = ranked(path, tmp_path / "o.csv")
        assert (rows, (tmp_path / "o.csv").read_text()) == ([], ",".join(COLUMNS) + "\n")

    def test_ranks_where_one_store_sells_everything(self, tmp_path):
        rows = [(f"{number}", f"i{number % 3}", "s1") for number in range(30)]
        rows += [(f"x{number}", "i0", "s2") for number in range(30)]
        path = write_csv(tmp_path / "b.csv", rows, columns=("basket_id", "item", "store"))
        _, written = ranked(path, tmp_path / "o.csv", min_item_baskets=1)
        assert [(row["store"], row["item"]) for row in written] == [("s2", "i1"), ("s2", "i2")]

    @pytest.mark.parametrize(
        ("column", "text"), [("time", "soon"), ("value", "much"), ("value", "nan"), ("value", "-1e308")]
    )
    def test_refuses_what_is_no_moment_or_number(self, tmp_path, column, text):
        path = write_csv(
            tmp_path / "b.csv", [("1", "a", "s", text)], columns=("basket_id", "item", "store", column)
        )
        with pytest.raises(UnreadableFile, match=column):
            ranked(path, tmp_path / "o.csv")


class TestListingRanker:
    def test_uses_nothing_that_comes_after_the_file(self, tmp_path):
        # The first weeks alone give the same ranking, whatever the file they are cut from holds besides.
        early = [row for row in chain() if row[3] < "2026-02-20"]
        table = store_baskets(
            read_baskets(
                write_csv(tmp_path / "b.csv", early, columns=HEADER),
                wanted=("household_id", "time", "store", "value", "type", "category"),
            )
        )
        whole = store_baskets(
            read_baskets(
                write_csv(tmp_path / "c.csv", chain(), columns=HEADER),
                wanted=("household_id", "time", "store", "value", "type", "category"),
            )
        )
        one = ListingRanker(min_store_baskets=10, min_item_baskets=5).fit(table)
        other = ListingRanker(min_store_baskets=10, min_item_baskets=5).fit(whole.between(0, table.weeks))
        assert one.stores_ == other.stores_
        for store in one.stores_:
            assert [c.item for c in one.rank(store, top=9)] == [c.item for c in other.rank(store, top=9)]


class TestAssortment:
    def test_ranks_a_file(self, regulars, file, tmp_path):
        code, out, _ = regulars(
            "assortment", "rank", "--baskets", file, "--out", tmp_path / "o.csv", "--min-store-baskets", 20,
            "--min-item-baskets", 10, "--json",
        )  # fmt: skip
        assert (code, json.loads(out)["ranked_stores"]) == (0, 12)

    def test_names_wrong_columns(self, regulars, tmp_path):
        path = write_csv(tmp_path / "b.csv", [("1", "a", "s")], columns=("basket_id", "item", "shop"))
        code, _, said = regulars("assortment", "rank", "--baskets", path, "--out", tmp_path / "o.csv")
        assert (code, "unknown: shop" in said) == (2, True)


class TestEvaluate:
    def test_prints_ours_beside_simpler_rankings(self, regulars, file):
        code, out, _ = regulars(
            "evaluate", "assortment", "--baskets", file, "--learn-weeks", 9, "--min-store-baskets", 20,
            "--min-item-baskets", 10, "--json",
        )  # fmt: skip
        found = json.loads(out)
        means = {row["method"]: row["means"] for row in found["rows"]}
        assert (code, found["stores"], found["test_weeks"]) == (0, 12, 3)
        assert means["Regulars"][0] > 0
        assert {"random order", "popularity in the chain"} < set(means)
        assert all(
            low <= mean <= high
            for row in found["rows"]
            for low, mean, high in zip(row["low"], row["means"], row["high"], strict=True)
        )

    def test_refuses_to_measure_without_later_weeks(self, regulars, file):
        code, _, said = regulars("evaluate", "assortment", "--baskets", file, "--learn-weeks", 12)
        assert (code, "12 to learn on" in said) == (2, True)

"""Basket files that nobody would wish for end quickly and right."""

import json

import pytest

import cli
from tests.basket_analysis.baskets_made import read_csv, write_csv


@pytest.fixture
def mined(capsys, tmp_path):
    """Mine rows; returns the record and the itemsets with their counts."""

    def mined(rows, support, *more):
        path = write_csv(tmp_path / "b.csv", rows)
        out = tmp_path / "o.csv"
        with pytest.raises(SystemExit) as end:
            cli.main([
                "mine", "--baskets", str(path), "--min-support", support, "--out", str(out), "--rules",
                str(tmp_path / "r.csv"), "--min-confidence", "0", "--json", *more,
            ])  # fmt: skip
        assert end.value.code == 0
        found = {row["items"]: int(row["count"]) for row in read_csv(out)}
        return json.loads(capsys.readouterr().out), found, read_csv(tmp_path / "r.csv")

    return mined


class TestMine:
    def test_stands_one_basket(self, mined):
        record, found, rules = mined([(1, "a"), (1, "b")], "0.5")
        assert (record["baskets"], found, len(rules)) == (1, {"a": 1, "b": 1, "a|b": 1}, 2)

    def test_stands_an_item_in_all_baskets(self, mined):
        rows = [(number, item) for number in range(200) for item in ("bag", f"i{number % 4}")]
        record, found, rules = mined(rows, "0.2")
        assert record["itemsets"] == 1 + 4 + 4
        assert found["bag"] == 200
        assert all(float(rule["lift"]) == 1 for rule in rules)

    def test_stands_nothing_but_duplicates(self, mined):
        record, found, _ = mined([(1, "a"), (1, "b")] * 500, "1")
        assert (record["duplicates"], found) == (998, {"a": 1, "b": 1, "a|b": 1})

    def test_stands_ten_thousand_items_beside_others(self, mined):
        rows = [(0, f"i{number:05}") for number in range(10_000)]
        rows += [(basket, item) for basket in range(1, 100) for item in ("i00001", "i00002")]
        record, found, _ = mined(rows, "0.02")
        assert record["items"] == 10_000
        assert found == {"i00001": 100, "i00002": 100, "i00001|i00002": 100}

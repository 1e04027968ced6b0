import gzip
from fractions import Fraction

import pandas as pd
import pyarrow as pa
import pytest

from basket_analysis.mining import files as itemset_files
from basket_analysis.mining.files import joined, write_itemsets, write_rules
from basket_analysis.mining.itemsets import FastMiner
from basket_analysis.mining.rules import derive_rules
from basket_analysis.result_files import SamePlace, Unwritable, keep_apart, replacing, write_rows
from tests.basket_analysis.baskets_made import read_csv, table_of


class TestJoined:
    @pytest.mark.parametrize(
        ("items", "text"),
        [
            (["a", "b"], "a|b"),
            (["a|b"], r"a\|b"),
            (["a\\", "b"], r"a\\|b"),
            (["a\\|b", "|"], r"a\\\|b|\|"),
        ],
    )
    def test_can_be_taken_apart_again(self, items, text):
        assert joined(items) == text
        parts, escaped = [""], False
        for letter in text:
            if not escaped and letter == "|":
                parts.append("")
            elif not escaped and letter == "\\":
                escaped = True
                continue
            else:
                parts[-1] += letter
            escaped = False
        assert parts == items


class TestWriteItemsets:
    ITEMS = ("NA", "a|b", "back\\slash", 'say "hi", twice', "two\nlines", "é")

    def write(self, path, rows=1 << 18, monkeypatch=None):
        if monkeypatch:
            monkeypatch.setattr(itemset_files, "ROWS_AT_ONCE", rows)
        table = table_of([self.ITEMS, self.ITEMS[:2]])
        itemsets = FastMiner(Fraction(0), by_stratum=True).fit(table).itemsets_
        write_itemsets(path, table.items, itemsets)
        return table, itemsets

    @pytest.mark.parametrize("rows", [2, 1 << 18])
    def test_writes_any_text(self, tmp_path, monkeypatch, rows):
        table, itemsets = self.write(tmp_path / "o.csv", rows, monkeypatch)
        assert [(row["items"], row["count"]) for row in read_csv(tmp_path / "o.csv")] == [
            (joined([table.items[code] for code in itemsets.codes(number)]), str(itemsets.counts[number]))
            for number in range(len(itemsets))
        ]

    def test_writes_gzip_and_parquet_by_the_name(self, tmp_path):
        for name in ("o.csv", "o.csv.gz", "o.parquet"):
            self.write(tmp_path / name)
        assert gzip.decompress((tmp_path / "o.csv.gz").read_bytes()) == (tmp_path / "o.csv").read_bytes()
        frame = pd.read_parquet(tmp_path / "o.parquet")
        assert frame["items"].tolist() == [row["items"] for row in read_csv(tmp_path / "o.csv")]


class TestWriteRules:
    def test_writes_at_least_nine_digits_of_each_measure(self, tmp_path, monkeypatch):
        monkeypatch.setattr(itemset_files, "ROWS_AT_ONCE", 3)
        table = table_of([["a", "b", "c"], ["a", "b"], ["b", "c"], ["a"], ["c", "d"], ["d"], ["a", "d"]])
        itemsets = FastMiner(Fraction(0), by_stratum=True).fit(table).itemsets_
        rules = derive_rules(table, itemsets, Fraction(0))
        assert write_rules(tmp_path / "r.csv", table.items, rules) == len(rules)
        rows = read_csv(tmp_path / "r.csv")
        for column in ("support", "confidence", "lift", "leverage", "conviction", "adjusted_lift", "z", "q"):
            written = [float(row[column]) for row in rows]
            assert written == pytest.approx(getattr(rules, column).tolist(), rel=1e-12)
        assert "inf" in {row["conviction"] for row in rows}


class TestReplacing:
    def test_leaves_the_old_file_when_something_goes_wrong(self, tmp_path):
        path = tmp_path / "o.csv"
        path.write_text("old")
        with pytest.raises(UnicodeEncodeError), replacing(path) as temporary:
            temporary.write_text("half \ud800", encoding="utf-8")
        assert path.read_text() == "old"
        assert list(tmp_path.iterdir()) == [path]

    def test_names_the_place_that_cannot_be_written(self, tmp_path):
        with (
            pytest.raises(Unwritable, match="nowhere"),
            replacing(tmp_path / "nowhere" / "o.csv") as temporary,
        ):
            temporary.write_text("text")

    def test_says_why_a_table_cannot_be_written_and_not_under_which_name_it_was_begun(self, tmp_path):
        path = tmp_path / "nowhere" / "o.csv"
        with pytest.raises(Unwritable) as refused:
            write_rows(path, pa.schema([("items", pa.string())]), [])
        assert str(refused.value) == f"{path} cannot be written: No such file or directory"


class TestKeepApart:
    def test_lets_no_result_take_the_place_of_another_or_of_what_is_read(self, tmp_path):
        read, out = tmp_path / "b.csv", tmp_path / "o.csv"
        keep_apart([read], out, tmp_path / "r.csv", None, refused=out)
        for source, results in (
            (read, (read,)),
            (read, (out, out)),
            (read, (out, tmp_path / "." / "o.csv")),
            (read, (out, tmp_path / "o.csv.refused.csv")),
            (tmp_path / "o.csv.refused.csv", (out,)),
        ):
            with pytest.raises(SamePlace, match="named twice"):
                keep_apart([source], *results, refused=out)

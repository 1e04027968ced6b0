import gzip
from datetime import UTC, datetime

import pandas as pd
import pytest

from basket_analysis.basket_files import UnreadableFile, WrongColumns, read_baskets
from tests.basket_analysis.baskets_made import read_csv


def written(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def pairs(rows):
    """Return the items of each basket as the file has them."""
    baskets = {}
    for basket, code in zip(rows.baskets.tolist(), rows.items.codes.tolist(), strict=True):
        baskets.setdefault(basket, []).append(rows.items.texts[code])
    return sorted(baskets.values())


class TestReadBaskets:
    def test_takes_text_as_it_stands(self, tmp_path):
        path = written(
            tmp_path / "b.csv",
            'basket_id,item\n1,007\n1,7\n1, 7\n1,NA\n1,null\n1,a\n1,A\n1,"x,""y"""\n1,"two\nlines"\n',
        )
        assert pairs(read_baskets(path)) == [
            ["007", "7", " 7", "NA", "null", "a", "A", 'x,"y"', "two\nlines"]
        ]

    def test_keeps_baskets_apart_by_their_text(self, tmp_path):
        rows = read_baskets(written(tmp_path / "b.csv", "item,basket_id\na,1\na,01\na,1.0\na, 1\n"))
        assert rows.basket_count == 4

    @pytest.mark.parametrize("start", ["", "\ufeff"])
    def test_detects_the_delimiter(self, tmp_path, start):
        path = written(tmp_path / "b.csv", f'{start}basket_id;item;store\n1;"a;b";s\n1;c,d;s\n')
        assert pairs(read_baskets(path)) == [["a;b", "c,d"]]

    def test_reads_gzip(self, tmp_path):
        path = tmp_path / "b.csv.gz"
        path.write_bytes(gzip.compress(b"basket_id,item\n1,a\n"))
        assert pairs(read_baskets(path)) == [["a"]]

    def test_orders_values_by_code_point(self, tmp_path):
        path = written(tmp_path / "b.csv", "basket_id,item\n1,é\n1,z\n1,Z\n1,\U0001f600\n1,\uffff\n")
        assert read_baskets(path).items.texts == ("Z", "z", "é", "\uffff", "\U0001f600")

    def test_returns_only_the_columns_asked_for(self, tmp_path):
        path = written(tmp_path / "b.csv", "basket_id,item,household_id,value\n1,a,h2,3\n2,a,,4\n3,b,h1,5\n")
        household = read_baskets(path, wanted=("household_id", "store")).others["household_id"]
        assert household.texts == ("h1", "h2")
        assert household.codes.tolist() == [1, -1, 0]

    def test_reads_several_blocks(self, tmp_path):
        lines = "".join(f"b{number},{'x' * 400}{number % 7}\n" for number in range(90_000))
        rows = read_baskets(written(tmp_path / "b.csv", "basket_id,item\n" + lines))
        assert (rows.rows_read, rows.basket_count, len(rows.items.texts)) == (90_000, 90_000, 7)
        assert [rows.items.texts[code][-1] for code in rows.items.codes[:9]] == list("012345601")

    @pytest.mark.parametrize("text", ["", "\n", "basket_id,item\n", "basket_id,item"])
    def test_finds_no_rows_in_empty_files(self, tmp_path, text):
        rows = read_baskets(written(tmp_path / "b.csv", text), wanted=("household_id",))
        assert (rows.rows_read, len(rows.refusals), rows.basket_count) == (0, 0, 0)

    @pytest.mark.parametrize(
        ("header", "named"),
        [
            ("basket_id,article", "unknown: article; missing: item"),
            ("item", "missing: basket_id"),
            ("basket_id,item,item", "twice: item"),
            ("basket_id,item,Item", "unknown: Item"),
        ],
    )
    def test_names_wrong_columns(self, tmp_path, header, named):
        with pytest.raises(WrongColumns, match=named):
            read_baskets(written(tmp_path / "b.csv", header + "\n"))

    def test_refuses_what_is_not_utf8(self, tmp_path):
        with pytest.raises(UnreadableFile, match="utf-8"):
            read_baskets(written(tmp_path / "b.csv", "basket_id,item\n1,é\n", "latin-1"))

    def test_refuses_a_broken_gzip(self, tmp_path):
        path = tmp_path / "b.csv.gz"
        path.write_bytes(gzip.compress(b"basket_id,item\n1,a\n" * 99)[:-20])
        with pytest.raises(UnreadableFile):
            read_baskets(path)

    def test_refuses_a_gzip_with_garbage_in_its_middle(self, tmp_path):
        packed = gzip.compress(b"basket_id,item\n1,a\n" * 99)
        path = tmp_path / "b.csv.gz"
        path.write_bytes(packed[:12] + b"\xff" * 10 + packed[22:])
        with pytest.raises(UnreadableFile):
            read_baskets(path)

    @pytest.mark.parametrize("name", ["b.csv", "b.csv.gz"])
    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ('basket_id,item\n1,a\n2,"a\n2,b\n3,a\n', 3),
            ('basket_id,item\n1,a\n"2,a\n2,b', 3),
            ('basket_id,item\n1,"a\n', 2),
            ('basket_id;item\n1;"a"\n1;"b\nc"\n2;"d""e"";f\n3;a\n', 5),
            ('item,basket_id\n"a""",1\n""",1\n', 3),
            ('basket_id,item\n1,"' + "a\n" * 9_000_000, 2),
        ],
    )
    def test_names_the_line_in_which_a_quotation_mark_is_left_open(self, tmp_path, name, text, line):
        content = text.encode()
        (tmp_path / name).write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
        with pytest.raises(UnreadableFile, match=f"opens in line {line} is never closed"):
            read_baskets(tmp_path / name)

    @pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n\n"])
    def test_reads_quotation_marks_that_open_nothing(self, tmp_path, end):
        path = written(tmp_path / "b.csv", f'basket_id,item\n1,a"b\n1,"c"d\n1,e""\n1,""\n1,"f"{end}')
        assert pairs(read_baskets(path)) == [['a"b', "cd", 'e""', "f"]]


class TestRefusals:
    def test_are_written_with_their_reasons(self, tmp_path):
        path = written(tmp_path / "b.csv", 'item;basket_id;store\na;;s1\n;2;"s;2"\n;;\nb;2\nb;3;s;x\nc;4;s\n')
        rows = read_baskets(path)
        rows.refusals.write(tmp_path / "refused.csv")
        assert (rows.rows_read, len(rows.refusals), pairs(rows)) == (6, 5, [["c"]])
        assert [tuple(row.values()) for row in read_csv(tmp_path / "refused.csv")] == [
            ("a", "", "s1", "empty basket_id"),
            ("", "2", "s;2", "empty item"),
            ("", "", "", "empty basket_id and item"),
            ("b", "2", "", "2 fields instead of 3"),
            ("b", "3", "s", "4 fields instead of 3"),
        ]

    def test_keep_a_row_whole_whose_field_is_too_long_to_be_taken_apart(self, tmp_path):
        rows = read_baskets(written(tmp_path / "b.csv", "basket_id,item\n" + "x" * 140_000 + ",a,b\n1,a\n"))
        rows.refusals.write(tmp_path / "refused.csv")
        assert (tmp_path / "refused.csv").read_text().endswith('x,a,b",,3 fields instead of 2\n')

    def test_leave_no_trace_of_their_baskets_and_items(self, tmp_path):
        path = written(tmp_path / "b.csv", "basket_id,item,household_id\n1,,h1\n2,a,h2\n,z,h3\n")
        rows = read_baskets(path, wanted=("household_id",))
        assert (rows.basket_count, rows.items.texts) == (1, ("a",))
        assert rows.others["household_id"].texts == ("h2",)

    def test_without_any_remove_the_file_of_an_earlier_run(self, tmp_path):
        old = written(tmp_path / "refused.csv", "old")
        read_baskets(written(tmp_path / "b.csv", "basket_id,item\n1,a\n")).refusals.write(old)
        assert not old.exists()


class TestParquet:
    def write(self, path, **columns):
        pd.DataFrame(columns).to_parquet(path)
        return path

    def test_reads_integers_as_their_digits(self, tmp_path):
        path = self.write(
            tmp_path / "b.parquet", basket_id=[10, 9], item=["a", "b"], household_id=pd.array([7, None])
        )
        rows = read_baskets(path, wanted=("household_id",))
        assert rows.basket_count == 2
        assert rows.others["household_id"].texts == ("7",)

    def test_reads_integers_that_gaps_made_floats(self, tmp_path):
        path = self.write(
            tmp_path / "b.parquet", basket_id=["1", "2"], item=["a", "b"], household_id=[7.0, None]
        )
        rows = read_baskets(path, wanted=("household_id",))
        assert rows.others["household_id"].texts == ("7",)

    def test_reads_moments_in_utc(self, tmp_path):
        moment = pd.Timestamp("2017-01-01T12:00:00", tz="Europe/Prague")
        path = self.write(tmp_path / "b.parquet", basket_id=["1"], item=["a"], time=[moment])
        (time,) = read_baskets(path, wanted=("time",)).others["time"].texts
        assert datetime.fromisoformat(time).replace(tzinfo=UTC) == moment

    def test_refuses_missing_values_where_there_must_be_one(self, tmp_path):
        path = self.write(
            tmp_path / "b.parquet", basket_id=["1", None, "3"], item=["a", "b", None], store=["s", "t", None]
        )
        rows = read_baskets(path)
        rows.refusals.write(tmp_path / "refused.csv")
        assert pairs(rows) == [["a"]]
        assert [row["reason"] for row in read_csv(tmp_path / "refused.csv")] == [
            "empty basket_id",
            "empty item",
        ]

    def test_refuses_columns_that_are_no_text(self, tmp_path):
        with pytest.raises(UnreadableFile, match="item is bool"):
            read_baskets(self.write(tmp_path / "b.parquet", basket_id=["1"], item=[True]))
        with pytest.raises(UnreadableFile):
            read_baskets(self.write(tmp_path / "b.parquet", basket_id=[1.5], item=["a"]))

    def test_reads_the_same_as_csv(self, tmp_path):
        frame = pd.DataFrame({"basket_id": [1, 1, 2], "item": ["b", "a", "c"], "store": ["s", None, "t"]})
        frame.to_parquet(tmp_path / "b.parquet")
        frame.to_csv(tmp_path / "b.csv", index=False)
        one, other = (read_baskets(tmp_path / name, wanted=("store",)) for name in ("b.parquet", "b.csv"))
        assert pairs(one) == pairs(other)
        assert one.others["store"].texts == other.others["store"].texts

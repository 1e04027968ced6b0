import csv
import gzip
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core import tabular
from core.tabular import (
    Columns,
    RefusedRow,
    RefusedRows,
    Table,
    UnreadableFile,
    WrongColumns,
    harmless_cell,
)

COLUMNS = Columns(required=("code", "name"), optional=("amount", "at"))


def written(folder: Path, content: bytes, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def rows(path: Path) -> list[dict[str, str | None]]:
    with Table(path, COLUMNS) as table:
        return [row for batch in table.batches() for row in batch.rows.to_pylist()]


def refused(path: Path) -> list[RefusedRow]:
    with Table(path, COLUMNS) as table:
        return [row for batch in table.batches() for row in batch.refused]


def row(code: str | None, name: str | None, amount: str | None = None, at: str | None = None) -> dict:
    return {"code": code, "name": name, "amount": amount, "at": at}


class TestTable:
    def test_reads_commas_and_keeps_text_as_it_stands(self, tmp_path):
        assert rows(written(tmp_path, b"code,name,amount\n007, x ,1\n")) == [row("007", " x ", "1")]

    def test_reads_semicolons_with_commas_inside_cells(self, tmp_path):
        assert rows(written(tmp_path, b'code;name\n1;a,b\n2;"c;d"\n')) == [row("1", "a,b"), row("2", "c;d")]

    def test_reads_a_byte_order_mark_and_carriage_returns(self, tmp_path):
        content = "\ufeffcode,name\r\n1,Žofie\r\n".encode()
        assert rows(written(tmp_path, content)) == [row("1", "Žofie")]

    def test_reads_a_quoted_header_and_a_line_break_inside_a_cell(self, tmp_path):
        assert rows(written(tmp_path, b'"code","name"\n1,"a\nb"\n')) == [row("1", "a\nb")]

    def test_reads_gzip_whatever_the_name(self, tmp_path):
        assert rows(written(tmp_path, gzip.compress(b"code,name\n1,a\n"), "x")) == [row("1", "a")]

    def test_takes_an_empty_cell_and_an_absent_column_for_null(self, tmp_path):
        assert rows(written(tmp_path, b'code,name,amount\n1,,""\n')) == [row("1", None)]

    @pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
    def test_has_no_rows_below_a_lonely_header(self, tmp_path, end):
        assert rows(written(tmp_path, b"code,name" + end)) == []

    def test_reads_more_rows_than_fit_in_one_block(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tabular, "BLOCK", 256)
        content = b"code,name\n" + b"".join(b"%d,n\n" % n for n in range(500))
        with Table(written(tmp_path, content), COLUMNS) as table:
            batches = list(table.batches())
            assert table.percent() == 100
        assert len(batches) > 5
        assert [batch.first_row for batch in batches][1] == batches[0].rows.num_rows
        assert [r["code"] for batch in batches for r in batch.rows.to_pylist()] == [
            str(n) for n in range(500)
        ]

    def test_hands_on_rows_of_another_width_with_their_cells(self, tmp_path):
        found = refused(written(tmp_path, b"code,name\n1\n2,b\n3,c,d\n"))
        assert [dict(r.cells) for r in found] == [{"code": "1"}, {"code": "3", "name": "c"}]
        assert [r.reason for r in found] == ["1 cells instead of 2: 1", "3 cells instead of 2: 3,c,d"]

    def test_hands_on_rows_with_a_nul_character(self, tmp_path):
        path = written(tmp_path, b"code,name\n1,a\x00\n2,b\n")
        assert rows(path) == [row("2", "b")]
        assert [r.reason for r in refused(path)] == ["a NUL character"]

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            (b"code,name,colour,size\n", "unknown columns 'colour', 'size'"),
            (b"code,reason\n", "unknown column 'reason'; missing column 'name'"),
            (b"code,name,name\n", "named twice column 'name'"),
            (b"code,name,\n", "unknown column ''"),
        ],
    )
    def test_names_wrong_columns(self, tmp_path, content, complaint):
        with pytest.raises(WrongColumns, match=complaint):
            Table(written(tmp_path, content), COLUMNS)

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            (b"", "no header row"),
            ("code,name\n".encode("utf-16"), "UTF-16"),
            ("código,name\n".encode("latin-1"), "not UTF-8"),
            ("code,name\n1,Žofie\n".encode("cp1250"), "not UTF-8 in line 2"),
            (gzip.compress(b"code,name\n1,a\n", mtime=0)[:-9], "damaged"),
            (b"\x1f\x8bnot gzip at all", "damaged"),
            (b"PAR1 and nothing else", "damaged parquet"),
        ],
    )
    def test_says_why_it_cannot_be_read(self, tmp_path, content, complaint):
        with pytest.raises(UnreadableFile, match=complaint):
            rows(written(tmp_path, content))

    def test_says_that_a_file_is_not_there(self, tmp_path):
        with pytest.raises(UnreadableFile, match="No such file"):
            Table(tmp_path / "none.csv", COLUMNS)

    def test_refuses_a_row_that_is_longer_than_a_block(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tabular, "BLOCK", 64)
        with pytest.raises(UnreadableFile, match="a row is longer than"):
            rows(written(tmp_path, b'code,name\n1,"' + b"x" * 500 + b'"\n'))

    @pytest.mark.parametrize(
        ("content", "line"),
        [
            (b'code,name\n1,a\n2,"b\n3,c\n', 3),
            (b'code,name\n1,a\n"2,b\n3,c', 3),
            (b'code;name\n1;"a\n"\n2;""\n3;"b""\n4;c\n', 5),
            (b'code,name\n1,"' + b"x" * 500 + b"\n2,b\n", 2),
        ],
    )
    def test_names_the_line_in_which_a_quotation_mark_is_left_open_and_takes_nothing_of_it(
        self, tmp_path, monkeypatch, content, line
    ):
        monkeypatch.setattr(tabular, "BLOCK", 64)
        taken = []
        with (
            Table(written(tmp_path, content), COLUMNS) as table,
            pytest.raises(UnreadableFile, match=f"opens in line {line} is never closed"),
        ):
            taken.extend(row for batch in table.batches() for row in batch.rows.to_pylist())
        assert not [row for row in taken if "\n3" in str(row["name"])]

    def test_reads_a_row_that_looks_like_the_end_of_old_files(self, tmp_path):
        assert rows(written(tmp_path, b"code,name\n\x1a,a\n2,\x1a\n")) == [row("\x1a", "a"), row("2", "\x1a")]

    def test_reads_parquet_as_the_text_that_csv_would_have(self, tmp_path):
        moment = datetime(2026, 11, 21, 9, 16, 2, tzinfo=UTC)
        table = pa.table(
            {
                "code": pa.array([7, 8]),
                "name": pa.array(["a", ""]).dictionary_encode(),
                "amount": pa.array([0.754, None]),
                "at": pa.array([moment, None], pa.timestamp("ns", "Europe/Prague")),
            }
        )
        pq.write_table(table, tmp_path / "f.parquet")
        assert rows(tmp_path / "f.parquet") == [
            row("7", "a", "0.754", "2026-11-21T09:16:02.000000Z"),
            row("8", None),
        ]

    def test_reads_dates_of_parquet_as_iso_dates(self, tmp_path):
        pq.write_table(pa.table({"code": [date(2026, 1, 31)], "name": ["n"]}), tmp_path / "f")
        assert rows(tmp_path / "f") == [row("2026-01-31", "n")]

    def test_refuses_lists_in_parquet(self, tmp_path):
        pq.write_table(pa.table({"code": [["a"]], "name": ["n"]}), tmp_path / "f")
        with pytest.raises(WrongColumns, match="'code' holds list"):
            rows(tmp_path / "f")


class TestRefusedRows:
    def test_keeps_rows_beside_the_file_with_reasons(self, tmp_path):
        with RefusedRows(tmp_path / "a.csv", ["code", "name"]) as sink:
            sink.add(RefusedRow({"code": "1", "name": None}, "no name"))
        assert sink.written_to == tmp_path / "a.csv.refused.csv"
        with sink.path.open(encoding="utf-8", newline="") as file:
            assert list(csv.reader(file)) == [["code", "name", "reason"], ["1", "", "no name"]]

    def test_removes_what_an_earlier_import_left_when_nothing_is_refused(self, tmp_path):
        (tmp_path / "a.csv.refused.csv").write_text("old")
        with RefusedRows(tmp_path / "a.csv", ["code"]) as sink:
            pass
        assert sink.written_to is None
        assert list(tmp_path.iterdir()) == []

    def test_leaves_nothing_when_the_import_fails(self, tmp_path):
        with suppress(ZeroDivisionError), RefusedRows(tmp_path / "a.csv", ["code"]) as sink:
            sink.add(RefusedRow({"code": "1"}, "bad"))
            raise ZeroDivisionError
        assert list(tmp_path.iterdir()) == []


class TestHarmlessCell:
    @pytest.mark.parametrize("text", ["=1+1", "+cmd|x", "-a", "@sum", "\tx"])
    def test_quotes_what_a_spreadsheet_would_run(self, text):
        assert harmless_cell(text) == "'" + text

    @pytest.mark.parametrize("text", ["-12.50", "+420 602 123 456", "plain", "", "a=b"])
    def test_leaves_numbers_and_words(self, text):
        assert harmless_cell(text) == text

import pytest

from core.progress import silent
from sales import receipt_spool
from sales.receipt_spool import Spool
from tests.receipt_files import line, write_receipts


def spooled(folder, rows):
    spool = Spool()
    spool.read(write_receipts(folder / "r.csv", rows), own=lambda _: set(), report=silent)
    return spool


def receipts(batches):
    """Return, chunk by chunk, the receipt numbers in their order."""
    return [[name.rsplit("/", 1)[1] for name in batch.column("identity").to_pylist()] for batch in batches]


class TestSpool:
    def test_never_parts_a_receipt(self, tmp_path, monkeypatch):
        monkeypatch.setattr(receipt_spool, "CHUNK_ROWS", 4)
        rows = [line(receipt_number=str(n), line_number=str(k)) for n in range(5) for k in range(3)]
        with spooled(tmp_path, rows) as spool:
            chunks = receipts(spool.sales())
        assert [name for chunk in chunks for name in chunk] == [row["receipt_number"] for row in rows]
        assert [len(set(chunk)) for chunk in chunks] == [1, 1, 1, 1, 1]

    def test_keeps_a_receipt_whole_that_is_longer_than_a_chunk(self, tmp_path, monkeypatch):
        monkeypatch.setattr(receipt_spool, "CHUNK_ROWS", 4)
        rows = [line(receipt_number="1", line_number=str(k)) for k in range(11)] + [line(receipt_number="2")]
        with spooled(tmp_path, rows) as spool:
            assert [len(chunk) for chunk in receipts(spool.sales())] == [11, 1]

    def test_brings_scattered_rows_together(self, tmp_path, monkeypatch):
        monkeypatch.setattr(receipt_spool, "BUCKET_ROWS", 3)
        rows = [line(receipt_number=str(n), line_number=str(k)) for k in range(3) for n in (1, 2)]
        with spooled(tmp_path, [*rows, line(receipt_number="9")]) as spool:
            chunks = receipts(spool.sales())
        assert chunks[0] == ["9"]
        together = [name for chunk in chunks[1:] for name in chunk]
        assert sorted(together) == ["1"] * 3 + ["2"] * 3
        assert together in (["1"] * 3 + ["2"] * 3, ["2"] * 3 + ["1"] * 3)

    def test_hands_on_returns_apart(self, tmp_path):
        rows = [line(receipt_number="1"), line(receipt_number="2", type="return"), line(receipt_number="3")]
        with spooled(tmp_path, rows) as spool:
            assert receipts(spool.sales()) == [["1", "3"]]
            assert receipts(spool.others()) == [["2"]]

    @pytest.mark.parametrize("position", [0, 1, 2])
    def test_spoils_a_receipt_wherever_its_bad_row_stands(self, tmp_path, position):
        rows = [line(receipt_number="1", line_number="1"), line(receipt_number="1", line_number="2")]
        rows.insert(position, line(receipt_number="1", line_number="3", quantity="none"))
        with spooled(tmp_path, [*rows, line(receipt_number="2")]) as spool:
            assert receipts(spool.sales()) == [["2"]]
            assert len(spool.refusals) == 3

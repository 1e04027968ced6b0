"""A name never names half a file."""

import stat

import pytest

from core.whole_files import is_unfinished, replacing, whole_file


def names(folder):
    return {path.name for path in folder.iterdir()}


class TestWholeFile:
    def test_appears_when_all_of_it_is_written_and_for_its_owner_only(self, tmp_path):
        path = tmp_path / "copy.pdf"
        with whole_file(path) as file:
            file.write(b"Ja")
            assert not path.exists()
            assert [is_unfinished(half) for half in tmp_path.iterdir()] == [True]
            file.write(b"na")
        assert path.read_bytes() == b"Jana"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert names(tmp_path) == {"copy.pdf"}
        assert not is_unfinished(path)

    def test_leaves_what_was_there_when_writing_fails(self, tmp_path):
        path = tmp_path / "copy.pdf"
        path.write_bytes(b"before")
        with pytest.raises(TypeError), whole_file(path, durable=False) as file:
            file.writelines([b"half", None])
        assert path.read_bytes() == b"before"
        assert names(tmp_path) == {"copy.pdf"}

    def test_keeps_two_writers_of_one_name_apart(self, tmp_path):
        path = tmp_path / "copy.pdf"
        with whole_file(path) as first, whole_file(path) as second:
            first.write(b"first")
            second.write(b"second, and longer")
        assert path.read_bytes() == b"first"


class TestReplacing:
    @pytest.mark.parametrize("name", ["itemsets.csv.gz", "itemsets.parquet", "itemsets"])
    def test_keeps_the_ending_that_says_how_to_write(self, tmp_path, name):
        path = tmp_path / name
        with replacing(path) as half:
            assert half.suffix == path.suffix or not path.suffix
            half.write_text("x")
        assert names(tmp_path) == {name}


def test_knows_what_an_older_version_left_unfinished(tmp_path):
    assert is_unfinished(tmp_path / "2026-W48-1-print-ab.4711.part")
    assert not is_unfinished(tmp_path / "2026-W48-1-print-ab.pdf")

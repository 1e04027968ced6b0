"""Limits of the child processes, seen from outside."""

import multiprocessing
from pathlib import Path

import pytest

from catalogs.booklets import Reader
from catalogs.layouts import load_theme
from catalogs.previews import preview_parts
from catalogs.render import CopyOrder, RenderingFailed, kept_hands, make_files


def order(folder: Path, number: int) -> CopyOrder:
    issue, picks, news = preview_parts(load_theme("trh"), "cs")
    return CopyOrder(
        f"c{number}", "trh", issue, Reader("Jana", "cs", 3, None), picks, news, folder / f"c{number}.pdf"
    )


class TestMakeFiles:
    def test_leaves_whole_files_and_nothing_else(self, tmp_path: Path):
        made = [
            copy
            for chunk in make_files([order(tmp_path, n) for n in range(3)], photos=None)
            for copy in chunk
        ]
        assert sorted(copy.copy_code for copy in made) == ["c0", "c1", "c2"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["c0.pdf", "c1.pdf", "c2.pdf"]

    def test_ends_a_child_that_wants_too_much_memory(self, tmp_path: Path):
        with pytest.raises(RenderingFailed):
            list(make_files([order(tmp_path, 0)], photos=None, memory=96 * 1024**2))
        assert list(tmp_path.glob("*.pdf")) == []

    def test_ends_a_child_that_takes_too_long(self, tmp_path: Path):
        with pytest.raises(RenderingFailed):
            # Whole seconds are all the system counts in: with none to spare it ends the child within the first.
            list(make_files([order(tmp_path, n) for n in range(12)], photos=None, seconds_per_copy=0))


class TestKeptHands:
    def test_go_on_from_call_to_call(self, tmp_path: Path):
        with kept_hands():
            for number in range(2):
                made = list(make_files([order(tmp_path, number)], photos=None))
                assert [copy.copy_code for chunk in made for copy in chunk] == [f"c{number}"]
            (child,) = multiprocessing.active_children()
        assert not child.is_alive()

    def test_come_back_after_one_was_ended(self, tmp_path: Path):
        with kept_hands():
            with pytest.raises(RenderingFailed):
                list(make_files([order(tmp_path, 0)], photos=None, memory=96 * 1024**2))
            made = list(make_files([order(tmp_path, 1)], photos=None))
        assert [copy.copy_code for chunk in made for copy in chunk] == ["c1"]

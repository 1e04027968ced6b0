"""Limits of the child processes, seen from outside."""

import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest

from catalogs.booklets import Reader
from catalogs.layouts import load_theme
from catalogs.previews import preview_parts
from catalogs.render import CHUNK, CopyOrder, RenderingFailed, chunks_of, kept_hands, make_files


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


class TestChunks:
    def test_copies_that_share_their_pages_stay_together(self, tmp_path: Path):
        first = order(tmp_path, 0)
        issues = [replace(first.issue, shop=name) for name in ("A", "B", "C")]
        orders = [
            replace(first, copy_code=f"{at}-{number}", issue=issue)
            for at, (issue, count) in enumerate(zip(issues, (20, 10, 60), strict=True))
            for number in range(count)
        ]
        assert [[copy.copy_code.partition("-")[0] for copy in chunk] for chunk in chunks_of(orders)] == [
            ["0"] * 20,
            ["1"] * 10,
            ["2"] * CHUNK,
            ["2"] * CHUNK,
            ["2"] * 10,
        ]

    def test_hold_every_copy_once_and_none_too_many(self, tmp_path: Path):
        first = order(tmp_path, 0)
        orders = [
            replace(first, copy_code=f"c{number}", issue=replace(first.issue, shop=f"{number // 3}"))
            for number in range(200)
        ]
        chunks = list(chunks_of(orders))
        assert [copy for chunk in chunks for copy in chunk] == orders
        assert max(map(len, chunks)) <= CHUNK


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

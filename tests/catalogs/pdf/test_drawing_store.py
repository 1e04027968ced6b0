"""Drawings kept on disk: read instead of drawn again, and never when they are damaged or look different by now."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from catalogs.layouts import Fragment, Placement, load_theme
from catalogs.pages import Picture
from catalogs.pdf import drawing_store
from catalogs.pdf.composing import compose
from catalogs.pdf.drawing_store import DrawingStore
from catalogs.pdf.parts import Part
from catalogs.pdf.typesetting import Typesetter
from catalogs.previews import preview_booklet

THEME = load_theme("trh")
PICTURE = Fragment("picture", "", 100.0, 100.0, 0, Picture("motif", "fluent/banana.svg"))
PHOTO = replace(PICTURE, content=Picture("photo", "a.png"))


class Counted(Typesetter):
    """Counts how often it has to draw."""

    drawn = 0

    def write(self, html: str) -> bytes:
        self.drawn += 1
        return super().write(html)


def counted(kept: Path, *, photos: Path | None = None) -> Counted:
    return Counted(THEME, photos, kept=kept)


def prepared(typesetter: Typesetter, fragment: Fragment) -> Part:
    typesetter.prepare([(Placement(fragment, 0, 0),)])
    return typesetter.part(fragment)


def photograph(path: Path, colour: str) -> None:
    out = BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "PNG")
    path.write_bytes(out.getvalue())


class TestKeptDrawings:
    def test_the_next_process_draws_nothing_and_makes_the_same_copy(self, tmp_path: Path):
        booklet = preview_booklet(THEME, "sk")
        first, second = counted(tmp_path), counted(tmp_path)
        plain = compose(booklet, Typesetter(THEME, None)).content
        assert compose(booklet, first).content == plain
        assert compose(booklet, second).content == plain
        assert (first.drawn, second.drawn) == (1, 0)

    @pytest.mark.parametrize("harm", [b"", b"x", None])
    def test_a_damaged_one_is_drawn_again(self, tmp_path: Path, harm: bytes | None):
        whole = prepared(counted(tmp_path), PICTURE)
        (kept,) = tmp_path.glob("*/*")
        content = kept.read_bytes()
        kept.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if harm is None else harm)
        again = counted(tmp_path)
        assert prepared(again, PICTURE) == whole
        assert again.drawn == 1
        assert kept.read_bytes() == content

    def test_a_photograph_that_was_exchanged_is_drawn_again(self, tmp_path: Path):
        kept, photos = tmp_path / "kept", tmp_path / "photos"
        photos.mkdir()
        photograph(photos / "a.png", "red")
        red = prepared(counted(kept, photos=photos), PHOTO)
        photograph(photos / "a.png", "blue")
        assert prepared(counted(kept, photos=photos), PHOTO) != red

    def test_one_that_is_large_is_not_kept(self, tmp_path: Path, monkeypatch):
        monkeypatch.setattr(drawing_store, "LARGEST", 100)
        prepared(counted(tmp_path), PICTURE)
        assert list(tmp_path.glob("*/*")) == []

    def test_a_folder_that_cannot_be_written_is_as_good_as_none(self, tmp_path: Path):
        (tmp_path / "file").write_bytes(b"")
        assert prepared(counted(tmp_path / "file"), PICTURE).objects


class TestDrawingStore:
    def test_those_of_designs_before_are_removed_and_others_stay(self, tmp_path: Path):
        for name in ("trh-A4-old", "trh-A5-old", "galerie-A4-old"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "drawing").write_bytes(b"x")
        DrawingStore(tmp_path, THEME)
        names = {path.name for path in tmp_path.iterdir()}
        assert {"trh-A5-old", "galerie-A4-old"} < names
        assert "trh-A4-old" not in names

    def test_too_many_are_all_forgotten(self, tmp_path: Path, monkeypatch):
        store = DrawingStore(tmp_path, THEME)
        for number in range(3):
            store.keep(replace(PICTURE, width=float(number)), b"", Part(((b"<<>>", 7, b"x"),)))
        monkeypatch.setattr(drawing_store, "MOST", 2)
        assert store.find(PICTURE, b"") is None
        assert store.find(replace(PICTURE, width=1.0), b"") == Part(((b"<<>>", 7, b"x"),))
        DrawingStore(tmp_path, THEME)
        assert list(tmp_path.glob("*/*")) == []

    def test_another_look_is_another_design(self):
        data = {**THEME.data, "fonts": {**THEME.data["fonts"], "new": "Rowdies_700Bold.ttf"}}
        assert drawing_store.design_digest(replace(THEME, data=data)) != drawing_store.design_digest(THEME)

from pathlib import Path

import pytest

from catalogs.layouts import load_theme
from catalogs.pdf.typesetting import FetchRefused, Library, Typesetter

THEME = load_theme("trh")


class TestLibrary:
    @pytest.mark.parametrize(
        "url",
        [
            "file:///etc/passwd",
            "http://127.0.0.1/",
            "https://example.org/a.png",
            "data:text/plain,x",
            "motif:../motifs.toml",
            "motif:/etc/passwd",
            "font:../../pyproject.toml",
            "photo:../secret.png",
            "theme:theme.css",
            "",
        ],
    )
    def test_serves_nothing_from_anywhere_else(self, url, tmp_path: Path):
        (tmp_path / "photos").mkdir()
        (tmp_path / "secret.png").write_bytes(b"x")
        with pytest.raises(FetchRefused):
            Library(THEME.folder, tmp_path / "photos").find(url)

    def test_serves_faces_drawings_and_photographs(self, tmp_path: Path):
        (tmp_path / "a.jpg").write_bytes(b"x")
        library = Library(THEME.folder, tmp_path)
        assert library.find("photo:a.jpg").name == "a.jpg"
        assert library.find("motif:fluent/banana.svg").is_file()
        assert library.find("font:Rowdies_700Bold.ttf").is_file()


class TestTypesetter:
    def test_fetches_nothing_that_a_page_sneaks_in(self, recwarn):
        typesetter = Typesetter(THEME, None)
        pdf = typesetter.write(
            '<img src="file:///etc/hostname"><link rel=stylesheet href="http://127.0.0.1:9/x.css">'
        )
        assert pdf.startswith(b"%PDF")

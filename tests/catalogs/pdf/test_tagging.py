"""Copies as they are read aloud: what is a heading, a list, a figure, and that nothing is left out."""

from io import BytesIO

import pikepdf
import pytest
from pikepdf import Name

from catalogs.layouts import load_theme
from catalogs.pdf.composing import compose
from catalogs.pdf.typesetting import Typesetter
from catalogs.previews import preview_booklet
from tests.catalogs.accessibility import faults

THEME = load_theme("trh")


@pytest.fixture(scope="module")
def typesetter() -> Typesetter:
    return Typesetter(THEME, None)


@pytest.fixture
def copy(typesetter):
    with pikepdf.open(BytesIO(compose(preview_booklet(THEME, "cs"), typesetter).content)) as pdf:
        yield pdf


def elements(element, role):
    """Yield the elements of a role below one, in reading order."""
    if role == element.S:
        yield element
    for kid in element.K:
        if isinstance(kid, pikepdf.Dictionary):
            yield from elements(kid, role)


class TestCopy:
    @pytest.mark.parametrize("language", ["cs", "sk", "pl", "en"])
    def test_keeps_to_pdf_ua(self, typesetter, language):
        with pikepdf.open(
            BytesIO(compose(preview_booklet(THEME, language, colour=2), typesetter).content)
        ) as pdf:
            assert faults(pdf) == []
            assert str(pdf.Root.Lang) == language

    def test_has_one_first_heading_and_one_per_page(self, copy):
        document = copy.Root.StructTreeRoot.K
        assert len(list(elements(document, Name.H1))) == 1
        pages = list(elements(document, Name.Sect))
        assert len(pages) == len(copy.pages)
        assert [len(list(elements(page, Name.H2))) for page in pages[1:]] == [1] * (len(pages) - 1)

    def test_calls_each_picture_by_the_name_beside_it(self, copy):
        booklet = preview_booklet(THEME, "cs")
        said = [str(figure.Alt) for figure in elements(copy.Root.StructTreeRoot.K, Name.Figure)]
        assert {item.label.name for _page, item in booklet.items()} <= set(said)

    def test_reads_codes_out(self, copy):
        said = [str(figure.Alt) for figure in elements(copy.Root.StructTreeRoot.K, Name.Figure)]
        assert any(words.startswith("Čárový kód ") for words in said)
        assert any(words.startswith("QR kód ") for words in said)

    def test_lists_the_items_of_a_page(self, copy):
        booklet = preview_booklet(THEME, "cs")
        pages = list(elements(copy.Root.StructTreeRoot.K, Name.Sect))
        for page, section in zip(booklet.pages, pages, strict=True):
            if not page.personal:
                assert len(list(elements(section, Name.LI))) == len(page.items)


class TestFaults:
    """The judge itself: it notices what it is for."""

    def test_notices_what_is_neither_content_nor_decoration(self, copy):
        page = copy.pages[0]
        page.contents_add(b"0 0 9 9 re f")
        assert any("paints" in fault for fault in faults(copy))

    def test_notices_figures_without_words(self, copy):
        figure = next(elements(copy.Root.StructTreeRoot.K, Name.Figure))
        del figure.Alt
        assert "a figure has no words" in faults(copy)

    def test_notices_pieces_that_hang_on_nothing(self, copy):
        del copy.Root.StructTreeRoot.ParentTree.Nums[1][0]
        assert any("parents" in fault for fault in faults(copy))

    def test_notices_a_file_that_says_nothing_of_itself(self, copy):
        del copy.Root.MarkInfo
        del copy.Root.Lang
        assert len(faults(copy)) == 2

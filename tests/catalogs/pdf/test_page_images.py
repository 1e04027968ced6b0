"""Pages of a finished copy as pictures in the browser."""

from io import BytesIO

import pikepdf
import pytest
from PIL import Image

from catalogs.pdf.page_images import WIDEST, NoSuchPage, page_count, page_image


@pytest.fixture(scope="module")
def document() -> bytes:
    """Two pages of 210 by 297 points: one red from its foot to its middle, one empty."""
    pdf = pikepdf.new()
    for content in (b"1 0 0 rg 0 0 210 148 re f", b""):
        page = pdf.add_blank_page(page_size=(210, 297))
        page.Contents = pdf.make_stream(content)
    buffer = BytesIO()
    pdf.save(buffer)
    return buffer.getvalue()


class TestPageImage:
    def test_shows_what_lies_on_the_page(self, document):
        image = Image.open(BytesIO(page_image(document, 1, width=420))).convert("RGB")
        assert image.size == (420, 594)
        assert (image.getpixel((200, 500)), image.getpixel((200, 100))) == ((255, 0, 0), (255, 255, 255))

    def test_is_never_wider_than_a_screen(self, document):
        assert Image.open(BytesIO(page_image(document, 2, width=10**6))).width == WIDEST

    @pytest.mark.parametrize("number", [0, 3, -1])
    def test_refuses_a_page_that_is_not_there(self, document, number):
        with pytest.raises(NoSuchPage):
            page_image(document, number, width=100)


class TestPageCount:
    def test_counts_the_pages(self, document):
        assert page_count(document) == 2

"""The faces that catalogs are set in write Czech and Slovak as their readers do."""

import pytest
from fontTools.ttLib import TTFont

from catalogs.layouts import load_theme, theme_names
from catalogs.pdf.typefaces import FONTS

FACES = sorted({file for name in theme_names() for file in load_theme(name).data["fonts"].values()})


@pytest.mark.parametrize("file", FACES)
class TestFaces:
    @pytest.mark.parametrize(("letter", "bare"), [("ď", "d"), ("ť", "t"), ("ľ", "l"), ("Ľ", "L")])
    def test_put_the_mark_of_a_tall_letter_beside_it_and_not_on_top(self, file, letter, bare):
        font = TTFont(FONTS / file)
        names, outlines = font.getBestCmap(), font["glyf"]
        marked, plain = (outlines[names[ord(one)]] for one in (letter, bare))
        # Beside capitals and the short t it stands a little higher than they do; a caron on top stands far above.
        assert marked.yMax <= max(plain.yMax, font["OS/2"].sCapHeight) * 1.12
        if marked.isComposite():
            points, *_ = marked.getCoordinates(outlines)
            own = points[len(plain.getCoordinates(outlines)[0]) :]
            # As high up as the mark is, the letter ends before it.
            beside = [x for x, y in plain.getCoordinates(outlines)[0] if y >= min(y for _x, y in own)]
            assert max(beside) <= min(x for x, _y in own)

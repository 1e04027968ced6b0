import pytest

from catalogs.layouts import ThemeNotFound, Words, load_theme
from catalogs.previews import preview_booklet
from core.i18n import LANGUAGES

THEME = load_theme("trh")


class TestLoadTheme:
    @pytest.mark.parametrize("name", ["galerie2", "../trh", "", "trh/"])
    def test_knows_only_packaged_themes(self, name):
        with pytest.raises(ThemeNotFound):
            load_theme(name)


class TestTrh:
    def test_keeps_every_box_on_its_page_and_in_its_cell(self):
        width, height = THEME.page_size
        for name, layout in THEME.data["layouts"].items():
            for box in layout.get("boxes", ()):
                assert box["x"] + box["w"] <= width, (name, box)
                assert box["y"] + box["h"] <= height, (name, box)
            for place in layout.get("cells", ()):
                cell = THEME.data["cells"][place["cell"]]
                assert place["x"] + cell["w"] <= width, (name, place)
                assert place["y"] + cell["h"] <= height, (name, place)
        for name, cell in THEME.data["cells"].items():
            for box in cell["boxes"]:
                assert box["x"] + box["w"] <= cell["w"], (name, box)
                assert box["y"] + box.get("h", box["w"]) <= cell["h"] + 2, (name, box)

    def test_has_every_style_that_it_names(self):
        boxes = [box for layout in THEME.data["layouts"].values() for box in layout.get("boxes", ())]
        boxes += [box for cell in THEME.data["cells"].values() for box in cell["boxes"]]
        assert {box["style"] for box in boxes if "style" in box} == set(THEME.data["styles"])

    def test_overlaps_no_cells(self):
        for name, layout in THEME.data["layouts"].items():
            placed = [
                (place["x"], place["y"], place["x"] + cell["w"], place["y"] + cell["h"])
                for place in layout.get("cells", ())
                for cell in [THEME.data["cells"][place["cell"]]]
            ]
            for index, one in enumerate(placed):
                for other in placed[index + 1 :]:
                    apart = (
                        one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
                    )
                    assert apart, (name, one, other)

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_says_on_every_page_how_long_it_holds(self, language):
        booklet = preview_booklet(THEME, language)
        for sheet in THEME.sheets(booklet):
            styles = {thing.style for thing in sheet if isinstance(thing, Words)}
            assert styles & {"footer", "validity"}

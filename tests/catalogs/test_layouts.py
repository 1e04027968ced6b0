from dataclasses import replace
from itertools import pairwise

import pytest

from catalogs.booklets import Reader, make_booklet
from catalogs.issues import Reduced
from catalogs.layouts import (
    BARCODE,
    BLEED,
    Placement,
    ThemeNotFound,
    Words,
    arranged,
    load_theme,
    theme_names,
)
from catalogs.pages import PersonalPage, Price, PrintedVoucher, Reduction
from catalogs.pdf.drawing import code_place
from catalogs.pdf.lettering import MM_PER_POINT, SMALLEST
from catalogs.pdf.typefaces import load_typeface
from catalogs.previews import preview_booklet, preview_parts, preview_vouchers
from catalogs.selection import NEWS, PICKS
from catalogs.styles import letterer
from core.i18n import LANGUAGES
from core.money import Money

DESIGNS = [(name, size) for name in ("galerie", "trh") for size in ("A4", "A5")]
# What words may stand on, by theme and by the name of their colour; figures are those of WCAG 2, 1.4.3.
GROUNDS = {
    "trh": {
        "accent": ("paper", "cream", "tint"),
        "deep": ("paper", "cream", "tint", "pop"),
        "cream": ("accent", "deep"),
        "ink": ("paper", "cream", "tint"),
        "soft": ("paper", "cream", "tint"),
        "pop": ("deep",),
    },
    "galerie": {"accent": ("paper", "wash"), "ink": ("paper", "wash"), "soft": ("paper", "wash")},
}
CONTRAST = 4.5
FINEST = 0.264
LONG = (
    "Nejneobhospodařovávatelnějšímu " * 4,
    "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz 500 g",
    "x" * 200,
    "<b>Šunka</b> & {{ 7 * 7 }} 100 g",
    "\u202eمحمد 👩‍👩‍👧 🧀",
)


@pytest.fixture(params=DESIGNS, ids="-".join)
def theme(request):
    return load_theme(*request.param)


def reduced(offer):
    lower = [Money(offer.price.minor * 10 // part, offer.price.currency) for part in (7, 8)]
    return replace(offer, reduced=Reduced(*lower))


def full_booklet(theme, language, *, changed=reduced, name="Jan Nepomuk Novák", more=()):
    """A booklet whose every price is a reduced one."""
    issue, picks, news = preview_parts(theme, language)
    return make_booklet(
        theme,
        replace(issue, offers=tuple(map(changed, issue.offers))),
        Reader(name, language, 1284, "2912345678906", "Zlatá", "2026-W48-g7-trh-k3v9q2m7ha"),
        picks=[replace(pick, offer=changed(pick.offer)) for pick in picks],
        news=[replace(pick, offer=changed(pick.offer)) for pick in news],
        vouchers=(*more, *preview_vouchers(theme, language) * 2),
    )


def with_few(booklet):
    """The booklet with its member's own page once more for each number of things to show."""
    whole = next(page for page in booklet.pages if isinstance(page, PersonalPage))
    few = [
        replace(whole, picks=whole.picks[:picks], news=whole.news[:news])
        for picks, news in ((1, 1), (2, 2), (3, 3), (4, 0), (5, 1))
    ]
    return replace(booklet, pages=(*booklet.pages, *few))


def dear(offer):
    """The offer reduced, at a price of many figures, with a long name, and sold in pieces of which each is dear."""
    price = Money(offer.price.minor * 100 + 89, offer.price.currency)
    return reduced(replace(offer, price=price, name=f"{offer.name.rstrip('0123456789 kgml,')} 18 ks"))


def ink(run):
    """Where a run of letters lies: left, top, right, bottom."""
    face = load_typeface(run.face)
    width = face.width(run.text, run.size) * MM_PER_POINT
    # A hair of room is left to what stands close on purpose.
    return (
        run.x + 0.2,
        run.y - face.cap_height * run.size * MM_PER_POINT + 0.2,
        run.x + width - 0.2,
        run.y - 0.2,
    )


def contrast(one, other):
    """How many times lighter one colour is than the other."""
    lighter, darker = sorted((light(one), light(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def light(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(part * share for part, share in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def set_words(theme, booklet):
    """Yield the words on every page with the lines that are set of them."""
    letters = letterer(theme, 0, booklet.language)
    for page, sheet in zip(booklet.pages, theme.sheets(booklet), strict=True):
        for words in sheet:
            if isinstance(words, Words) and words.style != BARCODE:
                yield page, words, letters.runs(words)


class TestLoadTheme:
    @pytest.mark.parametrize("name", ["galerie2", "../trh", "", "trh/"])
    def test_knows_only_packaged_themes(self, name):
        with pytest.raises(ThemeNotFound):
            load_theme(name)

    def test_knows_only_sizes_that_the_theme_has(self):
        with pytest.raises(ThemeNotFound):
            load_theme("trh", "A3")

    def test_knows_every_folder(self):
        assert theme_names() == ("galerie", "trh")


class TestTheme:
    def test_keeps_every_box_on_its_page_and_in_its_cell(self, theme):
        width, height = theme.page_size
        for name, layout in theme.data["layouts"].items():
            for box in layout.get("boxes", ()):
                assert box["x"] + box["w"] <= width, (name, box)
                assert box["y"] + box["h"] <= height, (name, box)
            for place in (
                *layout.get("cells", ()),
                *(one for few in layout.get("fewer", ()) for one in few["cells"]),
            ):
                cell = theme.data["cells"][place["cell"]]
                assert place["x"] + cell["w"] <= width, (name, place)
                assert place["y"] + cell["h"] <= height, (name, place)
        for name, cell in theme.data["cells"].items():
            for box in cell["boxes"]:
                assert box["x"] + box["w"] <= cell["w"] + 1, (name, box)
                assert box["y"] + box.get("h", box["w"]) <= cell["h"] + 2, (name, box)

    def test_has_every_style_that_it_names(self, theme):
        boxes = [box for layout in theme.data["layouts"].values() for box in layout.get("boxes", ())]
        boxes += [box for cell in theme.data["cells"].values() for box in cell["boxes"]]
        assert {box["style"] for box in boxes if "style" in box} == set(theme.data["styles"])

    def test_overlaps_no_cells(self, theme):
        arrangements = [(name, layout.get("cells", ())) for name, layout in theme.data["layouts"].items()]
        personal = theme.data["layouts"]["personal"]
        arrangements += [
            (f"personal {picks}+{news}", arranged(personal, {"picks": picks, "news": news}))
            for picks in range(PICKS + 1)
            for news in range(NEWS + 1)
        ]
        for name, places in arrangements:
            placed = [
                (place["x"], place["y"], place["x"] + cell["w"], place["y"] + cell["h"])
                for place in places
                for cell in [theme.data["cells"][place["cell"]]]
            ]
            for index, one in enumerate(placed):
                for other in placed[index + 1 :]:
                    apart = (
                        one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
                    )
                    assert apart, (name, one, other)

    @pytest.mark.parametrize("picks", range(1, PICKS + 1))
    def test_fills_the_page_with_few_picks_as_with_many(self, theme, picks):
        personal = theme.data["layouts"]["personal"]
        bounds = []
        for count in (picks, PICKS):
            places = arranged(personal, {"picks": count, "news": 0})
            assert [place["of"] for place in places] == ["picks"] * count
            cells = [theme.data["cells"][place["cell"]] for place in places]
            bounds.append(
                (
                    max(place["x"] + cell["w"] for place, cell in zip(places, cells, strict=True)),
                    max(place["y"] + cell["h"] for place, cell in zip(places, cells, strict=True)),
                )
            )
        few, many = bounds
        assert few == pytest.approx(many, abs=3)

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_sets_nothing_too_small_to_be_read(self, theme, language):
        for booklet in (full_booklet(theme, language), full_booklet(theme, language, changed=dear)):
            for _page, words, runs in set_words(theme, with_few(booklet)):
                assert all(run.size >= SMALLEST - 0.01 for run in runs), (words, runs)

    def test_has_colours_that_can_be_read(self, theme):
        styles = theme.data["styles"].values()
        used = {each["colour"] for style in styles for each in style.get("paragraphs", ())}
        used |= {
            style["price"][of] for style in styles if "price" in style for of in ("colour", "small_colour")
        }
        grounds = GROUNDS[theme.name.lower()]
        assert used == set(grounds)
        for colours in theme.data["colours"]:
            for colour, below in grounds.items():
                for ground in below:
                    assert contrast(colours[colour], colours[ground]) >= CONTRAST, (colour, ground, colours)

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_sets_no_words_over_others(self, theme, language):
        booklet = with_few(full_booklet(theme, language, changed=dear))
        below: list[tuple[float, float, float, float, Words]] = []
        page = None
        for at, words, runs in set_words(theme, booklet):
            if at is not page:
                page, below = at, []
            inked = [] if words.turn else list(map(ink, runs))
            for left, top, right, bottom in inked:
                for other_left, other_top, other_right, other_bottom, other in below:
                    apart = (
                        right <= other_left
                        or other_right <= left
                        or bottom <= other_top
                        or other_bottom <= top
                    )
                    assert apart, (words, other)
            below += [(*place, words) for place in inked]

    def test_gives_scanners_bars_that_they_can_tell_apart(self, theme):
        """GS1: 0.264 mm a module, and eleven modules of quiet beside an EAN-13; four around a square."""
        longest = PrintedVoucher("V7K2M9Q4XTRH", "x", None, None, None, "code128")
        booklet = full_booklet(theme, "cs", more=(longest,))
        codes = [
            (words.content, *code_place(words.content, words.width, words.height), words.width)
            for sheet in theme.sheets(booklet)
            for words in sheet
            if isinstance(words, Words) and words.style == BARCODE
        ]
        assert {code.symbology for code, *_ in codes} == {"EAN-13", "Code 128", "QR"}
        for code, module, _tall, left, _least, width in codes:
            assert module >= FINEST, code
            quiet = 4 if code.rows else 11
            assert left >= quiet * module - 0.001, code
            assert width - left - code.modules * module >= quiet * module - 0.001, code

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_cuts_no_code_that_somebody_may_have_to_type(self, theme, language):
        for _page, words, runs in set_words(theme, full_booklet(theme, language)):
            if words.part == "copy" or words.style == "digits":
                assert not any("\N{HORIZONTAL ELLIPSIS}" in run.text for run in runs), runs

    def test_varies_its_layouts_from_page_to_page(self, theme):
        layouts = [layout for spread in theme.data["default_pages"] for layout in spread]
        assert len(layouts) == 6
        assert all(one != other for one, other in pairwise(layouts))
        assert set(layouts) <= set(theme.page_layouts)

    def test_bleeds_over_every_edge(self, theme):
        width, height = theme.page_size
        for sheet in theme.sheets(preview_booklet(theme, "cs")):
            ground = sheet[0]
            assert isinstance(ground, Placement)
            assert (ground.x, ground.y) == (-BLEED, -BLEED)
            size = (ground.fragment.width, ground.fragment.height)
            assert size == (width + 2 * BLEED, height + 2 * BLEED)

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_says_on_every_page_how_long_it_holds(self, theme, language):
        booklet = preview_booklet(theme, language)
        assert len(booklet.pages) == 8
        for sheet in theme.sheets(booklet):
            styles = {thing.style for thing in sheet if isinstance(thing, Words)}
            assert styles & {"footer", "validity"}

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_says_the_lowest_price_whole_wherever_a_reduction_is_claimed(self, theme, language):
        booklet = full_booklet(theme, language)
        said = 0
        for _page, words, runs in set_words(theme, booklet):
            text = " ".join(run.text for run in runs)
            if isinstance(words.content, Reduction):
                said += 1
                assert words.content.lowest.replace("\xa0", " ") in text.replace("\xa0", " "), words
            if words.part == "reduction.old" or (
                isinstance(words.content, Reduction) and words.group[0] == "items"
            ):
                assert any(run.struck for run in runs)
            assert "…" not in text, words
        assert said == sum(1 for _ in booklet.items())

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_breaks_no_price_and_keeps_every_line_in_its_box(self, theme, language):
        for name in LONG if language == "cs" else LONG[:1]:
            booklet = full_booklet(
                theme,
                language,
                name=name,
                changed=lambda offer, name=name: reduced(replace(offer, name=f"{name} {offer.article_id}")),
            )
            for _page, words, runs in set_words(theme, with_few(booklet)):
                for run in runs:
                    width = load_typeface(run.face).width(run.text, run.size) * MM_PER_POINT
                    cap = load_typeface(run.face).cap_height * run.size * MM_PER_POINT
                    assert run.x > words.x - 0.1, (words, run)
                    assert run.x + width < words.x + words.width + 0.1, (words, run)
                    assert run.y - cap > words.y - 0.6, (words, run)
                    assert run.y < words.y + words.height + 0.6, (words, run)
                if isinstance(words.content, Price) and words.content.unit:
                    assert len({round(run.y, 2) for run in runs if run.text == words.content.whole}) == 1

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_leaves_no_short_word_alone_on_the_last_line_of_a_headline(self, theme, language):
        for _page, words, runs in set_words(theme, preview_booklet(theme, language)):
            if words.part == "headline":
                lines = [run.text for run in runs if run.paragraph == 1]
                assert len(lines) == 1 or len(lines[-1]) > 3, lines

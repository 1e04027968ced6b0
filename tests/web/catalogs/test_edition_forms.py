"""An edition's pages as a form: nothing is lost, nothing stands twice, and every button does what it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.operations import EditionPlan, PlannedPage
from web.catalogs.edition_forms import LONGEST_HEADLINE, changed, pages_of, planned, read_pages

LAYOUTS = ("hero", "six")


def plan(*pages: PlannedPage) -> EditionPlan:
    return EditionPlan("t1", "Baking", ("FLOUR",), 0, (1, 2, 3, 4, 5, 6, 7), {}, pages)


def posted(*pages: tuple[int, ...], **more: list[str]) -> dict[str, list[str]]:
    fields = {f"layout-{number}": ["hero"] for number in range(len(pages))}
    fields |= {f"article-{number}": [str(one) for one in page] for number, page in enumerate(pages)}
    return fields | {key.replace("_", "-"): value for key, value in more.items()}


def articles(pages):
    return [tuple(slot.article_id for slot in page.slots) for page in pages]


def pinned(pages):
    return {slot.article_id for page in pages for slot in page.slots if slot.pinned}


class TestReadPages:
    def test_gives_back_what_the_form_showed(self):
        kept = plan(PlannedPage("six", {"cs": "Vše na pečení"}, (3, 1), (1,)), PlannedPage("hero", {}, (2,)))
        fields = {}
        for number, page in enumerate(pages_of(kept)):
            fields[f"layout-{number}"] = [page.layout]
            fields[f"article-{number}"] = [str(slot.article_id) for slot in page.slots]
            fields[f"pinned-{number}"] = [str(slot.article_id) for slot in page.slots if slot.pinned]
            fields |= {f"headline-{number}-{key}": [words] for key, words in page.headline.items()}
        assert planned(kept, read_pages(fields, LAYOUTS)) == kept

    def test_leaves_out_what_nobody_could_have_chosen(self):
        fields = posted((1, 2, 2), (2, 3), headline_0_cs=["  a\nb " + "x" * 200], pinned_1=["3", "99"])
        fields |= {"layout-0": ["no such"], "article-1": ["2", "3", "-4", "\u0661", "9" * 30]}
        first, second = read_pages(fields, LAYOUTS)
        assert articles((first, second)) == [(1, 2), (3,)]
        assert (first.layout, pinned((first, second))) == ("hero", {3})
        assert first.headline["cs"] == ("a b " + "x" * 200)[:LONGEST_HEADLINE]


class TestChanged:
    @pytest.mark.parametrize(
        ("do", "after"),
        [
            ("up:0:2", [(2, 1), (3, 4)]),
            ("down:0:1", [(2, 1), (3, 4)]),
            ("down:0:2", [(1,), (2, 3, 4)]),
            ("up:1:3", [(1, 2, 3), (4,)]),
            ("up:0:1", [(1, 2), (3, 4)]),
            ("out:1:3", [(1, 2), (4,)]),
            ("put:1:9", [(1, 2), (9, 3, 4)]),
            ("put:1:1", [(2,), (1, 3, 4)]),
            ("swap:0:2:9", [(1, 9), (3, 4)]),
            ("swap:0:2:4", [(1, 4), (3,)]),
            ("later:0", [(3, 4), (1, 2)]),
            ("earlier:0", [(1, 2), (3, 4)]),
        ],
    )
    def test_does_what_the_button_says(self, do, after):
        assert articles(changed(read_pages(posted((1, 2), (3, 4)), LAYOUTS), do)) == after

    def test_pins_what_a_person_placed_and_lets_go_of_it(self):
        pages = changed(read_pages(posted((1, 2), (3, 4)), LAYOUTS), "put:0:9")
        assert pinned(pages) == {9}
        assert pinned(changed(pages, "loose:0:9")) == set()
        assert pinned(changed(pages, "pin:1:3")) == {9, 3}

    @given(st.text(max_size=12) | st.from_regex(r"\A(up|put|swap|later|out)(:[0-9]{1,2}){0,3}\Z"))
    def test_never_loses_or_doubles_an_article_whatever_is_pressed(self, do):
        after = articles(changed(read_pages(posted((1, 2), (3, 4)), LAYOUTS), do))
        flat = [article for page in after for article in page]
        assert len(flat) == len(set(flat))
        if not do.startswith(("out:", "put:", "swap:")):
            assert sorted(flat) == [1, 2, 3, 4]

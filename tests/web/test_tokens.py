"""The colours: readable in both themes, and the two dark ones the same."""

import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).parents[2] / "web/static/css/tokens.css").read_text(encoding="utf-8")
AA_TEXT, AA_GRAPHICS = 4.5, 3.0
TEXT_PAIRS = [
    ("text", "ground"),
    ("text", "canvas"),
    ("text", "hover"),
    ("text", "selected"),
    ("text", "raised"),
    ("text-soft", "ground"),
    ("text-soft", "canvas"),
    ("text-soft", "hover"),
    ("text-soft", "quiet-soft"),
    ("text-faint", "ground"),
    ("text-faint", "canvas"),
    ("text-faint", "sunken"),
    ("accent", "ground"),
    ("accent", "canvas"),
    ("accent", "accent-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("good", "ground"),
    ("good", "good-soft"),
    ("caution", "ground"),
    ("caution", "caution-soft"),
    ("bad", "ground"),
    ("bad", "bad-soft"),
    ("quiet", "quiet-soft"),
]
GRAPHIC_PAIRS = [
    ("control-line", "ground"),
    ("focus", "ground"),
    *((f"series-{n}", "ground") for n in range(12)),
]


def blocks():
    light = re.search(r":root \{(.*?)\n\}", TOKENS, re.DOTALL).group(1)
    dark = re.search(r':root\[data-theme="dark"\] \{(.*?)\n\}', TOKENS, re.DOTALL).group(1)
    auto = re.search(r':root\[data-theme="auto"\] \{(.*?)\n  \}', TOKENS, re.DOTALL).group(1)
    return {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text))
        for name, text in (("light", light), ("dark", dark), ("auto", auto))
    }


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


class TestColours:
    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_of_text_reach_wcag_aa(self, theme):
        colours = blocks()[theme]
        weak = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in TEXT_PAIRS}
        assert {pair: value for pair, value in weak.items() if value < AA_TEXT} == {}

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_of_lines_and_series_reach_wcag_aa_for_graphics(self, theme):
        colours = blocks()[theme]
        weak = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in GRAPHIC_PAIRS}
        assert {pair: value for pair, value in weak.items() if value < AA_GRAPHICS} == {}

    def test_are_the_same_whether_dark_was_chosen_or_is_the_device_s(self):
        assert blocks()["dark"] == blocks()["auto"]

    def test_have_a_dark_value_each(self):
        assert set(blocks()["light"]) == set(blocks()["dark"])

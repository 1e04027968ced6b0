"""Names and values on charts, in a browser: whatever their length, whole, inside the frame and apart from each other."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.journey.rest import at_rest
from web.charts import Axis, Series, bar_options, line_options
from web.groups.network_charts import Dot, map_options

pytestmark = pytest.mark.browser

STATIC = Path(__file__).parents[2] / "web" / "static"
WIDTH, HEIGHT = 600, 300
WORDS = """() => [...document.querySelectorAll("svg text")].map((one) => {
  const box = one.getBoundingClientRect();
  return { words: one.textContent, left: box.left, right: box.right, top: box.top, bottom: box.bottom };
})"""
SLOW = """for (const kind of [CanvasRenderingContext2D, OffscreenCanvasRenderingContext2D]) {
  const { measureText } = kind.prototype;
  kind.prototype.measureText = function (words) {
    const began = performance.now();
    while (performance.now() - began < 0.2);
    return measureText.call(this, words);
  };
}"""
"""The library measures the first letters, and takes an estimate for all when that took it more than 16 ms."""
LONG = "Refrigerated dough products of every kind there is, with those that are only sold before Christmas in larger stores"


def drawn(browser: Browser, options: dict[str, Any], width: int = WIDTH, slow: bool = False) -> Page:
    """Return a page with a chart in a frame of `width`, drawn by a slow machine or by this one."""
    page = browser.new_page()
    if slow:
        page.add_init_script(SLOW)
    page.set_content(
        f"<style>:root {{ --font: sans-serif }} body {{ margin: 0 }} #map {{ width: {width}px; height: {HEIGHT}px }}</style>"
        '<div><div id="map"></div></div>'
    )
    page.evaluate(
        "options => document.getElementById('map').setAttribute('data-chart', options)", json.dumps(options)
    )
    page.add_script_tag(path=STATIC / "vendor" / "echarts.min.js")
    page.add_script_tag(path=STATIC / "js" / "charts.js")
    page.wait_for_selector("svg text")
    return page


def words_of(
    browser: Browser, options: dict[str, Any], width: int = WIDTH, slow: bool = False
) -> list[dict[str, Any]]:
    """Draw a chart in a frame of `width`; return every line of its words with its edges in the frame."""
    page = drawn(browser, options, width, slow)
    # A chart that made itself higher is drawn anew, on a busy machine some frames later.
    found: list[dict[str, Any]] = at_rest(page, WORDS)
    page.close()
    return found


def map_of(*labels: str) -> dict[str, Any]:
    """Return a map with a dot for each label, from left to right."""
    dots = [Dot(str(n), label, "", "", 3.0 * n, float(n % 2), 10.0, "0") for n, label in enumerate(labels)]
    return map_options(dots, [], [])


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("length", [7, 19, 27, 40, 75, len(LONG)])
def test_a_name_at_an_edge_is_whole_and_inside_the_frame(browser: Browser, length: int, slow: bool) -> None:
    name = LONG[:length].strip()
    found = words_of(browser, map_of("Tea", name), slow=slow)
    assert min(one["left"] for one in found) >= 0
    assert max(one["right"] for one in found) <= WIDTH
    assert "".join(str(one["words"]) for one in found).replace(" ", "") == f"Tea{name}".replace(" ", "")


def test_names_with_room_stay_on_the_right_of_their_dots(browser: Browser) -> None:
    found = {str(one["words"]): one for one in words_of(browser, map_of("Tea", "Honey"))}
    assert float(found["Tea"]["left"]) > 72
    assert float(found["Honey"]["left"]) > WIDTH - 112


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("width", [260, 300, 420, 900])
def test_names_and_values_of_bars_to_either_side_do_not_overlap(
    browser: Browser, width: int, slow: bool
) -> None:
    names = [
        "Frozen",
        "Organics fruit & vegetables",
        "Vegetables, all others of the season",
        "Baked bread, buns and rolls of all kinds",
        "Refrigerated dough products and juices",
        "Soft drinks",
        *(f"Cigarettes and tobacco of the kind {number}" for number in range(8)),
    ]
    values = [1.81, 1.43, 1.2, 0.3, -0.4, -0.64, *(-0.9 - 0.1 * number for number in range(8))]
    options = bar_options(names, values, ["0"] * len(names), Axis())
    options["xAxis"]["min"] = -2.0
    for bar in options["series"][0]["data"]:
        bar["label"] = {"position": "right" if bar["value"] > 0 else "left"}
    found = words_of(browser, options, width, slow)
    said = "".join(one["words"] for one in found).replace(" ", "")
    assert all(name.replace(" ", "") in said for name in names)
    for one, other in combinations(found, 2):
        beside = one["right"] <= other["left"] + 1 or other["right"] <= one["left"] + 1
        above = one["bottom"] <= other["top"] + 4 or other["bottom"] <= one["top"] + 4
        assert beside or above, (one, other)


LINES = line_options(
    ["1 Nov", "2 Nov", "3 Nov"],
    [Series("Explained by size", [0.05, 0.06, 0.07]), Series("Limit", [0.35, 0.35, 0.35], "7", dashed=True)],
    Axis("percent"),
)


@pytest.mark.parametrize("width", [240, 300, 400])
def test_names_of_lines_leave_the_lines_more_than_half_of_a_narrow_frame(
    browser: Browser, width: int
) -> None:
    found = {one["words"]: one for one in words_of(browser, LINES, width)}
    assert {"Explained by size", "Limit"} <= found.keys()
    assert max(one["right"] for one in found.values()) <= width
    assert found["3 Nov"]["right"] - found["1 Nov"]["left"] > width / 2


def test_a_point_of_which_a_bound_is_told_is_a_bound_under_the_pointer(browser: Browser) -> None:
    options = line_options(["1 Nov", "2 Nov"], [Series("Changed group", [0.021, 0.005])], Axis("percent"))
    options["series"][0]["said"] = [None, "<\N{NO-BREAK SPACE}0.5%"]
    page = drawn(browser, options)
    page.mouse.move(WIDTH - 25, HEIGHT / 2)
    page.wait_for_function("() => document.body.textContent.includes('<\\u00a00.5%')")
    page.mouse.move(60, HEIGHT / 2)
    page.wait_for_function("() => document.body.textContent.includes('2.1%')")
    page.close()

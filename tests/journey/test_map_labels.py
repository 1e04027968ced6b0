"""Names on a map, in a browser: whatever their length, none runs over the edge of its frame."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from web.groups.network_charts import Dot, map_options

pytestmark = pytest.mark.browser

STATIC = Path(__file__).parents[2] / "web" / "static"
WIDTH, HEIGHT = 600, 300
LONG = "Refrigerated dough products of every kind there is, with those that are only sold before Christmas in larger stores"


def words_of(browser: Browser, labels: list[str]) -> list[dict[str, float | str]]:
    """Draw a dot for each label, from left to right; return every line of words with its edges in the frame."""
    dots = [Dot(str(n), label, "", "", 3.0 * n, float(n % 2), 10.0, "0") for n, label in enumerate(labels)]
    page = browser.new_page()
    page.set_content(
        f'<html lang="en"><body style="margin:0"><div><div id="map" style="width:{WIDTH}px;height:{HEIGHT}px"></div></div>'
    )
    options = json.dumps(map_options(dots, [], []))
    page.evaluate("options => document.getElementById('map').setAttribute('data-chart', options)", options)
    page.add_script_tag(path=STATIC / "vendor" / "echarts.min.js")
    page.add_script_tag(path=STATIC / "js" / "charts.js")
    page.wait_for_selector("svg text")
    found: list[dict[str, float | str]] = page.evaluate(
        """() => [...document.querySelectorAll("svg text")].map((one) => {
          const box = one.getBoundingClientRect();
          return { words: one.textContent, left: box.left, right: box.right };
        })"""
    )
    page.close()
    return found


@pytest.mark.parametrize("length", [7, 19, 27, 40, 75, len(LONG)])
def test_a_name_at_an_edge_is_whole_and_inside_the_frame(browser: Browser, length: int) -> None:
    name = LONG[:length].strip()
    found = words_of(browser, ["Tea", name])
    assert min(one["left"] for one in found) >= 0
    assert max(one["right"] for one in found) <= WIDTH
    assert "".join(str(one["words"]) for one in found).replace(" ", "") == f"Tea{name}".replace(" ", "")


def test_names_with_room_stay_on_the_right_of_their_dots(browser: Browser) -> None:
    found = {str(one["words"]): one for one in words_of(browser, ["Tea", "Honey"])}
    assert float(found["Tea"]["left"]) > 72
    assert float(found["Honey"]["left"]) > WIDTH - 112

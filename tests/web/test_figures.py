"""Small figures drawn on the server."""

from xml.etree import ElementTree as ET

import pytest

from web.figures import bar, interval, sparkline


class TestFigures:
    @pytest.mark.parametrize(
        "figure",
        [
            sparkline([1, 5, 3], label="<b>&"),
            sparkline([0, 0, 0], label="flat"),
            sparkline([-4, 2], label="below zero"),
            bar(3, 10, label="three"),
            bar(0, 0, label="nothing"),
            bar(20, 10, label="over"),
            interval(-5, 1, 8, bounds=(-10, 10), label="around zero"),
            interval(3, 3, 3, bounds=(3, 3), label="one point"),
        ],
    )
    def test_are_well_formed_and_say_what_they_show(self, figure):
        root = ET.fromstring(str(figure))
        assert root.get("aria-label")
        assert root.get("role") == "img"

    def test_keep_bars_on_their_track(self):
        root = ET.fromstring(str(bar(20, 10, label="over")))
        track, fill = root
        assert float(fill.get("width")) <= float(track.get("width"))

    def test_need_two_points_for_a_course(self):
        assert sparkline([1], label="alone") == ""

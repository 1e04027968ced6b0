"""The map and the flow: what stays readable where names are close together."""

from web.groups.network_charts import Dot, Title, map_options


class TestMapOptions:
    def test_let_the_name_of_a_theme_win_over_the_label_of_any_dot(self):
        """Of labels that collide the browser keeps that of the larger mark."""
        dots = [Dot(str(size), "Tea", "", "", 0.0, 0.0, size, "0") for size in (1.0, 5_000.0)]
        titles = [Title("theme", "Tea and honey", "", 0.0, 0.0, "0")]
        *drawn, title = map_options(dots, titles, [])["series"][0]["data"]
        width, height = title["symbolSize"]
        assert all(width * height > one["symbolSize"] ** 2 for one in drawn)
        assert title["itemStyle"] == {"color": "transparent"}

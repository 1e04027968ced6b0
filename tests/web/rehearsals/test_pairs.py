from datetime import UTC, date, datetime
from uuid import UUID

from rewards.rehearsals.queries import RehearsalView, RehearsedView
from web.charts import Axis
from web.rehearsals.pairs import Side, figures, weeks_chart

NOON = datetime(2026, 11, 21, 11, tzinfo=UTC)


def side(version: int, discounts: dict[str, int], *, days: int = 28) -> Side:
    """A rehearsal of `days` days from the second of November on, with so much off on days."""
    found = {
        "baskets": 10,
        "discount": sum(discounts.values()),
        "worth": 0,
        "cost": sum(discounts.values()),
        "net_before": 10_000,
        "days": [{"day": day, "discount": off, "worth": 0} for day, off in discounts.items()],
        "winners": {"accounts": None},
        "margin": {"known": False},
        "budget": {"limited": False},
    }
    first = date(2026, 11, 2)
    following = date.fromordinal(first.toordinal() + days)
    view = RehearsalView(
        UUID(int=version), UUID(int=0), "completed", False, False, 1, 1, None, first, following, (1,), "mara",
        NOON, NOON, {"all_baskets": 40, "currency": "CZK"},
    )  # fmt: skip
    return Side(view, RehearsedView("TEA10", version, {}, found))


def plain(*words: str) -> tuple[str, ...]:
    return tuple(word.replace("\N{NO-BREAK SPACE}", " ") for word in words)


class TestSideBySide:
    ONE = side(1, {"2026-11-03": 1000, "2026-11-10": 1000})
    OTHER = side(2, {"2026-11-04": 3000, "2026-11-17": 500})

    def test_says_every_figure_with_the_difference(self):
        told = {
            one.label: plain(one.one, one.other, one.change) for one in figures(self.ONE, self.OTHER, "CZK")
        }
        assert told["Discounts"] == ("CZK 20", "CZK 35", "+CZK 15")
        assert told["Discount of these baskets"] == ("20.0%", "35.0%", "+15.0%")
        assert told["Baskets it touches"][:2] == ("10", "10")

    def test_gives_a_week_s_figures_where_periods_differ(self):
        longer = side(2, {"2026-11-04": 2400}, days=56)
        told = {one.label: plain(one.one, one.other) for one in figures(self.ONE, longer, "CZK")}
        assert told["Discounts, a week"] == ("CZK 5", "CZK 3")
        assert told["Share of all baskets"] == ("25.0%", "25.0%")

    def test_draws_both_week_by_week(self):
        chart = weeks_chart(self.ONE, self.OTHER, "CZK", Axis("money", "CZK", 100))
        assert chart is not None
        assert chart.title == "Version 2 gives more away"
        assert [plain(*row[1:]) for row in chart.rows] == [
            ("CZK 10.00", "CZK 30.00"), ("CZK 10.00", "CZK 0.00"), ("CZK 0.00", "CZK 5.00")
        ]  # fmt: skip
        assert weeks_chart(side(1, {"2026-11-03": 1}), side(2, {}), "CZK", Axis("money", "CZK", 100)) is None

"""Two rehearsals of one offer side by side: what each came to, figure by figure, and week by week."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from rewards.rehearsals.queries import RehearsalView, RehearsedView
from web.charts import Axis, Chart, Series, line_options
from web.rehearsals.words import budget_words
from web.words import NOTHING, date_text, day_month, money_text, money_whole, number_text, percent_text
from web.words import gettext as _

Results = Mapping[str, Any]
FEWEST_WEEKS: Final = 2


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: a completed rehearsal, and the version of the offer that it played."""

    view: RehearsalView
    offer: RehearsedView

    @property
    def found(self) -> Results:
        """What the offer came to."""
        return self.offer.results or {}

    @property
    def together(self) -> Results:
        """What all offers of the rehearsal came to."""
        return self.view.results or {}

    @property
    def weeks(self) -> float:
        """How long the period is."""
        return max(1, (self.view.following_day - self.view.first_day).days) / 7

    @property
    def title(self) -> str:
        """What it is called beside the other."""
        return _("Version %(number)s", number=self.offer.version)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of both, in words, and the second less the first, where both can be subtracted."""

    label: str
    one: str
    other: str
    change: str = ""


def side(view: RehearsalView, code: str) -> Side | None:
    """Return a rehearsal as one of two, None while it has no results of the offer."""
    offer = next((one for one in view.offers if one.offer_code == code and one.results), None)
    return None if offer is None or view.results is None else Side(view, offer)


def figures(one: Side, other: Side, currency: str) -> list[Figure]:
    """Return the figures side by side; those that grow with the period are given a week where periods differ."""
    weekly = round(one.weeks, 3) != round(other.weeks, 3)

    def of(
        label: str, value: Callable[[Side], float | None], say: Callable[[float], str], *, grows: bool = False
    ) -> Figure:
        values = [value(each) for each in (one, other)]
        if grows and weekly:
            label = _("%(figure)s, a week", figure=label)
            values = [
                None if number is None else number / each.weeks
                for number, each in zip(values, (one, other), strict=True)
            ]
        first, second = values
        words = [NOTHING if number is None else say(number) for number in values]
        change = NOTHING
        if first is not None and second is not None and (difference := second - first):
            change = f"{'+' if difference > 0 else '−'}{say(abs(difference))}"  # noqa: RUF001 - a minus
        return Figure(label, words[0], words[1], change)

    def number(value: float) -> str:
        return number_text(round(value))

    def money(value: float) -> str:
        return money_whole(value, currency)

    def share(value: float) -> str:
        return percent_text(value, 1)

    return [
        of(_("Baskets played"), lambda each: each.together["all_baskets"], number, grows=True),
        of(_("Baskets it touches"), lambda each: each.found["baskets"], number, grows=True),
        of(_("Share of all baskets"), _share, share),
        of(_("Discounts"), lambda each: each.found["discount"], money, grows=True),
        of(_("Points, gifts, vouchers"), lambda each: each.found["worth"], money, grows=True),
        of(_("Costs more than without"), lambda each: each.found["cost"], money, grows=True),
        of(_("Discount of these baskets"), _depth, share),
        of(_("Members who gain"), lambda each: each.found["winners"]["accounts"], number),
        of(_("Baskets below cost"), _below, number, grows=True),
        Figure(_("Budget"), *(" · ".join(budget_words(each.found["budget"])) for each in (one, other))),
    ]


def _share(each: Side) -> float | None:
    whole = each.together["all_baskets"]
    return each.found["baskets"] / whole if whole else None


def _depth(each: Side) -> float | None:
    before = each.found["net_before"]
    return each.found["discount"] / before if before else None


def _below(each: Side) -> float | None:
    margin = each.found["margin"]
    return margin["below_after"] if margin["known"] else None


def weeks_chart(one: Side, other: Side, currency: str, axis: Axis) -> Chart | None:
    """Return what both give away from week to week of their periods; None where that is no line: in less than two."""
    sums = [_by_week(each) for each in (one, other)]
    weeks: Sequence[date] = sorted({*sums[0], *sums[1]})
    if len(weeks) < FEWEST_WEEKS:
        return None
    totals = [sum(each.values()) for each in sums]
    more = one.title if totals[0] >= totals[1] else other.title
    names = [one.title, other.title]
    if one.offer.version == other.offer.version:
        names = [f"{each.title}, {date_text(each.view.first_day)}" for each in (one, other)]
    series = [
        Series(name, [each.get(week, 0) for week in weeks], colour, dashed=place == 0)
        for place, (name, each, colour) in enumerate(zip(names, sums, ("3", "0"), strict=True))
    ]
    return Chart(
        key="pair",
        title=_("%(version)s gives more away", version=more),
        note=_("Discounts, points, gifts and vouchers per week from Monday"),
        options=line_options([day_month(week) for week in weeks], series, axis),
        head=(_("Week of"), *names),
        rows=tuple(
            (date_text(week), *(money_text(each.get(week, 0), currency) for each in sums)) for week in weeks
        ),
    )


def _by_week(each: Side) -> dict[date, int]:
    sums: dict[date, int] = defaultdict(int)
    for cell in each.found["days"]:
        day = date.fromisoformat(cell["day"])
        sums[day - timedelta(days=day.weekday())] += cell["discount"] + cell["worth"]
    return sums

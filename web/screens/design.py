"""A gallery of every component, for those who build screens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import sin
from typing import Final

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from core.keyset import Ask, Page
from web.charts import Axis, Chart, Series, bar_options, column_options, line_options
from web.export import respond
from web.figures import bar, interval, sparkline
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import day_month, money_whole, number_text
from web.words import gettext as _

blueprint = Blueprint("design", __name__, url_prefix="/design")


@dataclass(frozen=True, slots=True)
class Sample:
    """A made-up row: the gallery shows forms, never data of the chain."""

    code: str
    name: str
    kind: str
    amount: int
    weekly: tuple[int, ...]
    low: int
    high: int
    day: date
    moment: datetime


_NAMES: Final = (
    "Jasmine tea 40 g",
    "Rye bread 500 g",
    "Oat drink 1 l",
    "Dishwasher tabs 40",
    "Dark chocolate 80 %",
    "Razor blades 8",
)
_DAY: Final = date(2026, 3, 2)
_SAMPLES: Final = tuple(
    Sample(
        code=f"{10_400 + index * 37}",
        name=_NAMES[index % len(_NAMES)],
        kind="keep" if index % 3 else "list",
        amount=41_900 - index * 3_370,
        weekly=tuple(round(40 + 18 * sin(index + week / 2) + week) for week in range(13)),
        low=20_000 - index * 3_500,
        high=60_000 - index * 2_900,
        day=_DAY + timedelta(days=index),
        moment=datetime(2026, 3, 2, 9, 15, tzinfo=UTC) + timedelta(hours=index * 7),
    )
    for index in range(12)
)


@blueprint.get("/")
def gallery() -> ResponseReturnValue:
    """Show every component in the reader's theme and language."""
    return respond("screens/design.html", _table(), charts=_charts(), samples=_SAMPLES)


@blueprint.get("/sample/<code>")
def sample(code: str) -> ResponseReturnValue:
    """Show one made-up row in the side panel or as a page."""
    found = next((one for one in _SAMPLES if one.code == code), _SAMPLES[0])
    return render_template("screens/design_sample.html", sample=found)


def _table() -> Table[Sample]:
    most = max(one.amount for one in _SAMPLES)
    bounds = (float(min(one.low for one in _SAMPLES)), float(max(one.high for one in _SAMPLES)))
    return Table(
        name="samples",
        find="Find an article",
        default_sort="-amount",
        href=lambda row: f"/design/sample/{row.code}",
        fetch=_fetch,
        empty=Empty(
            _("No articles yet"),
            "Import them from a file.",
            "tags",
            command="regulars articles import FILE",
        ),
        filters=(
            Filter(
                key="kind", label=_("Kind"), choices=(Choice("keep", _("Keep")), Choice("list", _("List")))
            ),
        ),
        columns=_columns(most, bounds),
    )


def _columns(most: int, bounds: tuple[float, float]) -> tuple[Column[Sample], ...]:
    return (
        Column(
            key="name",
            title=_("Article"),
            value=lambda row: row.name,
            second=lambda row: row.code,
            sort=True,
        ),
        Column(key="day", title=_("Day"), value=lambda row: row.day, kind="date", sort=True),
        Column(
            key="weekly",
            title="Sold per week",
            value=lambda row: row.weekly[-1],
            figure=lambda row: sparkline(row.weekly, label=number_text(row.weekly[-1])),
        ),
        Column(
            key="share",
            title=_("Share"),
            value=lambda row: row.amount / most,
            figure=lambda row: bar(row.amount, most, label=number_text(row.amount)),
        ),
        Column(
            key="interval",
            title="Expected",
            value=lambda row: row.amount,
            figure=lambda row: interval(
                row.low, row.amount / 1.2, row.high, bounds=bounds, label=money_whole(row.amount, "CZK")
            ),
        ),
        Column(
            key="amount",
            title=_("Revenue"),
            value=lambda row: row.amount,
            kind="money",
            currency=lambda _row: "CZK",
            sort=True,
        ),
        Column(key="moment", title=_("Closed"), value=lambda row: row.moment, kind="moment", shown=False),
    )


def _fetch(ask: Ask) -> Page[Sample]:
    rows: Sequence[Sample] = [
        one
        for one in _SAMPLES
        if ask.words.casefold() in one.name.casefold() and ask.filters.get("kind", one.kind) == one.kind
    ]
    rows = sorted(
        rows, key=lambda one: str(getattr(one, ask.sort)) if ask.sort != "amount" else f"{one.amount:09}"
    )
    if ask.descending:
        rows = rows[::-1]
    return Page(tuple(rows), None, None, len(rows))


def _charts() -> tuple[Chart, ...]:
    weeks = [_DAY + timedelta(weeks=week) for week in range(26)]
    labels = [day_month(week) for week in weeks]
    issued = [round(12_000 + 2_400 * sin(week / 4) + week * 90) for week in range(26)]
    spent = [round(7_500 + 1_100 * sin(week / 3 + 1) + week * 60) for week in range(26)]
    names = ("Sunday baking", "Tea and biscuits", "Baby and care", "Pets", "Barbecue")
    sizes = [412, 351, 298, 203, 122]
    axis = Axis()
    return (
        Chart(
            key="lines",
            title="Points issued grew by 17 % since March",
            note="Per week, all stores",
            options=line_options(
                labels, (Series(_("Issued"), issued, "0", area=True), Series(_("Spent"), spent, "1")), axis
            ),
            head=("Week", _("Issued"), _("Spent")),
            rows=tuple(
                (label, number_text(a), number_text(b))
                for label, a, b in zip(labels, issued, spent, strict=True)
            ),
        ),
        Chart(
            key="bars",
            title="Two groups hold half of the members",
            note="Members per group",
            options=bar_options(names, sizes, [str(index) for index in range(5)], axis),
            head=(_("Group"), _("Members")),
            rows=tuple((name, number_text(size)) for name, size in zip(names, sizes, strict=True)),
        ),
        Chart(
            key="columns",
            title="Half of the baskets are known by card",
            note="Baskets per week",
            options=column_options(
                labels, (Series(_("With card"), issued, "0"), Series("Without", spent, "rest")), axis
            ),
            head=("Week", _("With card"), "Without"),
            rows=tuple(
                (label, number_text(a), number_text(b))
                for label, a, b in zip(labels, issued, spent, strict=True)
            ),
        ),
    )

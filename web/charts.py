"""Charts: a finding as title, data in the form ECharts reads, and the same data as a table behind it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Literal

PALETTE_SIZE = 12
_NEARLY_ALL = 0.8
"""From this share on an axis ends at 100 %: beyond it there is nothing."""
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
_MOST_STEPS = 5
Height = Literal["short", "normal", "tall", "huge", "map"]
Scale = Literal["number", "money", "percent"]


@dataclass(frozen=True, slots=True)
class Axis:
    """How the numbers of a chart are written: `scale`, the currency of money, and the divisor to its major unit."""

    scale: Scale = "number"
    currency: str | None = None
    divisor: int = 1

    def describe(self) -> dict[str, Any]:
        """Return what the browser needs to write the numbers in the reader's language."""
        return {"scale": self.scale, "currency": self.currency, "divisor": self.divisor}


@dataclass(frozen=True, slots=True)
class Series:
    """One line or set of bars: its name, values (None where there is none) and colour of the palette."""

    name: str
    values: Sequence[float | int | None]
    colour: str = "0"
    dashed: bool = False
    area: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """
    A chart with its finding in the title.

    `head` and `rows` are the table behind it, already written for a reader.
    """

    key: str
    title: str
    note: str
    options: dict[str, Any]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    height: Height = "normal"
    links: tuple[str, ...] = field(default=())
    """Where a click on the nth point leads."""


def token(colour: str) -> str:
    """Return the style sheet's variable of palette entry `colour` ("0" to "11", or "rest")."""
    return f"var(--series-{colour})"


def palette(index: int) -> str:
    """Return the name of palette entry `index`, which goes round when there are more groups than colours."""
    return str(index % PALETTE_SIZE)


def line_options(
    labels: Sequence[str],
    series: Sequence[Series],
    axis: Axis,
    *,
    from_zero: bool = True,
    most: float | None = None,
) -> dict[str, Any]:
    """
    Return lines over `labels`, each named at its end instead of in a legend.

    The axis ends at `most`, where more cannot be; shares that come near the whole end at 100 % without being told.
    """
    several = len(series) > 1
    if most is None and axis.scale == "percent" and max(_values(series), default=0) > _NEARLY_ALL:
        most = 1
    return {
        "axis": axis.describe(),
        "grid": {"left": 8, "right": 116 if several else 20, "top": 12, "bottom": 4, "containLabel": True},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": list(labels), "boundaryGap": False},
        "yAxis": {
            "type": "value",
            "scale": not from_zero,
            "splitNumber": 4,
            **({} if most is None else _steps_below(most, series, from_zero=from_zero)),
        },
        "series": [
            {
                "type": "line",
                "name": one.name,
                "data": list(one.values),
                "color": token(one.colour),
                "showSymbol": False,
                "symbol": "circle",
                "symbolSize": 6,
                "lineStyle": {"width": 2, "type": "dashed" if one.dashed else "solid"},
                "areaStyle": {"opacity": 0.1} if one.area else None,
                "endLabel": {"show": several, "formatter": "{a}", "distance": 6, "color": token(one.colour)},
                "labelLayout": {"moveOverlap": "shiftY"},
                "emphasis": {"disabled": True},
            }
            for one in series
        ],
    }


def _steps_below(most: float, series: Sequence[Series], *, from_zero: bool) -> dict[str, float]:
    """Return an axis of even steps from `most` down to nothing, or past all of `series`: the drawer's own end close below `most`."""
    if from_zero:
        return {"max": most, "interval": most / 4}
    span = most - min(_values(series), default=most)
    step = next((one for one in _STEPS if one * _MOST_STEPS >= span), _STEPS[-1])
    steps = max(2, ceil(round(span / step, 9)))
    return {"max": most, "min": round(most - steps * step, 9), "interval": step}


def _values(series: Sequence[Series]) -> list[float]:
    return [value for one in series for value in one.values if value is not None]


def column_options(
    labels: Sequence[str], series: Sequence[Series], axis: Axis, *, stacked: bool = True
) -> dict[str, Any]:
    """Return columns over `labels`; several series stand on each other or side by side, with a small legend."""
    return {
        "axis": axis.describe(),
        "legend": {"show": len(series) > 1, "top": 0, "left": 0},
        "grid": {
            "left": 8,
            "right": 12,
            "top": 36 if len(series) > 1 else 12,
            "bottom": 4,
            "containLabel": True,
        },
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "xAxis": {"type": "category", "data": list(labels)},
        "yAxis": {"type": "value", "splitNumber": 4},
        "series": [
            {
                "type": "bar",
                "name": one.name,
                "data": list(one.values),
                "color": token(one.colour),
                "stack": "all" if stacked else None,
                "barMaxWidth": 28,
                "barCategoryGap": "28%",
            }
            for one in series
        ],
    }


def bar_options(
    labels: Sequence[str], values: Sequence[float], colours: Sequence[str], axis: Axis
) -> dict[str, Any]:
    """Return horizontal bars, the first on top, each with its value written at its end."""
    return {
        "axis": axis.describe(),
        "grid": {"left": 4, "right": 64, "top": 4, "bottom": 4, "containLabel": True},
        "tooltip": {"trigger": "item"},
        "xAxis": {"type": "value", "show": False},
        "yAxis": {
            "type": "category",
            "data": list(labels),
            "inverse": True,
            "axisLabel": {"width": 200, "lineHeight": 14, "interval": 0},
        },
        "series": [
            {
                "type": "bar",
                "data": [
                    {"value": value, "itemStyle": {"color": token(colour), "borderRadius": [0, 3, 3, 0]}}
                    for value, colour in zip(values, colours, strict=True)
                ],
                "barMaxWidth": 18,
                "barCategoryGap": "35%",
                "label": {"show": True, "position": "right", "written": True},
            }
        ],
    }


def paired_options(
    labels: Sequence[str], first: Series, second: Series, colours: Sequence[str], axis: Axis
) -> dict[str, Any]:
    """Return two horizontal bars per label: the first in its own colour and written out, the second thin and grey."""
    return {
        "axis": axis.describe(),
        "grid": {"left": 4, "right": 56, "top": 4, "bottom": 4, "containLabel": True},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "xAxis": {"type": "value", "show": False},
        "yAxis": {
            "type": "category",
            "data": list(labels),
            "inverse": True,
            "axisLabel": {"width": 200, "lineHeight": 14, "interval": 0},
        },
        "series": [
            {
                "type": "bar",
                "name": first.name,
                "data": [
                    {"value": value, "itemStyle": {"color": token(colour), "borderRadius": [0, 3, 3, 0]}}
                    for value, colour in zip(first.values, colours, strict=True)
                ],
                "barMaxWidth": 14,
                "barGap": "15%",
                "barCategoryGap": "30%",
                "label": {"show": True, "position": "right", "written": True},
            },
            {
                "type": "bar",
                "name": second.name,
                "data": list(second.values),
                "color": token(second.colour),
                "barMaxWidth": 5,
            },
        ],
    }


def diverging_options(labels: Sequence[str], values: Sequence[float], axis: Axis) -> dict[str, Any]:
    """Return horizontal bars to either side of zero, each with its value written beyond its end."""
    most = max((abs(value) for value in values), default=1.0) or 1.0
    return {
        "axis": axis.describe(),
        "grid": {"left": 4, "right": 12, "top": 4, "bottom": 4, "containLabel": True},
        "tooltip": {"trigger": "item"},
        # Room for the words beyond the longest bars.
        "xAxis": {"type": "value", "show": False, "min": -1.35 * most, "max": 1.35 * most},
        "yAxis": {
            "type": "category",
            "data": list(labels),
            "inverse": True,
            "axisLabel": {"width": 180, "lineHeight": 14, "interval": 0},
        },
        "series": [
            {
                "type": "bar",
                "data": [
                    {
                        "value": value,
                        "itemStyle": {"color": token("1" if value < 0 else "0"), "borderRadius": 3},
                        "label": {"position": "left" if value < 0 else "right"},
                    }
                    for value in values
                ],
                "barMaxWidth": 14,
                "barCategoryGap": "35%",
                "label": {"show": True, "written": True},
            }
        ],
    }

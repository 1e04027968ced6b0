"""Charts of ties and flows: the map of the themes, and who moved from where to where."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

from web.charts import token

_SMALLEST_DOT: Final = 6.0
_LARGEST_DOT: Final = 26.0
_THINNEST: Final = 0.6
_THICKEST: Final = 4.0
_TITLE_WIDTH: Final = 150


@dataclass(frozen=True, slots=True)
class Dot:
    """An item on a map: `size` counts what its area stands for, `tip` is said when it is pointed at."""

    key: str
    label: str
    tip: str
    href: str
    x: float
    y: float
    size: float
    colour: str


@dataclass(frozen=True, slots=True)
class Title:
    """Words on a map, in the colour of what they name."""

    key: str
    label: str
    href: str
    x: float
    y: float
    colour: str


@dataclass(frozen=True, slots=True)
class Line:
    """A tie between two dots; faint ones only hint that something is there."""

    first: str
    second: str
    weight: float
    tip: str
    href: str
    colour: str
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """A group on one side of a flow (0 left, 1 right)."""

    key: str
    label: str
    tip: str
    href: str
    side: int
    colour: str


@dataclass(frozen=True, slots=True)
class Stream:
    """How many went from one stop to another."""

    source: str
    target: str
    value: int
    tip: str


def map_options(dots: Sequence[Dot], titles: Sequence[Title], lines: Sequence[Line]) -> dict[str, Any]:
    """Return the map: larger dots for more, thicker lines for stronger ties; the browser leaves out labels that collide."""
    most = max((dot.size for dot in dots), default=1.0) or 1.0
    heaviest = max((line.weight for line in lines), default=1.0) or 1.0
    return {
        "series": [
            {
                "type": "graph",
                "layout": "none",
                "roam": "move",
                "scaleLimit": {"min": 0.7, "max": 8},
                "left": 72,
                "right": 112,
                "top": 28,
                "bottom": 20,
                "data": [
                    *(_dot(dot, most) for dot in sorted(dots, key=lambda dot: -dot.size)),
                    *(_title(title) for title in titles),
                ],
                "links": [_line(line, heaviest) for line in lines],
                "label": {"show": True, "position": "right", "distance": 4, "overflow": "break"},
                "emphasis": {"focus": "adjacency", "lineStyle": {"opacity": 0.9}},
                "blur": {"itemStyle": {"opacity": 0.25}, "lineStyle": {"opacity": 0.06}},
            }
        ]
    }


def flow_options(stops: Sequence[Stop], streams: Sequence[Stream]) -> dict[str, Any]:
    """Return the flow from left to right, each stream in the colour of where it comes from."""
    return {
        "series": [
            {
                "type": "sankey",
                "left": 172,
                "right": 172,
                "top": 8,
                "bottom": 8,
                "nodeWidth": 12,
                "nodeGap": 12,
                "draggable": False,
                "layoutIterations": 0,
                "emphasis": {"focus": "adjacency"},
                "data": [
                    {
                        "name": stop.key,
                        "words": stop.label,
                        "tip": stop.tip,
                        "href": stop.href,
                        "depth": stop.side,
                        "itemStyle": {"color": token(stop.colour)},
                        "label": {"position": "right" if stop.side else "left"},
                    }
                    for stop in stops
                ],
                "links": [
                    {"source": one.source, "target": one.target, "value": one.value, "tip": one.tip}
                    for one in streams
                ],
                "label": {"show": True, "width": 160, "overflow": "break", "lineHeight": 15},
                "lineStyle": {"color": "source", "opacity": 0.35, "curveness": 0.5},
            }
        ]
    }


def _dot(dot: Dot, most: float) -> dict[str, Any]:
    size = _SMALLEST_DOT + (_LARGEST_DOT - _SMALLEST_DOT) * sqrt(max(0.0, dot.size) / most)
    return {
        "id": dot.key,
        "name": dot.label,
        "tip": dot.tip,
        "href": dot.href,
        "x": dot.x,
        "y": dot.y,
        "symbolSize": round(size, 1),
        "itemStyle": {"color": token(dot.colour)},
    }


def _title(title: Title) -> dict[str, Any]:
    return {
        "id": title.key,
        "name": title.label,
        "tip": title.label,
        "href": title.href,
        "title": True,
        "x": title.x,
        "y": title.y,
        # Of labels that collide the one of the larger mark stays: a title's is a plate as large as its words, not to be seen.
        "symbol": "rect",
        "symbolSize": [_TITLE_WIDTH, 17],
        "itemStyle": {"color": "transparent"},
        "label": {
            "position": ["50%", "100%"],
            "verticalAlign": "bottom",
            "fontWeight": 650,
            "lineHeight": 17,
            "fontSize": 13,
            "color": token(title.colour),
            "width": _TITLE_WIDTH,
            "overflow": "break",
            "align": "center",
        },
    }


def _line(line: Line, heaviest: float) -> dict[str, Any]:
    width = _THINNEST if line.faint else _THINNEST + (_THICKEST - _THINNEST) * line.weight / heaviest
    return {
        "source": line.first,
        "target": line.second,
        "tip": line.tip,
        "href": line.href,
        "lineStyle": {
            "color": token(line.colour),
            "width": round(width, 2),
            "opacity": 0.14 if line.faint else 0.45,
            "curveness": 0.06,
        },
    }

"""Figures for paper: the screens' small drawings with colours written out, as printers have no style sheets."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

_TOKENS = Path(__file__).parent / "static" / "css" / "tokens.css"
_LINE, _TRACK, _INK = "#c6cdc6", "#ecefeb", "#16201a"


@cache
def _light() -> dict[str, str]:
    """Return the colours of the light theme, which stands first in the style sheet, by their names."""
    found: dict[str, str] = {}
    for name, value in re.findall(r"--([\w-]+):\s*(#[0-9a-fA-F]{6})", _TOKENS.read_text(encoding="utf-8")):
        found.setdefault(name, value)
    return found


def colour(series: str) -> str:
    """Return the colour that palette entry `series` ("0" to "11", or "rest") has on the screens."""
    return _light()[f"series-{series}"]


def interval(
    low: float, value: float, high: float, *, bounds: tuple[float, float], label: str, width: int = 150
) -> Markup:
    """Return an estimate as a dot on its interval, on a scale that reaches over `bounds` and shows zero."""
    start, end = min(bounds[0], 0.0), max(bounds[1], 0.0)

    def at(amount: float) -> float:
        return round(4 + (max(start, min(end, amount)) - start) / ((end - start) or 1.0) * (width - 8), 1)

    return _svg(
        f'<line x1="{at(0)}" x2="{at(0)}" y1="0" y2="14" stroke="{_LINE}"/>'
        f'<line x1="{at(low)}" x2="{at(high)}" y1="7" y2="7" stroke="{_INK}" stroke-width="1.4"/>'
        f'<line x1="{at(low)}" x2="{at(low)}" y1="4" y2="10" stroke="{_INK}"/>'
        f'<line x1="{at(high)}" x2="{at(high)}" y1="4" y2="10" stroke="{_INK}"/>'
        f'<circle cx="{at(value)}" cy="7" r="3.4" fill="{colour("0")}"/>',
        width,
        14,
        label,
    )


def against(
    low: float,
    value: float,
    high: float,
    other: float,
    *,
    maximum: float,
    series: str,
    label: str,
    width: int = 190,
) -> Markup:
    """Return `value` as a bar with its interval, and `other` as a mark across it."""

    def at(amount: float) -> float:
        return round(max(0.0, min(1.0, amount / (maximum or 1.0))) * (width - 4) + 1, 1)

    return _svg(
        f'<rect y="3" width="{width}" height="7" rx="1.5" fill="{_TRACK}"/>'
        f'<rect y="3" width="{max(at(value), 2)}" height="7" rx="1.5" fill="{colour(series)}"/>'
        f'<line x1="{at(low)}" x2="{at(high)}" y1="12.5" y2="12.5" stroke="{_INK}" stroke-width="0.8"/>'
        f'<line x1="{at(other)}" x2="{at(other)}" y1="0" y2="13" stroke="{_INK}" stroke-width="1.6"/>',
        width,
        14,
        label,
    )


def gap(low: float, value: float, high: float, *, most: float, label: str, width: int = 230) -> Markup:
    """Return `value` as a bar to one side of zero with its interval, on a scale of `most` to either side."""

    def at(amount: float) -> float:
        return round(width / 2 + max(-1.0, min(1.0, amount / (most or 1.0))) * (width / 2 - 2), 1)

    left, right = sorted((at(0), at(value)))
    return _svg(
        f'<rect x="{left}" y="3" width="{max(right - left, 1)}" height="8" fill="{colour("1" if value < 0 else "0")}"/>'
        f'<line x1="{at(low)}" x2="{at(high)}" y1="7" y2="7" stroke="{_INK}" stroke-width="0.8"/>'
        f'<line x1="{at(0)}" x2="{at(0)}" y1="0" y2="14" stroke="{_INK}" stroke-width="0.8"/>',
        width,
        14,
        label,
    )


def columns(
    lower: Sequence[float], upper: Sequence[float], *, label: str, width: int = 500, height: int = 70
) -> Markup:
    """Return standing columns: `lower` in green, `upper` in grey upon it."""
    most = max((one + other for one, other in zip(lower, upper, strict=True)), default=0) or 1.0
    step = width / max(len(lower), 1)
    parts = []
    for at, (one, other) in enumerate(zip(lower, upper, strict=True)):
        below, above = (max(amount, 0) / most * (height - 2) for amount in (one, other))
        x, wide = round(at * step, 1), round(step * 0.72, 1)
        parts.append(
            f'<rect x="{x}" y="{height - below:.1f}" width="{wide}" height="{below:.1f}" fill="{colour("0")}"/>'
            f'<rect x="{x}" y="{height - below - above:.1f}" width="{wide}" height="{above:.1f}" fill="{_LINE}"/>'
        )
    return _svg("".join(parts), width, height, label)


def _svg(inner: str, width: int, height: int, label: str) -> Markup:
    return Markup(  # noqa: S704 - numbers and colours of ours, and every word escaped
        f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(label)}">{inner}</svg>'
    )

"""Small figures in cells and tiles, drawn as SVG on the server and coloured by the style sheet."""

from collections.abc import Sequence

from markupsafe import Markup, escape


def sparkline(
    values: Sequence[float], *, label: str, width: int = 88, height: int = 20, series: str = ""
) -> Markup:
    """Return the course of `values` as a line with its last point marked; `label` says it in words."""
    if len(values) < 2:
        return Markup("")
    low, high = min(0.0, *values), max(values)
    spread = (high - low) or 1.0
    step = (width - 4) / (len(values) - 1)
    points = [
        (round(2 + index * step, 1), round(height - 2 - (value - low) / spread * (height - 4), 1))
        for index, value in enumerate(values)
    ]
    line = " ".join(f"{x},{y}" for x, y in points)
    first, last = points[0][0], points[-1]
    return _svg(
        f'<polygon class="spark-area" points="{first},{height} {line} {last[0]},{height}"/>'
        f'<polyline class="spark-line" points="{line}"/>'
        f'<circle class="spark-end" cx="{last[0]}" cy="{last[1]}" r="1.75"/>',
        width=width,
        height=height,
        label=label,
        series=series,
    )


def bar(
    value: float, maximum: float, *, label: str, width: int = 96, height: int = 8, series: str = ""
) -> Markup:
    """Return `value` as a bar on a track that ends at `maximum`."""
    share = max(0.0, min(1.0, value / maximum)) if maximum > 0 else 0.0
    filled = round(max(share * width, 2 if value > 0 else 0), 1)
    return _svg(
        f'<rect class="bar-track" width="{width}" height="{height}" rx="2"/>'
        f'<rect class="bar-fill" width="{filled}" height="{height}" rx="2"/>',
        width=width,
        height=height,
        label=label,
        series=series,
    )


def interval(
    low: float,
    value: float,
    high: float,
    *,
    bounds: tuple[float, float],
    label: str,
    width: int = 120,
    height: int = 16,
) -> Markup:
    """Return an estimate as a dot on its interval, on a scale that reaches over `bounds` and shows zero."""
    start, end = min(bounds[0], 0.0), max(bounds[1], 0.0)
    spread = (end - start) or 1.0

    def at(amount: float) -> float:
        return round(4 + (max(start, min(end, amount)) - start) / spread * (width - 8), 1)

    middle = height / 2
    return _svg(
        f'<line class="bar-zero" x1="{at(0)}" x2="{at(0)}" y1="0" y2="{height}"/>'
        f'<line class="bar-range" x1="{at(low)}" x2="{at(high)}" y1="{middle}" y2="{middle}"/>'
        f'<line class="bar-range" x1="{at(low)}" x2="{at(low)}" y1="{middle - 3}" y2="{middle + 3}"/>'
        f'<line class="bar-range" x1="{at(high)}" x2="{at(high)}" y1="{middle - 3}" y2="{middle + 3}"/>'
        f'<circle class="bar-fill" cx="{at(value)}" cy="{middle}" r="3.5"/>',
        width=width,
        height=height,
        label=label,
    )


def _svg(inner: str, *, width: int, height: int, label: str, series: str = "") -> Markup:
    extra = f" series-{series}" if series != "" else ""
    return Markup(  # noqa: S704 - numbers of ours, and every word escaped
        f'<svg class="inline{escape(extra)}" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label="{escape(label)}">{inner}</svg>'
    )

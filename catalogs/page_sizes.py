"""A design for other sizes of paper: places are scaled, type is not scaled as much, so that it stays readable."""

from collections.abc import Mapping
from typing import Any

ACROSS, DOWN = ("x", "w"), ("y", "h")


def sized(written: Mapping[str, Any], size: str, *, bleed: float) -> dict[str, Any]:
    """
    Return what theme.toml says, for pages of `size`.

    A4 is as it is written. Another size has its `page`, how much of their size letters keep (`type`) and
    the `smallest` there may be, and layouts, cells and styles of its own where scaling is not enough.
    `drawn` is what the drawings of grounds count in: millimetres of the A4 page, `canvas` its extent
    with the `bleed` (millimetres), and `bleed` how far that goes beyond the page across and down.
    """
    data = dict(written)
    width, height = written["page"]
    if size != "A4":
        other = written["sizes"][size]
        data["page"] = other["page"]
        across, down = other["page"][0] / width, other["page"][1] / height
        for kind in ("layouts", "cells"):
            scaled = {name: _placed(entry, across, down) for name, entry in written[kind].items()}
            data[kind] = scaled | other.get(kind, {})
        styles = {name: _lettered(entry, other, across) for name, entry in written["styles"].items()}
        data["styles"] = styles | other.get("styles", {})
    beyond = [bleed * width / data["page"][0], bleed * height / data["page"][1]]
    data["drawn"] = {"page": [width, height], "layouts": written["layouts"], "cells": written["cells"]}
    data["bleed"] = beyond
    data["canvas"] = [width + 2 * beyond[0], height + 2 * beyond[1]]
    return data


def _placed(entry: Any, across: float, down: float) -> Any:
    """Return places of a layout or a cell on smaller paper."""
    if isinstance(entry, Mapping):
        return {
            key: round(value * (across if key in ACROSS else down), 3)
            if key in ACROSS + DOWN
            else _placed(value, across, down)
            for key, value in entry.items()
        }
    return [_placed(part, across, down) for part in entry] if isinstance(entry, list) else entry


def _lettered(entry: Mapping[str, Any], other: Mapping[str, Any], across: float) -> dict[str, Any]:
    """Return a style with smaller letters, none smaller than what can be read: `smallest`, which a paragraph may say itself."""

    def smaller(point: float, smallest: float) -> float:
        return round(max(min(point, smallest), point * float(other["type"])), 1)

    usual = float(other["smallest"])

    style = dict(entry)
    if "price" in entry:
        price = entry["price"]
        style["price"] = price | {
            "largest": round(price["largest"] * across, 1),
            "unit_size": smaller(price["unit_size"], usual),
        }
    if "paragraphs" in entry:
        style["paragraphs"] = [
            paragraph
            | {
                "sizes": sorted(
                    {smaller(size, float(paragraph.get("smallest", usual))) for size in paragraph["sizes"]},
                    reverse=True,
                ),
                "gap": paragraph.get("gap", 0) * across,
            }
            for paragraph in entry["paragraphs"]
        ]
    return style

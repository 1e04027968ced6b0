"""A theme shown on dummy data, for whoever designs or chooses one."""

import json
from datetime import date
from typing import Any

from catalogs.booklets import Issue, Offer, Pick, Reader, make_booklet
from catalogs.layouts import Theme
from catalogs.pages import Booklet
from core.money import Money


def preview_booklet(theme: Theme, language: str, *, colour: int = 0, offers: int | None = None) -> Booklet:
    """Return a booklet of `theme`'s own dummy data in `language`, with at most `offers` offers of the group."""
    dummy = _dummy(theme)
    issue, picks, news = preview_parts(theme, language, colour=colour, offers=offers)
    reader = Reader(dummy["reader"][language], language, dummy["points"], dummy["card_number"])
    return make_booklet(theme, issue, reader, picks=picks, news=news)


def preview_parts(
    theme: Theme, language: str, *, colour: int = 0, offers: int | None = None
) -> tuple[Issue, tuple[Pick, ...], tuple[Pick, ...]]:
    """Return the dummy issue of `theme`, picks and news."""
    dummy = _dummy(theme)
    currency = dummy["currency"][language]
    first = date.fromisoformat(dummy["valid_from"])

    def offer(number: int, row: list[Any]) -> Offer:
        name, category, price, unit = row[:4]
        money = Money(round(price * dummy["rate"][currency]), currency)
        return Offer(number, name, category, None, None, None, unit, None, money, listed=True)

    def chosen(start: int, rows: list[list[Any]]) -> tuple[Pick, ...]:
        return tuple(Pick(offer(start + number, row), row[4], day=first) for number, row in enumerate(rows))

    issue = Issue(
        colour=colour,
        categories=tuple(dict.fromkeys(row[1] for row in dummy["offers"])),
        shop=dummy["shop"],
        valid_from=first,
        valid_to=date.fromisoformat(dummy["valid_to"]),
        offers=tuple(offer(number, row) for number, row in enumerate(dummy["offers"][:offers])),
    )
    return issue, chosen(100, dummy["picks"]), chosen(200, dummy["news"])


def _dummy(theme: Theme) -> dict[str, Any]:
    loaded = json.loads((theme.folder / "dummy.json").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded

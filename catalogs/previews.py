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
    dummy = json.loads((theme.folder / "dummy.json").read_text(encoding="utf-8"))
    currency = dummy["currency"][language]
    rate = dummy["rate"][currency]

    def offer(number: int, row: list[Any]) -> Offer:
        name, category, price, unit = row[:4]
        money = Money(round(price * rate), currency)
        return Offer(number, name, category, None, None, None, unit, None, money, listed=True)

    def pick(number: int, row: list[Any]) -> Pick:
        return Pick(offer(number, row), row[4], day=date.fromisoformat(dummy["valid_from"]))

    issue = Issue(
        colour=colour,
        categories=tuple(dict.fromkeys(row[1] for row in dummy["offers"])),
        shop=dummy["shop"],
        valid_from=date.fromisoformat(dummy["valid_from"]),
        valid_to=date.fromisoformat(dummy["valid_to"]),
        offers=tuple(offer(number, row) for number, row in enumerate(dummy["offers"][:offers])),
    )
    reader = Reader(dummy["reader"][language], language, dummy["points"], dummy["card_number"])
    picks = [pick(100 + number, row) for number, row in enumerate(dummy["picks"])]
    news = [pick(200 + number, row) for number, row in enumerate(dummy["news"])]
    return make_booklet(theme, issue, reader, picks=picks, news=news)

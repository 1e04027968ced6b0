"""A theme shown on dummy data, for whoever designs or chooses one."""

import json
from datetime import date, timedelta
from typing import Any

from catalogs.booklets import make_booklet
from catalogs.issues import Issue, Offer, Pick, Reader, Reduced
from catalogs.layouts import Theme
from catalogs.pages import Booklet, PrintedVoucher
from core.money import Money

LATELY = timedelta(days=11)
"""So long before the period the dummy reader bought what is said to be bought lately."""


def preview_booklet(theme: Theme, language: str, *, colour: int = 0, offers: int | None = None) -> Booklet:
    """Return a booklet of `theme`'s own dummy data in `language`, with at most `offers` offers of the group."""
    dummy = _dummy(theme)
    issue, picks, news = preview_parts(theme, language, colour=colour, offers=offers)
    reader = Reader(
        dummy["reader"][language],
        language,
        dummy["points"],
        dummy["card_number"],
        dummy["tier"][language],
        dummy["copy_code"],
    )
    vouchers = preview_vouchers(theme, language)
    return make_booklet(theme, issue, reader, picks=picks, news=news, vouchers=vouchers)


def preview_vouchers(theme: Theme, language: str) -> tuple[PrintedVoucher, ...]:
    """Return the dummy vouchers of `theme`."""
    dummy = _dummy(theme)
    currency = dummy["currency"][language]

    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money(_round(minor * dummy["rate"][currency]), currency)

    return tuple(
        PrintedVoucher(
            code,
            names[language],
            money(value),
            money(minimum),
            date.fromisoformat(dummy["valid_to"]) - timedelta(days=1),
            symbology,
        )
        for code, names, value, minimum, symbology in dummy["vouchers"]
    )


def _round(minor: float) -> int:
    """Return an amount as shops set it: whole tens of minor units."""
    return round(minor / 10) * 10


def preview_parts(
    theme: Theme, language: str, *, colour: int = 0, offers: int | None = None
) -> tuple[Issue, tuple[Pick, ...], tuple[Pick, ...]]:
    """Return the dummy issue of `theme`, picks and news."""
    dummy = _dummy(theme)
    currency = dummy["currency"][language]
    first = date.fromisoformat(dummy["valid_from"])

    def offer(number: int, row: list[Any]) -> Offer:
        name, category, price, unit = row[:4]
        rate = dummy["rate"][currency]
        reduced = None
        if old := dummy["old_prices"].get(name):
            before = Money(_round(old * rate), currency)
            reduced = Reduced(before, before)
        money = Money(_round(price * rate), currency)
        return Offer(
            number, name, category, None, None, None, unit, None, money, listed=True, reduced=reduced
        )

    def chosen(start: int, rows: list[list[Any]]) -> tuple[Pick, ...]:
        return tuple(
            Pick(offer(start + number, row), row[4], day=first - LATELY) for number, row in enumerate(rows)
        )

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

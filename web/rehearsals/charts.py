"""Charts of a rehearsal, each with what it shows said in its title."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from babel.numbers import get_currency_precision

from web.charts import Axis, Chart, Series, bar_options, column_options
from web.words import date_text, day_month, money_text, money_whole, number_text, percent_text
from web.words import gettext as _

Results = Mapping[str, Any]
MOST_BARS: Final = 12
MOST_DAYS: Final = 92
"""Beyond so many days a column stands for a week."""


def charts_of(
    found: Results, *, currency: str, stores: Mapping[str, str], group_words: Callable[[str | None], str]
) -> list[Chart]:
    """Return the charts that have something to show."""
    made = [
        cost_chart(found, currency) if found["days"] else None,
        store_chart(found, currency, stores) if len(found["stores"]) > 1 else None,
        group_chart(found["winners"], currency, group_words)
        if any(one["group_id"] for one in found["winners"]["groups"])
        else None,
        band_chart(found["winners"], currency) if found["winners"]["bands"] else None,
        margin_chart(found["margin"], currency) if found["margin"]["known"] else None,
    ]
    return [one for one in made if one is not None]


def cost_chart(found: Results, currency: str) -> Chart:
    """Return discounts, and what else was given, per day; per week where there are many days."""
    days = found["days"]
    weekly = len(days) > MOST_DAYS
    sums: dict[date, list[int]] = defaultdict(lambda: [0, 0, 0])
    for one in days:
        day = date.fromisoformat(one["day"])
        of = sums[day - timedelta(days=day.weekday()) if weekly else day]
        for place, name in enumerate(("discount", "worth", "baskets")):
            of[place] += one[name]
    ordered = sorted(sums)
    whole = found["discount"] + found["worth"]
    highest = max(ordered, key=lambda day: sums[day][0] + sums[day][1])
    words = {"amount": money_whole(whole / len(ordered), currency), "day": date_text(highest)}
    title = (
        _("It gives away about %(amount)s a week, most in the week of %(day)s", **words)
        if weekly
        else _("It gives away about %(amount)s a day, most on %(day)s", **words)
    )
    series = [
        Series(_("Discounts"), [sums[day][0] for day in ordered], "0"),
        Series(_("Points, gifts, vouchers"), [sums[day][1] for day in ordered], "1"),
    ]
    return Chart(
        key="cost",
        title=title,
        note=_("Per week from Monday") if weekly else _("Per day on which it gives something"),
        options=column_options(
            [day_month(day) for day in ordered],
            [one for one in series if any(one.values)] or series[:1],
            _money(currency),
        ),
        head=(
            _("Week of") if weekly else _("Day"),
            _("Discounts"),
            _("Points, gifts, vouchers"),
            _("Baskets"),
        ),
        rows=tuple(
            (
                date_text(day),
                money_text(sums[day][0], currency),
                money_text(sums[day][1], currency),
                number_text(sums[day][2]),
            )
            for day in ordered
        ),
    )


def store_chart(found: Results, currency: str, stores: Mapping[str, str]) -> Chart:
    """Return the stores that give most."""
    ordered = sorted(found["stores"], key=lambda one: (-_given(one), one["store_code"]))
    whole = sum(_given(one) for one in ordered) or 1
    shown = ordered[:MOST_BARS]
    first = stores.get(shown[0]["store_code"], shown[0]["store_code"])
    share = percent_text(_given(shown[0]) / whole, 1)
    return Chart(
        key="stores",
        title=_("%(store)s gives most: %(share)s of all", store=first, share=share),
        note=_("What it gives away, by store"),
        options=bar_options(
            [stores.get(one["store_code"], one["store_code"]) for one in shown],
            [_given(one) for one in shown],
            ["0"] * len(shown),
            _money(currency),
        ),
        head=(_("Store"), _("Given away"), _("Baskets")),
        rows=tuple(
            (
                stores.get(one["store_code"], one["store_code"]),
                money_text(_given(one), currency),
                number_text(one["baskets"]),
            )
            for one in ordered
        ),
        height=_height(len(shown)),
    )


def group_chart(winners: Results, currency: str, group_words: Callable[[str | None], str]) -> Chart:
    """Return which shopper groups gain most."""
    groups = winners["groups"][:MOST_BARS]
    first, share = groups[0], groups[0]["gain"] / (winners["gain"] or 1)
    return Chart(
        key="groups",
        title=_(
            "%(group)s: %(share)s of what is given",
            group=group_words(first["group_id"]),
            share=percent_text(share),
        ),
        note=_(
            "Gain by shopper group; groups of fewer than %(count)s people are not told apart",
            count=winners["fewest"],
        ),
        options=bar_options(
            [group_words(one["group_id"]) for one in groups],
            [one["gain"] for one in groups],
            [str(number % MOST_BARS) for number in range(len(groups))],
            _money(currency),
        ),
        head=(_("Shopper group"), _("Gain"), _("Members"), _("Baskets")),
        rows=tuple(
            (
                group_words(one["group_id"]),
                money_text(one["gain"], currency),
                number_text(one["accounts"]),
                number_text(one["baskets"]),
            )
            for one in groups
        ),
        height=_height(len(groups)),
    )


def band_chart(winners: Results, currency: str) -> Chart:
    """Return how many members gain how much."""
    bands = winners["bands"]
    labels = [band_words(band, currency) for band in bands]
    return Chart(
        key="bands",
        title=_(
            "%(members)s members gain, half of them less than %(amount)s",
            members=number_text(winners["accounts"]),
            amount=money_text(winners["median"], currency),
        ),
        note=_("Members by what they gain in all"),
        options=column_options(
            labels, (Series(_("Members"), [band["accounts"] for band in bands], "4"),), Axis()
        ),
        head=(_("Gain"), _("Members"), _("Gain of all")),
        rows=tuple(
            (label, number_text(band["accounts"]), money_text(band["gain"], currency))
            for label, band in zip(labels, bands, strict=True)
        ),
    )


def band_words(band: Mapping[str, int], currency: str) -> str:
    """Return a band of gains as people read it."""
    return f"{money_whole(band['from'], currency)} \N{EN DASH} {money_whole(band['to'], currency)}"


def margin_chart(margin: Results, currency: str) -> Chart:
    """Return what the touched baskets leave, before and after."""
    before, after = margin["before"], margin["after"]
    words = {"amount": money_whole(abs(before - after), currency)}
    if after < 0:
        title = _("The baskets it touches would be sold below their cost")
    elif before > 0:
        title = _("%(share)s of the margin is left", share=percent_text(after / before))
    else:
        title = _("The margin changes by %(amount)s", **words)
    return Chart(
        key="margin",
        title=title,
        note=_(
            "Before tax and without the cost of the articles; %(known)s touched baskets whose cost is known, %(unknown)s are left out",
            known=number_text(margin["known"]),
            unknown=number_text(margin["unknown"]),
        ),
        options=bar_options(
            [_("With the live offers alone"), _("With this one as well")],
            [before, after],
            ["rest", "0"],
            _money(currency),
        ),
        head=("", _("Margin"), _("Baskets below zero"), _("What they lack")),
        rows=(
            (
                _("With the live offers alone"),
                money_text(before, currency),
                number_text(margin["below_before"]),
                money_text(margin["lack_before"], currency),
            ),
            (
                _("With this one as well"),
                money_text(after, currency),
                number_text(margin["below_after"]),
                money_text(margin["lack_after"], currency),
            ),
        ),
        height="short",
    )


def _given(cell: Mapping[str, int]) -> int:
    return cell["discount"] + cell["worth"]


def _height(bars: int) -> Any:
    return "short" if bars <= 4 else "normal" if bars <= 8 else "tall"


def _money(currency: str) -> Axis:
    return Axis("money", currency, 10 ** get_currency_precision(currency))

"""What a group's charts say: how strongly its members belong, what they buy, when they come, how it grew."""

from collections.abc import Mapping, Sequence
from math import floor, log2
from typing import Any, Final

from babel.dates import get_day_names
from flask import url_for
from markupsafe import Markup

from basket_analysis.groups.lists import GroupDay, GroupView
from basket_analysis.groups.portraits import CategoryShare, Habits, Portrait
from basket_analysis.groups.profiles import FEWEST_SHOWN
from web.charts import Axis, Chart, Series, bar_options, column_options, line_options, token
from web.groups.shown import GroupsShown, colour_of, name_of
from web.words import date_text, day_month, language, money_whole, number_text, percent_text, readable
from web.words import gettext as _

_CLEAR_STRENGTH: Final = 4
_STEPS: Final = 15
_TELLING: Final = 0.03
"""Points of share by which a weekday or an hour must differ before it is worth a chart."""

_BARS: Final = 9
_STEADY: Final = 0.02


def people(number: int) -> str:
    """Return a number of people; below ten nobody is told how many."""
    return (
        number_text(number)
        if number >= FEWEST_SHOWN
        else _("fewer than %(number)s", number=number_text(FEWEST_SHOWN))
    )


def stayed(groups: Sequence[GroupView]) -> str:
    """
    Return which share of members stayed in their group, the mean of `groups`; empty where none was compared.

    Where few came to one of them it is what the share is at least, so that nobody can tell how few.
    """
    shares = [group.kept_at_least if group.kept is None else group.kept for group in groups]
    known = [share for share in shares if share is not None]
    if not known:
        return ""
    mean = sum(known) / len(known)
    if all(group.kept_at_least is None for group in groups):
        return percent_text(mean)
    return f"\N{GREATER-THAN OR EQUAL TO} {percent_text(floor(100 * mean) / 100)}"


def buying_chart(group: GroupView, portrait: Portrait) -> Chart | None:
    """Return what the group buys more and less often than everybody; None where nothing differs clearly."""
    over, under = portrait.over[:_BARS], portrait.under[:_BARS]
    if not over and not under:
        return None
    shown = sorted((*over, *under), key=lambda one: -one.ratio)
    if over:
        title = _(
            "Buys %(item)s %(times)s times as often as everybody with baskets of that size",
            item=readable(shown[0].item),
            times=number_text(round(shown[0].ratio, 1), 1),
        )
    else:
        title = _(
            "Buys %(item)s less often than everybody: %(times)s times",
            item=readable(shown[-1].item),
            times=number_text(round(shown[-1].ratio, 2), 2),
        )
    return Chart(
        key="buying",
        title=title,
        note=_(
            "Baskets with the category, by those expected if the group bought like everybody; 1 is like everybody"
        ),
        options=_ratios(shown, colour_of(group)),
        head=(
            _("Category"),
            _("Times everybody"),
            _("Baskets"),
            _("Expected"),
            _("Members who buy it"),
            _("Share of baskets"),
            _("Share in the chain"),
        ),
        rows=tuple(_category_row(one) for one in (*portrait.over, *reversed(portrait.under))),
        height="tall" if len(shown) > 7 else "normal",
        links=tuple(url_for("rules.index", q=one.item, level="category") for one in shown),
    )


def _category_row(one: CategoryShare) -> tuple[str, ...]:
    return (
        Markup('<a href="{}">{}</a>').format(url_for("rules.index", q=one.item, level="category"), one.item),
        number_text(round(one.ratio, 2), 2),
        number_text(one.baskets),
        number_text(round(one.expected)),
        number_text(one.members),
        percent_text(one.share, 1),
        percent_text(one.chain_share, 1),
    )


def _ratios(shown: Sequence[CategoryShare], colour: str) -> dict[str, Any]:
    """Return bars to the right for more and to the left for less: twice is as long as half."""
    options = bar_options(
        [readable(one.item) for one in shown],
        [round(log2(max(one.ratio, 0.02)), 3) for one in shown],
        [colour if one.ratio > 1 else "rest" for one in shown],
        Axis(),
    )
    for bar, one in zip(options["series"][0]["data"], shown, strict=True):
        bar["itemStyle"] = {"color": token(colour if one.ratio > 1 else "rest"), "borderRadius": 3}
        bar["label"] = {
            "formatter": f"{number_text(round(one.ratio, 1 if one.ratio > 1 else 2))} \N{MULTIPLICATION SIGN}",
            "position": "right" if one.ratio > 1 else "left",
            "color": "var(--text)",
            "textBorderWidth": 0,
        }
    options["series"][0]["label"] = {"show": True}
    options["tooltip"] = {"show": False}
    lengths = [abs(bar["value"]) for bar in options["series"][0]["data"]]
    room = 0.16 * max(lengths)
    lowest = min((bar["value"] for bar in options["series"][0]["data"]), default=0.0)
    options["xAxis"]["min"] = round(min(lowest, 0.0) - (room if lowest < 0 else 0.0), 3)
    options["grid"]["left"], options["grid"]["right"] = 8, 48
    options["yAxis"]["axisLabel"]["width"] = 220
    return options


def when_charts(group: GroupView, portrait: Portrait) -> list[Chart]:
    """Return the weekdays and the hours at which the group comes, where they tell something."""
    days = list(get_day_names("abbreviated", locale=language()).values())
    long = get_day_names("wide", locale=language())
    found = [
        _when(
            group,
            key="weekdays",
            shares=(_shares(portrait.habits.weekdays), _shares(portrait.everybody.weekdays)),
            places=range(1, 8),
            labels=days,
            told=lambda place: capital(long[place - 1]),
            head=_("Weekday"),
        ),
        _when(
            group,
            key="hours",
            shares=(_shares(portrait.habits.hours), _shares(portrait.everybody.hours)),
            places=range(24),
            labels=[f"{hour}" for hour in range(24)],
            told=lambda place: f"{place}:00\N{EN DASH}{place + 1}:00",
            head=_("Hour"),
        ),
    ]
    return [one for one in found if one is not None]


def _when(
    group: GroupView,
    *,
    key: str,
    shares: tuple[Mapping[int, float], Mapping[int, float]],
    places: range,
    labels: Sequence[str],
    told: Any,
    head: str,
) -> Chart | None:
    own, all_ = shares
    differences = {place: own[place] - all_.get(place, 0.0) for place in places if place in own}
    if not differences or max(map(abs, differences.values())) < _TELLING:
        return None
    most = max(differences, key=lambda place: differences[place])
    title = _(
        "%(when)s: %(share)s of its baskets, %(all)s of everybody's",
        when=told(most),
        share=percent_text(own[most]),
        all=percent_text(all_.get(most, 0.0)),
    )
    return Chart(
        key=key,
        title=title,
        note=_("Share of baskets; grey is everybody with a card"),
        options=column_options(
            labels,
            (
                Series(name_of(group), [own.get(place) for place in places], colour_of(group)),
                Series(_("Everybody"), [all_.get(place) for place in places], "rest"),
            ),
            Axis("percent"),
            stacked=False,
        ),
        head=(head, name_of(group), _("Everybody")),
        rows=tuple(
            (str(label), percent_text(own.get(place), 1), percent_text(all_.get(place), 1))
            for place, label in zip(places, labels, strict=True)
        ),
        height="short",
    )


def capital(words: str) -> str:
    """Return `words` with a capital first letter."""
    return words[:1].upper() + words[1:]


def _shares(counts: Mapping[int, int]) -> dict[int, float]:
    total = sum(counts.values())
    return {place: count / total for place, count in counts.items()} if total else {}


def habits_rows(habits: Habits, everybody: Habits) -> list[tuple[str, str, str]]:
    """Return what can be said of how a group shops: what, of the group, of everybody."""
    rows = [
        (
            _("Value per basket"),
            money_whole(value, currency),
            money_whole(everybody.per_basket.get(currency), currency),
        )
        for currency, value in sorted(habits.per_basket.items())
    ]
    rows.append((_("Different articles per basket"), _one(habits.articles), _one(everybody.articles)))
    rows.append((_("Days between visits"), _one(habits.gap), _one(everybody.gap)))
    rows.append((_("Visits per month"), _one(habits.per_month), _one(everybody.per_month)))
    return rows


def _one(value: float | None) -> str:
    return number_text(None if value is None else round(value, 1), 1)


def second_chart(group: GroupView, seconds: Sequence[tuple[str, int]], groups: GroupsShown) -> Chart | None:
    """Return the themes that come second for the members of a group."""
    known = [(groups.find(theme), members) for theme, members in seconds]
    themes = [(theme, members) for theme, members in known if theme is not None]
    if not themes:
        return None
    first, most = themes[0]
    return Chart(
        key="seconds",
        title=_(
            "%(theme)s comes second for %(share)s of the members",
            theme=name_of(first),
            share=percent_text(most / group.members if group.members else None),
        ),
        note=_("Members by the theme that fits them next best; where they might go"),
        options=bar_options(
            [name_of(theme) for theme, _members in themes],
            [members for _theme, members in themes],
            [colour_of(theme) for theme, _members in themes],
            Axis(),
        ),
        head=(_("Second theme"), _("Members")),
        rows=tuple((name_of(theme), number_text(members)) for theme, members in themes),
        links=tuple(url_for("groups.show", group_id=theme.group_id) for theme, _members in themes),
    )


def strengths_chart(group: GroupView, strengths: list[tuple[int, int]]) -> Chart | None:
    """Return how strongly members belong to a group; neighbouring steps are told together until each has ten."""
    steps = _folded(strengths)
    if len(steps) < 2:
        return None
    total = sum(count for _label, _first, count in steps)
    strong = sum(count for _label, first, count in steps if first >= _CLEAR_STRENGTH) / total
    return Chart(
        key="strengths",
        title=_("%(share)s of the members live by this theme clearly", share=percent_text(strong)),
        note=_(
            "Members by strength: how far above chance their baskets follow the theme; 4 and more is clear"
        ),
        options=column_options(
            [label for label, _first, _count in steps],
            (Series(_("Members"), [count for _label, _first, count in steps], colour_of(group)),),
            Axis(),
        ),
        head=(_("Strength"), _("Members")),
        rows=tuple((label, number_text(count)) for label, _first, count in steps),
        height="short",
    )


def _folded(strengths: list[tuple[int, int]]) -> list[tuple[str, int, int]]:
    """Return label, first step and members of each column, none of them with fewer than ten."""
    columns: list[list[int]] = []
    for step, count in strengths:
        if columns and (columns[-1][2] < FEWEST_SHOWN or len(columns) == _STEPS):
            columns[-1][1], columns[-1][2] = step + 1, columns[-1][2] + count
        else:
            columns.append([step, step + 1, count])
    if len(columns) > 1 and columns[-1][2] < FEWEST_SHOWN:
        last = columns.pop()
        columns[-1][1], columns[-1][2] = last[1], columns[-1][2] + last[2]
    return [
        (f"{first}\N{EN DASH}{end}" if place < len(columns) - 1 else f"{first}+", first, count)
        for place, (first, end, count) in enumerate(columns)
        if count >= FEWEST_SHOWN
    ]


def _in_steps(days: Sequence[GroupDay]) -> list[GroupDay]:
    """Return `days` (oldest first) with the newest size; another is told only where it is ten or more off all told."""
    told: list[int] = []
    kept: list[GroupDay] = []
    for day in reversed(days):
        nearest = min(told, key=lambda members: (abs(members - day.members), members), default=None)
        if nearest is None or abs(nearest - day.members) >= FEWEST_SHOWN:
            told.append(day.members)
            nearest = day.members
        kept.append(GroupDay(day.business_day, nearest))
    return kept[::-1]


def history_chart(group: GroupView, history: list[GroupDay]) -> Chart | None:
    """
    Return how large a group was night by night; nights with fewer than ten members are left out.

    Of two sizes told none differs by one to nine people: so few who came or left could be counted.
    """
    told = _in_steps([day for day in history if day.members >= FEWEST_SHOWN])
    if len(told) < 2:
        return None
    first, last = told[0], told[-1]
    change = (last.members - first.members) / first.members
    words = {"share": percent_text(abs(change)), "day": date_text(first.business_day)}
    if abs(change) < _STEADY:
        title = _("The group keeps its size since %(day)s", day=words["day"])
    elif change > 0:
        title = _("The group grew by %(share)s since %(day)s", **words)
    else:
        title = _("The group shrank by %(share)s since %(day)s", **words)
    return Chart(
        key="history",
        title=title,
        note=_("Members per night; a change of fewer than ten is not told"),
        options=line_options(
            [day_month(day.business_day) for day in told],
            (Series(name_of(group), [day.members for day in told], colour_of(group), area=True),),
            Axis(),
        ),
        head=(_("Night"), _("Members")),
        rows=tuple((date_text(day.business_day), number_text(day.members)) for day in told),
        height="short",
    )

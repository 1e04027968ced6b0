"""The map of the themes: what is bought together, drawn so that people can read it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from basket_analysis.groups.lists import GroupView
from basket_analysis.groups.naming import tidy
from basket_analysis.groups.theme_map import Place, ThemeMap, Tie, strongest
from basket_analysis.groups.theme_map_lists import LEVEL, theme_map
from web.charts import Chart
from web.groups.network_charts import Dot, Line, Title, map_options
from web.groups.rule_words import times
from web.groups.shown import GroupsShown, colour_of, groups_now, name_of
from web.state import transaction
from web.words import gettext as _
from web.words import ngettext, number_text, readable

blueprint = Blueprint("group_map", __name__, url_prefix="/groups/map")
_MOST_ROWS: Final = 250
_TITLE_ABOVE: Final = 0.8


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Draw the themes of the served run, or one of them; with its strongest ties, or all."""
    with transaction() as session:
        shown = groups_now(session)
        drawn = theme_map(session, run_id=shown.run_id) if shown.run_id else ThemeMap((), (), ())
    themed = {group.group_id: group for group in shown.groups if group.kind == "theme"}
    wanted = request.args.get("theme", "")
    chosen = themed.get(wanted)
    every = request.args.get("ties") == "all"
    chart = _chart(drawn, themed, chosen, every=every) if drawn.places else None
    return render_template(
        "screens/group_map.html",
        chart=chart,
        run=shown.run,
        networks=True,
        groups=[(group, name_of(group), colour_of(group)) for group in themed.values()],
        chosen=chosen,
        chosen_name=name_of(chosen) if chosen else "",
        every=every,
        outward=_outward(drawn, shown, chosen) if chosen else [],
    )


def _chart(
    drawn: ThemeMap, themed: Mapping[str, GroupView], chosen: GroupView | None, *, every: bool
) -> Chart:
    places = {
        place.item: place
        for place in drawn.places
        if place.group_id in themed and (chosen is None or place.group_id == chosen.group_id)
    }
    ties = tuple(tie for tie in drawn.ties if tie.first in places and tie.second in places)
    lines = ties if every else strongest(ties)
    labels = labels_of(places)
    titles = [] if chosen else _titles(drawn, themed)
    return Chart(
        key="map",
        title=_finding(places, ties, themed, chosen),
        note=_(
            "A dot is a category, larger for more baskets; a line is a rule, thicker the further from chance. Point at a dot to see what it is tied to, click to read its rules."
        ),
        options=map_options(
            [_dot(place, themed[place.group_id], labels[place.item]) for place in places.values()],
            titles,
            [_line(tie, places, themed) for tie in lines],
        ),
        head=(_("Rule"), _("Themes"), _("Times chance"), _("Baskets"), _("Households")),
        rows=tuple(_row(tie, places, themed) for tie in ties[:_MOST_ROWS]),
        height="map",
    )


def _finding(
    places: Mapping[str, Place],
    ties: tuple[Tie, ...],
    themed: Mapping[str, GroupView],
    chosen: GroupView | None,
) -> str:
    if chosen is None:
        between = sum(1 for tie in ties if places[tie.first].group_id != places[tie.second].group_id)
        return _(
            "%(ties)s ties make %(themes)s of %(items)s categories; %(between)s ties lead from one theme to another",
            ties=number_text(len(ties)),
            themes=ngettext("%(num)s theme", "%(num)s themes", len(themed)),
            items=number_text(len(places)),
            between=number_text(between),
        )
    degree: dict[str, float] = {}
    for tie in ties:
        for item in (tie.first, tie.second):
            degree[item] = degree.get(item, 0.0) + tie.weight
    if not degree:
        return name_of(chosen)
    heart = max(sorted(degree), key=lambda item: degree[item])
    return _("%(item)s is the heart of %(theme)s", item=readable(heart), theme=name_of(chosen))


def labels_of(items: Iterable[str]) -> dict[str, str]:
    """Return words short enough for a map; items that would be called alike keep what tells them apart."""
    short = {item: tidy(item) or item for item in items}
    often = Counter(words.casefold() for words in short.values())
    return {
        item: readable(item) if often[words.casefold()] > 1 else words[:1].upper() + words[1:]
        for item, words in short.items()
    }


def _titles(drawn: ThemeMap, themed: Mapping[str, GroupView]) -> list[Title]:
    tops: dict[str, float] = {}
    for place in drawn.places:
        tops[place.group_id] = min(tops.get(place.group_id, place.y), place.y)
    return [
        Title(
            key=f"theme {island.group_id}",
            label=name_of(themed[island.group_id]),
            href=url_for("groups.show", group_id=island.group_id),
            x=island.x,
            y=tops[island.group_id] - _TITLE_ABOVE,
            colour=colour_of(themed[island.group_id]),
        )
        for island in drawn.islands
        if island.group_id in themed
    ]


def _dot(place: Place, group: GroupView, label: str) -> Dot:
    return Dot(
        key=place.item,
        label=label,
        tip="\n".join(
            (
                readable(place.item),
                name_of(group),
                ngettext("%(num)s basket", "%(num)s baskets", place.baskets),
            )
        ),
        href=_rules_of(place.item),
        x=place.x,
        y=place.y,
        size=place.baskets,
        colour=colour_of(group),
    )


def _line(tie: Tie, places: Mapping[str, Place], themed: Mapping[str, GroupView]) -> Line:
    one, other = places[tie.first].group_id, places[tie.second].group_id
    return Line(
        first=tie.first,
        second=tie.second,
        weight=tie.weight,
        tip=f"{_both(tie)}\n{_evidence(tie)}",
        href=url_for("rules.show", rule_number=tie.rule_number),
        colour=colour_of(themed[one]) if one == other else "rest",
        faint=one != other,
    )


def _evidence(tie: Tie) -> str:
    return _(
        "%(times)s chance, %(baskets)s of %(households)s",
        times=times(tie.adjusted_lift),
        baskets=ngettext("%(num)s basket", "%(num)s baskets", tie.count),
        households=ngettext("%(num)s household", "%(num)s households", tie.households),
    )


def _both(tie: Tie) -> str:
    return f"{readable(tie.first)} + {readable(tie.second)}"


def _row(tie: Tie, places: Mapping[str, Place], themed: Mapping[str, GroupView]) -> tuple[str, ...]:
    groups = {places[tie.first].group_id, places[tie.second].group_id}
    return (
        Markup('<a href="{}">{}</a>').format(url_for("rules.show", rule_number=tie.rule_number), _both(tie)),
        " \N{LEFT RIGHT ARROW} ".join(sorted(name_of(themed[group]) for group in groups)),
        times(tie.adjusted_lift),
        number_text(tie.count),
        number_text(tie.households),
    )


def _outward(
    drawn: ThemeMap, shown: GroupsShown, chosen: GroupView
) -> list[tuple[str, str, str, Markup | str]]:
    """Return the ties that lead out of a theme: words, evidence, address, and the other theme."""
    group_of = {place.item: place.group_id for place in drawn.places}
    found: list[tuple[str, str, str, Markup | str]] = []
    for tie in drawn.ties:
        one, other = group_of[tie.first], group_of[tie.second]
        if one != other and chosen.group_id in {one, other}:
            away = other if one == chosen.group_id else one
            href = url_for("rules.show", rule_number=tie.rule_number)
            found.append((_both(tie), _evidence(tie), href, shown.mark(away, link=True)))
    return found[:12]


def _rules_of(item: str) -> str:
    return url_for("rules.index", q=item, level=LEVEL)

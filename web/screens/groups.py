"""Shopper groups: all of them, and one with its rules in words, its members and its history."""

from collections.abc import Mapping

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from basket_analysis.groups.lists import (
    GroupView,
    group_of_run,
    history_of_group,
    rules_in_all,
    rules_in_group,
    rules_of_group,
    strengths_of_group,
)
from basket_analysis.groups.portraits import portrait_of_group, second_themes
from basket_analysis.groups.profiles import FEWEST_SHOWN
from core.errors import NotFound
from core.keyset import Ask, Page
from customers.standing_counts import standing_counts, standings_by_group
from web.cells import group_name
from web.charts import Axis, Chart, bar_options
from web.export import respond
from web.figures import bar
from web.groups import findings as group_findings
from web.groups import shown as groups_shown
from web.groups import standing_tables
from web.groups.shown import colour_of, groups_now, name_of, warning
from web.state import transaction
from web.tables import Column, Empty, Table
from web.words import gettext as _
from web.words import ngettext, number_text, percent_text, readable

blueprint = Blueprint("groups", __name__, url_prefix="/groups")
_MOST_BARS = 14
_RULES_SHOWN = 12
Phases = Mapping[str, Mapping[str, int | None]]


class NoGroupsYet(NotFound):
    """No run is served."""


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show the groups of the served run."""
    with transaction() as session:
        shown = groups_now(session)
        rules = rules_in_all(session, run_id=shown.run.run_id) if shown.run else 0
        phases = standings_by_group(session, run_id=shown.run.run_id) if shown.run else {}
        warned = warning(session)
    groups = list(shown.groups)
    most = max((group.members for group in groups), default=1)
    table = Table(
        name="groups",
        default_sort="-members",
        columns=_columns(most, phases),
        fetch=lambda ask: _page(groups, ask),
        href=lambda group: url_for("groups.show", group_id=group.group_id),
        in_panel=False,
        empty=Empty(
            _("No groups yet"),
            _(
                "The night finds them: from rules about what is bought together, to themes, to the members who live by them."
            ),
            "shapes",
            command="regulars night --date YYYY-MM-DD",
        ),
    )
    themed = [group for group in groups if group.kind == "theme"]
    return respond(
        "screens/groups.html",
        table,
        chart=_sizes(groups) if themed else None,
        run=shown.run,
        warned=warned,
        rules=rules,
        themed=themed,
        # Without groups too small to be told: the sum less the others would tell of them.
        members=sum(group.told_members or 0 for group in groups),
        in_theme=sum(group.members for group in themed),
        stayed=group_findings.stayed(themed),
    )


@blueprint.get("/<group_id>")
def show(group_id: str) -> ResponseReturnValue:
    """Show one group: what it buys, how it shops, who is in it, and the rules that make it."""
    with transaction() as session:
        shown = groups_now(session)
        if shown.run is None:
            raise NoGroupsYet("No night has formed groups yet")
        run_id = shown.run.run_id
        group = group_of_run(session, run_id=run_id, group_id=group_id)
        rules = rules_of_group(session, run_id=run_id, group_id=group_id, limit=_RULES_SHOWN)
        history = history_of_group(session, group_id=group_id)
        strengths = strengths_of_group(session, run_id=run_id, group_id=group_id)
        portrait = portrait_of_group(session, run_id=run_id, group_id=group_id)
        seconds = second_themes(session, run_id=run_id, group_id=group_id)
        standings = standing_counts(session, run_id=run_id, group_id=group_id)
        all_rules = rules_in_group(session, run_id=run_id, group_id=group_id)
    charts = (
        group_findings.strengths_chart(group, strengths),
        group_findings.history_chart(group, history),
        group_findings.second_chart(group, seconds, shown),
        *(group_findings.when_charts(group, portrait) if portrait else ()),
    )
    return render_template(
        "screens/group.html",
        group=group,
        name=name_of(group),
        colour=colour_of(group),
        rules=[(rule, groups_shown.rule_words(rule)) for rule in rules],
        all_rules=all_rules,
        most=max((rule.adjusted_lift for rule in rules), default=1.0),
        run=shown.run,
        people=group_findings.people,
        stayed=group_findings.stayed([group]),
        portrait=portrait,
        habits=group_findings.habits_rows(portrait.habits, portrait.everybody) if portrait else [],
        buying=group_findings.buying_chart(group, portrait) if portrait else None,
        standings=standing_tables.table_of(standings),
        charts=[chart for chart in charts if chart],
    )


def _page(groups: list[GroupView], ask: Ask) -> Page[GroupView]:
    keys = {
        "name": lambda group: name_of(group).casefold(),
        "members": lambda group: group.members,
        "baskets": lambda group: group.baskets,
        "kept": lambda group: max(group.kept or -1.0, group.kept_at_least or -1.0),
    }
    rows = sorted(groups, key=keys[ask.sort], reverse=ask.descending)
    if ask.sort == "members":
        rows.sort(key=lambda group: group.kind != "theme")
    return Page(tuple(rows), None, None, len(rows))


def _columns(most: int, phases: Phases) -> tuple[Column[GroupView], ...]:
    return (
        Column(
            key="name",
            title=_("Group"),
            value=name_of,
            figure=lambda group: group_name(name_of(group), colour_of(group)),
            second=lambda group: " · ".join(map(readable, group.items[:5])) or None,
            sort=True,
        ),
        Column(
            key="share",
            title=_("Size"),
            value=lambda group: group.told_members,
            figure=lambda group: bar(
                group.told_members or 0,
                most,
                label=group_findings.people(group.members),
                series=colour_of(group),
                width=140,
            ),
            lesser=True,
        ),
        Column(
            key="members",
            title=_("Members"),
            value=lambda group: group.told_members,
            figure=lambda group: group_findings.people(group.members),
            kind="number",
            sort=True,
        ),
        Column(
            key="baskets",
            title=_("Baskets"),
            value=lambda group: group.baskets if group.told_members else None,
            kind="number",
            sort=True,
        ),
        Column(
            key="kept",
            title=_("Stayed since the last run"),
            value=lambda group: group.kept,
            figure=lambda group: group_findings.stayed([group]) or None,
            kind="percent",
            sort=True,
        ),
        Column(
            key="peak",
            title=_("At their peak"),
            value=lambda group: _share_in(phases, group, ("peak",)),
            kind="percent",
        ),
        Column(
            key="leaving",
            title=_("Fading or lost"),
            value=lambda group: _share_in(phases, group, ("fading", "lost")),
            kind="percent",
            shown=False,
        ),
        Column(key="items", title=_("Made of"), value=lambda group: ", ".join(group.items), shown=False),
    )


def _share_in(phases: Phases, group: GroupView, wanted: tuple[str, ...]) -> float | None:
    """Return the share of a group's members in the phases `wanted`; None where one of them is too few to tell."""
    counts = [phases.get(group.group_id, {}).get(phase) for phase in wanted]
    told = [count for count in counts if count is not None]
    if len(told) < len(counts) or group.members < FEWEST_SHOWN:
        return None
    return sum(told) / group.members


def _sizes(groups: list[GroupView]) -> Chart:
    themed = sorted((g for g in groups if g.kind == "theme"), key=lambda g: (-g.members, g.group_id))
    others = [group for group in groups if group.kind != "theme"]
    shown = [group for group in (*themed[:_MOST_BARS], *others) if group.members >= FEWEST_SHOWN]
    everybody = sum(group.told_members or 0 for group in groups) or 1
    half = _fewest_for_half(themed)
    title = ngettext(
        "%(num)s group holds half of the members who have a theme",
        "%(num)s groups hold half of the members who have a theme",
        half,
    )
    return Chart(
        key="sizes",
        title=title,
        note=_("Members per group; a member is in exactly one"),
        options=bar_options(
            [name_of(group) for group in shown],
            [group.members for group in shown],
            [colour_of(group) for group in shown],
            Axis(),
        ),
        head=(_("Group"), _("Members"), _("Share")),
        rows=tuple(
            (name_of(group), number_text(group.members), percent_text(group.members / everybody, 1))
            for group in shown
        ),
        height="tall" if len(shown) > 7 else "normal",
        links=tuple(url_for("groups.show", group_id=group.group_id) for group in shown),
    )


def _fewest_for_half(themed: list[GroupView]) -> int:
    left = sum(group.members for group in themed) / 2
    for count, group in enumerate(themed, start=1):
        left -= group.members
        if left <= 0:
            return count
    return len(themed)

"""Shopper groups: all of them, and one with its rules in words, its members and its history."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from basket_analysis.group_lists import (
    GroupDay,
    GroupView,
    group_of_run,
    history_of_group,
    rules_in_all,
    rules_of_group,
    strengths_of_group,
)
from core.errors import NotFound
from core.keyset import Ask, Page
from web import groups_shown
from web.cells import group_name
from web.charts import Axis, Chart, Series, bar_options, column_options, line_options
from web.export import respond
from web.figures import bar
from web.groups_shown import colour_of, groups_now, name_of
from web.state import transaction
from web.tables import Column, Empty, Table
from web.words import date_text, day_month, ngettext, number_text, percent_text
from web.words import gettext as _

blueprint = Blueprint("groups", __name__, url_prefix="/groups")
_MOST_BARS = 14


class NoGroupsYet(NotFound):
    """No run is served."""


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show the groups of the served run."""
    with transaction() as session:
        shown = groups_now(session)
        rules = rules_in_all(session, run_id=shown.run.run_id) if shown.run else 0
    groups = list(shown.groups)
    most = max((group.members for group in groups), default=1)
    table = Table(
        name="groups",
        default_sort="-members",
        columns=_columns(most),
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
        rules=rules,
        themed=themed,
        members=sum(group.members for group in groups),
        in_theme=sum(group.members for group in themed),
    )


@blueprint.get("/<group_id>")
def show(group_id: str) -> ResponseReturnValue:
    """Show one group."""
    with transaction() as session:
        shown = groups_now(session)
        if shown.run is None:
            raise NoGroupsYet("No night has formed groups yet")
        group = group_of_run(session, run_id=shown.run.run_id, group_id=group_id)
        rules = rules_of_group(session, run_id=shown.run.run_id, group_id=group_id)
        history = history_of_group(session, group_id=group_id)
        strengths = strengths_of_group(session, run_id=shown.run.run_id, group_id=group_id)
    return render_template(
        "screens/group.html",
        group=group,
        name=name_of(group),
        colour=colour_of(group),
        rules=[(rule, groups_shown.rule_words(rule)) for rule in rules],
        most=max((rule.adjusted_lift for rule in rules), default=1.0),
        run=shown.run,
        strength_chart=_strengths(group, strengths) if len(strengths) > 1 else None,
        history_chart=_history(group, history) if len(history) > 2 else None,
    )


def _page(groups: list[GroupView], ask: Ask) -> Page[GroupView]:
    keys = {
        "name": lambda group: name_of(group).casefold(),
        "members": lambda group: group.members,
        "baskets": lambda group: group.baskets,
        "kept": lambda group: group.kept if group.kept is not None else -1.0,
    }
    rows = sorted(groups, key=keys[ask.sort], reverse=ask.descending)
    if ask.sort == "members":
        rows.sort(key=lambda group: group.kind != "theme")
    return Page(tuple(rows), None, None, len(rows))


def _columns(most: int) -> tuple[Column[GroupView], ...]:
    return (
        Column(
            key="name",
            title=_("Group"),
            value=name_of,
            figure=lambda group: group_name(name_of(group), colour_of(group)),
            second=lambda group: ", ".join(group.items[:5]) or None,
            sort=True,
        ),
        Column(
            key="share",
            title=_("Size"),
            value=lambda group: group.members,
            figure=lambda group: bar(
                group.members, most, label=number_text(group.members), series=colour_of(group), width=140
            ),
        ),
        Column(
            key="members", title=_("Members"), value=lambda group: group.members, kind="number", sort=True
        ),
        Column(
            key="baskets", title=_("Baskets"), value=lambda group: group.baskets, kind="number", sort=True
        ),
        Column(
            key="kept",
            title=_("Stayed since the last run"),
            value=lambda group: group.kept,
            kind="percent",
            sort=True,
        ),
        Column(key="items", title=_("Made of"), value=lambda group: ", ".join(group.items), shown=False),
    )


def _sizes(groups: list[GroupView]) -> Chart:
    themed = sorted((g for g in groups if g.kind == "theme"), key=lambda g: (-g.members, g.group_id))
    others = [group for group in groups if group.kind != "theme"]
    shown = [*themed[:_MOST_BARS], *others]
    everybody = sum(group.members for group in groups) or 1
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


def _strengths(group: GroupView, strengths: list[tuple[int, int]]) -> Chart:
    low, high = strengths[0][0], min(strengths[-1][0], strengths[0][0] + 15)
    counts = dict(strengths)
    steps = list(range(low, high + 1))
    values = [counts.get(step, 0) for step in steps]
    values[-1] += sum(count for step, count in strengths if step > high)
    labels = [f"{step}\N{EN DASH}{step + 1}" for step in steps[:-1]] + [f"{high}+"]
    strong = sum(count for step, count in strengths if step >= 4) / (sum(counts.values()) or 1)
    return Chart(
        key="strengths",
        title=_("%(share)s of the members live by this theme clearly", share=percent_text(strong)),
        note=_(
            "Members by strength: how far above chance their baskets follow the rules; 4 and more is clear"
        ),
        options=column_options(labels, (Series(_("Members"), values, colour_of(group)),), Axis()),
        head=(_("Strength"), _("Members")),
        rows=tuple((label, number_text(value)) for label, value in zip(labels, values, strict=True)),
        height="short",
    )


def _history(group: GroupView, history: list[GroupDay]) -> Chart:
    first, last = history[0], history[-1]
    change = (last.members - first.members) / (first.members or 1)
    if abs(change) < 0.02:
        title = _("The group keeps its size since %(day)s", day=date_text(first.business_day))
    elif change > 0:
        title = _(
            "The group grew by %(share)s since %(day)s",
            share=percent_text(change),
            day=date_text(first.business_day),
        )
    else:
        title = _(
            "The group shrank by %(share)s since %(day)s",
            share=percent_text(-change),
            day=date_text(first.business_day),
        )
    return Chart(
        key="history",
        title=title,
        note=_("Members per night"),
        options=line_options(
            [day_month(day.business_day) for day in history],
            (Series(name_of(group), [day.members for day in history], colour_of(group), area=True),),
            Axis(),
        ),
        head=(_("Night"), _("Members")),
        rows=tuple((date_text(day.business_day), number_text(day.members)) for day in history),
        height="short",
    )

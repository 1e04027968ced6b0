"""Movement between groups: who went where between two nights, as a flow and as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from basket_analysis.groups.lists import GroupView, groups_of_run
from basket_analysis.groups.moves import OTHERS, OUTSIDE, Moves, RunDay, moves_between, runs_with_members
from basket_analysis.groups.moves import Stream as Moved
from web.charts import Chart
from web.groups.network_charts import Stop, Stream, flow_options
from web.groups.shown import colour_of, name_of
from web.state import transaction
from web.words import date_text, number_text, percent_text
from web.words import gettext as _

blueprint = Blueprint("group_moves", __name__, url_prefix="/groups/moves")
_USUAL_DAYS: Final = 28
_NEARLY_ALL: Final = 0.995


@dataclass(frozen=True, slots=True)
class _Side:
    """The groups of one of the two runs, with their names then."""

    run: RunDay
    groups: Mapping[str, GroupView]
    outside: str

    def name(self, group_id: str) -> str:
        if group_id == OTHERS:
            return _("Other groups")
        if group_id == OUTSIDE:
            return self.outside
        group = self.groups.get(group_id)
        return name_of(group) if group else group_id

    def colour(self, group_id: str) -> str:
        group = self.groups.get(group_id)
        return colour_of(group) if group else "rest"


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show who moved between the two runs that the address names; else between the newest and one of weeks ago."""
    with transaction() as session:
        runs = runs_with_members(session)
        pair = _pair(runs)
        if pair is None:
            return render_template("screens/group_moves.html", runs=runs, chart=None, networks=True)
        before, after = pair
        moves = moves_between(session, before=before.run_id, after=after.run_id)
        sides = (
            _Side(
                before,
                {g.group_id: g for g in groups_of_run(session, run_id=before.run_id)},
                _("Not counted then"),
            ),
            _Side(
                after,
                {g.group_id: g for g in groups_of_run(session, run_id=after.run_id)},
                _("Not counted any more"),
            ),
        )
    return render_template(
        "screens/group_moves.html",
        runs=runs,
        before=before,
        after=after,
        moves=moves,
        chart=_chart(moves, *sides) if moves.streams else None,
        rounded=any(stream.rounded for stream in moves.streams),
        networks=True,
    )


def _pair(runs: Sequence[RunDay]) -> tuple[RunDay, RunDay] | None:
    """Return the earlier and the later of the runs that are asked for."""
    if len(runs) < 2:
        return None
    after = _named(runs, "to") or runs[0]
    usual = next(
        (run for run in runs if (after.business_day - run.business_day).days >= _USUAL_DAYS),
        next((run for run in reversed(runs) if run != after), runs[-1]),
    )
    before = _named(runs, "from") or usual
    if before.business_day > after.business_day:
        before, after = after, before
    return before, after


def _named(runs: Sequence[RunDay], argument: str) -> RunDay | None:
    try:
        wanted = UUID(request.args.get(argument, ""))
    except ValueError:
        return None
    return next((run for run in runs if run.run_id == wanted), None)


def _chart(moves: Moves, old: _Side, new: _Side) -> Chart:
    order = [*new.groups, *(group for group in old.groups if group not in new.groups), OUTSIDE, OTHERS]
    drawn = ({one.source for one in moves.streams}, {one.target for one in moves.streams})
    sides = (old, new)
    stops = [_stop(sides[side], group, side) for side in (0, 1) for group in order if group in drawn[side]]
    return Chart(
        key="moves",
        title=_finding(moves, old, new),
        note=_(
            "Members from left to right, %(before)s to %(after)s; what is thinner than ten people goes to other groups",
            before=date_text(old.run.business_day),
            after=date_text(new.run.business_day),
        ),
        options=flow_options(
            stops,
            [
                Stream(f"0 {one.source}", f"1 {one.target}", one.members, _words(one, old, new))
                for one in moves.streams
            ],
        ),
        head=(_("From"), _("To"), _("Members")),
        rows=tuple(
            (old.name(one.source), _stays(one, new), number_text(one.members)) for one in moves.streams
        ),
        height="huge",
    )


def _finding(moves: Moves, old: _Side, new: _Side) -> str:
    stayed = percent_text(moves.share_stayed, 1)
    largest = next(
        (
            one
            for one in moves.streams
            if one.source != one.target and not {one.source, one.target} & {OTHERS, OUTSIDE}
        ),
        None,
    )
    if largest is None and (moves.share_stayed or 0) >= _NEARLY_ALL:
        return _("Nearly everybody stayed in their group")
    if largest is None:
        return _("%(share)s stayed in their group; no more than a few went the same way", share=stayed)
    return _(
        "%(share)s stayed in their group; most who left went from %(source)s to %(target)s (%(members)s)",
        share=stayed,
        source=old.name(largest.source),
        target=new.name(largest.target),
        members=number_text(largest.members),
    )


def _words(one: Moved, old: _Side, new: _Side) -> str:
    return f"{old.name(one.source)} \N{RIGHTWARDS ARROW} {_stays(one, new)}: {number_text(one.members)}"


def _stays(one: Moved, new: _Side) -> str:
    if one.rounded:
        return _("stayed, with the few who went elsewhere")
    return _("stayed") if one.source == one.target != OTHERS else new.name(one.target)


def _stop(side: _Side, group_id: str, place: int) -> Stop:
    group = side.groups.get(group_id)
    return Stop(
        key=f"{place} {group_id}",
        label=side.name(group_id),
        tip=side.name(group_id),
        href=url_for("groups.show", group_id=group_id) if group and place else "",
        side=place,
        colour=side.colour(group_id),
    )

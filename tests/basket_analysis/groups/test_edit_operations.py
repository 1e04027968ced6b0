"""Edits of groups over nights, on a real database: played again at every fit, audited, taken back."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import case, select, text, update

from basket_analysis.analysis_runs import run_under_way, serve_run
from basket_analysis.groups.edit_commands import of_groups
from basket_analysis.groups.edit_lists import (
    edits_of_groups,
    minimum_size,
    pinned_groups,
    preview_edit_of_split,
    preview_merge,
    preview_split,
)
from basket_analysis.groups.edit_operations import (
    BadEdit,
    NothingToUndo,
    merge_themes,
    pin_theme,
    rename_group,
    set_minimum_size,
    split_theme,
    undo_edit,
    unpin_theme,
)
from basket_analysis.groups.jobs import form_groups
from basket_analysis.groups.lists import NoSuchGroup, groups_of_run, served_run
from basket_analysis.jobs import mine_rules
from core.commandline import Workplace
from core.models import AuditEvent
from customers.memberships import group_of_members
from sales.models import Receipt
from tests.basket_analysis.shop_made import NOW
from tests.basket_analysis.town_made import DAY, TRIPS, build_town, shift

BY = {"actor": "mara", "now": NOW}
BAKING, BREAKFAST, EVENING = (set(trip) for trip in TRIPS)


@pytest.fixture
def town(sessions, tmp_path):
    """A town with 30 members for each of three themes, whose first night is served; a number says for which day."""
    with sessions.begin() as session:
        build_town(session, households=90)
    night(sessions, tmp_path, 0)


def night(sessions, folder, number):
    """Run the night of a day and serve it, whatever its quality; return items and members of each theme."""
    told = shift(sessions, folder, DAY + timedelta(days=number))
    mine_rules(told)
    form_groups(told)
    with sessions.begin() as session:
        run = run_under_way(session, business_day=told.business_day)
        serve_run(session, run_id=run.run_id, now=NOW)
    return themes(sessions)


def themes(sessions):
    with sessions() as session:
        groups = groups_of_run(session, run_id=served_run(session).run_id)
    return {group.group_id: (set(group.items), group.members) for group in groups if group.kind == "theme"}


def groups(sessions):
    with sessions() as session:
        return group_of_members(session, run_id=served_run(session).run_id)


def swap_weeks(session, one, other, *, weeks):
    """Let two members swap what they bought in the last weeks."""
    whose = case((Receipt.member_id == one, other), else_=one)
    since = DAY - timedelta(weeks=weeks)
    session.execute(
        update(Receipt)
        .where(Receipt.member_id.in_((one, other)), Receipt.business_date > since)
        .values(member_id=whose)
    )


def id_of(sessions, items):
    return next(group_id for group_id, (found, _) in themes(sessions).items() if found == items)


def names(sessions, group_id):
    with sessions() as session:
        groups = groups_of_run(session, run_id=served_run(session).run_id)
    return next(group.names for group in groups if group.group_id == group_id)


class TestEditsOfGroups:
    def test_live_through_refits_until_they_are_taken_back(self, sessions, tmp_path, town):
        baking, breakfast, evening = (id_of(sessions, items) for items in (BAKING, BREAKFAST, EVENING))
        with sessions.begin() as session:
            split = split_theme(session, group_id=baking, items=["VANILLA", "YEAST"], **BY)
            merge = merge_themes(session, group_id=breakfast, other_id=evening, **BY)
            assert [edit.waiting for edit in edits_of_groups(session)] == [True, True]
        wanted = {
            baking: {"FLOUR", "SUGAR"},
            f"s{split}": {"VANILLA", "YEAST"},
            breakfast: BREAKFAST | EVENING,
        }
        assert {key: items for key, (items, _) in night(sessions, tmp_path, 1).items()} == wanted
        with sessions() as session:
            assert [edit.waiting for edit in edits_of_groups(session)] == [False, False]
        # A week later everything is found anew.
        assert {key: items for key, (items, _) in night(sessions, tmp_path, 9).items()} == wanted
        assert themes(sessions)[breakfast][1] == 60
        with sessions.begin() as session:
            undo_edit(session, edit_id=merge, **BY)
            undo_edit(session, edit_id=split, **BY)
        found = {key: items for key, (items, _) in night(sessions, tmp_path, 10).items()}
        assert found == {baking: BAKING, breakfast: BREAKFAST, evening: EVENING}

    def test_split_and_pin_a_merged_group_theme_by_theme(self, sessions, tmp_path, town):
        baking, breakfast = id_of(sessions, BAKING), id_of(sessions, BREAKFAST)
        with sessions.begin() as session:
            merge_themes(session, group_id=baking, other_id=breakfast, **BY)
        assert night(sessions, tmp_path, 1)[baking] == (BAKING | BREAKFAST, 60)
        leaving = {*sorted(BAKING)[:2], *sorted(BREAKFAST)[:2]}
        with sessions.begin() as session:
            with pytest.raises(BadEdit, match=f"all of {breakfast} would leave"):
                split_theme(session, group_id=baking, items=sorted(BREAKFAST), **BY)
            pin_theme(session, group_id=baking, **BY)
            assert pinned_groups(session) == {baking, breakfast}
            with pytest.raises(BadEdit, match="pinned"):
                split_theme(session, group_id=baking, items=sorted(leaving), **BY)
            unpin_theme(session, group_id=baking, **BY)
            assert pinned_groups(session) == set()
            split = split_theme(session, group_id=baking, items=sorted(leaving), **BY)
            assert {edit.kind for edit in edits_of_groups(session, group_id=baking) if edit.waiting} == {
                "split"
            }
            with pytest.raises(BadEdit, match="waits"):
                pin_theme(session, group_id=baking, **BY)
        found = {key: items for key, (items, _) in night(sessions, tmp_path, 2).items()}
        assert found[baking] == (BAKING | BREAKFAST) - leaving
        assert found[f"s{split}"] == leaving
        assert {key: items for key, (items, _) in night(sessions, tmp_path, 10).items()} == found
        with sessions() as session:
            actions = session.scalars(select(AuditEvent.action)).all()
        assert [actions.count(f"group.{kind}") for kind in ("merge", "pin", "undo", "split")] == [2, 2, 2, 2]

    def test_pin_a_theme_that_baskets_no_longer_show(self, sessions, tmp_path, town):
        evening = id_of(sessions, EVENING)
        with sessions.begin() as session:
            pin_theme(session, group_id=evening, **BY)
            assert pinned_groups(session) == {evening}
            for change in (
                lambda: pin_theme(session, group_id=evening, **BY),
                lambda: split_theme(session, group_id=evening, items=["BEER"], **BY),
            ):
                with pytest.raises(BadEdit, match="pinned"):
                    change()
            session.execute(
                text("update article set category = 'OTHER' where category in ('BEER', 'NUTS', 'CRISPS')")
            )
        assert night(sessions, tmp_path, 9)[evening] == (EVENING, 0) or evening not in themes(sessions)
        with sessions.begin() as session:
            session.execute(text("update article set category = sku where category = 'OTHER'"))
        assert night(sessions, tmp_path, 18)[evening] == (EVENING, 30)
        with sessions.begin() as session:
            unpin_theme(session, group_id=evening, **BY)
            with pytest.raises(NothingToUndo):
                unpin_theme(session, group_id=evening, **BY)

    def test_leave_nobody_behind_where_they_are_taken_back(self, sessions, tmp_path):
        with sessions.begin() as session:
            members = build_town(session, households=90)
            for number in range(0, 90, 3):
                breakfasts, evenings = members[number + 1 : number + 3]
                swap_weeks(session, breakfasts, evenings, weeks=number // 3 % 8)
        night(sessions, tmp_path, 0)
        apart = groups(sessions)
        breakfast, evening = (id_of(sessions, items) for items in (BREAKFAST, EVENING))
        with sessions.begin() as session:
            merge = merge_themes(session, group_id=breakfast, other_id=evening, **BY)
        night(sessions, tmp_path, 1)
        assert groups(sessions) == {
            member: breakfast if group == evening else group for member, group in apart.items()
        }
        with sessions.begin() as session:
            undo_edit(session, edit_id=merge, **BY)
        night(sessions, tmp_path, 2)
        assert groups(sessions) == apart

    def test_rename_at_once_and_for_all_nights_to_come(self, sessions, tmp_path, town):
        baking = id_of(sessions, BAKING)
        made = names(sessions, baking)
        with sessions.begin() as session:
            first = rename_group(session, group_id=baking, names={"cs": " Pečení  doma ", "pl": ""}, **BY)
            rename_group(session, group_id=baking, names={"cs": "Pečení", "en": "Baking"}, **BY)
        wanted = {**made, "cs": "Pečení", "en": "Baking"}
        assert names(sessions, baking) == wanted
        night(sessions, tmp_path, 9)
        assert names(sessions, baking) == wanted
        with sessions.begin() as session:
            undo_edit(session, edit_id=first + 1, **BY)
        assert names(sessions, baking) == {**made, "cs": "Pečení doma"}

    def test_of_a_split_theme_wait_for_the_split_and_hold_it(self, sessions, tmp_path, town):
        baking, breakfast = id_of(sessions, BAKING), id_of(sessions, BREAKFAST)
        with sessions.begin() as session:
            split = split_theme(session, group_id=baking, items=["VANILLA", "YEAST"], **BY)
            with pytest.raises(BadEdit, match="waits"):
                pin_theme(session, group_id=baking, **BY)
        night(sessions, tmp_path, 1)
        for group_id, other_id in ((breakfast, f"s{split}"), (f"s{split}", breakfast), (baking, breakfast)):
            with sessions.begin() as session:
                merge = merge_themes(session, group_id=group_id, other_id=other_id, **BY)
                with pytest.raises(NothingToUndo, match=f"edit {merge} rests on it"):
                    undo_edit(session, edit_id=split, **BY)
                undo_edit(session, edit_id=merge, **BY)
        with sessions.begin() as session:
            undo_edit(session, edit_id=split, **BY)
            with pytest.raises(BadEdit, match="waits"):
                pin_theme(session, group_id=baking, **BY)
        assert night(sessions, tmp_path, 2)[baking] == (BAKING, 30)

    def test_fold_small_groups_into_none(self, sessions, tmp_path, town):
        with sessions.begin() as session:
            assert minimum_size(session) == 10
            with pytest.raises(BadEdit):
                set_minimum_size(session, members=9, **BY)
            edit = set_minimum_size(session, members=31, **BY)
        assert night(sessions, tmp_path, 1) == {}
        with sessions.begin() as session:
            none = groups_of_run(session, run_id=served_run(session).run_id)[0]
            assert (none.kind, none.members) == ("none", 90)
            undo_edit(session, edit_id=edit, **BY)
        assert {members for _, members in night(sessions, tmp_path, 2).values()} == {30}

    def test_are_foreseen_refused_where_they_make_no_sense_and_audited_where_they_do(self, sessions, town):
        baking, breakfast = id_of(sessions, BAKING), id_of(sessions, BREAKFAST)
        refused = [
            (BadEdit, lambda session: rename_group(session, group_id=baking, names={}, **BY)),
            (BadEdit, lambda session: rename_group(session, group_id=baking, names={"de": "Backen"}, **BY)),
            (BadEdit, lambda session: rename_group(session, group_id=baking, names={"en": "B" * 61}, **BY)),
            (BadEdit, lambda session: rename_group(session, group_id=baking, names={"en": "4111 1111 1111 1111"}, **BY)),
            (BadEdit, lambda session: rename_group(session, group_id="none", names={"en": "Nobody"}, **BY)),
            (NoSuchGroup, lambda session: rename_group(session, group_id="t99", names={"en": "X"}, **BY)),
            (BadEdit, lambda session: split_theme(session, group_id=baking, items=["BEER"], **BY)),
            (BadEdit, lambda session: split_theme(session, group_id=baking, items=sorted(BAKING), **BY)),
            (BadEdit, lambda session: split_theme(session, group_id=baking, items=[], **BY)),
            (BadEdit, lambda session: merge_themes(session, group_id=baking, other_id=baking, **BY)),
            (NoSuchGroup, lambda session: merge_themes(session, group_id=baking, other_id="t99", **BY)),
        ]  # fmt: skip
        for error, change in refused:
            with sessions() as session, pytest.raises(error):
                change(session)
        with sessions.begin() as session:
            merge = merge_themes(session, group_id=baking, other_id=breakfast, **BY)
            with pytest.raises(BadEdit, match="waits"):
                split_theme(session, group_id=breakfast, items=["COFFEE"], **BY)
            with pytest.raises(BadEdit, match="waits"):
                pin_theme(session, group_id=breakfast, **BY)
            undo_edit(session, edit_id=merge, **BY)
            with pytest.raises(NothingToUndo):
                undo_edit(session, edit_id=merge, **BY)
        with sessions() as session:
            trail = session.execute(
                select(AuditEvent.action, AuditEvent.actor, AuditEvent.subject_id).order_by(
                    AuditEvent.happened_at
                )
            ).all()
        assert trail == [("group.merge", "mara", baking), ("group.undo", "mara", baking)]

        evening = id_of(sessions, EVENING)
        with sessions() as session:
            foreseen = preview_split(session, group_id=baking)
            assert {*foreseen.suggested, *foreseen.rest} == BAKING
            assert foreseen.suggested
            assert 0 < preview_edit_of_split(session, group_id=baking, items=["FLOUR"]).weak_link <= 1
            both = preview_merge(session, group_id=baking, other_id=evening)
        assert (set(both.items), both.members) == (BAKING | EVENING, 60)


class TestEditCommands:
    def test_edit_list_and_undo(self, sessions, tmp_path, town, database_url):
        workplace = Workplace(tmp_path, database_url)
        commands = {command.name: command for command in of_groups}

        def tell(name, *arguments):
            return CliRunner().invoke(commands[name], arguments, obj=workplace)

        baking, breakfast, evening = (id_of(sessions, items) for items in (BAKING, BREAKFAST, EVENING))
        assert "renamed" in tell("rename", baking, "--cs", "Pečení").stdout
        assert "pinned" in tell("pin", evening).stdout
        split = json.loads(tell("split", baking, "YEAST", "--json").stdout)["edit_id"]
        assert (
            "the next night" in tell("merge", breakfast, f"s{split}").stderr
            or tell("merge", breakfast, "t99").exit_code == 2
        )
        assert "not pinned any more" in tell("unpin", evening).stdout
        assert tell("minimum").stdout == "a group has at least 10 members\n"
        assert "30 members" in tell("minimum", "30").stdout
        assert tell("undo", str(split)).exit_code == 0
        assert tell("undo", "999").exit_code == 2
        found = json.loads(tell("edits", "--json").stdout)["edits"]
        assert [edit["kind"] for edit in found] == ["minimum_size", "split", "pin", "rename"]
        assert [bool(edit["undone_at"]) for edit in found] == [False, True, True, False]
        assert tell("edits", baking).stdout.count(baking) >= 2
        workplace.close()

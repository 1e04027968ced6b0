"""The themes that come second in a group: none of fewer than ten members, nor any that shows how few those are."""

from datetime import date

import pytest

from basket_analysis.analysis_runs import begin_run, serve_run, store_groups
from basket_analysis.groups.edit_lists import preview_merge
from basket_analysis.groups.portraits import second_themes
from tests.basket_analysis.shop_made import NOW, Shop


def store(session, groups, shown=()):
    """Store a run whose members have these second themes: of each group how many have which, None for no second one."""
    shop = Shop(session)
    run_id = begin_run(
        session, business_day=date(2026, 11, 15), now=NOW, version="1", parameters={}, inputs={}
    )
    members = [
        {
            "member_id": shop.member(f"{group} {theme} {number}"),
            "group_id": group,
            "strength": 4.0,
            "second_group_id": theme,
            "second_strength": 1.0 if theme else None,
            "baskets": 12,
        }
        for group, seconds in groups.items()
        for theme, count in seconds.items()
        for number in range(count)
    ]
    store_groups(session, run_id=run_id, groups=shown, members=members)
    return run_id


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        ({"t2": 12, "t3": 15}, [("t3", 15), ("t2", 12)]),
        # All members less the others would be the four: those next in size are not told either.
        ({"t2": 12, "t3": 15, "t4": 4}, [("t3", 15)]),
        ({"t2": 12, "t3": 4, "t4": 6}, [("t2", 12)]),
        ({"t2": 12, None: 4}, []),
        ({"t2": 12, "t3": 11, None: 20}, [("t2", 12), ("t3", 11)]),
    ],
)
def test_tell_of_nobody(sessions, seconds, told):
    with sessions.begin() as session:
        run_id = store(session, {"t1": seconds})
        assert second_themes(session, run_id=run_id, group_id="t1") == told


@pytest.mark.parametrize(
    ("here", "there", "told"),
    [
        ({"t2": 12, "t3": 15}, {"t1": 20, None: 10}, (57, 32)),
        # The page of t1 tells twelve, so the sum would tell the four of t2.
        ({"t2": 12, "t3": 15}, {"t1": 4, "t3": 12, None: 20}, (63, None)),
        ({"t2": 12, None: 4}, {"t1": 11, None: 14}, (41, None)),
        ({"t2": 12, "t3": 15}, {None: 30}, (57, 12)),
        # One size is known, so the sum would tell the other.
        ({"t2": 12, "t3": 15}, {"t1": 6}, (None, None)),
    ],
)
def test_of_two_groups_joined_tell_of_nobody(sessions, here, there, told):
    groups = {"t1": here, "t2": there, "t3": {None: 10}}
    shown = [
        {
            "group_id": group,
            "kind": "theme",
            "name": group,
            "items": [group],
            "members": sum(seconds.values()),
            "baskets": 100,
            "colour": number,
            "detail": {},
        }
        for number, (group, seconds) in enumerate(groups.items())
    ]
    with sessions.begin() as session:
        run_id = store(session, groups, shown)
        assert serve_run(session, run_id=run_id, now=NOW)
        both = preview_merge(session, group_id="t1", other_id="t2")
    assert (both.members, both.second) == told

"""Movement between groups: counted between any two runs that are kept, and nobody of fewer than ten is shown."""

import random
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from basket_analysis.analysis_runs import KEPT_RUNS, KEPT_WEEKS, begin_run, serve_run, store_groups
from basket_analysis.groups.moves import (
    OTHERS,
    OUTSIDE,
    Stream,
    fold_moves,
    moves_between,
    runs_with_members,
)
from basket_analysis.models import ServedRun
from contacts.queries import contacts_of_member
from customers.models import Member
from tests.basket_analysis.shop_made import NOW, Shop

SUNDAY = date(2026, 11, 15)


def run_of(session, day, members):
    run_id = begin_run(session, business_day=day, now=NOW, version="1", parameters={}, inputs={})
    rows = [
        {
            "member_id": member,
            "group_id": group,
            "strength": None,
            "second_group_id": None,
            "second_strength": None,
            "baskets": 12,
        }
        for member, group in members.items()
    ]
    store_groups(session, run_id=run_id, groups=(), members=rows)
    serve_run(session, run_id=run_id, now=NOW)
    return run_id


class TestRetention:
    def test_keeps_the_last_nights_and_the_last_of_each_week_for_half_a_year(self, sessions):
        days = [SUNDAY - timedelta(days=number) for number in range(250)]
        with sessions.begin() as session:
            members = {Shop(session).member("m1"): "t1"}
            for day in reversed(days[::4]):
                run_of(session, day, members)
            kept = [run.business_day for run in runs_with_members(session, limit=300)]
        nights, weeks = kept[:KEPT_RUNS], kept[KEPT_RUNS:]
        assert nights == days[::4][:KEPT_RUNS]
        assert len(weeks) == KEPT_WEEKS - len({day.isocalendar()[1] for day in nights})
        assert len({day.isocalendar()[:2] for day in weeks}) == len(weeks)
        assert min(weeks) > SUNDAY - timedelta(weeks=KEPT_WEEKS)


class TestMoves:
    def test_are_counted_between_two_runs(self, sessions):
        with sessions.begin() as session:
            shop = Shop(session)
            people = [shop.member(f"m{number}") for number in range(60)]
            before = run_of(session, SUNDAY - timedelta(days=7), dict.fromkeys(people[:45], "t1"))
            after = {person: "t1" if number < 30 else "t2" for number, person in enumerate(people)}
            moves = moves_between(session, before=before, after=run_of(session, SUNDAY, after))
        assert moves.streams == (
            Stream("t1", "t1", 30),
            Stream(OUTSIDE, "t2", 15),
            Stream("t1", "t2", 15),
        )
        assert (moves.stayed, moves.known) == (30, 45)

    def test_leave_out_who_objects_or_is_a_company_now(self, sessions):
        with sessions.begin() as session:
            shop = Shop(session)
            people = [shop.member(f"m{number}") for number in range(22)]
            before = run_of(session, SUNDAY - timedelta(days=7), dict.fromkeys(people, "t1"))
            after = run_of(session, SUNDAY, dict.fromkeys(people, "t1"))
            for person, change in ((0, {"profiling_objected_at": NOW}), (1, {"company_id": "27074358"})):
                session.execute(update(Member).where(Member.member_id == people[person]).values(**change))
            assert moves_between(session, before=before, after=after).streams == (Stream("t1", "t1", 20),)

    @pytest.mark.parametrize(
        ("counts", "streams"),
        [
            # Small streams of one group go together.
            (
                {("a", "a"): 50, ("a", "b"): 6, ("a", "c"): 5, ("a", "d"): 20},
                [Stream("a", "a", 50), Stream("a", "d", 20), Stream("a", OTHERS, 11)],
            ),
            # A lone small one takes the next larger with it: it could be found by subtraction.
            (
                {("a", "a"): 50, ("a", "b"): 3, ("a", "c"): 12, ("a", "d"): 20},
                [Stream("a", "a", 50), Stream("a", "d", 20), Stream("a", OTHERS, 15)],
            ),
            # Where nobody else left, those few count as having stayed.
            ({("a", "a"): 50, ("a", "b"): 3}, [Stream("a", "a", 53, rounded=True)]),
            # A few who stayed could be found by subtraction from the group's size.
            (
                {("a", "a"): 4, ("a", "b"): 12, ("a", "c"): 20},
                [Stream("a", "c", 20), Stream("a", OTHERS, 16)],
            ),
            ({("a", "a"): 4, ("a", "b"): 6, ("a", "c"): 5}, [Stream("a", OTHERS, 15)]),
            # A group of few is not shown at all, or with others like it.
            ({("a", "a"): 4}, []),
            ({("a", "a"): 4, ("b", "c"): 8}, [Stream(OTHERS, OTHERS, 12)]),
        ],
    )
    def test_fold_what_is_too_small(self, counts, streams):
        assert list(fold_moves(counts).streams) == streams

    @pytest.mark.parametrize(
        ("counts", "streams"),
        [
            # Three came to b: its size less who is shown there would tell, so the next that came go with them.
            (
                {
                    ("a", "a"): 50,
                    ("a", "b"): 3,
                    ("a", "c"): 12,
                    ("d", "b"): 15,
                    ("d", "d"): 40,
                    ("b", "b"): 60,
                },
                [
                    Stream("b", "b", 60),
                    Stream("a", "a", 50),
                    Stream("d", "d", 40),
                    Stream("a", OTHERS, 15),
                    Stream("d", OTHERS, 15),
                ],
            ),
            # Nobody else came: then those who stayed there are no exact number.
            (
                {("a", "a"): 50, ("a", "b"): 3, ("a", "c"): 12, ("b", "b"): 60, ("c", "c"): 20},
                [
                    Stream("b", "b", 60, rounded=True),
                    Stream("a", "a", 50),
                    Stream("c", "c", 20),
                    Stream("a", OTHERS, 15),
                ],
            ),
        ],
    )
    def test_fold_what_a_size_would_tell(self, counts, streams):
        assert list(fold_moves(counts).streams) == streams

    def test_show_nobody_of_fewer_than_ten_whatever_the_counts(self, publish):
        seed = 20_261_122
        publish(f"moves: seed {seed}")
        chance = random.Random(seed)
        for _ in range(500):
            groups = "abcdef"[: chance.randint(1, 6)]
            counts = {(x, y): chance.randint(1, 30) for x in groups for y in groups if chance.random() < 0.7}
            moves = fold_moves(counts)
            assert all(stream.members >= 10 for stream in moves.streams)
            shown, total = sum(stream.members for stream in moves.streams), sum(counts.values())
            assert total - shown < 10
            for source in groups:
                size = sum(n for (x, _), n in counts.items() if x == source)
                told = sum(one.members for one in moves.streams if one.source == source)
                assert told in {0, size}
                assert told == size or size < 10
            for target in groups:
                into = [one for one in moves.streams if one.target == target]
                size = sum(n for (_, y), n in counts.items() if y == target)
                rest = size - sum(one.members for one in into)
                assert not 0 < rest < 10 or not into or any(one.rounded for one in into)

    def test_are_remembered_of_nobody_by_a_run_of_an_earlier_day(self, sessions):
        with sessions.begin() as session:
            shop = Shop(session)
            person = shop.member("m1")
            served = run_of(session, SUNDAY, {person: "t1"})
            run_of(session, SUNDAY - timedelta(days=1), {person: "t2"})
            assert session.scalar(select(ServedRun.run_id)) == served
            assert contacts_of_member(session, member_id=person) == []
            run_of(session, SUNDAY + timedelta(days=1), {person: "t2"})
            assert [event.kind for event in contacts_of_member(session, member_id=person)] == ["group"]


class TestShareStayed:
    def test_counts_the_few_who_left_as_the_streams_do(self):
        moves = fold_moves({("a", "a"): 80, ("a", "b"): 12, ("b", "b"): 50, ("b", "a"): 3})
        moved = sum(one.members for one in moves.streams if one.source != one.target)
        assert moves.known - moves.stayed == moved == 12

    def test_is_never_above_one(self):
        moves = fold_moves({("a", "a"): 80, ("a", OUTSIDE): 3})
        assert moves.share_stayed == 1

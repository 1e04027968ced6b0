from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from loyalty.holding import Holding
from loyalty.ledger import Cause
from loyalty.lots import NO_LINE, Lot, Piece
from loyalty.programme.rules import DEFAULT

ACCOUNT = UUID(int=1)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CAUSE = Cause(date(2026, 11, 21), NOW, UUID(int=77))


def lot(number: int, *, available: int = -1, ends: int = 700, **lines: int) -> Lot:
    return Lot(
        lot_id=UUID(int=number),
        account_id=ACCOUNT,
        business_date=date(2026, 1, number),
        receipt_id=UUID(int=100 + number),
        booked_at=NOW,
        available_at=NOW + timedelta(days=available),
        expires_at=NOW + timedelta(days=ends),
        earned=sum(lines.values()),
        lines={int(name[1:]): points for name, points in lines.items()},
    )


def left(holding: Holding) -> dict[int, dict[int, int]]:
    """What is left by lot and line; what never was in a lot of a receipt under 0."""
    return {
        0 if lot.plain else lot.lot_id.int: {line: points for line, points in lot.lines.items() if points}
        for lot in holding.lots.values()
        if any(lot.lines.values())
    }


class TestEarn:
    def test_makes_one_lot_of_all_lines(self):
        holding = Holding(ACCOUNT, now=NOW)
        earned = holding.earn({1: 5, 2: 0, 3: 2}, CAUSE, timezone="Europe/Prague", programme=DEFAULT)
        assert earned is not None
        assert holding.created == [earned]
        assert (earned.earned, earned.lines, earned.receipt_id) == (7, {1: 5, 3: 2}, UUID(int=77))
        assert (holding.added("points"), holding.added("issued")) == (7, -7)

    def test_books_nothing_where_nothing_was_earned(self):
        holding = Holding(ACCOUNT, now=NOW)
        assert holding.earn({1: 0}, CAUSE, timezone="Europe/Prague", programme=DEFAULT) is None
        assert holding.entries == []


class TestSpend:
    def test_takes_what_ends_first(self):
        holding = Holding(ACCOUNT, [lot(1, ends=9, _1=5), lot(2, ends=8, _1=5)], now=NOW)
        assert holding.spend(7, CAUSE) == [Piece(UUID(int=2), 1, 5), Piece(UUID(int=1), 1, 2)]
        assert left(holding) == {1: {1: 3}}
        assert holding.added("spent") == 7

    def test_goes_below_zero_rather_than_touch_what_is_pending(self):
        holding = Holding(ACCOUNT, [lot(1, _1=5), lot(2, available=1, _1=50)], now=NOW)
        holding.spend(7, CAUSE)
        assert left(holding) == {0: {NO_LINE: -2}, 2: {1: 50}}
        assert holding.spendable == -2


class TestGrant:
    def test_makes_a_lot_of_its_own_that_can_be_spent_at_once(self):
        holding = Holding(ACCOUNT, now=NOW)
        ends = NOW + timedelta(days=9)
        given = holding.grant(40, Cause(NOW.date(), NOW), expires_at=ends)
        assert (given.plain, given.is_pending(NOW), given.expires_at) == (False, False, ends)
        assert (holding.spendable, holding.added("points"), holding.added("adjusted")) == (40, 40, -40)


class TestConfiscate:
    def test_takes_what_ends_first(self):
        holding = Holding(ACCOUNT, [lot(1, ends=9, _1=5), lot(2, ends=8, _1=5)], now=NOW)
        assert holding.confiscate(7, CAUSE) == [Piece(UUID(int=2), 1, 5), Piece(UUID(int=1), 1, 2)]
        assert (holding.added("points"), holding.added("adjusted")) == (-7, 7)


class TestTakeBack:
    def test_takes_from_the_lines_own_lot_then_pending_then_available_then_below_zero(self):
        own = lot(1, _1=3, _2=4)
        holding = Holding(ACCOUNT, [own, lot(2, available=3, _1=2), lot(3, ends=5, _1=1)], now=NOW)
        holding.take_back({1: 4}, own.lot_id, CAUSE)
        assert left(holding) == {1: {2: 4}, 2: {1: 1}, 3: {1: 1}}
        holding.take_back({1: 2}, own.lot_id, CAUSE)
        assert left(holding) == {1: {2: 4}}
        holding.take_back({1: 6}, own.lot_id, CAUSE)
        assert left(holding) == {0: {NO_LINE: -2}}
        assert holding.added("issued") == 12

    def test_books_one_entry_for_a_whole_return(self):
        own = lot(1, _1=3, _2=4)
        holding = Holding(ACCOUNT, [own], now=NOW)
        holding.take_back({1: 1, 2: 2}, own.lot_id, CAUSE)
        assert [entry.reason for entry in holding.entries] == ["reverse"]


class TestGiveBack:
    def test_brings_back_first_what_was_spent_last(self):
        holding = Holding(ACCOUNT, [lot(1, ends=8, _1=5), lot(2, ends=9, _1=5)], now=NOW)
        spent = holding.spend(8, CAUSE)
        holding.give_back(4, spent, CAUSE)
        assert left(holding) == {1: {1: 1}, 2: {1: 5}}
        assert holding.added("spent") == 4


class TestUndo:
    def test_is_the_exact_inverse(self):
        own = lot(1, _1=3)
        holding = Holding(ACCOUNT, [own, lot(2, available=3, _1=2)], now=NOW)
        before = left(holding)
        holding.take_back({1: 9}, own.lot_id, CAUSE)
        holding.undo(holding.entries[0], CAUSE)
        assert left(holding) == before

    def test_takes_elsewhere_what_was_given_back_and_is_gone(self):
        holding = Holding(ACCOUNT, [lot(1, ends=8, _1=5), lot(2, ends=9, _1=5)], now=NOW)
        spent = holding.spend(5, CAUSE)
        holding.give_back(5, spent, CAUSE)
        holding.spend(4, CAUSE)
        holding.undo(holding.entries[1], CAUSE)
        assert left(holding) == {2: {1: 1}}


class TestExpire:
    def test_ends_what_has_ended_and_nothing_else(self):
        holding = Holding(ACCOUNT, [lot(1, ends=0, _1=5, _2=1), lot(2, ends=1, _1=7)], now=NOW)
        assert holding.expire(CAUSE) == 6
        assert left(holding) == {2: {1: 7}}
        assert holding.expire(CAUSE) == 0
        assert len(holding.entries) == 1

    def test_pays_debts_first(self):
        holding = Holding(ACCOUNT, [lot(1, ends=0, _1=5)], now=NOW - timedelta(days=1))
        holding.spend(7, CAUSE)
        holding.lots[UUID(int=2)] = lot(2, ends=0, _1=9)
        holding.now = NOW
        assert holding.expire(CAUSE) == 7
        assert left(holding) == {}


class TestReserve:
    def test_holds_points_and_lets_them_go_to_where_they_came_from(self):
        holding = Holding(ACCOUNT, [lot(1, ends=8, _1=5), lot(2, ends=9, _1=5)], now=NOW)
        before = left(holding)
        held = holding.reserve(7, CAUSE)
        assert (holding.spendable, holding.added("reserved")) == (3, 7)
        holding.release(held, CAUSE)
        assert (left(holding), holding.added("reserved")) == (before, 0)

    def test_turns_into_spending_when_posted(self):
        holding = Holding(ACCOUNT, [lot(1, _1=5)], now=NOW)
        held = holding.reserve(4, CAUSE)
        holding.post(held, CAUSE)
        assert (holding.added("points"), holding.added("reserved"), holding.added("spent")) == (-4, 0, 4)


moves = st.lists(
    st.tuples(
        st.sampled_from(["earn", "spend", "take_back", "give_back", "reserve", "undo", "expire", "later"]),
        st.integers(1, 40),
    ),
    max_size=30,
)


def move_points(holding: Holding, move: str, points: int, cause: Cause) -> None:
    lots, entries = list(holding.lots), holding.entries
    undoable = [entry for entry in entries if entry.reason in {"reverse", "return"}]
    if move == "earn":
        holding.earn({1: points, 2: points // 2}, cause, timezone="UTC", programme=DEFAULT)
    elif move == "spend":
        holding.spend(points, cause)
    elif move == "take_back":
        holding.take_back({1: points}, lots[points % len(lots)] if lots else None, cause)
    elif move == "give_back":
        holding.give_back(points // 2, holding.spend(points, cause), cause)
    elif move == "reserve" and points <= holding.spendable:
        holding.reserve(points, cause)
    elif move == "undo" and undoable:
        holding.undo(undoable[points % len(undoable)], cause)
    elif move == "expire":
        holding.expire(cause)


class TestHolding:
    @given(moves)
    def test_never_loses_a_point_whatever_happens(self, story):
        holding = Holding(ACCOUNT, now=NOW)
        for number, (move, points) in enumerate(story, 1):
            if move == "later":
                holding.now += timedelta(days=30 * points)
            move_points(
                holding, move, points, Cause(date(2026, 11, 21), holding.now, UUID(int=1000 + number))
            )
            lots = holding.lots.values()
            assert sum(lot.remaining for lot in lots) == holding.added("points")
            assert all(left >= 0 for lot in lots if not lot.plain for left in lot.lines.values())
            assert all(not sum(leg.points for leg in entry.legs) for entry in holding.entries)

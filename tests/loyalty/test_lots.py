from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from loyalty.lots import (
    NO_LINE,
    Lot,
    Piece,
    Position,
    for_spending,
    for_taking_back,
    last_day,
    pieces_of,
    plain_lot,
    position_of,
)

ACCOUNT = UUID(int=1)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def lot(
    number: int, *, day: date = date(2026, 1, 1), available: int = -1, ends: int | None = 700, **lines: int
) -> Lot:
    """A lot whose moments are given in days from now; its lines as _1=20."""
    return Lot(
        lot_id=UUID(int=number),
        account_id=ACCOUNT,
        business_date=day,
        receipt_id=UUID(int=100 + number),
        booked_at=NOW,
        available_at=NOW + timedelta(days=available),
        expires_at=None if ends is None else NOW + timedelta(days=ends),
        earned=sum(lines.values()),
        lines={int(name[1:]): points for name, points in lines.items()},
    )


def numbers(lots: list[Lot]) -> list[int]:
    return [found.lot_id.int for found in lots]


class TestForSpending:
    def test_takes_what_ends_first_then_the_oldest_and_what_never_ends_last(self):
        lots = [
            lot(1, ends=None, _1=1),
            lot(2, ends=30, day=date(2026, 2, 1), _1=1),
            lot(3, ends=30, day=date(2026, 1, 1), _1=1),
            lot(4, ends=10, day=date(2026, 3, 1), _1=1),
        ]
        assert numbers(for_spending(lots, NOW)) == [4, 3, 2, 1]

    def test_leaves_out_what_is_pending_and_what_has_ended(self):
        assert for_spending([lot(1, available=1, _1=5), lot(2, ends=0, _1=5)], NOW) == []


class TestForTakingBack:
    def test_takes_pending_lots_from_the_oldest_and_then_as_spending_does(self):
        lots = [
            lot(1, ends=10, _1=1),
            lot(2, available=2, day=date(2026, 11, 9), _1=1),
            lot(3, available=1, day=date(2026, 11, 8), _1=1),
        ]
        assert numbers(for_taking_back(lots, NOW)) == [3, 2, 1]


class TestPiecesOf:
    def test_goes_through_lots_line_by_line(self):
        pieces, missing = pieces_of(7, [lot(1, _2=3, _1=2), lot(2, _1=9)])
        assert pieces == [Piece(UUID(int=1), 1, 2), Piece(UUID(int=1), 2, 3), Piece(UUID(int=2), 1, 2)]
        assert missing == 0

    def test_says_what_is_missing(self):
        assert pieces_of(7, [lot(1, _1=2)]) == ([Piece(UUID(int=1), 1, 2)], 5)

    def test_takes_nothing_from_a_debt(self):
        debt = plain_lot(ACCOUNT, now=NOW, business_date=NOW.date()).with_added(NO_LINE, -5)
        assert pieces_of(3, [debt]) == ([], 3)


class TestPositionOf:
    def test_adds_up_what_is_available_and_pending(self):
        lots = [lot(1, _1=5, _2=6), lot(2, available=1, _1=7)]
        assert position_of(lots, reserved=3, now=NOW) == Position(11, 7, 3)
        assert position_of(lots, reserved=3, now=NOW).balance == 18

    def test_is_pending_until_the_very_moment(self):
        assert position_of([lot(1, available=0, _1=5)], reserved=0, now=NOW).available == 5

    def test_counts_a_debt_as_available(self):
        debt = plain_lot(ACCOUNT, now=NOW, business_date=NOW.date()).with_added(NO_LINE, -5)
        assert position_of([debt, lot(1, available=1, _1=7)], reserved=0, now=NOW) == Position(-5, 7)

    def test_leaves_out_what_has_ended_whether_a_night_has_booked_so_or_not(self):
        assert position_of([lot(1, ends=0, _1=5)], reserved=0, now=NOW) == Position()

    def test_looks_sixty_days_ahead_for_what_ends(self):
        lots = [lot(1, ends=61, _1=5), lot(2, ends=60, _1=6), lot(3, ends=60, _1=1), lot(4, ends=1, _1=2)]
        assert position_of(lots, reserved=0, now=NOW).expiring == (
            (date(2026, 11, 22), 2),
            (date(2027, 1, 20), 7),
        )


class TestLastDay:
    @pytest.mark.parametrize(
        "zone", ["Europe/Prague", "America/New_York", "Pacific/Honolulu", "Asia/Tokyo", "UTC"]
    )
    def test_is_the_stores_day_before_midnight(self, zone):
        midnight = datetime(2026, 12, 1, tzinfo=ZoneInfo(zone))
        assert last_day(midnight) == date(2026, 11, 30)

from datetime import date

import pytest

from loyalty.expiry import ending_soon, expiry_messages
from loyalty.lots import Position

TODAY = date(2026, 12, 1)
LATE, SOON, FAR = date(2026, 12, 8), date(2026, 12, 31), date(2027, 1, 1)


class TestEndingSoon:
    @pytest.mark.parametrize(
        ("position", "told"),
        [
            (Position(), None),
            (Position(available=50, expiring=((FAR, 50),)), None),
            (Position(available=50, expiring=((SOON, 40), (FAR, 10))), (SOON, 40)),
            (Position(available=-20, pending=50, expiring=((SOON, 40),)), (SOON, 30)),
            (Position(available=-20, pending=10, expiring=((SOON, 40),)), None),
        ],
    )
    def test_tells_of_the_next_points_that_would_be_lost(self, position, told):
        assert ending_soon(position, TODAY) == told


class TestExpiryMessages:
    def test_are_in_the_language_of_the_member(self):
        position = Position(available=40, expiring=((SOON, 40),))
        assert expiry_messages("en", position, TODAY) == ["40 points expire after Dec 31, 2026"]
        told = {expiry_messages(language, position, TODAY)[0] for language in ("en", "cs", "sk", "pl")}
        assert len(told) == 4

    def test_become_urgent_in_the_last_week(self):
        position = Position(available=1, expiring=((LATE, 1),))
        assert expiry_messages("en", position, TODAY) == ["Last days: 1 point expires after Dec 8, 2026"]
        position = Position(available=1, expiring=((date(2026, 12, 9), 1),))
        assert expiry_messages("en", position, TODAY) == ["1 point expires after Dec 9, 2026"]

    def test_are_none_where_nothing_ends(self):
        assert expiry_messages("cs", Position(available=9), TODAY) == []

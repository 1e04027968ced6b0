from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from loyalty.ledger import Cause, Entry, Leg, Unbalanced

ACCOUNT, LOT = UUID(int=1), UUID(int=2)
CAUSE = Cause(date(2026, 11, 21), datetime(2026, 11, 21, 12, tzinfo=UTC))


class TestEntry:
    def test_takes_legs_that_sum_to_zero(self):
        entry = Entry(ACCOUNT, "earn", CAUSE, (Leg("points", 107, LOT), Leg("issued", -107)))
        assert entry.total("points") == 107
        assert entry.total("issued") == -107
        assert entry.total("spent") == 0

    def test_cannot_be_made_of_legs_that_do_not(self):
        with pytest.raises(Unbalanced):
            Entry(ACCOUNT, "earn", CAUSE, (Leg("points", 107, LOT), Leg("issued", -106)))


class TestLeg:
    def test_is_undone_by_its_reversal(self):
        assert Leg("points", 5, LOT, 2).reversed() == Leg("points", -5, LOT, 2)

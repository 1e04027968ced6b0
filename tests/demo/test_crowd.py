"""A crowd is as consistent as what tills and imports bring."""

from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from stdnum import ean

from core.progress import silent
from core.verification import verify
from demo.crowd import CrowdThere, card_number, make_crowd
from loyalty.verification import CHECKS

NOW = datetime(2026, 11, 21, 11, tzinfo=UTC)


@contextmanager
def unseen(_title):
    yield silent


class TestMakeCrowd:
    def test_leaves_nothing_for_verify_to_find(self, sessions):
        make_crowd(sessions, members=50, receipts=400, stores=2, articles=30, now=NOW, show=unseen)
        assert not [verdict for verdict in verify(sessions, CHECKS) if verdict.violations]
        with sessions.begin() as session:
            assert session.scalar(text("select count(*) from receipt")) == 400
            assert 8 < session.scalar(text("select count(*) from receipt_line")) / 400 < 10
            assert session.scalar(text("select count(*) from receipt_default")) == 0

    def test_is_made_once(self, sessions):
        make_crowd(sessions, members=1, receipts=0, stores=1, articles=1, now=NOW, show=unseen)
        with pytest.raises(CrowdThere):
            make_crowd(sessions, members=1, receipts=0, stores=1, articles=1, now=NOW, show=unseen)


class TestCardNumber:
    def test_has_a_check_digit(self):
        assert all(ean.is_valid(card_number(number)) for number in (0, 1, 99, 12_345_678))

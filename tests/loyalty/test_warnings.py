from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from core.jobs import Shift
from core.progress import silent
from customers.models import Card
from loyalty.jobs import warn_of_expiry
from loyalty.warnings import warnings_of
from tests.loyalty.test_jobs import earn_long_ago
from tests.shop import CARD, OTHER_CARD, Shop

LAST_DAY = date(2026, 12, 31)


def warn(shop: Shop, today: date) -> tuple[int, int]:
    """The night of the day before `today`, at three in the morning in Prague."""
    shop.now = datetime(today.year, today.month, today.day, 2, tzinfo=UTC)
    shift = Shift(shop.sessions, Path(), today - timedelta(days=1), shop.now, silent)
    told = warn_of_expiry(shift)
    return told["thirty_days_before"], told["seven_days_before"]


def told(shop: Shop, card: str = CARD) -> list[tuple[date, int, int]]:
    with shop.sessions.begin() as session:
        account_id = session.scalar(select(Card.account_id).where(Card.card_number == card))
        found = warnings_of(session, account_id=account_id, now=shop.now)
    return [(one.last_day, one.days_before, one.points) for one in found]


class TestWarnOfExpiry:
    def test_tells_thirty_and_seven_days_before_each_once(self, shop: Shop):
        earn_long_ago(shop, 10000)
        shop.post(shop.sale(500))
        assert warn(shop, LAST_DAY - timedelta(days=31)) == (0, 0)
        assert warn(shop, LAST_DAY - timedelta(days=30)) == (1, 0)
        assert warn(shop, LAST_DAY - timedelta(days=30)) == (0, 0)
        assert warn(shop, LAST_DAY - timedelta(days=8)) == (0, 0)
        assert warn(shop, LAST_DAY - timedelta(days=7)) == (0, 1)
        assert warn(shop, LAST_DAY) == (0, 0)
        assert told(shop) == [(LAST_DAY, 7, 100), (LAST_DAY, 30, 100)]
        assert warn(shop, LAST_DAY + timedelta(days=1)) == (0, 0)
        assert told(shop) == []

    def test_tells_once_who_was_not_told_in_time(self, shop: Shop):
        earn_long_ago(shop, 10000)
        assert warn(shop, LAST_DAY - timedelta(days=3)) == (0, 1)

    def test_leaves_out_what_pays_a_debt(self, shop: Shop):
        shop.enrol(CARD)
        sale = shop.sale(10000, business_date=shop.today - timedelta(days=20))
        shop.post(sale)
        shop.post(shop.paid_with(shop.reserve(100), totals=(1000,)))
        shop.post(shop.back(sale, {1: "1"}))
        earn_long_ago(shop, 10000)
        earn_long_ago(shop, 4000, card_number=OTHER_CARD)
        assert shop.stands() == (0, 0, 0)
        assert warn(shop, LAST_DAY - timedelta(days=30)) == (1, 0)
        assert told(shop) == []
        assert told(shop, OTHER_CARD) == [(LAST_DAY, 30, 40)]

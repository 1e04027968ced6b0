from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

import loyalty.jobs
from core.jobs import Shift
from core.progress import silent
from loyalty.jobs import expire_points
from tests.shop import CARD, OTHER_CARD, Shop


def night(shop: Shop) -> dict[str, int]:
    return expire_points(Shift(shop.sessions, Path(), shop.today, shop.now, silent))


def earn_long_ago(shop: Shop, total: int, **changes: object) -> None:
    day = date(2024, 12, 15)
    shop.post(
        shop.sale(total, business_date=day, closed_at=datetime(2024, 12, 15, 12, tzinfo=UTC), **changes)
    )


class TestExpirePoints:
    def test_books_the_end_of_what_has_ended_and_nothing_twice(self, shop: Shop):
        earn_long_ago(shop, 10000)
        earn_long_ago(shop, 5000, card_number=OTHER_CARD)
        shop.post(shop.sale(700))
        shop.now = datetime(2026, 12, 31, 22, 59, tzinfo=UTC)
        assert night(shop) == {"accounts": 0, "points": 0}
        assert shop.stands() == (107, 0, 0)
        shop.now += timedelta(minutes=1)
        assert shop.stands() == (7, 0, 0)
        assert night(shop) == {"accounts": 2, "points": 150}
        assert night(shop) == {"accounts": 0, "points": 0}
        assert shop.stands() == (7, 0, 0)
        assert shop.stands(OTHER_CARD) == (0, 0, 0)

    def test_makes_no_difference_to_what_a_till_is_told(self, shop: Shop):
        for card in (CARD, OTHER_CARD):
            earn_long_ago(shop, 10000, card_number=card)
        shop.now = datetime(2027, 1, 1, 12, tzinfo=UTC)
        without = shop.points(shop.sale(300))
        night(shop)
        assert shop.points(shop.sale(300, card_number=OTHER_CARD)) == without

    def test_lets_debts_be_paid_first(self, shop: Shop):
        sale = shop.sale(10000, business_date=shop.today - timedelta(days=20))
        shop.enrol(CARD)
        shop.post(sale)
        shop.post(shop.paid_with(shop.reserve(100), totals=(1000,)))
        shop.post(shop.back(sale, {1: "1"}))
        assert shop.stands() == (-100, 0, 0)
        earn_long_ago(shop, 12000)
        assert shop.stands() == (20, 0, 0)
        shop.now = datetime(2027, 1, 1, 12, tzinfo=UTC)
        assert night(shop) == {"accounts": 1, "points": 20}
        assert shop.stands() == (0, 0, 0)


class TestClearQuotes:
    def test_forgets_quotes_older_than_a_week_batch_by_batch(self, shop: Shop, tmp_path: Path, monkeypatch):
        monkeypatch.setattr(loyalty.jobs, "QUOTES_AT_ONCE", 4)
        with shop.sessions.begin() as session:
            session.execute(
                text(
                    "insert into quote (quote_id, store_id, till_id, currency, quoted_at, valid_until, lines, "
                    "gross_amount, discount_amount, points_amount, payable_amount, points_to_spend, points_to_earn) "
                    "select gen_random_uuid(), 1, 1, 'CZK', :now - n * interval '1 day', :now - n * interval '1 day', "
                    "'[]', 0, 0, 0, 0, 0, 0 from generate_series(0, 17) n"
                ),
                {"now": shop.now},
            )
        reports: list[tuple[int, int | None]] = []
        shift = Shift(shop.sessions, tmp_path, shop.today, shop.now, lambda *done: reports.append(done))
        assert loyalty.jobs.clear_quotes(shift) == {"quotes": 10}
        assert reports == [(4, None), (8, None), (10, None)]

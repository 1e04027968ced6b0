from datetime import timedelta

from loyalty.liability.figures import keep_points_days, mind_kept_days, outstanding, points_by_week
from loyalty.liability.reports import liability_now
from loyalty.programme.rules import DEFAULT
from tests.shop import CARD, OTHER_CARD, Shop


def weeks(shop: Shop):
    monday = shop.today - timedelta(days=shop.today.weekday())
    with shop.sessions.begin() as session:
        return points_by_week(session, since=monday - timedelta(weeks=1), until=monday + timedelta(weeks=1))


def keep(shop: Shop) -> int:
    with shop.sessions.begin() as session:
        return keep_points_days(session, now=shop.now)


class TestPointsByWeek:
    def test_counts_what_moved_by_week(self, shop: Shop):
        sale = shop.sale(94000, 5000)
        shop.post(sale)
        shop.post(shop.back(sale, {2: "1"}))
        (week,) = weeks(shop)
        assert (week.issued, week.spent, week.expired) == (940, 0, 0)

    def test_says_the_same_whatever_was_kept_and_when(self, shop: Shop):
        shop.enrol(CARD)
        shop.post(shop.sale(94000, business_date=shop.today - timedelta(days=20), closed_at=shop.now))
        shop.post(shop.sale(8000, business_date=shop.today - timedelta(days=7)))
        before = weeks(shop)
        shop.later(minutes=5)
        assert keep(shop) == 2
        assert weeks(shop) == before
        shop.post(shop.paid_with(shop.reserve(100)))
        late = shop.sale(7000, business_date=shop.today - timedelta(days=7), closed_at=shop.now)
        shop.post(late)
        seen = weeks(shop)
        assert [(week.issued, week.spent) for week in seen] == [(150, 0), (90, 100)]
        shop.later(minutes=5)
        keep(shop)
        assert keep(shop) == 0
        assert weeks(shop) == seen

    def test_misses_nothing_that_an_import_books_with_a_moment_long_past(self, shop: Shop):
        began = shop.now
        shop.post(shop.sale(1000))
        shop.later(hours=2)
        keep(shop)
        with shop.sessions.begin() as session:
            mind_kept_days(session, now=began)
        later, shop.now = shop.now, began
        shop.post(shop.sale(500))
        shop.now = later
        (week,) = weeks(shop)
        assert week.issued == 15
        assert keep(shop) == 1


class TestOutstanding:
    def test_by_month_is_the_same_whatever_was_kept_and_when(self, shop: Shop):
        shop.enrol(CARD)
        shop.post(shop.sale(30000, business_date=shop.today - timedelta(days=60)))

        def owed():
            with shop.sessions.begin() as session:
                return outstanding(session, now=shop.now), liability_now(
                    session, programme=DEFAULT, now=shop.now
                ).lines

        def unchanged_by_keeping() -> None:
            seen = owed()
            shop.later(minutes=5)
            keep(shop)
            assert owed() == seen

        unchanged_by_keeping()
        held = shop.reserve(50)
        shop.post(shop.sale(2000, card_number=OTHER_CARD), till="T3")
        unchanged_by_keeping()
        shop.post(shop.paid_with(held))
        unchanged_by_keeping()
        ((month, points), *_rest), lines = owed()[0].by_month, owed()[1]
        assert points == 250
        assert [(line.month, line.points) for line in lines if line.month == month] == [(month, 250)]

    def test_is_what_all_accounts_hold(self, shop: Shop):
        shop.post(shop.sale(94000))
        shop.post(shop.sale(6000, card_number=OTHER_CARD))
        with shop.sessions.begin() as session:
            owed = outstanding(session, now=shop.now)
        assert (owed.points, owed.accounts) == (1000, 2)
        assert sum(points for _month, points in owed.by_month) == 1000

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text

from core.ids import uuid7
from customers.models import Card, Member
from loyalty.adjustments import Wish, request_adjustment
from loyalty.liability.estimate import FEWEST_ACCOUNTS
from loyalty.liability.figures import outstanding
from loyalty.liability.reports import (
    NoReport,
    keep_report,
    liability_now,
    read_evidence,
    read_report,
    report_days,
)
from loyalty.programme.rules import DEFAULT
from tests.loyalty.test_jobs import night
from tests.shop import CARD, OTHER_CARD, Shop


def liability_of(shop: Shop):
    with shop.sessions.begin() as session:
        held = session.scalar(text("select sum(points + reserved) from balance")) or 0
        liability = liability_now(session, programme=DEFAULT, now=shop.now)
    assert liability.points == held
    return liability


class TestLiabilityNow:
    def test_adds_up_to_what_the_accounts_hold_and_have_reserved(self, shop: Shop):
        shop.enrol(CARD)
        old = shop.sale(30000, business_date=shop.today - timedelta(days=60))
        shop.post(old)
        shop.post(shop.sale(5000, card_number=OTHER_CARD), till="T3")
        shop.post(shop.paid_with(shop.reserve(250)))
        new = shop.sale(2000)
        shop.post(new)
        shop.post(shop.back(new, {1: "1"}))
        shop.reserve(20)
        lines = liability_of(shop).lines
        assert [(line.store_id, line.month, line.points) for line in lines] == [
            (1, date(2028, 9, 1), 50),
            (1, date(2028, 11, 1), 75),
            (2, date(2028, 11, 1), 50),
        ]
        assert all(line.value_amount == 10 * line.points for line in lines)

    def test_counts_what_people_gave_for_the_home_store(self, shop: Shop):
        shop.enrol(CARD, home_store_code="S2")
        with shop.sessions.begin() as session:
            account_id = session.scalar(select(Card.account_id).where(Card.card_number == CARD))
            wish = Wish(account_id, session.scalar(select(Member.member_id)), 40, "goodwill", "so")
            request_adjustment(
                session, adjustment_id=uuid7(), wish=wish, actor="ann", role="desk", now=shop.now
            )
        (line,) = liability_of(shop).lines
        assert (line.store_id, line.points, line.currency) == (2, 40, "CZK")

    def test_shows_debts_as_what_never_ends(self, shop: Shop):
        shop.enrol(CARD)
        sale = shop.sale(10000, business_date=shop.today - timedelta(days=20))
        shop.post(sale)
        shop.post(shop.paid_with(shop.reserve(100), totals=(1000,)))
        shop.post(shop.back(sale, {1: "1"}))
        assert [(line.month, line.points) for line in liability_of(shop).lines] == [(None, -100)]

    def test_leaves_out_what_has_ended_though_no_night_has_booked_it(self, shop: Shop):
        """Till, overview and report say the same at the moment of the end, and the night changes none of it."""
        shop.enrol(CARD)
        indebted = shop.sale(10000, business_date=shop.today - timedelta(days=20))
        shop.post(indebted)
        shop.post(shop.paid_with(shop.reserve(100), totals=(1000,)))
        shop.post(shop.back(indebted, {1: "1"}))
        day, noon = date(2024, 12, 15), datetime(2024, 12, 15, 12, tzinfo=UTC)
        shop.post(shop.sale(7000, business_date=day, closed_at=noon))
        shop.post(shop.sale(5000, business_date=day, closed_at=noon, card_number=OTHER_CARD), till="T3")
        shop.post(shop.sale(200, card_number=OTHER_CARD), till="T3")
        shop.now = datetime(2026, 12, 31, 22, 59, tzinfo=UTC)

        def owed():
            with shop.sessions.begin() as session:
                lines = liability_now(session, programme=DEFAULT, now=shop.now).lines
                held = outstanding(session, now=shop.now)
            return [(line.month, line.points) for line in lines], held.points, held.accounts, held.by_month

        last, later = date(2026, 12, 1), date(2028, 11, 1)
        assert owed() == (
            [(last, 70), (last, 50), (later, 2), (None, -100)],
            22,
            1,
            ((last, 120), (later, 2)),
        )
        shop.now += timedelta(minutes=1)
        ended = owed()
        assert ended == ([(later, 2), (None, -30)], -28, 1, ((later, 2),))
        assert (shop.stands(), shop.stands(OTHER_CARD)) == ((-30, 0, 0), (2, 0, 0))
        night(shop)
        assert owed() == ended

    def test_counts_what_is_left_of_points_that_paid_a_debt_when_they_ended(self, shop: Shop):
        shop.enrol(CARD)
        indebted = shop.sale(10000, business_date=shop.today - timedelta(days=20))
        shop.post(indebted)
        shop.post(shop.paid_with(shop.reserve(100), totals=(1000,)))
        shop.post(shop.back(indebted, {1: "1"}))
        shop.post(
            shop.sale(
                12000, business_date=date(2024, 12, 15), closed_at=datetime(2024, 12, 15, 12, tzinfo=UTC)
            )
        )
        shop.now = datetime(2027, 1, 1, 12, tzinfo=UTC)
        with shop.sessions.begin() as session:
            assert liability_now(session, programme=DEFAULT, now=shop.now).points == 0
            held = outstanding(session, now=shop.now)
        assert (held.points, held.accounts) == (0, 0)

    def test_of_an_empty_house_is_nothing(self, shop: Shop):
        assert liability_of(shop).lines == ()


class TestReadEvidence:
    def test_learns_what_became_of_points_that_ended(self, shop: Shop):
        """Of 100 points 30 are spent in their last month, half of them come back, the rest ends."""
        shop.enrol(CARD)
        day = date(2024, 11, 15)
        shop.post(shop.sale(10000, business_date=day, closed_at=datetime(2024, 11, 15, 12, tzinfo=UTC)))
        paid = shop.paid_with(shop.reserve(30), totals=(1000,))
        shop.post(paid)
        shop.release(shop.reserve(5))
        shop.now = datetime(2026, 12, 1, tzinfo=UTC)
        night(shop)
        with shop.sessions.begin() as session:
            evidence = read_evidence(session, now=shop.now)
        assert (evidence.accounts, evidence.lots, evidence.spent, evidence.expired) == (1, 1, 30, 70)
        assert [(fate.months_left, fate.spent, fate.expired) for fate in evidence.fates] == [(0, 30, 70)]
        assert (evidence.enough, evidence.overall) == (False, 1)

    def test_tells_rates_once_enough_accounts_had_points_that_ended(self, shop: Shop):
        cards = [f"29900000{number:04}" for number in range(100, 100 + FEWEST_ACCOUNTS)]
        cards = [
            card + str(-sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(card)) % 10) for card in cards
        ]
        shop.issue(cards)
        day = date(2024, 11, 15)
        for card in cards:
            shop.post(
                shop.sale(
                    1000,
                    business_date=day,
                    closed_at=datetime(2024, 11, 15, 12, tzinfo=UTC),
                    card_number=card,
                )
            )
        shop.now = datetime(2026, 12, 1, tzinfo=UTC)
        night(shop)
        with shop.sessions.begin() as session:
            evidence = read_evidence(session, now=shop.now)
        assert evidence.enough
        assert (evidence.overall, evidence.low, evidence.high) == (0, 0.0, 0.0)


class TestKeepReport:
    def test_keeps_what_is_owed_for_the_day(self, shop: Shop):
        shop.post(shop.sale(30000))
        with shop.sessions.begin() as session:
            first = keep_report(session, business_day=shop.today, programme=DEFAULT, now=shop.now)
            again = keep_report(session, business_day=shop.today, programme=DEFAULT, now=shop.now)
            kept = read_report(session, business_day=shop.today)
            assert report_days(session) == [shop.today]
        assert kept.liability == first == again
        with pytest.raises(NoReport), shop.sessions.begin() as session:
            read_report(session, business_day=shop.today - timedelta(days=1))

    def test_keeps_month_ends_for_ever_and_other_days_for_a_while(self, shop: Shop):
        days = [date(2026, 9, 29), date(2026, 9, 30), date(2026, 10, 20), date(2026, 11, 21)]
        with shop.sessions.begin() as session:
            for day in days:
                keep_report(session, business_day=day, programme=DEFAULT, now=shop.now)
            assert report_days(session) == [days[3], days[2], days[1]]

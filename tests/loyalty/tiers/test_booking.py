from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select, text
from stdnum import ean

from core.jobs import Shift
from customers.models import Card, Member
from loyalty.households import adopt_card
from loyalty.linking import link_card
from loyalty.reservations import Zone
from loyalty.tiers.grants import BadGrant, grant_tier
from loyalty.tiers.jobs import settle_tiers
from loyalty.tiers.models import TierEvent, TierStanding
from rewards.offer_operations import import_document
from sales.receipts import Discount, PostedLine, PostedReceipt, Totals
from tests.shop import CARD, OTHER_CARD, Shop
from tests.tiers import let_hold, three_tiers

START = date(2026, 1, 1)


def night(shop: Shop, day: date) -> dict:
    """Run the night's step for the business day `day`, when the next day has begun."""
    shop.now = datetime(day.year, day.month, day.day, 3, tzinfo=UTC) + timedelta(days=1)
    shift = Shift(sessions=shop.sessions, data=Path(), business_day=day, now=shop.now, report=lambda *_: None)
    return settle_tiers(shift)


def history(shop: Shop) -> list[tuple[str, str | None, str | None]]:
    with shop.sessions() as session:
        rows = session.execute(
            select(TierEvent.kind, TierEvent.from_code, TierEvent.to_code)
            .join(Card, Card.account_id == TierEvent.account_id)
            .where(Card.card_number == CARD)
            .order_by(TierEvent.event_id)
        )
        return [tuple(row) for row in rows]


class TestWithoutTiers:
    def test_nothing_is_asked_kept_or_told(self, shop: Shop):
        shop.enrol(CARD)
        answer = shop.post(shop.sale(10000))
        card = shop.card()
        assert (answer["tier"], card["tier"], card["member"]["tier"]) == (None, None, None)
        assert answer["print"][0] == "Žofie N."
        with shop.sessions() as session:
            assert session.execute(text("select count(*) from qualifying_entry")).scalar() == 0


class TestASale:
    def test_reaches_a_tier_at_once_and_says_what_is_missing(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(), START, now=shop.now)
        shop.enrol(CARD)
        assert shop.card()["tier"] == {"code": "basic", "next": "silver", "missing": 100}
        first = shop.post(shop.sale(6000))
        assert first["tier"] == {"code": "basic", "next": "silver", "missing": 40}
        second = shop.post(shop.sale(6000))
        assert second["tier"] == {"code": "silver", "next": "gold", "missing": 180}
        assert second["print"][0] == "Žofie N.  Stříbrná"
        card = shop.card()
        assert (card["tier"], card["member"]["tier"]) == (second["tier"], "silver")
        assert history(shop) == [("up", None, "basic"), ("up", "basic", "silver")]

    def test_is_counted_though_its_points_are_spent_or_end(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(), START, now=shop.now)
        shop.enrol(CARD)
        shop.post(shop.sale(12000))
        shop.later(days=20)
        shop.post(shop.paid_with(shop.reserve(100), totals=(1000,)))
        assert shop.card()["tier"] == {"code": "silver", "next": "gold", "missing": 180}

    def test_counts_what_was_spent_in_the_schemes_currency(self, shop: Shop):
        scheme = three_tiers(0, 10000, 30000, measure="spend")
        let_hold(shop.sessions, scheme, START, now=shop.now)
        answer = shop.post(shop.sale(10050))
        assert answer["tier"] == {"code": "silver", "next": "gold", "missing": 19950}

    def test_counts_one_visit_a_day(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(0, 2, 4, measure="visits"), START, now=shop.now)
        for _ in range(3):
            answer = shop.post(shop.sale(1000))
        assert answer["tier"] == {"code": "basic", "next": "silver", "missing": 1}
        shop.later(days=1)
        assert shop.post(shop.sale(1000))["tier"] == {"code": "silver", "next": "gold", "missing": 2}

    def test_that_comes_late_counts_on_its_day(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(), START, now=shop.now)
        shop.post(shop.sale(6000))
        early = shop.now - timedelta(days=3)
        late = shop.sale(6000, business_date=early.date(), closed_at=early)
        assert shop.post(late)["tier"]["code"] == "silver"
        with shop.sessions() as session:
            assert session.scalar(select(TierStanding.since)) == shop.today

    def test_of_a_till_that_is_years_ahead_reaches_nothing(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(), START, now=shop.now)
        ahead = shop.sale(90000, business_date=date(2031, 5, 1))
        assert shop.post(ahead)["tier"]["code"] == "basic"

    def test_of_training_changes_nothing(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(), START, now=shop.now)
        shop.post(shop.sale(6000))
        assert shop.post(shop.sale(50000, mode="training"))["tier"]["code"] == "basic"


class TestAReturn:
    def test_lowers_what_qualifies_but_no_tier(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(), START, now=shop.now)
        shop.enrol(CARD)
        sale = shop.sale(12000, 5000)
        shop.post(sale)
        shop.later(hours=1)
        answer = shop.post(shop.back(sale, {1: "1"}))
        assert answer["tier"] == {"code": "silver", "next": "gold", "missing": 250}
        assert answer["print"][0] == "Žofie N.  Stříbrná"
        assert shop.card()["tier"] == answer["tier"]
        assert night(shop, date(2026, 12, 31)) == {"accounts": 2}
        assert shop.card()["tier"] == {"code": "basic", "next": "silver", "missing": 100}

    def test_that_comes_first_ends_the_same(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(), START, now=shop.now)
        sale = shop.sale(12000)
        shop.later(hours=1)
        back = shop.back(sale, {1: "1"})
        shop.post(back)
        answer = shop.post(sale)
        # It had reached silver before it came back, in whatever order a till sends.
        assert answer["tier"] == {"code": "silver", "next": "gold", "missing": 300}


class TestAVoid:
    def test_takes_back_the_tier_that_its_sale_reached(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(), START, now=shop.now)
        shop.post(shop.sale(5000))
        wrong = shop.sale(90000)
        assert shop.post(wrong)["tier"]["code"] == "gold"
        shop.later(minutes=1)
        assert shop.post(shop.void(wrong))["tier"] == {"code": "basic", "next": "silver", "missing": 50}
        assert history(shop)[-1] == ("down", "gold", "basic")


class TestTheNight:
    def test_keeps_for_grace_then_lowers_to_what_was_reached(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(grace_days=10, warning_days=30), START, now=shop.now)
        shop.post(shop.sale(35000))
        shop.now = datetime(2027, 6, 1, 11, tzinfo=UTC)
        shop.post(shop.sale(15000))
        night(shop, date(2027, 12, 1))
        assert history(shop)[-1] == ("warned", "gold", "gold")
        assert "Zlatá" in shop.card()["messages"][-1]
        assert night(shop, date(2027, 12, 1)) == {"accounts": 0}
        night(shop, date(2027, 12, 31))
        assert shop.card()["tier"] == {"code": "gold", "next": None, "missing": None}
        night(shop, date(2028, 1, 10))
        assert shop.card()["tier"]["code"] == "silver"
        assert [kind for kind, *_ in history(shop)] == ["up", "up", "kept", "warned", "grace", "down"]

    def test_that_warned_has_receipts_say_it_until_enough_is_bought(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(grace_days=10, warning_days=30), START, now=shop.now)
        shop.post(shop.sale(35000))
        shop.now = datetime(2027, 6, 1, 11, tzinfo=UTC)
        assert not any("Zlatá končí" in line for line in shop.post(shop.sale(15000))["print"])
        night(shop, date(2027, 12, 1))
        answer = shop.post(shop.sale(5000))
        (warning,) = [line for line in answer["print"] if "Zlatá končí po 31. 12. 2027" in line]
        assert "100" in warning
        assert warning in answer["messages"]
        assert not any("Zlatá končí" in line for line in shop.post(shop.sale(10000))["print"])
        night(shop, date(2027, 12, 31))
        assert shop.card()["tier"]["code"] == "gold"

    def test_that_comes_when_grace_is_over_tells_until_when_it_was(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(grace_days=10), START, now=shop.now)
        shop.post(shop.sale(15000))
        night(shop, date(2028, 6, 1))
        with shop.sessions() as session:
            told = session.scalar(select(TierEvent.detail).where(TierEvent.kind == "grace"))
        assert told["until"] == "2028-01-10"

    def test_does_nothing_before_the_first_version_holds(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(), date(2027, 1, 1), now=shop.now)
        shop.post(shop.sale(35000))
        assert night(shop, date(2026, 12, 1)) == {"accounts": 0}
        assert night(shop, date(2026, 12, 31)) == {"accounts": 2}
        # What was bought last year counted last year.
        assert shop.card()["tier"]["code"] == "basic"


class TestAGrant:
    def grant(self, shop: Shop, until: date, tier: str = "gold", reason: str = "a friend of the house"):
        with shop.sessions.begin() as session:
            member = session.scalars(select(Member)).one()
            grant_tier(
                session,
                account_id=member.account_id,
                member_id=member.member_id,
                tier_code=tier,
                valid_until=until,
                reason=reason,
                actor="mara",
                now=shop.now,
            )

    def test_holds_until_its_end_whatever_is_returned(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(), START, now=shop.now)
        shop.enrol(CARD)
        self.grant(shop, date(2027, 2, 15))
        assert shop.card()["tier"]["code"] == "gold"
        assert shop.post(shop.sale(12000))["tier"]["code"] == "gold"
        night(shop, date(2026, 12, 31))
        assert shop.card()["tier"]["code"] == "gold"
        night(shop, date(2027, 2, 14))
        assert shop.card()["tier"]["code"] == "gold"
        night(shop, date(2027, 2, 15))
        assert shop.card()["tier"]["code"] == "silver"
        assert history(shop)[-1] == ("grant_ended", "gold", "silver")

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"tier": "diamond"}, "tier"),
            ({"until": date(2026, 11, 20)}, "until"),
            ({"reason": " "}, "reason"),
        ],
    )
    def test_needs_a_tier_an_end_to_come_and_a_reason(self, shop: Shop, changes: dict, field: str):
        let_hold(shop.sessions, three_tiers(), START, now=shop.now)
        shop.enrol(CARD)
        with pytest.raises(BadGrant) as refusal:
            self.grant(shop, **{"until": date(2027, 1, 1), **changes})
        assert refusal.value.field == field


class TestJoinedAccounts:
    def test_keep_the_better_tier(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(0, 100, 30000), START, now=shop.now)
        shop.enrol(CARD)
        sale = shop.sale(12000, card_number=OTHER_CARD)
        shop.post(sale)
        shop.later(hours=1)
        shop.post(shop.back(sale, {1: "1"}, card_number=OTHER_CARD))
        assert shop.card(OTHER_CARD)["tier"]["code"] == "silver"
        with shop.sessions.begin() as session:
            member_id = session.scalars(select(Member.member_id)).one()
            adopt_card(
                session,
                member_id=member_id,
                card_number=OTHER_CARD,
                place=Zone("Europe/Prague"),
                now=shop.now,
                actor="desk",
            )
        assert shop.card()["tier"]["code"] == "silver"
        assert shop.card(OTHER_CARD)["tier"]["code"] == "silver"

    def test_add_up_what_qualifies(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(), START, now=shop.now)
        shop.enrol(CARD)
        shop.post(shop.sale(6000))
        shop.post(shop.sale(6000, card_number=OTHER_CARD))
        with shop.sessions.begin() as session:
            member_id = session.scalars(select(Member.member_id)).one()
            adopt_card(
                session,
                member_id=member_id,
                card_number=OTHER_CARD,
                place=Zone("Europe/Prague"),
                now=shop.now,
                actor="desk",
            )
        assert shop.card()["tier"] == {"code": "silver", "next": "gold", "missing": 180}


class TestALinkedReceipt:
    def test_counts_for_who_it_is_given_to(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(), START, now=shop.now)
        lost = replace(shop.sale(12000), card_number=None, totals=Totals(payable_amount=12000))
        receipt_id = shop.post(lost)["receipt_id"]
        with shop.sessions.begin() as session:
            link_card(
                session,
                business_date=lost.business_date,
                receipt_id=receipt_id,
                card_number=CARD,
                now=shop.now,
                actor="desk",
            )
        assert shop.card()["tier"]["code"] == "silver"


class TestAnyOrder:
    ORDERS = 4

    def test_of_receipts_ends_at_the_same_standing(self, shop: Shop):
        """Sales, returns and a void of one story come to several cards, each in an order of its own."""
        let_hold(shop.sessions, three_tiers(0, 60, 120), START, now=shop.now)
        bodies = [f"2990000001{number:02}" for number in range(self.ORDERS)]
        cards = [body + ean.calc_check_digit(body) for body in bodies]
        shop.issue(cards)
        chance = Random(20261122)
        first = shop.now
        for card in cards:
            shop.now = first
            story = self.story(shop, card)
            chance.shuffle(story)
            shop.now = first + timedelta(days=3)
            for posted in story:
                shop.post(posted)
        shop.now = first + timedelta(days=3)
        with shop.sessions() as session:
            rows = session.execute(
                select(
                    TierStanding.tier_code,
                    TierStanding.since,
                    TierStanding.period_end,
                    TierStanding.grace_until,
                )
                .join(Card, Card.account_id == TierStanding.account_id)
                .where(Card.card_number.in_(cards))
            ).all()
        assert len(rows) == self.ORDERS
        assert len({tuple(row) for row in rows}) == 1, rows
        assert len({str(shop.card(card)["tier"]) for card in cards}) == 1
        assert rows[0].tier_code == "silver"

    @staticmethod
    def story(shop: Shop, card: str) -> list[PostedReceipt]:
        """Silver with the second sale, which comes back in part; gold but for the void of a third."""
        sales = []
        for amount in (4000, 3000, 9000, 1000):
            shop.later(hours=4)
            sales.append(shop.sale(amount, card_number=card))
        shop.later(hours=1)
        return [
            *sales,
            shop.back(sales[1], {1: "1"}, card_number=card),
            shop.void(sales[2], card_number=card),
        ]


class TestAnOfferForATier:
    def test_is_honoured_on_the_first_receipt_of_an_account_too(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(), START, now=shop.now)
        shop.enrol(CARD)
        with shop.sessions.begin() as session:
            offer = {
                "code": "BASIC10",
                "audience": {"tiers": ["basic"]},
                "condition": {"kind": "always"},
                "benefit": {"kind": "percent", "off": "10"},
            }
            document = {"format": 1, "offers": [offer]}
            import_document(session, document=document, actor="test", now=shop.now, live=True)
        line = PostedLine(
            1, Decimal(1), 3000, 2700, Decimal(21), sku="tea", discount_amount=300,
            discounts=(Discount("BASIC10", 1, 300),),
        )  # fmt: skip
        posted = shop.sale(lines=(line,), totals=Totals(payable_amount=2700, discount_amount=300))
        assert shop.flags(posted) == []


class TestWhatOffersAdd:
    def test_counts_as_points_that_the_sale_earned(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(), START, now=shop.now)
        shop.enrol(CARD)
        with shop.sessions.begin() as session:
            offer = {
                "code": "PLUS80",
                "condition": {"kind": "always"},
                "benefit": {"kind": "points", "points": 80},
            }
            import_document(
                session, document={"format": 1, "offers": [offer]}, actor="test", now=shop.now, live=True
            )
        answer = shop.post(shop.sale(3000))
        assert answer["points"]["earned"] == 110
        assert answer["tier"] == {"code": "silver", "next": "gold", "missing": 190}

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from core.jobs import Shift
from core.progress import silent
from customers.models import Card
from loyalty.tiers.grants import grant_tier
from loyalty.tiers.jobs import settle_tiers
from loyalty.tiers.mails import tell_of_tiers
from tests.shop import CARD, Shop
from tests.tiers import let_hold, three_tiers


def reach_gold(shop: Shop) -> None:
    """Let the member reach gold in the year before, and so hold it until the end of 2027."""
    let_hold(shop.sessions, three_tiers(grace_days=10, warning_days=30), date(2026, 1, 1), now=shop.now)
    shop.post(shop.sale(35000))
    shop.now = datetime(2027, 6, 1, 11, tzinfo=UTC)
    shop.post(shop.sale(15000))


def night(shop: Shop, day: date) -> int:
    shop.now = datetime(day.year, day.month, day.day, 3, tzinfo=UTC) + timedelta(days=1)
    shift = Shift(shop.sessions, Path(), day, shop.now, silent)
    settle_tiers(shift)
    return tell_of_tiers(shift)["mails"]


class TestTellOfTiers:
    def test_writes_once_what_is_missing_and_until_when(self, shop: Shop):
        shop.enrol(CARD, email="zofie@example.org")
        reach_gold(shop)
        days = [
            date(2027, 11, 20),
            date(2027, 12, 1),
            date(2027, 12, 1),
            date(2027, 12, 2),
            date(2027, 12, 31),
        ]
        assert [night(shop, day) for day in days] == [0, 1, 0, 0, 0]
        with shop.sessions() as session:
            subject, words, kind, purpose = session.execute(
                text("select subject, text, kind, purpose from outgoing_mail")
            ).one()
        assert (kind, purpose) == ("tier_warning", "service")
        assert subject == "Udržte si úroveň Zlatá: do 31. prosince 2027 chybí 150 bodů"
        assert "Dobrý den, Žofie" in words

    def test_leaves_alone_who_has_no_address_until_there_is_one(self, shop: Shop):
        shop.enrol(CARD)
        reach_gold(shop)
        assert night(shop, date(2027, 12, 1)) == 0
        with shop.sessions.begin() as session:
            session.execute(text("update member set email = 'zofie@example.org'"))
        assert night(shop, date(2027, 12, 2)) == 1

    @pytest.mark.parametrize(
        ("sold", "said"),
        [(10000, ["Udržte si úroveň Zlatá: do 31. prosince 2027 chybí 50 bodů"]), (15000, [])],
    )
    def test_says_what_is_missing_by_now_and_nothing_to_who_bought_enough(
        self, shop: Shop, sold: int, said: list[str]
    ):
        shop.enrol(CARD)
        reach_gold(shop)
        assert night(shop, date(2027, 12, 1)) == 0
        shop.post(shop.sale(sold))
        with shop.sessions.begin() as session:
            session.execute(text("update member set email = 'zofie@example.org'"))
        assert night(shop, date(2027, 12, 2)) == len(said)
        with shop.sessions() as session:
            assert session.scalars(text("select subject from outgoing_mail")).all() == said

    def test_says_nothing_where_somebody_granted_a_higher_tier(self, shop: Shop):
        shop.enrol(CARD, email="zofie@example.org")
        let_hold(shop.sessions, three_tiers(warning_days=30), date(2026, 1, 1), now=shop.now)
        shop.post(shop.sale(15000))
        shop.now = datetime(2027, 11, 20, 11, tzinfo=UTC)
        with shop.sessions.begin() as session:
            held = session.get_one(Card, CARD)
            grant_tier(
                session,
                account_id=held.account_id,
                member_id=held.member_id,
                tier_code="gold",
                valid_until=date(2028, 2, 1),
                reason="thanks",
                actor="desk",
                now=shop.now,
            )
        assert night(shop, date(2027, 12, 5)) == 0
        with shop.sessions() as session:
            assert session.scalar(text("select count(*) from tier_event where kind = 'warned'")) == 1

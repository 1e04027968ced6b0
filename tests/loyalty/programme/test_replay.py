from datetime import date, timedelta

import pytest
from sqlalchemy import insert, text

from loyalty.programme.replay import ReplayCheck, replay
from loyalty.programme.rules import CurrencyRule, Excluded, Programme
from sales.models import Article
from sales.staff_cards import register_staff_card
from tests.shop import CARD

RULES = Programme(
    currencies={"CZK": CurrencyRule(2, 100, 10)},
    net_of_tax=True,
    excluded=Excluded(categories=frozenset({"tobacco"})),
    ending="never",
    pending_days=0,
)


def replayed(shop):
    with shop.sessions() as session:
        return replay(session, since=shop.today - timedelta(days=30), until=shop.today + timedelta(days=1))


@pytest.fixture
def ruled_shop(shop):
    shop.approve(RULES, shop.today - timedelta(days=3))
    with shop.sessions.begin() as session:
        session.execute(
            insert(Article).values(sku="sku2", name="cigarettes", unit="pcs", tax_rate=21, category="tobacco")
        )
    return shop


class TestReplay:
    def test_agrees_with_what_was_booked_under_each_version(self, ruled_shop):
        shop = ruled_shop
        assert shop.points(shop.sale(12100, 5000))["earned"] == 200
        before = shop.today - timedelta(days=4)
        assert shop.points(shop.sale(12100, 5000, business_date=before))["earned"] == 171
        shop.post(shop.sale(100, card_number=None))
        shop.post(shop.sale(100, mode="training"))
        done = replayed(shop)
        assert (done.receipts, done.points, dict(done.versions)) == (3, 371, {1: 2, 0: 1})
        assert done.differing == []

    def test_expects_nothing_of_what_an_operator_rings_for_themselves(self, ruled_shop):
        with ruled_shop.sessions.begin() as session:
            register_staff_card(
                session,
                card_number=CARD,
                store_code="S1",
                operator_code="17",
                name="Jana K.",
                now=ruled_shop.now,
                actor="boss",
            )
        ruled_shop.later(minutes=1)
        assert "earned" not in ruled_shop.points(ruled_shop.sale(12100, operator_code="17"))
        assert ruled_shop.points(ruled_shop.sale(12100, operator_code="18"))["earned"] == 200
        assert replayed(ruled_shop).differing == []

    def test_does_not_mind_what_became_of_the_articles(self, ruled_shop):
        ruled_shop.post(ruled_shop.sale(12100, 5000))
        with ruled_shop.sessions.begin() as session:
            session.execute(text("update article set category = 'toys'"))
        assert replayed(ruled_shop).differing == []

    @pytest.mark.parametrize(
        ("slip", "what"),
        [
            ("update receipt set programme_version = null", ["points by line", "points booked", "lot"]),
            ("update receipt set excluded_lines = null", ["points by line", "points booked", "lot"]),
            ("update lot set expires_at = now()", ["lot"]),
        ],
    )
    def test_tells_what_the_rules_do_not_explain(self, ruled_shop, slip, what):
        sale = ruled_shop.sale(12100, 5000)
        ruled_shop.post(sale)
        kept = "select programme_version, excluded_lines, (select expires_at from lot) from receipt"
        with ruled_shop.sessions.begin() as session:
            was = session.execute(text(kept)).one()
            session.execute(text(slip))
        differing = replayed(ruled_shop).differing
        assert [one.what for one in differing] == what
        assert sale.receipt_number in str(differing[0])
        with ruled_shop.sessions() as session:
            assert ReplayCheck().look(session).violations == len(what)
        with ruled_shop.sessions.begin() as session:
            session.execute(
                text("update receipt set programme_version = :v, excluded_lines = :x"),
                {"v": was[0], "x": was[1]},
            )
            session.execute(text("update lot set expires_at = :e"), {"e": was[2]})

    def test_says_nothing_of_no_receipts(self, shop):
        with shop.sessions() as session:
            assert replay(session, since=date(2000, 1, 1), until=date(2100, 1, 1)).receipts == 0
            assert ReplayCheck().look(session).violations == 0

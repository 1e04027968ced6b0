from contextlib import nullcontext
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import select

from customers.operations import issue_cards
from loyalty.imports.receipts import import_receipts
from loyalty.models import Alert
from loyalty.watching import SHORT, most_within
from sales.models import ReceiptFlag
from sales.receipts import PostedReceipt
from sales.staff_cards import end_staff_card, register_staff_card, staff_cards
from tests.receipt_files import line, write_receipts
from tests.shop import CARD, NOON, OTHER_CARD, Shop

THIRD = "2990000000057"


def minutes(*values: float) -> list[datetime]:
    return [NOON + timedelta(minutes=value) for value in values]


def alerts(shop: Shop) -> list[tuple[str, date, str | None, str | None, int]]:
    with shop.sessions() as session:
        rows = session.scalars(select(Alert).order_by(Alert.kind, Alert.day, Alert.alert_id)).all()
    return [(row.kind, row.day, row.operator_code, row.card_number, row.receipts) for row in rows]


def bind(shop: Shop, card: str = CARD, operator: str = "17") -> None:
    with shop.sessions.begin() as session:
        register_staff_card(
            session,
            card_number=card,
            store_code="S1",
            operator_code=operator,
            name="Jana K.",
            now=shop.now,
            actor="boss",
        )


class TestMostWithin:
    @pytest.mark.parametrize(
        ("others", "most"),
        [
            ((), 1),
            ((-10, 10), 2),
            ((-10, -5, 5, 10), 3),
            ((-4, 3, 6), 4),
            ((0, 0, 0), 4),
        ],
    )
    def test_looks_before_and_after(self, others: tuple[float, ...], most: int):
        assert most_within(minutes(*others), NOON, SHORT) == most


class TestVelocity:
    def test_flags_the_fourth_in_ten_minutes_whatever_the_order(self, shop: Shop):
        closed = minutes(0, 3, 6, 9)
        for day, order in enumerate(permutations(range(4)), 1):
            shop.now = NOON + timedelta(days=day)
            found = []
            for place in order:
                moment = closed[place] + timedelta(days=day)
                found += shop.flags(shop.sale(100, closed_at=moment), till=("T1", "T2")[place % 2])
            assert found.count(("suspicious", None)) == 1
        assert [row[3:] for row in alerts(shop)] == [(CARD, 4)] * 24

    def test_counts_other_stores_within_ten_minutes_but_a_day_by_the_store(self, shop: Shop):
        assert [shop.flags(shop.sale(100), till=till) for till in ("T1", "T3", "T2")] == [[], [], []]
        assert shop.flags(shop.sale(100), till="T3") == [("suspicious", None)]

    def test_earns_all_the_same_and_raises_one_alert_a_day(self, shop: Shop):
        earned = []
        for _ in range(8):
            shop.later(hours=1)
            earned.append(shop.post(shop.sale(10000))["points"]["earned"])
        assert earned == [100] * 8
        assert alerts(shop) == [("velocity", date(2026, 11, 21), None, CARD, 8)]

    def test_does_not_count_training_returns_or_other_cards(self, shop: Shop):
        shop.issue([OTHER_CARD])
        sale = shop.sale(100)
        for posted in (
            sale,
            shop.back(sale, {1: "1"}),
            shop.sale(100, mode="training"),
            shop.sale(100, card_number=OTHER_CARD),
            shop.sale(100),
        ):
            assert ("suspicious", None) not in shop.flags(posted)


def ledger(shop: Shop) -> dict[str, tuple[int, int, int]]:
    return {card: shop.stands(card) for card in (CARD, OTHER_CARD)}


class TestOwnCard:
    def test_earns_nothing_and_raises_an_alert(self, shop: Shop):
        bind(shop)
        shop.later(minutes=1)
        answer = shop.post(shop.sale(10000, operator_code="17"))
        assert answer["points"]["earned"] == 0
        assert "suspicious" in {flag["code"] for flag in answer["flags"]}
        assert alerts(shop) == [("own_card", date(2026, 11, 21), "17", CARD, 1)]
        assert shop.broken() == []

    @pytest.mark.parametrize(("till", "operator"), [("T1", "18"), ("T3", "17"), ("T1", None)])
    def test_earns_with_anybody_else_at_the_till(self, shop: Shop, till: str, operator: str | None):
        bind(shop)
        answer = shop.post(shop.sale(10000, operator_code=operator), till=till)
        assert answer["points"]["earned"] == 100
        assert alerts(shop) == []

    def test_earned_before_it_was_bound_and_after(self, shop: Shop):
        before = shop.sale(10000, operator_code="17")
        shop.later(hours=1)
        bind(shop)
        shop.later(hours=1)
        within = shop.sale(10000, operator_code="17")
        shop.later(hours=1)
        with shop.sessions.begin() as session:
            (row,) = staff_cards(session)
            end_staff_card(session, staff_card_id=row.staff_card_id, now=shop.now, actor="boss")
        shop.later(hours=1)
        after = shop.sale(10000, operator_code="17")
        earned = [shop.post(posted)["points"]["earned"] for posted in (after, within, before)]
        assert earned == [100, 0, 100]

    def test_is_every_card_of_the_same_member(self, shop: Shop):
        shop.enrol(CARD)
        bind(shop)
        with shop.sessions.begin() as session:
            issue_cards(session, card_numbers=[THIRD], now=NOON, actor="t", member_code=f"M{CARD}")
        answer = shop.post(shop.sale(10000, operator_code="17", card_number=THIRD))
        assert answer["points"]["earned"] == 0

    def test_can_be_paid_with_all_the_same(self, shop: Shop):
        shop.enrol(CARD)
        shop.post(shop.sale(10000, operator_code="18"))
        bind(shop)
        shop.later(days=20)
        paid = shop.paid_with(shop.reserve(50), operator_code="17")
        assert shop.points(paid)["spent"] == 50
        assert shop.stands() == (50, 0, 0)


class TestCashierAndCard:
    def test_together_too_often_in_a_day_raise_an_alert(self, shop: Shop):
        for _ in range(6):
            shop.later(hours=1)
            shop.post(shop.sale(100, operator_code="17"))
        assert alerts(shop) == [("cashier_card", date(2026, 11, 21), "17", CARD, 6)]

    def test_together_too_often_in_a_week_raise_an_alert(self, shop: Shop):
        monday = datetime(2026, 11, 16, 9, tzinfo=NOON.tzinfo)
        sales: list[PostedReceipt] = []
        for number in range(12):
            shop.now = monday + timedelta(days=number % 6, hours=number // 6 * 4)
            sales.append(shop.sale(100, operator_code="17"))
        shop.now = NOON
        for posted in reversed(sales):
            shop.post(posted)
        assert alerts(shop) == [("cashier_card", date(2026, 11, 16), "17", CARD, 12)]

    def test_of_different_cashiers_raise_none(self, shop: Shop):
        for number in range(6):
            shop.later(hours=1)
            shop.post(shop.sale(100, operator_code=str(number)))
        assert alerts(shop) == []


class TestBlindReturns:
    def blind(self, shop: Shop, operator: str | None = "17") -> PostedReceipt:
        sale = shop.sale(100, card_number=None)
        return replace(shop.back(sale, {1: "1"}), original=None, card_number=None, operator_code=operator)

    def test_of_one_cashier_raise_an_alert_from_the_third_in_a_week(self, shop: Shop):
        for _ in range(2):
            shop.post(self.blind(shop))
        assert alerts(shop) == []
        for _ in range(2):
            shop.post(self.blind(shop))
        assert alerts(shop) == [("blind_returns", date(2026, 11, 16), "17", None, 4)]

    def test_of_others_another_week_or_with_a_receipt_do_not_count(self, shop: Shop):
        for operator in ("17", "18", None, "17"):
            shop.post(self.blind(shop, operator))
        sale = shop.sale(100)
        shop.post(sale)
        shop.post(shop.back(sale, {1: "1"}, operator_code="17"))
        shop.later(days=7)
        for _ in range(2):
            shop.post(self.blind(shop))
        assert alerts(shop) == []


class TestImportedReceipts:
    def test_of_an_operators_own_card_earn_nothing_either(self, shop: Shop):
        bind(shop)
        shop.settle(shop.sale(10000, operator_code="17"), imported=True)
        assert shop.stands() == (0, 0, 0)
        with shop.sessions() as session:
            assert "suspicious" not in session.scalars(select(ReceiptFlag.code)).all()

    def test_of_an_operators_own_card_earn_nothing_from_a_file(self, shop: Shop, tmp_path: Path):
        bind(shop)
        shop.later(hours=1)
        rows = [
            line(receipt_number=number, operator_code=operator, card_number=card, closed_at=closed)
            for number, operator, card, closed in (
                ("1", "17", CARD, "2026-11-21T12:30:00+01:00"),
                ("2", "18", CARD, "2026-11-21T12:31:00+01:00"),
                ("3", "17", OTHER_CARD, "2026-11-21T12:32:00+01:00"),
                ("4", "17", CARD, "2026-11-21T11:59:00+01:00"),
            )
        ]
        import_receipts(
            shop.sessions,
            write_receipts(tmp_path / "receipts.csv", rows),
            now=shop.now,
            show=lambda _title: nullcontext(lambda _done, _total: None),
        )
        assert (shop.stands(CARD), shop.stands(OTHER_CARD)) == ((0, 20, 0), (0, 10, 0))
        assert shop.broken() == []

    def test_long_past_raise_no_alert(self, shop: Shop):
        day = shop.today - timedelta(days=36)
        for number in range(8):
            closed = shop.now - timedelta(days=36, minutes=number)
            shop.settle(shop.sale(100, business_date=day, closed_at=closed), imported=True)
        assert alerts(shop) == []


class TestAnyOrder:
    def test_leads_to_equal_ledgers_and_the_same_subjects(self, shop: Shop):
        bind(shop)
        shop.issue([OTHER_CARD])
        sales = [
            shop.sale(1000 * number, operator_code="17", closed_at=NOON + timedelta(minutes=number))
            for number in range(1, 6)
        ] + [
            shop.sale(1000, card_number=OTHER_CARD, operator_code="17", closed_at=moment)
            for moment in minutes(1, 2, 3, 4, 30)
        ]
        for posted in sales[::2] + sales[::-2]:
            shop.settle(posted)
        assert ledger(shop) == {CARD: (0, 0, 0), OTHER_CARD: (0, 50, 0)}
        assert {(kind, card) for kind, _, _, card, _ in alerts(shop)} == {
            ("own_card", CARD),
            ("velocity", CARD),
            ("velocity", OTHER_CARD),
            ("cashier_card", OTHER_CARD),
        }

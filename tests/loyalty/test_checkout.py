import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from psycopg.errors import LockNotAvailable
from sqlalchemy import select, text

from customers.models import Card
from loyalty.checkout import Outcome, Quarantined, settle
from sales.models import QuarantinedReceipt, Receipt, ReceiptFlag, ReceiptLine
from sales.receipts import Discount, PostedLine, Tender, Totals
from tests.shop import CARD, NOON, OTHER_CARD, Shop


class TestASale:
    def test_earns_by_the_contracts_example(self, shop: Shop):
        tea = PostedLine(
            1,
            Decimal(2),
            5990,
            10782,
            Decimal(12),
            gtin="8594001021512",
            sku="10452",
            discount_amount=1198,
            discounts=(Discount("TEA10", 3, 1198),),
        )
        posted = shop.sale(
            lines=(tea,), tenders=(Tender("cash", 10800),), totals=Totals(10800, 11980, 1198, 0, 18)
        )
        answer = shop.post(posted)
        assert answer["points"] == {
            "earned": 107,
            "spent": 0,
            "reversed": 0,
            "returned": 0,
            "pending_until": "2026-12-05",
            "balance": 107,
            "available": 0,
            "pending": 107,
            "expiring": [],
        }
        assert (answer["replayed"], answer["tier"], answer["differences"]) == (False, None, [])
        assert {flag["code"] for flag in answer["flags"]} == {"unknown_article", "unknown_offer"}

    def test_keeps_each_lines_share(self, shop: Shop):
        shop.post(shop.sale(500, 500, -100, 300))
        with shop.sessions() as session:
            shares = session.execute(select(ReceiptLine.line_number, ReceiptLine.points)).all()
        # 12 points over 500, 500 and 300: 4.6, 4.6 and 2.8.
        assert dict(shares) == {1: 5, 2: 4, 3: 0, 4: 3}

    def test_makes_points_available_with_the_stores_fifteenth_day(self, shop: Shop):
        shop.post(shop.sale(10000))
        shop.now = datetime(2026, 12, 4, 22, 59, 59, tzinfo=UTC)
        assert shop.stands() == (0, 100, 0)
        shop.now = datetime(2026, 12, 4, 23, 0, tzinfo=UTC)
        assert shop.stands() == (100, 0, 0)

    @pytest.mark.parametrize(("age", "pending"), [(13, True), (14, False), (400, False)])
    def test_earns_by_its_business_date_however_late_it_comes(self, shop: Shop, age: int, pending: bool):
        day = shop.today - timedelta(days=age)
        late = shop.sale(10000, business_date=day, closed_at=shop.now - timedelta(days=age))
        answer = shop.post(late)["points"]
        assert answer["pending_until"] == (day + timedelta(days=14)).isoformat()
        assert (answer["available"], answer["pending"]) == ((0, 100) if pending else (100, 0))

    def test_says_what_ends_within_sixty_days(self, shop: Shop):
        old = shop.sale(
            10000, business_date=date(2024, 12, 31), closed_at=datetime(2024, 12, 31, 12, tzinfo=UTC)
        )
        answer = shop.post(old)["points"]
        assert answer["expiring"] == [{"points": 100, "on": "2026-12-31"}]
        assert shop.card()["points"]["expiring"] == [{"points": 100, "on": "2026-12-31"}]

    def test_earns_what_has_ended_already_and_holds_nothing_of_it(self, shop: Shop):
        ancient = shop.sale(
            10000, business_date=date(2024, 10, 31), closed_at=datetime(2024, 10, 31, tzinfo=UTC)
        )
        assert shop.points(ancient) == {"earned": 100, "pending_until": "2024-11-14"}
        assert shop.stands() == (0, 0, 0)
        assert shop.points(shop.sale(500))["balance"] == 5

    @pytest.mark.parametrize("mode", ["training", "suspended"])
    def test_earns_nothing_unless_it_is_live(self, shop: Shop, mode: str):
        shop.post(shop.sale(300))
        practised = shop.sale(10000, mode=mode)
        assert shop.points(practised) == {"balance": 3, "pending": 3}
        assert isinstance(shop.settle(replace(practised, mode="live")), Quarantined)

    def test_earns_nothing_in_another_currency(self, shop: Shop):
        answer = shop.post(shop.sale(10000, currency="EUR"))
        assert answer["points"]["earned"] == 0
        assert "totals_mismatch" in {flag["code"] for flag in answer["flags"]}

    def test_has_zeros_and_nulls_without_a_card(self, shop: Shop):
        answer = shop.post(shop.sale(10000, card_number=None))
        assert {name: content for name, content in answer["points"].items() if content} == {}
        assert answer["print"] == []

    def test_tells_the_member_in_words(self, shop: Shop):
        assert shop.post(shop.sale(10000))["print"] == [
            "Získáno 100 bodů",
            "Stav: 100 bodů",
            "100 bodů z tohoto nákupu lze využít od 5. 12. 2026",
        ]


class TestTheCard:
    def test_that_nobody_knows_earns_nothing_and_is_flagged(self, shop: Shop):
        assert shop.flags(shop.sale(500, card_number="2990000000033")) == [("unknown_card", None)]
        assert shop.flags(shop.sale(500, card_number="2990000000018")) == [("unknown_card", None)]

    def test_from_stock_is_in_use_once_it_was_scanned(self, shop: Shop):
        with shop.sessions.begin() as session:
            session.add(Card(card_number="2990000000033", state="stock", created_at=NOON))
        sale = shop.sale(500, card_number="2990000000033")
        assert shop.flags(sale) == []
        assert shop.card("2990000000033")["state"] == "issued"
        assert shop.stands("2990000000033") == (0, 5, 0)

    def test_from_stock_stays_there_in_training(self, shop: Shop):
        with shop.sessions.begin() as session:
            session.add(Card(card_number="2990000000033", state="stock", created_at=NOON))
        assert shop.points(shop.sale(500, card_number="2990000000033", mode="training")) == {}
        assert shop.card("2990000000033")["state"] == "stock"

    def block(self, shop: Shop) -> None:
        with shop.sessions.begin() as session:
            card = session.get_one(Card, CARD)
            card.state, card.blocked_reason, card.blocked_at = "blocked", "lost", shop.now

    def test_earns_for_what_was_closed_before_the_block(self, shop: Shop):
        before = shop.sale(500)
        shop.later(minutes=1)
        self.block(shop)
        assert shop.flags(before) == []
        shop.later(minutes=1)
        after = shop.sale(500)
        assert shop.flags(after) == [("blocked_card", None)]
        assert shop.stands() == (0, 5, 0)

    def test_that_was_replaced_earns_for_its_successors_account(self, shop: Shop):
        with shop.sessions.begin() as session:
            old = session.get_one(Card, CARD)
            old.state, old.replaced_by = "replaced", OTHER_CARD
        assert shop.flags(shop.sale(500)) == []
        assert shop.stands(OTHER_CARD) == (0, 5, 0)
        assert shop.card() | {"card_number": OTHER_CARD, "state": "issued"} == shop.card(OTHER_CARD)

    def test_on_many_receipts_is_flagged_and_earns_all_the_same(self, shop: Shop):
        found = [shop.flags(shop.sale(100)) for _ in range(4)]
        assert found == [[], [], [], [("suspicious", None)]]
        shop.later(minutes=11)
        assert [shop.flags(shop.sale(100)) for _ in range(3)] == [[], [], [("suspicious", None)]]
        assert shop.stands() == (0, 7, 0)


class TestFlags:
    def test_wait_for_a_person_in_the_work_queue(self, shop: Shop):
        shop.post(shop.sale(500, card_number="2990000000033"))
        with shop.sessions() as session:
            rows = session.execute(select(ReceiptFlag.code, ReceiptFlag.state, ReceiptFlag.line_number)).all()
        assert set(rows) == {("unknown_card", "open", None), ("unknown_article", "open", 1)}

    def test_of_training_are_for_the_till_only(self, shop: Shop):
        assert shop.flags(shop.sale(500, card_number="2990000000033", mode="training"))
        with shop.sessions() as session:
            assert session.scalars(select(ReceiptFlag)).all() == []

    def test_name_articles_that_nobody_knows(self, shop: Shop):
        with shop.sessions.begin() as session:
            session.execute(
                text(
                    "insert into article (sku, gtin, name, unit, tax_rate) values "
                    "('known', '04006381333931', 'Pen', 'pcs', 21)"
                )
            )
        lines = tuple(
            PostedLine(number, Decimal(1), 100, 100, sku=sku, gtin=gtin)
            for number, (sku, gtin) in enumerate(
                [
                    ("known", None),
                    (None, "4006381333931"),
                    (None, "04006381333931"),
                    ("odd", "4006381333931"),
                    ("odd", None),
                    ("known", "4006381333932"),
                ],
                1,
            )
        )
        answer = shop.post(shop.sale(lines=lines, totals=Totals(600)))
        assert [flag["line_number"] for flag in answer["flags"]] == [5, 6]
        with shop.sessions() as session:
            found = session.scalars(select(ReceiptLine.article_id).order_by(ReceiptLine.line_number)).all()
        assert [article_id is not None for article_id in found] == [True, True, True, True, False, True]

    def test_say_that_a_payment_card_was_masked(self, shop: Shop):
        line = PostedLine(1, Decimal(1), 100, 100, sku="a", name="for 4111 1111 1111 1111")
        assert shop.flags(shop.sale(lines=(line,), totals=Totals(100))) == [("masked", None)]
        with shop.sessions() as session:
            assert session.scalars(select(ReceiptLine.name)).all() == ["for **** **** **** 1111"]

    def test_spare_a_card_of_our_own_that_looks_like_a_payment_card(self, shop: Shop):
        with shop.sessions.begin() as session:
            session.add(Card(card_number="4111111111111111", state="stock", created_at=NOON))
        assert shop.flags(shop.sale(500, card_number="4111111111111111")) == []


class TestTheSameReceipt:
    def test_gets_the_stored_answer_again(self, shop: Shop):
        sale = shop.sale(500)
        first = shop.post(sale)
        shop.post(shop.sale(700))
        shop.later(days=30)
        again = shop.settle(replace(sale, offline=True, quote_id="other"))
        assert again == Outcome({**first, "replayed": True}, replayed=True)
        assert shop.stands() == (12, 0, 0)

    def test_with_another_body_is_set_aside_once_and_changes_nothing(self, shop: Shop):
        sale = shop.sale(500)
        shop.post(sale)
        other = replace(sale, card_number=OTHER_CARD)
        assert isinstance(shop.settle(other), Quarantined)
        assert isinstance(shop.settle(other), Quarantined)
        assert shop.stands() == (0, 5, 0)
        assert shop.stands(OTHER_CARD) == (0, 0, 0)
        with shop.sessions() as session:
            kept = session.scalars(select(QuarantinedReceipt)).one()
        assert kept.body["card_number"] == OTHER_CARD
        assert kept.state == "open"

    def test_of_another_till_is_another(self, shop: Shop):
        sale = shop.sale(500)
        shop.post(sale)
        shop.post(sale, till="T2")
        shop.post(sale, till="T3")
        assert shop.stands() == (0, 15, 0)


class TestAtOnce:
    """R5 and races on one account, in small: real threads on a real database."""

    def test_one_receipt_sixteen_times_has_one_effect(self, shop: Shop):
        for round_ in range(1, 6):
            self.post_sixteen_times(shop)
            assert shop.stands() == (0, 5 * round_, 0)

    @staticmethod
    def post_sixteen_times(shop: Shop) -> None:
        sale = shop.sale(500)
        other = replace(sale, operator_code="9")
        start = threading.Barrier(16)

        def post(number: int) -> Outcome | Quarantined:
            start.wait()
            return shop.settle(other if number % 4 == 3 else sale)

        with ThreadPoolExecutor(16) as threads:
            outcomes = list(threads.map(post, range(16)))
        fresh = [found for found in outcomes if isinstance(found, Outcome) and not found.replayed]
        assert len(fresh) == 1
        replays = [found for found in outcomes if isinstance(found, Outcome) and found.replayed]
        assert all(found.answer == {**fresh[0].answer, "replayed": True} for found in replays)
        assert len(replays) in {11, 3}

    def test_sales_of_one_account_all_count(self, shop: Shop):
        sales = [shop.sale(100 * number) for number in range(1, 41)]
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(shop.post, sales))
        assert shop.stands() == (0, sum(range(1, 41)), 0)
        # Each saw the balance after itself: the balances are the running sums of some order.
        running = sorted((answer["points"]["balance"], answer["points"]["earned"]) for answer in answers)
        before = [0, *(balance for balance, _ in running[:-1])]
        assert [balance - earned for balance, earned in running] == before

    def test_the_first_sales_of_a_card_from_stock_open_one_account(self, shop: Shop):
        with shop.sessions.begin() as session:
            session.add(Card(card_number="2990000000033", state="stock", created_at=NOON))
        sales = [shop.sale(100, card_number="2990000000033") for _ in range(8)]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(shop.post, sales))
        assert shop.stands("2990000000033") == (0, 8, 0)

    def test_a_duplicate_gives_up_when_the_booking_takes_too_long(self, shop: Shop):
        sale = shop.sale(500)
        with shop.sessions.begin() as slow:
            settle(slow, till=shop.till, posted=sale, now=shop.now)
            with pytest.raises(LockNotAvailable):
                shop.settle(sale)
        outcome = shop.settle(sale)
        assert isinstance(outcome, Outcome)
        assert outcome.replayed


class TestARollback:
    def test_leaves_nothing_behind(self, shop: Shop):
        with shop.sessions() as session:
            settle(session, till=shop.till, posted=shop.sale(500), now=shop.now)
            session.rollback()
        with shop.sessions() as session:
            assert session.scalars(select(Receipt.receipt_id)).all() == []
        assert shop.stands() == (0, 0, 0)

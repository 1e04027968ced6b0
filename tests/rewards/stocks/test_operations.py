import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from core.ids import uuid7
from core.jobs import Shift
from core.keyset import Ask
from rewards.jobs import expire_vouchers
from rewards.models import Reward
from rewards.stocks import operations as stock
from rewards.stocks.lists import list_movements, low_stock, stock_row
from rewards.vouchers.batches import Batch, put_batch
from rewards.vouchers.issue import issue_vouchers
from rewards.vouchers.reservations import reserve_voucher
from tests.shop import Shop


class Shelf:
    """One reward in the shop's stock; each call is a transaction of its own."""

    def __init__(self, shop: Shop, code: str, pieces: int = 0) -> None:
        self.shop, self.code = shop, code
        with shop.sessions.begin() as session:
            session.add(Reward(reward_code=code, name={"en": code}, points=0))
        if pieces:
            self.do(stock.deliver, pieces=pieces)

    def do(self, act, *, because: stock.Cause | None = None, **more):
        cause = because or stock.Cause(self.shop.now, "test")
        place = {"reward_code": self.code, "store_id": self.shop.till.store_id}
        with self.shop.sessions.begin() as session:
            return act(session, **place, cause=cause, **more)

    def stands(self) -> tuple[int, int, int]:
        with self.shop.sessions() as session:
            row = stock_row(session, reward_code=self.code, store_id=self.shop.till.store_id)
        return row.on_hand, row.reserved, row.available

    def movements(self) -> list[str]:
        with self.shop.sessions() as session:
            page = list_movements(
                session,
                Ask("movement_id"),
                reward_code=self.code,
                store_id=self.shop.till.store_id,
            )
        return [row.kind for row in page.rows]


class TestTaking:
    def test_never_takes_what_is_not_there(self, shared_shop: Shop):
        shelf = Shelf(shared_shop, "TAKEN", 3)
        shelf.do(stock.take_pieces, pieces=2)
        with pytest.raises(stock.OutOfStock):
            shelf.do(stock.take_pieces, pieces=2)
        assert shelf.stands() == (1, 0, 1)

    def test_gives_the_last_piece_to_exactly_one_of_sixteen(self, shared_shop: Shop):
        shelf = Shelf(shared_shop, "LAST", 1)
        start = threading.Barrier(16)

        def run(_: int) -> bool:
            start.wait()
            try:
                shelf.do(stock.take_pieces)
            except stock.OutOfStock:
                return False
            return True

        with ThreadPoolExecutor(16) as pool:
            assert sum(pool.map(run, range(16))) == 1
        assert shelf.stands() == (0, 0, 0)

    def test_of_what_is_no_physical_thing_never_fails(self, shared_shop: Shop):
        shelf = Shelf(shared_shop, "WASH")
        shelf.do(stock.take_pieces, pieces=1000)
        with shared_shop.sessions() as session:
            left = stock.gifts_left(
                session, store_id=shared_shop.till.store_id, reward_codes=["WASH", "LAST"]
            )
        assert left == {"WASH": None, "LAST": 0}


class TestPuttingBack:
    def test_happens_once_for_a_receipt(self, shared_shop: Shop):
        shelf = Shelf(shared_shop, "BACK", 5)
        sale = stock.Cause(
            shared_shop.now, "test", business_date=shared_shop.today, receipt_id=uuid7(), offer_code="GIFT"
        )
        shelf.do(stock.take_pieces, because=sale, pieces=2)
        shelf.do(stock.take_pieces, pieces=1)
        with shared_shop.sessions.begin() as session:
            assert stock.put_gifts_back(session, receipt_id=sale.receipt_id, cause=sale) == {"BACK": 2}
            assert stock.put_gifts_back(session, receipt_id=sale.receipt_id, cause=sale) == {}
        assert shelf.stands() == (4, 0, 4)


class TestCounting:
    def test_corrects_the_books_by_the_difference(self, shared_shop: Shop):
        shelf = Shelf(shared_shop, "COUNT", 5)
        assert shelf.do(stock.count_stock, counted=3, seen=5) == -2
        assert shelf.do(stock.count_stock, counted=3, seen=3) == 0
        assert shelf.movements() == ["delivery", "count", "count"]

    def test_is_refused_when_the_books_changed_meanwhile(self, shared_shop: Shop):
        shelf = Shelf(shared_shop, "STALE", 5)
        shelf.do(stock.take_pieces)
        with pytest.raises(stock.CountedMeanwhile):
            shelf.do(stock.count_stock, counted=5, seen=5)

    @pytest.mark.parametrize("pieces", [0, -1, 10_000_000])
    def test_and_delivering_know_what_cannot_be(self, shared_shop: Shop, pieces):
        shelf = Shelf(shared_shop, f"BAD{pieces}")
        with pytest.raises(stock.BadCount):
            shelf.do(stock.deliver, pieces=pieces)
        with pytest.raises(stock.NoSuchStock):
            shelf.do(stock.count_stock, counted=1, seen=0)


class TestLowStock:
    def test_names_what_runs_low_in_a_store(self, shared_shop: Shop):
        shelf = Shelf(shared_shop, "FEW", 3)
        place = {"reward_code": "FEW", "store_id": shared_shop.till.store_id}

        def low() -> list[str]:
            with shared_shop.sessions() as session:
                return [row.reward_code for row in low_stock(session, store_id=shared_shop.till.store_id)]

        assert "FEW" not in low()
        with shared_shop.sessions.begin() as session:
            stock.warn_below(session, **place, low_at=2)
        assert "FEW" not in low()
        shelf.do(stock.take_pieces)
        assert "FEW" in low()


class TestTheDatabase:
    def test_notes_with_what_a_stock_begins(self, shared_shop: Shop):
        shelf = Shelf(shared_shop, "BEGINS")
        with shared_shop.sessions.begin() as session:
            session.execute(
                text(
                    "insert into reward_stock (reward_code, store_id, on_hand) values ('BEGINS', :store, 7)"
                ),
                {"store": shared_shop.till.store_id},
            )
        assert shelf.movements() == ["opening"]

    def test_holds_no_more_than_there_is(self, shared_shop: Shop):
        Shelf(shared_shop, "HARD", 1)
        with shared_shop.sessions.begin() as session, pytest.raises(IntegrityError, match="reserved"):
            session.execute(text("update reward_stock set reserved = 2 where reward_code = 'HARD'"))

    @pytest.mark.parametrize(
        "change", ["update stock_movement set on_hand = 9", "delete from stock_movement"]
    )
    def test_lets_no_movement_be_changed(self, shared_shop: Shop, change: str):
        with (
            shared_shop.sessions.begin() as session,
            pytest.raises(ProgrammingError, match="permission denied"),
        ):
            session.execute(text(change))


class TestTheNight:
    def test_ends_vouchers_and_what_tills_forgot_however_often_it_runs(self, shop: Shop, tmp_path: Path):
        today = {"today": shop.today, "now": shop.now}
        with shop.sessions.begin() as session:
            put_batch(session, Batch("WEEK", valid_days=7), actor="test", now=shop.now)
            put_batch(session, Batch("EVER"), actor="test", now=shop.now)
            issue_vouchers(session, batch_code="WEEK", count=3, actor="test", **today)
            (ever,) = issue_vouchers(session, batch_code="EVER", actor="test", **today)
            reserve_voucher(session, till=shop.till, voucher_code=ever.voucher_code, until=shop.now, **today)
        shop.later(days=7)
        told = [self.night(shop, tmp_path) for _ in range(2)]
        assert told == [{"reservations": 1, "vouchers": 0}, {"reservations": 0, "vouchers": 0}]
        shop.later(days=1)
        told = [self.night(shop, tmp_path) for _ in range(2)]
        assert told == [{"reservations": 0, "vouchers": 3}, {"reservations": 0, "vouchers": 0}]

    @staticmethod
    def night(shop: Shop, folder: Path) -> dict[str, int]:
        shift = Shift(shop.sessions, folder, shop.today, shop.now, lambda _done, _total: None)
        return expire_vouchers(shift)

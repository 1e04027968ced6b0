import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from core.ids import uuid7
from rewards.codes import has_its_check
from rewards.gift_cards import operations as money
from tests.shop import Shop


@pytest.fixture(scope="class")
def purse(shared_shop: Shop):
    """Return what does something to gift cards at the shop's first till, each a transaction of its own."""
    till = shared_shop.till
    teller = money.Teller(shared_shop.now, till.actor, till.currency, till.store_id, till.till_id)

    def do(act, **more) -> money.GiftCardView:
        with shared_shop.sessions.begin() as session:
            return act(session, teller=teller, **more)

    return do


@pytest.fixture
def card(purse) -> str:
    """The number of a card with 500.00 on it."""
    return purse(money.issue_gift_card, amount=50000, currency="CZK").gift_card_number


def balance(shop: Shop, number: str) -> int:
    with shop.sessions() as session:
        return money.gift_card(session, number).balance


class TestAGiftCard:
    def test_has_a_number_that_nobody_guesses_and_a_balance(self, shared_shop, card):
        assert has_its_check(card)
        assert (card[0], len(card), balance(shared_shop, f" {card.lower()} ")) == ("G", 16, 50000)

    def test_is_loaded_and_spent(self, shared_shop, purse, card):
        purse(money.load, number=card, amount=10000)
        assert purse(money.spend, number=card, amount=59999).balance == 1
        with pytest.raises(money.NotEnoughMoney):
            purse(money.spend, number=card, amount=2)
        assert balance(shared_shop, card) == 1

    def test_gives_its_last_money_to_exactly_one_of_sixteen(self, shared_shop, purse, card):
        start = threading.Barrier(16)

        def run(_: int) -> bool:
            start.wait()
            try:
                purse(money.spend, number=card, amount=50000)
            except money.NotEnoughMoney:
                return False
            return True

        with ThreadPoolExecutor(16) as pool:
            assert sum(pool.map(run, range(16))) == 1
        assert balance(shared_shop, card) == 0

    def test_gets_back_what_was_spent_and_no_more(self, shared_shop, purse, card):
        spent = purse(money.spend, number=card, amount=30000).entry_id
        assert purse(money.give_back, number=card, entry_id=spent, amount=20000).balance == 40000
        with pytest.raises(money.NotEnoughMoney):
            purse(money.give_back, number=card, entry_id=spent, amount=10001)
        assert purse(money.give_back, number=card, entry_id=spent, amount=10000).balance == 50000
        with pytest.raises(money.GiftCardNotFound):
            purse(money.give_back, number=card, entry_id=uuid7(), amount=1)

    def test_that_is_blocked_keeps_its_money(self, shared_shop, purse, card):
        spent = purse(money.spend, number=card, amount=100).entry_id
        with shared_shop.sessions.begin() as session:
            money.block_gift_card(session, number=card, reason="lost", actor="test", now=shared_shop.now)
        for act in (money.spend, money.load):
            with pytest.raises(money.GiftCardBlocked):
                purse(act, number=card, amount=1)
        assert purse(money.give_back, number=card, entry_id=spent, amount=100).balance == 50000

    def test_of_another_currency_pays_nothing_here(self, purse):
        with pytest.raises(money.OtherCurrency):
            purse(money.issue_gift_card, amount=100, currency="EUR")

    @pytest.mark.parametrize("amount", [0, -1, 10**9 + 1])
    def test_knows_amounts_that_cannot_be(self, purse, card, amount):
        with pytest.raises(money.BadAmount):
            purse(money.load, number=card, amount=amount)

    def test_that_nobody_issued_is_not_found(self, purse):
        with pytest.raises(money.GiftCardNotFound):
            purse(money.spend, number="G123", amount=1)


class TestItsBooks:
    def test_take_nothing_that_does_not_sum_to_zero(self, shared_shop, purse, card):
        entry = purse(money.load, number=card, amount=1).entry_id
        with shared_shop.sessions.begin() as session, pytest.raises(IntegrityError, match="sum to zero"):
            session.execute(text("insert into gift_card_leg values (:entry, 'spent', 5)"), {"entry": entry})

    @pytest.mark.parametrize("table", ["gift_card_entry", "gift_card_leg"])
    def test_cannot_be_changed(self, shared_shop, table):
        with (
            shared_shop.sessions.begin() as session,
            pytest.raises(ProgrammingError, match="permission denied"),
        ):
            session.execute(text(f"delete from {table}"))

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, text

from customers.models import Card
from customers.queries import CardNotFound
from loyalty.checkout import Outcome
from loyalty.linking import CardCannotEarn, EarnsNothing, HasAccount, link_card
from sales.receipts import Totals
from tests.shop import CARD, NOON, OTHER_CARD, Shop

UNKNOWN = "2990000000071"
SEED = 20261122


def link(shop: Shop, sale, card: str = CARD):
    with shop.sessions.begin() as session:
        row = session.execute(
            text("select business_date, receipt_id from receipt where receipt_number = :number"),
            {"number": sale.receipt_number},
        ).one()
        return link_card(
            session,
            business_date=row.business_date,
            receipt_id=row.receipt_id,
            card_number=card,
            now=shop.now,
            actor="desk",
        )


def shares(shop: Shop) -> list[tuple[str, int, int, int]]:
    """What each line earned, or took back, and spent."""
    with shop.sessions() as session:
        rows = session.execute(
            text(
                "select receipt_number, line_number, points, points_spent from receipt_line "
                "join receipt using (business_date, receipt_id) order by 1, 2"
            )
        )
        return [tuple(row) for row in rows]


class TestLinkCard:
    def test_books_what_the_sale_would_have_earned_by_its_business_date(self, shop: Shop):
        sale = shop.sale(10000, 5050, card_number=UNKNOWN)
        assert shop.flags(sale) == [("unknown_card", None)]
        assert shop.stands() == (0, 0, 0)
        shop.later(days=20)
        linked = link(shop, sale)
        assert (linked.earned, linked.reversed) == (150, 0)
        assert shop.stands() == (150, 0, 0)
        assert shares(shop) == [(sale.receipt_number, 1, 100, 0), (sale.receipt_number, 2, 50, 0)]

    def test_takes_what_came_back_meanwhile_from_other_points_when_the_sale_s_have_ended(self, shop: Shop):
        long_ago = {
            "business_date": shop.today - timedelta(days=900),
            "closed_at": shop.now - timedelta(days=900),
        }
        shop.post(shop.sale(50000))
        known = shop.sale(10000, **long_ago)
        sale = shop.sale(10000, card_number=UNKNOWN, **long_ago)
        for one in (known, shop.back(known, {1: "1"}), sale, shop.back(sale, {1: "1"})):
            shop.post(one)
        assert shop.stands() == (0, 400, 0)
        linked = link(shop, sale)
        assert (linked.earned, linked.reversed) == (100, 100)
        assert shop.stands() == (0, 300, 0)
        assert shop.broken() == []

    def test_keeps_points_pending_until_the_sale_s_own_date(self, shop: Shop):
        sale = shop.sale(10000, card_number=UNKNOWN)
        shop.post(sale)
        shop.later(days=13)
        link(shop, sale)
        assert shop.stands() == (0, 100, 0)
        shop.later(days=1)
        assert shop.stands() == (100, 0, 0)

    def test_lets_a_replay_get_the_stored_answer(self, shop: Shop):
        sale = shop.sale(10000, card_number=UNKNOWN)
        answer = shop.post(sale)
        link(shop, sale)
        again = shop.settle(sale)
        assert isinstance(again, Outcome)
        assert again.replayed
        assert {**again.answer, "replayed": False} == answer
        assert shop.stands() == (0, 100, 0)

    def test_lets_a_later_return_take_back(self, shop: Shop):
        sale = shop.sale(("2", 5000), card_number=UNKNOWN)
        shop.post(sale)
        link(shop, sale)
        assert shop.points(shop.back(sale, {1: "1"}))["reversed"] == 50
        assert shop.stands() == (0, 50, 0)

    def test_takes_back_what_was_returned_before(self, shop: Shop):
        sale = shop.sale(("4", 2500), 1000, card_number=UNKNOWN)
        shop.post(sale)
        assert "reversed" not in shop.points(shop.back(sale, {1: "1"}))
        linked = link(shop, sale)
        assert (linked.earned, linked.reversed) == (110, 25)
        assert shop.stands() == (0, 85, 0)
        assert shop.points(shop.back(sale, {1: "3", 2: "1"}))["reversed"] == 85

    def test_leaves_nothing_of_a_sale_that_was_voided(self, shop: Shop):
        sale = shop.sale(10000, card_number=UNKNOWN)
        shop.post(sale)
        shop.post(shop.void(sale))
        linked = link(shop, sale)
        assert (linked.earned, linked.reversed) == (100, 100)
        assert shop.stands() == (0, 0, 0)

    def test_understands_a_void_that_came_before_its_return(self, shop: Shop):
        sale = shop.sale(("4", 2500), card_number=UNKNOWN)
        back = shop.back(sale, {1: "3"})
        void = shop.void(back)
        for posted in (void, sale, back):
            shop.post(posted)
        assert link(shop, sale).reversed == 0
        assert shop.stands() == (0, 100, 0)

    def test_leaves_alone_what_another_card_s_points_paid(self, shop: Shop):
        shop.issue([OTHER_CARD])
        shop.enrol(OTHER_CARD)
        shop.post(shop.sale(100000, card_number=OTHER_CARD))
        shop.later(days=20)
        redemption = shop.reserve(400, OTHER_CARD)
        sale = shop.paid_with(redemption, totals=(("2", 10000),) and (20000,), card_number=UNKNOWN)
        shop.post(sale)
        shop.post(shop.back(sale, {1: "1"}))
        assert shop.stands(OTHER_CARD) == (1000, 0, 0)
        linked = link(shop, sale)
        assert (linked.earned, linked.reversed) == (160, 160)
        assert shop.stands(OTHER_CARD) == (1000, 0, 0)

    def test_puts_a_card_from_stock_into_use(self, shop: Shop):
        with shop.sessions.begin() as session:
            session.execute(insert(Card).values(card_number=UNKNOWN, state="stock", created_at=NOON))
        sale = shop.sale(10000, card_number=None)
        shop.post(sale)
        link(shop, sale, UNKNOWN)
        assert shop.card(UNKNOWN)["state"] == "issued"
        assert shop.stands(UNKNOWN) == (0, 100, 0)

    def test_is_written_in_the_audit_trail(self, shop: Shop):
        sale = shop.sale(10000, card_number=UNKNOWN)
        shop.post(sale)
        link(shop, sale)
        with shop.sessions() as session:
            event = session.execute(
                text("select actor, subject_id, detail from audit_event where action = 'receipt.link'")
            ).one()
        assert event.actor == "desk"
        assert event.subject_id.endswith(sale.receipt_number)
        assert (event.detail["card_number"], event.detail["points"]) == (CARD, 100)


class TestRefusals:
    def test_name_a_sale_that_has_its_account(self, shop: Shop):
        sale = shop.sale(10000)
        shop.post(sale)
        with pytest.raises(HasAccount):
            link(shop, sale)

    def test_name_training_and_returns(self, shop: Shop):
        training = shop.sale(10000, mode="training", card_number=UNKNOWN)
        blind = replace(shop.sale(10000, card_number=UNKNOWN), type="return", totals=Totals(payable_amount=1))
        for posted in (training, blind):
            shop.post(posted)
            with pytest.raises(EarnsNothing):
                link(shop, posted)

    def test_name_a_card_that_nobody_knows(self, shop: Shop):
        sale = shop.sale(10000, card_number=UNKNOWN)
        shop.post(sale)
        with pytest.raises(CardNotFound):
            link(shop, sale, UNKNOWN)

    def test_name_a_card_blocked_before_the_sale(self, shop: Shop):
        with shop.sessions.begin() as session:
            card = session.get_one(Card, CARD)
            card.state, card.blocked_at, card.blocked_reason = "blocked", shop.now, "lost"
        shop.later(minutes=1)
        sale = shop.sale(10000, card_number=UNKNOWN)
        shop.post(sale)
        with pytest.raises(CardCannotEarn):
            link(shop, sale)


class TestRaces:
    def test_book_once_whoever_links(self, shop: Shop):
        shop.issue([OTHER_CARD])
        sales = [shop.sale(10000, card_number=UNKNOWN) for _ in range(10)]
        for sale in sales:
            shop.post(sale)

        def attempt(number: int) -> str:
            try:
                return str(link(shop, sales[number // 4], (CARD, OTHER_CARD)[number % 2]).account_id)
            except HasAccount:
                return ""

        with ThreadPoolExecutor(8) as people:
            won = [account for account in people.map(attempt, range(40)) if account]
        assert len(won) == 10
        assert shop.stands()[1] + shop.stands(OTHER_CARD)[1] == 1000

    def test_take_back_exactly_once_what_is_returned_at_the_same_moment(self, shop: Shop):
        sales = [shop.sale(("4", 2500), card_number=UNKNOWN) for _ in range(10)]
        for sale in sales:
            shop.post(sale)
        backs = [shop.back(sale, {1: "3"}) for sale in sales]
        voids = [shop.void(back) for back in backs]

        def work(task: tuple[str, int]) -> None:
            kind, number = task
            if kind == "link":
                link(shop, sales[number])
            else:
                shop.post((backs if kind == "back" else voids)[number])

        tasks = [(kind, number) for number in range(10) for kind in ("back", "void", "link")]
        random.Random(SEED).shuffle(tasks)
        with ThreadPoolExecutor(8) as people:
            list(people.map(work, tasks))
        assert shop.stands() == (0, 1000, 0)


class TestHistories:
    def test_come_to_the_same_as_if_the_card_had_been_known(self, shop: Shop):
        """The same random histories on two cards: one known at once, one linked somewhere in between."""
        chance = random.Random(SEED)
        for _ in range(30):
            known = shop.sale(("4", chance.randrange(100, 9999)), chance.randrange(100, 9999))
            shop.issue([OTHER_CARD])
            unknown = replace(known, card_number=UNKNOWN, receipt_number=f"U{known.receipt_number}")
            moment = chance.randrange(4)
            shop.post(known)
            shop.post(unknown)
            before = shop.stands()[1] - shop.stands(OTHER_CARD)[1]
            done: list = []
            for turn in range(4):
                if turn == moment:
                    link(shop, unknown, OTHER_CARD)
                done.append(self.step(shop, chance, known, unknown, done))
            assert shop.stands()[1] - shop.stands(OTHER_CARD)[1] == 0, (SEED, before)

    @staticmethod
    def step(shop: Shop, chance: random.Random, known, unknown, done):
        kind = chance.choice(("back", "back", "back", "void", "void return"))
        earlier = [pair for pair in done if pair]
        if kind == "void return" and earlier:
            pair = tuple(shop.void(one) for one in chance.choice(earlier))
            first = None
        elif kind == "void":
            pair, first = (shop.void(known), shop.void(unknown)), None
        else:
            brought = {chance.choice((1, 2)): str(chance.randrange(1, 4))}
            pair = first = (shop.back(known, brought), shop.back(unknown, brought))
        for posted in pair:
            shop.post(posted)
        return first

"""
R1: hypothesis plays shop, against the contract's arithmetic written down once more.

After every step all cards must stand as the model says, and in the end the checks of `regulars verify` must hold.
A failure is made as short as it can be, and the seed that found it is printed.
"""

from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, text
from stdnum import ean

from core.errors import Conflict
from customers.card_changes import replace_card
from customers.models import Card
from loyalty.checkout import Outcome, Quarantined
from loyalty.jobs import expire_accounts
from loyalty.models import Balance
from loyalty.redemptions import CardBlocked, NotEnoughPoints, reserve
from loyalty.reservations import Redemption
from rewards.offer_operations import import_document
from rewards.stocks.operations import OutOfStock
from sales.receipts import Original, PostedReceipt
from tests.reference import Expected, Moved, Reference, Rules, Sale
from tests.reliability.rotation import MOST, bound, says, seed_of_run, sizes
from tests.shop import NOON, Shop, shared_shop

__all__ = ["shared_shop"]

EXAMPLES, STEPS = 100, 100
PARTS = 5
GIFT, GIFT_POINTS, PIECES = "MUG", 7, 3

QUANTITIES = st.sampled_from(["1", "1", "2", "3", "7", "0.754", "2.5"])
PRICES = st.sampled_from([1, 49, 99, 100, 340, 1999, 12345, -300])
LINES = st.lists(st.tuples(QUANTITIES, PRICES), min_size=1, max_size=4)
AGES = st.sampled_from([0, 0, 0, 1, 5, 13, 14, 15, 40, 400, 800])
OFFERS = {
    "format": 1,
    "offers": [
        {"code": "R1-DOUBLE", "stage": "points", "benefit": {"kind": "points_multiplier", "times": "2"},
         "condition": {"kind": "items", "select": {"skus": ["sku2"]}, "quantity": "0.5"}},
        {"code": "R1-BONUS", "stage": "points", "limits": {"uses": 10**9}, "benefit": {"kind": "points", "points": 5},
         "condition": {"kind": "items", "select": {"skus": ["sku1"]}, "quantity": "3"}},
    ],
}  # fmt: skip
RULES = Rules(doubled=frozenset({"sku2"}), bonus=("sku1", 3, 5))
"""What the programme and the offers above come to."""

PLACES = st.integers(0, 10**6)
"""Which of several: the place counts round."""

NUMBERS = count(1)


def new_card() -> str:
    beginning = f"2960{next(NUMBERS):08}"
    return beginning + ean.calc_check_digit(beginning)


class ShopMachine(RuleBasedStateMachine):
    """A shop with two members, whose every step is done for real and on paper."""

    shop: ClassVar[Shop]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.shop.now = NOON
        self.model = Reference(self.shop.till.timezone, {date.min: RULES})
        self.cards = [new_card() for _ in range(2)]
        self.shop.issue(self.cards)
        for card in self.cards:
            self.shop.enrol(card)
        self.numbers: dict[str, str] = {card: card for card in self.cards}
        """Which card of ours each number leads to, after replacements."""
        self.posted: list[tuple[PostedReceipt, dict]] = []
        self.unposted: list[PostedReceipt] = []
        self.held: list[Redemption] = []
        self.pieces = PIECES
        self.gifts: dict[str, str] = {}
        self.beyond = 0
        """Gifts on paid receipts whose time was over, and whose piece somebody else had got meanwhile: flagged."""
        self.handed: dict[Original, bool] = {}
        """Sales with which a gift was handed over; True while it is back in stock, as nothing of the sale is left."""
        self.lost = 0
        """Gifts of sales that stand again, whose piece somebody else had got meanwhile."""
        self.gift = f"{GIFT}{next(NUMBERS)}"
        with self.shop.sessions.begin() as session:
            session.execute(
                text('insert into reward values (:code, \'{"en": "Mug"}\', :points)'),
                {"code": self.gift, "points": GIFT_POINTS},
            )
            session.execute(
                text("insert into reward_stock values (:code, :store, :pieces)"),
                {"code": self.gift, "store": self.shop.till.store_id, "pieces": PIECES},
            )

    # What happens at a till.

    @rule(lines=LINES, place=PLACES, age=AGES, live=st.sampled_from([True] * 9 + [False]))
    def sells(self, lines, place, age, live):
        self._settles(self._sale(lines, place, age, mode="live" if live else "training"))

    @rule(lines=LINES)
    def sells_without_a_card(self, lines):
        self._settles(self.shop.sale(*lines, card_number=None))

    @precondition(lambda self: self.held)
    @rule(place=PLACES, total=st.sampled_from([100, 1500, 33300]), card=PLACES)
    def sells_for_points(self, place, total, card):
        held = self.held[place % len(self.held)]
        self._settles(self.shop.paid_with(held, totals=(total, 99), card_number=self._number(card)))

    @precondition(lambda self: self._sales())
    @rule(place=PLACES, part=st.sampled_from(["0.3", "1", "1", "2", "all"]), whole=st.booleans())
    def takes_back(self, place, part, whole):
        sales = self._sales()
        self._settles(self._back(sales[place % len(sales)], part, whole=whole))

    @precondition(lambda self: self._reversible())
    @rule(place=PLACES)
    def voids(self, place):
        reversible = self._reversible()
        self._settles(self.shop.void(reversible[place % len(reversible)]))

    @rule(lines=LINES, place=PLACES, age=AGES.filter(lambda age: age < 500))
    def takes_back_before_the_sale(self, lines, place, age):
        sale = self._sale(lines, place, age)
        self.unposted.append(sale)
        self._settles(self._back(sale, "1", whole=False))

    @precondition(lambda self: self.unposted)
    @rule(place=PLACES)
    def sends_late(self, place):
        self._settles(self.unposted.pop(place % len(self.unposted)))

    @precondition(lambda self: self.posted)
    @rule(place=PLACES)
    def sends_again(self, place):
        posted, answer = self.posted[place % len(self.posted)]
        outcome = self.shop.settle(posted)
        assert isinstance(outcome, Outcome)
        assert outcome.replayed
        assert {**outcome.answer, "replayed": False} == answer

    @precondition(lambda self: self.posted)
    @rule(place=PLACES)
    def sends_another_body(self, place):
        posted, _ = self.posted[place % len(self.posted)]
        assert isinstance(self.shop.settle(replace(posted, operator_code="another")), Quarantined)

    # What members spend.

    @rule(place=PLACES, points=st.sampled_from([1, 5, 20, 100]))
    def reserves(self, place, points):
        self._reserves(place, points, points=points)

    @rule(place=PLACES)
    def reserves_a_gift(self, place):
        held = self._reserves(place, GIFT_POINTS, reward_code=self.gift)
        if held is not None:
            self.gifts[str(held.redemption_id)] = "reserved"

    @precondition(lambda self: self.held)
    @rule(place=PLACES, state=st.sampled_from(["released", "posted"]))
    def resolves(self, place, state):
        held = self.held[place % len(self.held)]
        resolve = self.shop.release if state == "released" else self.shop.hand_over
        expected = self.model.resolve(str(held.redemption_id), state, self.shop.now)
        try:
            resolve(held)
        except Conflict:
            assert not expected
        else:
            assert expected

    @rule(place=PLACES)
    def replaces_a_card(self, place):
        old = self._number(place)
        while self.numbers[old] != old:
            old = self.numbers[old]
        new = new_card()
        with self.shop.sessions.begin() as session:
            replace_card(
                session,
                card_number=old,
                new_card_number=new,
                reason="lost",
                now=self.shop.now,
                actor="test",
                has_history=lambda _account: False,
            )
        self.numbers[old] = self.numbers[new] = new
        account = self.model.account(old)
        self.model.accounts[new] = account

    # What time does.

    @rule(minutes=st.sampled_from([1, 6, 11]), days=st.sampled_from([0, 0, 0, 1, 6, 14]))
    def time_passes(self, minutes, days):
        self.shop.later(minutes=minutes, days=days)

    @precondition(lambda self: self.shop.now.year < 2040)
    @rule(months=st.sampled_from([3, 12, 25]))
    def years_pass(self, months):
        self.shop.later(days=30.5 * months)
        # Whether a return that waits takes points that end at their arrival, nobody has said.
        self.unposted.clear()

    @rule()
    def night_falls(self):
        with self.shop.sessions.begin() as session:
            ours = select(Card.account_id).where(Card.card_number.in_(self.cards))
            accounts = session.scalars(select(Balance.account_id).where(Balance.account_id.in_(ours))).all()
            expire_accounts(session, account_ids=accounts, now=self.shop.now)

    def teardown(self):
        """What of the bonus' uses stands is what was given with sales of which something is left."""
        with self.shop.sessions() as session:
            rows = session.execute(
                text(
                    "select receipt_number, sum(uses) from offer_use join receipt using (business_date, receipt_id)"
                    " where offer_code = 'R1-BONUS' and receipt_number = any(:ours) group by receipt_number"
                ),
                {"ours": [posted.receipt_number for posted, _ in self.posted]},
            ).all()
        standing = {number: uses for number, uses in rows if uses}
        wanted = {
            posted.receipt_number
            for posted in self._sales()
            if posted.card_number
            and RULES.applications(posted)
            and not self._is_empty(self.shop.name_of(posted))
        }
        assert set(standing) == wanted

    @invariant()
    def agrees(self):
        type(self).steps += 1
        self.every_card_stands_as_the_model_says()
        self.pieces_are_in_stock_or_held_or_handed_over()

    def every_card_stands_as_the_model_says(self):
        # Those that were given out last stand for all before them, of which one is looked at as well.
        for number in {*list(self.numbers)[-2:], *self.cards}:
            assert self.shop.stands(number) == self.model.stands(number, self.shop.now), number

    def pieces_are_in_stock_or_held_or_handed_over(self):
        out = sum(self.model.redemptions[code].state == "posted" for code in self.gifts)
        out -= sum(self.handed.values()) + self.lost
        held = sum(self.model.redemptions[code].state == "reserved" for code in self.gifts)
        left, kept = self._stock()
        with self.shop.sessions() as session:
            # What is over although nobody has booked so still lies aside.
            aside = session.execute(
                text(
                    "select count(*) from redemption where reward_code = :code and state = 'reserved' and expires_at <= :now"
                ),
                {"code": self.gift, "now": self.shop.now},
            ).scalar_one()
        assert (left + out, kept) == (PIECES + self.beyond, held + aside)

    # How it is done.

    def _number(self, place: int) -> str:
        return list(self.numbers)[place % len(self.numbers)]

    def _sale(self, lines, place: int, age: int, **changes) -> PostedReceipt:
        return self.shop.sale(
            *lines,
            card_number=self._number(place),
            business_date=self.shop.today - timedelta(days=age),
            closed_at=self.shop.now - timedelta(days=age),
            **changes,
        )

    def _back(self, sale: PostedReceipt, part: str, *, whole: bool) -> PostedReceipt:
        lines = sale.lines if whole else sale.lines[:1]
        brought = {line.line_number: str(line.quantity) if part == "all" else part for line in lines}
        return self.shop.back(sale, brought, card_number=None)

    def _sales(self) -> list[PostedReceipt]:
        return [posted for posted, _ in self.posted if posted.type == "sale" and posted.mode == "live"]

    def _reversible(self) -> list[PostedReceipt]:
        return [posted for posted, _ in self.posted if posted.type != "void" and posted.mode == "live"]

    def _stock(self) -> tuple[int, int]:
        """Return how many pieces of the gift lie in the store, and how many of those are held."""
        with self.shop.sessions() as session:
            row = session.execute(
                text("select on_hand, reserved from reward_stock where reward_code = :code"),
                {"code": self.gift},
            ).one()
        return row.on_hand, row.reserved

    def _is_empty(self, name: Original) -> bool:
        """Whether nothing of a sale is out any more."""
        sale = self.model.known[name]
        assert isinstance(sale, Sale)
        return sale.voided or all(
            sale.standing(number).quantity >= line.quantity for number, line in sale.lines.items()
        )

    def _gifts_go_back(self, before: tuple[int, int]) -> None:
        """Put the gift of a sale back of which nothing is left, or take it again where the sale stands again."""
        for name, back in list(self.handed.items()):
            empty = self._is_empty(name)
            if empty and not back:
                self.handed[name] = True
            elif back and not empty:
                taken = self._stock()[0] < before[0]
                assert taken or before[0] == before[1]
                self.handed[name] = False
                if not taken:
                    del self.handed[name]
                    self.lost += 1

    def _settles(self, posted: PostedReceipt) -> None:
        before = self._stock()
        gifts = [code for code in posted.redemption_ids if code in self.gifts]
        fresh = [code for code in gifts if self.model.redemptions[code].state != "posted"]
        answer = self.shop.post(posted)
        expected = self.model.post(self.shop.name_of(posted), posted, self.shop.now)
        told = answer["points"]
        moved = Moved(told["earned"], told["spent"], told["reversed"], told["returned"])
        assert Expected(moved, told["available"], told["pending"]) == expected
        assert told["balance"] == told["available"] + told["pending"]
        beyond = sum("is left in this store" in flag["detail"] for flag in answer["flags"])
        self.beyond += beyond
        if fresh and not beyond and posted.type == "sale" and posted.mode == "live":
            self.handed[self.shop.name_of(posted)] = False
        self._gifts_go_back(before)
        self.posted.append((posted, answer))

    def _reserves(self, place: int, cost: int, **wish) -> Redemption | None:
        card = self._number(place)
        account = self.model.account(card)
        account.lapse(self.shop.now)
        account.end(self.shop.today)
        affordable = account.stands(self.shop.today)[0] >= cost
        try:
            with self.shop.sessions.begin() as session:
                held = reserve(session, till=self.shop.till, card_number=card, now=self.shop.now, **wish)
        except CardBlocked:
            assert self.numbers[card] != card
            return None
        except NotEnoughPoints:
            assert not affordable
            return None
        except OutOfStock:
            assert affordable
            assert self._pieces_out() == PIECES + self.beyond
            return None
        assert affordable
        paper = account.reserve(cost, self.shop.today, self.shop.now)
        assert paper is not None
        self.model.redemptions[str(held.redemption_id)] = paper
        self.held.append(held)
        return held

    def _pieces_out(self) -> int:
        out = sum(self.model.redemptions[code].state in {"reserved", "posted"} for code in self.gifts)
        return out - sum(self.handed.values()) - self.lost


class TestTheModel:
    @pytest.mark.parametrize("rounds", sizes(EXAMPLES, parts=PARTS))
    def test_is_what_the_shop_does(self, shared_shop, publish, rounds):
        seed = seed_of_run()
        publish(says("R1", rounds, EXAMPLES, seed=seed))
        ShopMachine.shop, ShopMachine.steps = shared_shop, 0
        with shared_shop.sessions.begin() as session:
            import_document(session, document=OFFERS, actor="test", now=NOON, live=True)
        run_state_machine_as_test(
            seeded(seed)(ShopMachine),
            settings=settings(
                max_examples=len(rounds),
                stateful_step_count=STEPS,
                phases=(Phase.generate,) if MOST else (Phase.generate, Phase.shrink),
                database=None,
                report_multiple_bugs=False,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        assert shared_shop.broken() == []
        publish(f"R1: {bound(ShopMachine.steps)}")

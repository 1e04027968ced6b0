"""R1 and R6: random histories of sales, returns, voids and redemptions, against the contract written down once more."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from stdnum import ean

from loyalty.redemptions import NotEnoughPoints
from loyalty.reservations import Redemption
from sales.receipts import PostedReceipt
from tests.reference import Expected, Moved, Reference
from tests.shop import Shop, shared_shop

__all__ = ["shared_shop"]

HISTORIES, STEPS = 20, 50
SETS, ORDERS = 8, 4
LONGER = 20
"""How many times as much a soak does."""


def seeds(usual: int) -> list[Any]:
    """Return the seeds of every run, and the many more of a soak."""
    more = (pytest.param(seed, marks=pytest.mark.soak) for seed in range(usual, usual * LONGER))
    return [*range(usual), *more]


class Chance:
    """Makes up what happens in a shop."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.random = random.Random(seed)
        self.shop = shop
        self.cards = [self.new_card(seed * 3 + number) for number in range(2)]
        shop.issue(self.cards)
        for card in self.cards:
            shop.enrol(card)
        self.held: list[Redemption] = []

    @staticmethod
    def new_card(number: int) -> str:
        beginning = f"2980{number:08}"
        return beginning + ean.calc_check_digit(beginning)

    def spend(self, reference: Reference) -> None:
        """Reserve points, or let go of a reservation; or fail to, as the contract says."""
        card = self.random.choice(self.cards)
        points = self.random.choice([1, 5, 20, 100])
        now = self.shop.now
        expected = reference.account(card).reserve(points, self.shop.today, now)
        try:
            held = self.shop.reserve(points, card)
        except NotEnoughPoints:
            assert expected is None
            return
        assert expected is not None
        self.held.append(held)
        reference.redemptions[str(held.redemption_id)] = expected
        if self.random.random() < 0.2:
            self.shop.release(held)
            expected.account.let_go(expected, "released")

    def sale(self) -> PostedReceipt:
        choose = self.random
        if self.held and choose.random() < 0.4:
            spent = choose.sample(self.held, min(len(self.held), choose.choice([1, 1, 2])))
            totals = tuple(choose.choice([100, 1500, 33300]) for _ in range(choose.randint(1, 4)))
            return self.shop.paid_with(*spent, totals=totals, card_number=choose.choice([*self.cards, None]))
        lines = [
            (
                choose.choice(["1", "2", "3", "7", "0.754", "2.5"]),
                choose.choice([1, 49, 99, 100, 340, 1999, -300]),
            )
            for _ in range(choose.randint(1, 5))
        ]
        age = choose.choice([0, 0, 0, 1, 5, 13, 14, 15, 40, 400])
        return self.shop.sale(
            *lines,
            card_number=choose.choice([*self.cards, *self.cards, *self.cards, None]),
            business_date=self.shop.today - timedelta(days=age),
            closed_at=self.shop.now - timedelta(days=age),
            mode=choose.choice(["live"] * 12 + ["training"]),
        )

    def back(self, sale: PostedReceipt) -> PostedReceipt:
        choose = self.random
        brought = {}
        for line in choose.sample(sale.lines, choose.randint(1, len(sale.lines))):
            part = choose.choice(["0.3", "1", "1", "2", str(line.quantity)])
            brought[line.line_number] = part
        if choose.random() < 0.05:
            brought[99] = "1"
        return self.shop.back(sale, brought, card_number=choose.choice([*self.cards, None]))


class TestHistories:
    @pytest.mark.parametrize("seed", seeds(HISTORIES))
    def test_end_as_the_contract_says(self, seed: int, shared_shop: Shop):
        chance = Chance(shared_shop, seed)
        reference = Reference(shared_shop.till.timezone)
        posted: list[PostedReceipt] = []
        unposted: list[PostedReceipt] = []
        for _ in range(STEPS):
            shared_shop.later(
                days=chance.random.choice([0, 0, 0, 0, 1, 6]), minutes=chance.random.choice([0, 0, 6])
            )
            if chance.random.random() < 0.4:
                chance.spend(reference)
            receipt = self.next_receipt(chance, posted, unposted)
            answer = shared_shop.post(receipt)["points"]
            expected = reference.post(shared_shop.name_of(receipt), receipt, shared_shop.now)
            moved = Moved(answer["earned"], answer["spent"], answer["reversed"], answer["returned"])
            told = Expected(moved, answer["available"], answer["pending"])
            assert told == expected, f"seed {seed}: {receipt}"
            for card in chance.cards:
                assert shared_shop.stands(card) == reference.stands(card, shared_shop.now), (
                    f"seed {seed}: {receipt}"
                )

    @staticmethod
    def next_receipt(
        chance: Chance, posted: list[PostedReceipt], unposted: list[PostedReceipt]
    ) -> PostedReceipt:
        """Return what happens next; sometimes a return comes before its sale."""
        choose = chance.random.random()
        live = [receipt for receipt in posted + unposted if receipt.mode == "live"]
        sales = [receipt for receipt in live if receipt.type == "sale"]
        reversible = [receipt for receipt in live if receipt.type != "void"]
        if unposted and choose < 0.15:
            receipt = unposted.pop()
        elif choose < 0.2:
            unposted.append(chance.sale())
            receipt = chance.back(unposted[-1])
        elif sales and choose < 0.6:
            receipt = chance.back(chance.random.choice(sales))
        elif reversible and choose < 0.75:
            receipt = chance.shop.void(chance.random.choice(reversible))
        else:
            receipt = chance.sale()
        posted.append(receipt)
        return receipt


class TestOrders:
    @pytest.mark.parametrize("seed", seeds(SETS))
    def test_leave_equal_ledgers(self, seed: int, shared_shop: Shop):
        """Permuted and duplicated, return before sale: the same points, whatever the order."""
        shop = shared_shop
        chance = Chance(shop, 10_000 + seed)
        story = [replace(chance.sale(), card_number=chance.cards[number % 2]) for number in range(4)]
        for sale in list(story):
            line = sale.lines[0]
            story.append(shop.back(sale, {line.line_number: str(line.quantity)}))
        story += [shop.void(receipt) for receipt in chance.random.sample(story, 3)]
        ends = set()
        for order in range(ORDERS):
            again = [self.renamed(receipt, order) for receipt in story]
            again += chance.random.sample(again, 3)
            chance.random.shuffle(again)
            before = [shop.stands(card) for card in chance.cards]
            for receipt in again:
                shop.settle(receipt)
            after = [shop.stands(card) for card in chance.cards]
            ends.add(
                tuple(
                    tuple(now - then for now, then in zip(later, earlier, strict=True))
                    for later, earlier in zip(after, before, strict=True)
                )
            )
        assert len(ends) == 1, f"seed {seed}"

    @staticmethod
    def renamed(receipt: PostedReceipt, order: int) -> PostedReceipt:
        """Return the receipt as of another day's numbers, so that one story can be told again."""
        original = receipt.original
        if original is not None:
            original = replace(original, receipt_number=f"{order}-{original.receipt_number}")
        return replace(receipt, receipt_number=f"{order}-{receipt.receipt_number}", original=original)

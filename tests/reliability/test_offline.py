"""R1 and R7 for tills that were offline: random histories with allowances good, old, forged and spent twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from loyalty.offline.allowances import Signer
from loyalty.offline.signing import current_key, rotate_key
from sales.receipts import OfflineRedemption, PostedReceipt, Totals
from tests.reference import Expected, Moved, Promise, Reference
from tests.reliability import test_histories
from tests.reliability.test_histories import Chance, seeds
from tests.shop import Shop, shared_shop

__all__ = ["shared_shop"]

HISTORIES, STEPS = 5, 50


class OfflineChance(Chance):
    """Makes up what happens in a shop whose tills are offline now and then."""

    def __init__(self, shop: Shop, seed: int) -> None:
        super().__init__(shop, 50_000 + seed)
        self.promised: list[str] = []

    def take_snapshot(self, reference: Reference) -> None:
        """Let a till have an allowance of every card; now and then another key signs from then on."""
        now, until = self.shop.now, self.shop.now + timedelta(hours=72)
        with self.shop.sessions.begin() as session:
            if self.random.random() < 0.1:
                rotate_key(session, now=now, actor="test")
            signer = Signer(current_key(session, now=now), issued_at=now, expires_at=until)
        for card in self.cards:
            points = reference.stands(card, now)[0]
            if points > 0:
                text = signer.sign(card, points)
                reference.promises[text] = Promise(card, points, now, until)
                self.promised.append(text)

    def sale(self) -> PostedReceipt:
        sale = super().sale()
        while len(sale.redemption_ids) > 1:
            # Of several that are over by then the house books one after the other, the reference all at once.
            sale = super().sale()
        if not self.promised or sale.redemption_ids or self.random.random() < 0.5:
            return sale
        spent = [self.spent_offline() for _ in range(self.random.choice([1, 1, 1, 2]))]
        value = sum(one.points for one in spent) * 10
        whole = sum(line.total_amount for line in sale.lines)
        return replace(
            sale,
            offline=True,
            offline_redemptions=tuple(spent),
            totals=Totals(payable_amount=whole - value, points_amount=value),
        )

    def spent_offline(self) -> OfflineRedemption:
        choose = self.random
        text = choose.choice(self.promised[-6:])
        if choose.random() < 0.1:
            text = text[:-1] + ("A" if text[-1] != "A" else "Q")
        return OfflineRedemption(choose.choice([1, 5, 30, 30, 100, 400]), text)


class TestOfflineHistories:
    @pytest.mark.parametrize("seed", seeds(HISTORIES))
    def test_end_as_the_contract_says(self, seed: int, shared_shop: Shop):
        chance = OfflineChance(shared_shop, seed)
        reference = Reference(shared_shop.till.timezone)
        posted: list[PostedReceipt] = []
        unposted: list[PostedReceipt] = []
        for _ in range(STEPS):
            shared_shop.later(
                days=chance.random.choice([0, 0, 0, 1, 4]), minutes=chance.random.choice([1, 1, 11])
            )
            if chance.random.random() < 0.3:
                chance.spend(reference)
            if chance.random.random() < 0.3:
                chance.take_snapshot(reference)
            shared_shop.later(seconds=1)
            receipt = test_histories.TestHistories.next_receipt(chance, posted, unposted)
            name = shared_shop.name_of(receipt)
            answer = shared_shop.post(receipt)
            expected = reference.post(name, receipt, shared_shop.now)
            points = answer["points"]
            moved = Moved(points["earned"], points["spent"], points["reversed"], points["returned"])
            told = Expected(moved, points["available"], points["pending"])
            assert told == expected, f"seed {seed}: {receipt}"
            if receipt.offline_redemptions and receipt.type == "sale" and receipt.mode == "live":
                flagged = "over_redeemed" in {flag["code"] for flag in answer["flags"]}
                assert flagged == (name in reference.too_much), f"seed {seed}: {receipt} {answer['flags']}"
            for card in chance.cards:
                assert shared_shop.stands(card) == reference.stands(card, shared_shop.now), f"seed {seed}"

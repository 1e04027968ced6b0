"""R7: the programme changes in the middle of random histories, and every receipt keeps to its business date's rules."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import ClassVar

import pytest
from sqlalchemy import insert

from loyalty.programme.replay import replay
from loyalty.programme.rules import CurrencyRule, Excluded, Programme
from loyalty.quotes.returns import Wanted, quote_return
from loyalty.redemptions import NotEnoughPoints, NotInSteps
from loyalty.stored_versions import AHEAD
from sales.models import Article
from sales.receipts import PostedReceipt, Tender
from tests.reference import Expected, Moved, Reference, Rules
from tests.reliability import test_histories as histories
from tests.shop import Shop, shared_shop

__all__ = ["shared_shop"]

HISTORIES, STEPS = 6, 40
LEFT_OUT = "sku2"
"""A known article of the category that some versions leave out."""


def some_rules(chance: Random) -> Rules:
    return Rules(
        points=chance.choice([1, 2, 5]),
        per=chance.choice([20, 100, 330]),
        value=chance.choice([7, 10, 25]),
        without_tax=chance.random() < 0.7,
        earn_on_points=chance.random() < 0.3,
        left_out=frozenset({LEFT_OUT}) if chance.random() < 0.6 else frozenset(),
        pending_days=chance.choice([0, 0, 3, 14]),
        ends=chance.choice(["month_end", "day", "year_end", "never"]),
        months=chance.choice([1, 13, 24]),
        pays=chance.choice(["discount", "tender"]),
        minimum=chance.choice([1, 5, 20]),
        step=chance.choice([1, 5]),
        minutes=chance.choice([5, 10, 30]),
    )


def programme_of(rules: Rules) -> Programme:
    # The article that nobody knows is left out in name only.
    excluded = Excluded(categories=frozenset({"tobacco"}), articles=frozenset({"sku3"}))
    return Programme(
        currencies={"CZK": CurrencyRule(rules.points, rules.per, rules.value)},
        net_of_tax=rules.without_tax,
        earn_on_points=rules.earn_on_points,
        excluded=excluded if rules.left_out else Excluded(),
        pending_days=rules.pending_days,
        ending=rules.ends,
        ending_months=rules.months,
        points_as=rules.pays,
        minimum=rules.minimum,
        step=rules.step,
        hold_minutes=rules.minutes,
    )


class Chance(histories.Chance):
    """Makes up what happens while the rules change."""

    def spend(self, reference: Reference) -> None:
        card = self.random.choice(self.cards)
        points = self.random.choice([5, 20, 60])
        rules = reference.rules(self.shop.today)
        expected = reference.account(card).reserve(points, self.shop.today, self.shop.now, rules)
        try:
            held = self.shop.reserve(points, card)
        except (NotEnoughPoints, NotInSteps):
            assert expected is None
            return
        assert expected is not None
        assert held.value_amount == points * rules.value
        self.held.append(held)
        reference.redemptions[str(held.redemption_id)] = expected

    def sale(self) -> PostedReceipt:
        sale = super().sale()
        rates = [Decimal(self.random.choice(["0", "12", "21", "5.5"])) for _ in sale.lines]
        lines = tuple(replace(line, tax_rate=rate) for line, rate in zip(sale.lines, rates, strict=True))
        totals = sale.totals
        tenders: tuple[Tender, ...] = ()
        if totals.points_amount and self.random.random() < 0.5:
            # Where points are a means of payment a till may say so; elsewhere such a tender means nothing.
            tenders = (Tender("points", totals.points_amount),)
            totals = replace(totals, points_amount=0, payable_amount=sum(line.total_amount for line in lines))
        return replace(sale, lines=lines, totals=totals, tenders=tenders)


@pytest.fixture(scope="class")
def changing_shop(shared_shop: Shop) -> Shop:
    with shared_shop.sessions.begin() as session:
        session.execute(
            insert(Article).values(
                sku=LEFT_OUT, name="cigarettes", unit="pcs", tax_rate=21, category="tobacco"
            )
        )
    shared_shop.post(shared_shop.sale(100, card_number=None))
    return shared_shop


class TestRuleChanges:
    versions: ClassVar[dict[date, Rules]] = {}
    """Of the shop that all histories happen in, one after another."""

    # No more in a soak: the reference books every lapsed reservation at every receipt, the ledger only on the
    # accounts it touches, so that once in a long while points of a reservation end in the one and not in the other.
    @pytest.mark.parametrize("seed", range(HISTORIES))
    def test_leave_what_was_booked_and_hold_for_the_rest(self, seed: int, changing_shop: Shop):
        shop = changing_shop
        chance = Chance(shop, 50_000 + seed)
        for days in (AHEAD, AHEAD + 8, AHEAD + 16):
            rules = some_rules(chance.random)
            self.versions[shop.today + timedelta(days=days)] = rules
            shop.approve(programme_of(rules), shop.today + timedelta(days=days))
        reference = Reference(shop.till.timezone, self.versions)
        posted: list[PostedReceipt] = []
        unposted: list[PostedReceipt] = []
        for _ in range(STEPS):
            shop.later(days=chance.random.choice([0, 0, 0, 1, 1, 6]), minutes=chance.random.choice([0, 0, 6]))
            if chance.random.random() < 0.5:
                chance.spend(reference)
            receipt = histories.TestHistories.next_receipt(chance, posted, unposted)
            quoted = self.quoted(shop, receipt, posted) if chance.random.random() < 0.3 else None
            answer = shop.post(receipt)["points"]
            expected = reference.post(shop.name_of(receipt), receipt, shop.now)
            moved = Moved(answer["earned"], answer["spent"], answer["reversed"], answer["returned"])
            told = Expected(moved, answer["available"], answer["pending"])
            assert told == expected, f"seed {seed}: {receipt}"
            assert quoted in {None, (moved.reversed, moved.returned)}, f"seed {seed}: {receipt}"
            for card in chance.cards:
                assert shop.stands(card) == reference.stands(card, shop.now), f"seed {seed}: {receipt}"

    @staticmethod
    def quoted(shop: Shop, receipt: PostedReceipt, posted: list[PostedReceipt]) -> tuple[int, int] | None:
        """Return what a quote says that a return of a known sale will take back and give back."""
        original = receipt.original
        if receipt.type != "return" or original is None or receipt.mode != "live":
            return None
        if all(shop.name_of(known) != original or known.type != "sale" for known in posted[:-1]):
            return None
        wanted = [
            Wanted(line.original_line_number, line.quantity)
            for line in receipt.lines
            if line.original_line_number is not None
        ]
        with shop.sessions.begin() as session:
            quote = quote_return(session, till=shop.till, original=original, lines=wanted, now=shop.now)
        return quote["points"]["reversed"], quote["points"]["returned"]

    def test_can_be_replayed(self, changing_shop: Shop):
        with changing_shop.sessions() as session:
            done = replay(session, since=date(2000, 1, 1), until=date(2100, 1, 1))
        assert done.differing == []
        assert len(done.versions) > HISTORIES
        assert done.receipts > HISTORIES * STEPS / 4

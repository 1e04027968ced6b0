"""Refunds of broken offers: shares, points beside money, and that all steps together make what was paid."""

import random
from decimal import Decimal

import pytest

from loyalty.returns.refunds import Due, MoneyBack, Outstanding, brought_by_line, share_money, share_refund
from rewards.carts import CartLine, Occasion
from rewards.codec import read_offer
from rewards.kept_units import GivenThen, SoldLine
from tests.offers.conftest import ARTICLES
from tests.offers.random_offers import random_basket, random_offers
from tests.offers.reference import Reference
from tests.offers.test_properties import NOON, cart_of, evaluate


class TestShareRefund:
    @pytest.mark.parametrize(
        ("due", "nets", "shares"),
        [
            (1000, [667, 667], [500, 500]),
            (1001, [667, 667], [501, 500]),
            (0, [667, 667], [0, 0]),
            (5091, [5391, -300], [5391, -300]),
            (4000, [5391, -300], [4300, -300]),
            (-300, [-300], [-300]),
            (7, [0, 0], [7, 0]),
            (0, [], []),
        ],
    )
    def test_goes_by_what_was_paid(self, due, nets, shares):
        assert share_refund(due, nets) == shares


class TestMoneyBack:
    def test_makes_up_for_points_that_came_back_with_goods_that_were_due_nothing(self):
        money = MoneyBack()
        assert [money.add(0, 330), money.add(2990, 330), money.add(2990, 340)] == [0, 2330, 2650]


class TestShareMoney:
    @pytest.mark.parametrize(
        ("money", "shares", "by_points", "parts"),
        [
            (900, [500, 500], [50, 50], [450, 450]),
            (100, [500, 0], [200, 200], [100, 0]),
            (0, [0], [330], [0]),
        ],
    )
    def test_leaves_no_line_below_nothing(self, money, shares, by_points, parts):
        assert share_money(money, shares, by_points) == parts


class TestOutstanding:
    def test_is_refunded_in_whatever_steps_it_comes_back(self):
        """Random baskets under random offers, brought back unit by unit in random order."""
        for number in range(40):
            dice = random.Random(f"returns-{number}")
            lines, offers = random_basket(dice), random_offers(dice)
            sold = [
                SoldLine(line, found.net, {one.offer_code: one.amount for one in found.discounts})
                for line, found in zip(cart_of(lines), evaluate(lines, offers).lines, strict=True)
            ]
            outstanding = self.outstanding(sold, offers)
            paid = outstanding.paid
            pieces = [(line.line_number, step) for line in cart_of(lines) for step in self.steps(line)]
            dice.shuffle(pieces)
            goods = {line.line_number for line in cart_of(lines) if line.unit_price > 0}
            refunds = [outstanding.bring_back(brought_by_line([piece])).amount for piece in pieces]
            assert all(
                refund >= 0 for refund, piece in zip(refunds, pieces, strict=True) if piece[0] in goods
            ), number
            assert sum(refunds) == paid, number

    def test_refunds_what_the_format_says_of_the_kept_units(self):
        """The cost of what is kept, worked out a second time: the stated offers only, no oftener than they applied."""
        for number in range(40):
            dice = random.Random(f"kept-{number}")
            lines, offers = random_basket(dice), random_offers(dice)
            given = Reference(lines, ARTICLES).apply(offers)
            stated = {code for found in given.lines.values() for code in found}
            then = [
                one | {"limits": {"per_receipt": given.applied[one["code"]]}}
                for one in offers
                if one["code"] in stated
            ]
            sold = [
                SoldLine(line, given.net[line.line_number], given.lines[line.line_number])
                for line in cart_of(lines)
            ]
            outstanding = self.outstanding(
                sold, [one for one in offers if one["code"] in stated], given.applied
            )
            kept = {line["line_number"]: Decimal(line["quantity"]) for line in lines}
            pieces = [
                (line.line_number, step)
                for line in cart_of(lines)
                if line.unit_price > 0
                for step in self.steps(line)
            ]
            for place, step in dice.sample(pieces, len(pieces)):
                kept[place] -= step
                left = [
                    line | {"quantity": str(kept[line["line_number"]])}
                    for line in lines
                    if kept[line["line_number"]]
                ]
                cost = sum(Reference(left, ARTICLES).apply(then).net.values())
                expected = max(0, outstanding.paid - cost)
                assert outstanding.bring_back({place: step}).amount == expected, f"{number}: {left}"

    def test_is_due_nothing_for_nothing(self):
        """The receipt states less than the offer would take off; nothing of it comes back."""
        line = CartLine(1, Decimal(2), "pcs", 1000, sku="A")
        half = {
            "code": "HALF",
            "condition": {"kind": "items", "select": {"skus": ["A"]}, "quantity": "1"},
            "benefit": {"kind": "percent", "off": "50"},
        }
        outstanding = self.outstanding([SoldLine(line, 1900, {"HALF": 100})], [half], {"HALF": 1})
        assert outstanding.bring_back({}) == Due(0)
        assert outstanding.bring_back({1: Decimal(0), 7: Decimal(1)}) == Due(0)
        assert outstanding.paid == 1900

    @staticmethod
    def outstanding(sold, offers, times=None):
        occasion = Occasion(NOON, "Europe/Prague", "S1", "CZK")
        then = GivenThen(tuple(map(read_offer, offers)), occasion, times or {})
        return Outstanding(sold, then)

    @staticmethod
    def steps(line: CartLine) -> list[Decimal]:
        whole = int(line.quantity)
        return [Decimal(1)] * whole + ([line.quantity - whole] if line.quantity > whole else [])

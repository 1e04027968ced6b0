"""
Random baskets and random offers: the product against the format read a second time, and against what must always hold.

`dev soak` does ten thousand and more; a usual run does a share of them, by another seed each time, which is printed.
"""

import random
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from rewards.applicator import apply_offers
from rewards.book import OfferBook
from rewards.carts import CartLine, Left, Occasion, Presented, Shopper
from rewards.codec import read_offer
from tests.offers.conftest import ARTICLES, basket, items, offer, percent
from tests.offers.random_offers import (
    random_basket,
    random_left,
    random_offer,
    random_offers,
    random_presented,
)
from tests.offers.reference import Reference
from tests.reliability.rotation import SOAK_TIMEOUT, bound, seed_of_run

CASES, SOAK = 300, 20_000
NOON = datetime(2026, 11, 21, 11, tzinfo=UTC)


def sizes(usual: int, soak: int):
    return pytest.mark.parametrize(
        "cases",
        [
            pytest.param(usual, id="share"),
            pytest.param(soak, id="soak", marks=(pytest.mark.soak, pytest.mark.timeout(SOAK_TIMEOUT))),
        ],
    )


def cart_of(lines) -> tuple[CartLine, ...]:
    return tuple(
        CartLine(
            line_number=line["line_number"],
            quantity=Decimal(line["quantity"]),
            unit=line["unit"],
            unit_price=line["unit_price"],
            sku=line["sku"],
            **ARTICLES.get(line["sku"], {}),
            known=line["sku"] in ARTICLES,
        )
        for line in lines
    )


def evaluate(lines, offers, choice="first", presented=(), left=None):
    occasion = Occasion(
        at=NOON,
        timezone="Europe/Prague",
        store_code="S1",
        currency="CZK",
        shopper=Shopper("M1"),
        presented={batch: Presented((f"{batch}-0001",)) for batch in presented},
    )
    rests = {code: Left(uses=rest["uses"], amount=rest["amount"]) for code, rest in (left or {}).items()}
    return apply_offers(cart_of(lines), OfferBook(tuple(map(read_offer, offers)), choice), occasion, rests)


def told(evaluation) -> dict:
    """What the product gave, in the words of the reference."""
    worth = sum(Fraction(net) * Fraction(times) for parts in evaluation.earning for net, times in parts)
    return {
        "lines": {
            line.line_number: {found.offer_code: found.amount for found in line.discounts}
            for line in evaluation.lines
        },
        "applied": {one.offer_code: one.times for one in evaluation.applications},
        "bonus": evaluation.points,
        "to_earn": max(0, int(worth / 100)) + evaluation.points,
    }


def expected(lines, offers, choice="first", presented=(), left=None) -> dict:
    given = Reference(lines, ARTICLES, presented=presented, left=left).apply(offers, choice)
    return {"lines": given.lines, "applied": given.applied, "bonus": given.bonus, "to_earn": given.to_earn}


def case(dice):
    lines, offers = random_basket(dice), random_offers(dice)
    return lines, offers, dice.choice(["first", "best"]), random_presented(dice), random_left(dice, offers)


class TestTheEngine:
    @sizes(CASES, SOAK)
    def test_gives_what_the_format_says(self, publish, cases):
        seed = seed_of_run()
        for number in range(cases):
            lines, offers, choice, presented, left = case(random.Random(f"{seed}-{number}"))
            found = told(evaluate(lines, offers, choice, presented, left))
            assert found == expected(lines, offers, choice, presented, left), (
                f"seed {seed}, case {number}: {choice} {presented} {left}\n{lines}\n{offers}"
            )
        publish(
            f"offers: {cases} random baskets under random offers as the format read twice, seed {seed}; {bound(cases)}"
        )

    @sizes(CASES, SOAK)
    def test_never_breaks_its_sums_nor_gives_another_answer_to_the_same(self, cases):
        seed = seed_of_run()
        for number in range(cases):
            lines, offers, choice, presented, left = case(random.Random(f"{seed}-{number}"))
            evaluation = evaluate(lines, offers, choice, presented, left)
            where = f"seed {seed}, case {number}"
            for line in evaluation.lines:
                assert line.discount == sum(found.amount for found in line.discounts), where
                assert line.net == line.gross - line.discount, where
                assert 0 <= line.discount <= max(0, line.gross), where
            assert sum(line.discount for line in evaluation.lines) == sum(
                one.amount for one in evaluation.applications
            ), where
            shuffled = offers[:]
            random.Random(number).shuffle(shuffled)
            assert told(evaluate(lines, shuffled, choice, presented, left)) == told(evaluation), where

    @sizes(CASES, SOAK)
    def test_is_not_moved_by_an_offer_that_cannot_apply(self, cases):
        seed = seed_of_run()
        never = {"kind": "items", "select": {"skus": ["not in this basket"]}, "quantity": "1"}
        for number in range(cases):
            dice = random.Random(f"{seed}-{number}")
            lines, offers, choice, presented, left = case(dice)
            more = random_offer(dice, dice.choice(["A", "O9"])) | {"condition": never, "stage": "article"}
            assert told(evaluate(lines, [*offers, more], choice, presented, left)) == told(
                evaluate(lines, offers, choice, presented, left)
            ), f"seed {seed}, case {number}"

    @sizes(CASES, SOAK)
    def test_consumes_no_unit_twice_in_a_group(self, cases):
        """As many offers of one group as there may be: together they take off at most what each unit costs, once."""
        seed = seed_of_run()
        for number in range(cases):
            dice = random.Random(f"{seed}-{number}")
            pieces = dice.randint(1, 9)
            lines = basket(("A", pieces, 1000))
            offers = [
                offer(f"O{place}", items("A", dice.randint(1, 3)), percent(10), exclusive_group="G",
                      priority=dice.choice([100, 200]))
                for place in range(4)
            ]  # fmt: skip
            for choice in ("first", "best"):
                evaluation = evaluate(lines, offers, choice)
                assert sum(line.discount for line in evaluation.lines) <= pieces * 100, (
                    f"seed {seed}, case {number}"
                )

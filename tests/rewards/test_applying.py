"""
Random baskets and random offers: the engine agrees with the slow reference, and keeps its promises.

A hundred times as many by `python3 dev soak`; what fails names its seed.
"""

from collections import defaultdict
from collections.abc import Callable
from random import Random

import pytest

from rewards.applicator import Evaluation, apply_offers
from rewards.book import OfferBook
from rewards.carts import Cart
from rewards.codec import offer_document, read_offer
from rewards.offers import Offer
from tests.rewards import random_offers
from tests.rewards.offer_reference import Slow

USUAL, LONG = range(250), range(1_000, 11_000)
SIZES = [pytest.param(USUAL, id="usual"), pytest.param(LONG, id="long", marks=pytest.mark.soak)]


class Story:
    """A random basket with random offers, by seed."""

    def __init__(self, seed: int) -> None:
        random = Random(seed)
        self.cart: Cart = random_offers.cart(random)
        self.offers: list[Offer] = [read_offer(document) for document in random_offers.offers(random)]
        self.occasion = random_offers.occasion(random)
        self.choice = random.choice(("first", "best"))
        self.random = random

    def evaluate(self, offers: list[Offer] | None = None, choice: str | None = None) -> Evaluation:
        chosen = self.offers if offers is None else offers
        return apply_offers(self.cart, OfferBook(chosen, choice or self.choice), self.occasion)


def said(found: Evaluation) -> tuple:
    return found.lines, found.applications, found.earning, found.notes


def for_all(seeds: range, check: Callable[[Story], None], publish: Callable[[str], None]) -> None:
    publish(f"random offers: seeds {seeds.start} to {seeds.stop - 1}")
    for seed in seeds:
        try:
            check(Story(seed))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error


@pytest.mark.parametrize("seeds", SIZES)
class TestApplyOffers:
    def test_agrees_with_the_slow_reference(self, seeds, publish):
        def check(story: Story) -> None:
            found = story.evaluate()
            slow = Slow(story.cart, story.offers, story.occasion, story.choice).run()
            assert {
                line.line_number: [[each.offer_code, each.amount] for each in line.discounts]
                for line in found.lines
            } == slow.discounts
            assert {
                each.offer_code: each.times for each in found.applications if each.offer_version is not None
            } == slow.times
            assert found.points == slow.points
            assert earning_of(story.cart, found) == earning_of_units(slow.units)

        for_all(seeds, check, publish)

    def test_keeps_its_promises(self, seeds, publish):
        def check(story: Story) -> None:
            found = story.evaluate()
            for line in found.lines:
                assert line.gross - line.discount == line.net
                assert sum(each.amount for each in line.discounts) == line.discount
                assert all(each.amount > 0 for each in line.discounts)
                assert line.net >= min(line.gross, 0)
            assert sum(line.discount for line in found.lines) == sum(a.amount for a in found.applications)
            assert [sum(net for net, _times in parts) for parts in found.earning] == [
                line.net for line in found.lines
            ]
            assert said(story.evaluate()) == said(found)
            shuffled = story.random.sample(story.offers, len(story.offers))
            assert said(story.evaluate(shuffled)) == said(found)
            nothing = read_offer(
                {
                    "code": "NOTHING",
                    "priority": story.random.choice((0, 100, 500)),
                    "exclusive_group": "G",
                    "condition": {"kind": "items", "select": {"skus": ["NOBODY-SELLS"]}, "quantity": "1"},
                    "benefit": {"kind": "percent", "off": "50"},
                }
            )
            assert said(story.evaluate([*story.offers, nothing])) == said(found)

        for_all(seeds, check, publish)

    def test_consumes_no_unit_twice_in_a_group(self, seeds, publish):
        def check(story: Story) -> None:
            # Everything off whatever is claimed: a unit that is consumed twice would give its price twice.
            offers = [
                read_offer(
                    offer_document(offer)
                    | {"exclusive_group": "G", "stage": "article", "benefit": {"kind": "points", "points": 1}}
                )
                for offer in story.offers
            ]
            slow = Slow(story.cart, offers, story.occasion)
            slow.run()
            found = story.evaluate(offers, choice="first")
            assert {each.offer_code: each.times for each in found.applications if each.points} == slow.times

        for_all(seeds, check, publish)

    def test_gives_a_group_at_least_as_much_when_the_best_is_chosen(self, seeds, publish):
        def check(story: Story) -> None:
            offers = [
                read_offer(offer_document(offer) | {"exclusive_group": "G", "stage": "article"})
                for offer in story.offers
            ]
            first, best = (
                sum(
                    each.amount
                    for each in story.evaluate(offers, choice).applications
                    if each.offer_version is not None
                )
                for choice in ("first", "best")
            )
            assert best >= first

        for_all(seeds, check, publish)

    def test_says_why_every_touched_offer_gave_nothing(self, seeds, publish):
        def check(story: Story) -> None:
            found = story.evaluate()
            applied = {each.offer_code for each in found.applications}
            told = [each.offer_code for each in found.not_applied]
            assert applied.isdisjoint(told)
            assert len(told) == len(set(told))
            assert all(each.reason for each in found.not_applied)
            for offer in story.offers:
                assert (found.why_not(offer.code) is None) == (offer.code in applied)

        for_all(seeds, check, publish)


def earning_of(cart: Cart, found: Evaluation) -> dict:
    return {
        line.line_number: {times: net for net, times in parts if net}
        for line, parts in zip(cart, found.earning, strict=True)
        if line.unit_price > 0
    }


def earning_of_units(units: list) -> dict:
    lines: dict = defaultdict(lambda: defaultdict(int))
    for unit in units:
        lines[unit.line.line_number][1 if unit.times is None else unit.times] += unit.left
    return {number: {times: net for times, net in parts.items() if net} for number, parts in lines.items()}

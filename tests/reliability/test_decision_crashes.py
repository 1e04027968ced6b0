"""
R3 for what customers are told and what they answer: a process that dies at every statement of a decision or a reaction.

As with points: nothing of it is kept, or all, and asked again it ends as if nothing had happened.
"""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from tests.campaigns.conftest import NO_CHANCE, Served, serve
from tests.reliability import test_crash_points as points
from tests.reliability.crowds import gather
from tests.reliability.rotation import sizes

PARTS = 8
RANKED = ("tea", "honey", "lemon", "jam")


@pytest.fixture(scope="module")
def database(make_database) -> str:
    return make_database()


@pytest.fixture(scope="module")
def crowd(database):
    for crowd in gather(database):
        crowd.served = serve(crowd.chain)
        crowd.served.chance(NO_CHANCE)
        yield crowd


class Told(points.Customer):
    """A customer for whom the night ranked something."""

    def __post_init__(self) -> None:
        super().__post_init__()
        served: Served = self.crowd.served
        served.members[self.card] = served.rows(
            "select member_id from card where card_number = :card", card=self.card
        )[0][0]
        served.ranked(*RANKED, card=self.card)

    def asks(self, path, body, *, key=False):
        return super().asks(path, body, key=key) | {"offers_of": self.crowd.served.run_id}

    def stands(self):
        mine = "where member_id = (select member_id from card where card_number = :card)"
        return (
            *super().stands(),
            self.crowd.number(f"select count(*) from decision {mine}", card=self.card),
            self.crowd.number(
                f"select count(distinct (reaction, scope, article_id)) from reaction {mine}", card=self.card
            ),
        )


def is_told_with_a_quote(customer: Told):
    line = {"line_number": 1, "sku": "bread", "quantity": "1", "unit_price": 4500}
    return customer.asks("/quotes", {"card_number": customer.card, "currency": "CZK", "lines": [line]})


def is_told_on_a_receipt(customer: Told):
    now = datetime.now(UTC)
    day = (now + timedelta(hours=1)).date().isoformat()
    return customer.sale(business_date=day, closed_at=now.isoformat())


def refuses(customer: Told):
    customer.done(is_told_with_a_quote(customer))
    body = {"card_number": customer.card, "sku": "tea", "reaction": "never", "scope": "item"}
    return customer.asks("/reactions", body)


def refuses_what_was_told(customer: Told):
    told = customer.done(is_told_with_a_quote(customer))["next_offers"][0]
    body = {"card_number": customer.card, "decision_id": told["decision_id"], "reaction": "wrong_product"}
    return customer.asks("/reactions", body)


STORIES = (is_told_with_a_quote, is_told_on_a_receipt, refuses, refuses_what_was_told)


class TestDeathAtEveryStatement:
    numbers = count(1)
    sent = staticmethod(points.TestDeathAtEveryStatement.sent)
    dies_everywhere = points.TestDeathAtEveryStatement.dies_everywhere
    dies_at = points.TestDeathAtEveryStatement.dies_at

    def customer(self, crowd) -> Told:
        return Told(crowd, next(self.numbers))

    @pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
    @pytest.mark.parametrize("rounds", sizes(PARTS, parts=PARTS))
    def test_leaves_nothing_or_all(self, crowd, database, publish, story, rounds):
        self.dies_everywhere(crowd, database, publish, story, rounds=rounds, parts=PARTS)

"""R6: one story, told in any order: permuted, twice over, split over batches, returns before their sales."""

import json
import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from core import clock
from tests.reliability.crowds import Crowd, card_of, gather
from tests.reliability.rotation import bound, says, seed_of_run, sizes

SETS, ORDERS = 500, 4


@pytest.fixture(scope="module")
def crowd(make_database):
    yield from gather(make_database())


class Story:
    """Sales, returns of some of their lines, and voids of both; no receipt's number or card is given yet."""

    def __init__(self, chance: random.Random) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.today = clock.now()
        for number in range(chance.randint(2, 5)):
            sale = self._sale(chance, number)
            self.bodies.append(sale)
            for line in chance.sample(sale["lines"], chance.randint(0, len(sale["lines"]))):
                back = self._undo("return", sale, f"{number}b{line['line_number']}")
                quantity = chance.choice(["1", line["quantity"]])
                back["lines"] = [
                    {"line_number": 1, "sku": line["sku"], "quantity": quantity, "unit_price": line["unit_price"],
                     "total_amount": int(quantity) * line["unit_price"], "tax_rate": "21",
                     "original_line_number": line["line_number"]}
                ]  # fmt: skip
                back["totals"] = {"payable_amount": int(quantity) * line["unit_price"]}
                self.bodies.append(back)
        for number, body in enumerate(chance.sample(self.bodies, chance.randint(0, 2))):
            self.bodies.append(self._undo("void", body, f"v{number}"))

    def _sale(self, chance: random.Random, number: int) -> dict[str, Any]:
        moment = self.today - timedelta(days=chance.choice([0, 0, 3, 13, 14, 15, 40]))
        lines = [
            {"line_number": line, "sku": f"A{line}", "quantity": str(quantity), "unit_price": price,
             "total_amount": quantity * price, "tax_rate": "21"}
            for line, (quantity, price) in enumerate(
                [(chance.randint(1, 3), chance.choice([99, 250, 1999, 12345])) for _ in range(chance.randint(1, 3))], 1
            )
        ]  # fmt: skip
        return {
            "type": "sale",
            "business_date": moment.date().isoformat(),
            "closed_at": moment.isoformat(),
            "receipt_number": f"s{number}",
            "currency": "CZK",
            "card_number": chance.choice([0, 1]),
            "lines": lines,
            "totals": {"payable_amount": sum(line["total_amount"] for line in lines)},
        }

    def _undo(self, kind: str, body: dict[str, Any], number: str) -> dict[str, Any]:
        original = {"store_code": "S1", "till_code": "T1"}
        original |= {name: body[name] for name in ("business_date", "receipt_number")}
        return {
            "type": kind,
            "business_date": self.today.date().isoformat(),
            "closed_at": self.today.isoformat(),
            "receipt_number": number,
            "currency": "CZK",
            "original": original,
        }

    def told(self, name: str, cards: list[str]) -> list[dict[str, Any]]:
        """Return the story under these receipt numbers and cards."""
        again = []
        for body in json.loads(json.dumps(self.bodies)):
            body["receipt_number"] = f"{name}-{body['receipt_number']}"
            if "card_number" in body:
                body["card_number"] = cards[body["card_number"]]
            if "original" in body:
                body["original"]["receipt_number"] = f"{name}-{body['original']['receipt_number']}"
            again.append(body)
        return again


class TestOneStory:
    @pytest.mark.parametrize("rounds", sizes(SETS, parts=10))
    def test_leaves_equal_ledgers_in_whatever_order_it_comes(self, crowd, publish, rounds):
        run = seed_of_run()
        publish(says("R6", rounds, SETS, seed=run))
        for number in rounds:
            chance = random.Random(run * 1000 + number)
            story = Story(chance)
            ends = [self.tell(crowd, story, chance, number * ORDERS + order) for order in range(ORDERS)]
            assert all(end == ends[0] for end in ends), f"seed {run}, set {number}"
        publish(f"R6: {ORDERS} orders of each, {bound(len(rounds))}")

    def tell(self, crowd: Crowd, story: Story, chance: random.Random, number: int) -> list[Any]:
        """Post the story in some order, some of it twice, some of it in batches; return what the books say then."""
        cards = [card_of(700_000 + 2 * number + place) for place in range(2)]
        for card in cards:
            crowd.execute(
                "insert into card (card_number, state, created_at) values (:card, 'stock', now())", card=card
            )
        bodies = story.told(f"o{number}", cards)
        if number % ORDERS:
            bodies += chance.sample(bodies, min(3, len(bodies)))
            chance.shuffle(bodies)
        while bodies:
            some = [bodies.pop(0) for _ in range(min(len(bodies), chance.choice([1, 1, 3, 8])))]
            if len(some) == 1:
                statuses = [crowd.chain.till.post("/receipts", some[0]).status_code]
            else:
                answer = crowd.chain.till.post("/receipts/batch", {"receipts": some}).get_json()
                statuses = [result["status"] for result in answer["results"]]
            assert set(statuses) <= {200, 201}, statuses
        return self.books(crowd, cards)

    @staticmethod
    def books(crowd: Crowd, cards: list[str]) -> list[Any]:
        """Return each card's points, and what is left of each line of each of its lots, without identifiers."""
        found: list[Any] = []
        for card in cards:
            points = crowd.chain.till.get(f"/cards/{card}").get_json()["points"]
            with crowd.chain.sessions() as session:
                lots = session.execute(
                    text(
                        "select split_part(receipt_number, '-', 2), earned, remaining, line_numbers, line_remaining"
                        " from lot join receipt using (business_date, receipt_id)"
                        " where lot.account_id = (select account_id from card where card_number = :card) order by 1"
                    ),
                    {"card": card},
                ).all()
                moved = session.execute(
                    text(
                        "select book, sum(points) from ledger_leg"
                        " where account_id = (select account_id from card where card_number = :card)"
                        " group by book having sum(points) <> 0 order by 1"
                    ),
                    {"card": card},
                ).all()
            found.append(
                (
                    points["available"],
                    points["pending"],
                    [tuple(lot) for lot in lots],
                    [tuple(row) for row in moved],
                )
            )
        return found

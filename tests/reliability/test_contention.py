"""
R4 and R5: sixteen who want the same thing at the same moment.

The last points, the last gift, one reservation and one receipt have one taker; the others hear so.
"""

import json
from collections import Counter

import pytest

from pos_api import examples
from tests.reliability.crowds import CONTENDERS, card_of, gather, said
from tests.reliability.rotation import bound, says, sizes

ROUNDS = 250
RECEIPTS = 500
LOSERS = CONTENDERS - 1


@pytest.fixture(scope="module")
def crowd(make_database):
    yield from gather(make_database())


class TestTheLastPoints:
    """R4: everybody wants all that a member has."""

    @pytest.mark.parametrize("rounds", sizes(ROUNDS))
    def test_are_reserved_once(self, crowd, publish, rounds):
        for number in rounds:
            card = crowd.member(number, 100)
            wish = {"card_number": card, "points": 100}
            tills = (crowd.chain.till, crowd.chain.neighbour, crowd.chain.elsewhere)
            answers = crowd.tally(
                [
                    lambda till=tills[contender % 3], wish=wish: till.post("/redemptions", wish)
                    for contender in range(CONTENDERS)
                ]
            )
            assert answers == {"201": 1, "409 not_enough_points": LOSERS}, f"round {number}"
            assert crowd.points(card) == (0, 100)
        publish(says("R4 last points", rounds, ROUNDS))
        publish(f"R4 last points: {bound(len(rounds))}")


class TestTheLastGift:
    """R4: a whole shop wants the one piece that is left."""

    @pytest.mark.parametrize("rounds", sizes(ROUNDS))
    def test_is_reserved_once(self, crowd, publish, rounds):
        cards = [crowd.member(100_000 + contender, 3_000_000) for contender in range(CONTENDERS)]
        for number in rounds:
            gift = f"MUG{number}"
            crowd.execute('insert into reward values (:gift, \'{"en": "Mug"}\', 10)', gift=gift)
            crowd.execute(
                "insert into reward_stock select :gift, store_id, 1 from store where store_code = 'S1'",
                gift=gift,
            )
            answers = crowd.at_once(
                [
                    lambda card=card, gift=gift: crowd.chain.till.post(
                        "/redemptions", {"card_number": card, "reward_code": gift}
                    )
                    for card in cards
                ]
            )
            told = Counter(said(answer) for answer in answers)
            assert told == {"201": 1, "409 out_of_stock": LOSERS}, f"round {number}"
            assert self.pieces(crowd, gift) == (1, 1, 1), f"round {number}"
        publish(says("R4 last gift", rounds, ROUNDS))
        publish(f"R4 last gift: {bound(len(rounds))}")

    @staticmethod
    def pieces(crowd, gift) -> tuple[int, int, int]:
        """Return how many pieces lie in the store, how many of those are held, and for how many people (I5)."""
        return (
            crowd.number("select sum(on_hand) from reward_stock where reward_code = :gift", gift=gift),
            crowd.number("select sum(reserved) from reward_stock where reward_code = :gift", gift=gift),
            crowd.number(
                "select count(*) from redemption where reward_code = :gift and state in ('reserved', 'posted')",
                gift=gift,
            ),
        )


class TestOneReservation:
    """R4: it is posted by the counter, posted by a receipt, or released, all at the same moment."""

    @pytest.mark.parametrize("rounds", sizes(ROUNDS, parts=5))
    def test_has_one_end(self, crowd, publish, rounds):
        ends = Counter()
        for number in rounds:
            card = crowd.member(200_000 + number, 100)
            held = crowd.chain.till.post("/redemptions", {"card_number": card, "points": 100}).get_json()
            place = f"/redemptions/{held['redemption_id']}"
            told = crowd.tally(
                [
                    lambda act=act, place=place: crowd.chain.till.post(f"{place}/{act}", {})
                    for act in ("post", "release") * (CONTENDERS // 2)
                ]
            )
            end = crowd.chain.till.get(place).get_json()["state"]
            ends[end] += 1
            refused = {"posted": "409 already_redeemed", "released": "409 already_released"}[end]
            assert told == {"200": CONTENDERS // 2, refused: CONTENDERS // 2}, f"round {number}"
            assert crowd.points(card) == ((0, 0) if end == "posted" else (100, 0)), f"round {number}"
        publish(says("R4 one reservation", rounds, ROUNDS))
        publish(f"R4 one reservation: ends {dict(ends)}, {bound(len(rounds))}")

    @pytest.mark.parametrize("rounds", sizes(ROUNDS, parts=5))
    def test_pays_for_one_receipt(self, crowd, publish, rounds):
        """Sixteen receipts name it; one spends it, the others are booked with a flag and spend nothing."""
        till = crowd.chain.till
        for number in rounds:
            card = crowd.member(300_000 + number, 100)
            held = till.post("/redemptions", {"card_number": card, "points": 100}).get_json()
            bodies = [
                till.sale(
                    examples.SHORTEST_SALE,
                    receipt_number=f"pay{number}-{contender}",
                    redemption_ids=[held["redemption_id"]],
                )
                for contender in range(CONTENDERS)
            ]
            answers = crowd.at_once([lambda body=body: till.post("/receipts", body) for body in bodies])
            assert Counter(said(answer) for answer in answers) == {"201": CONTENDERS}
            spent = [answer.get_json()["points"]["spent"] for answer in answers]
            assert sorted(spent) == [0] * LOSERS + [100], f"round {number}"
            flagged = [
                answer
                for answer in answers
                if "over_redeemed" in {flag["code"] for flag in answer.get_json()["flags"]}
            ]
            assert len(flagged) == LOSERS
            assert crowd.points(card) == (0, 0), f"round {number}"
        publish(says("R4 one reservation, 16 receipts", rounds, ROUNDS))


class TestOneReceipt:
    """R5: a till that lost its patience sends its receipt sixteen times over."""

    @pytest.mark.parametrize("rounds", sizes(RECEIPTS, parts=2))
    def test_has_one_effect(self, crowd, publish, rounds):
        for number in rounds:
            card = card_of(400_000 + number)
            body = crowd.chain.till.sale(receipt_number=f"one{number}", card_number=card)
            crowd.execute(
                "insert into card (card_number, state, created_at) values (:card, 'stock', now())", card=card
            )
            answers = crowd.at_once([lambda body=body: crowd.chain.till.post("/receipts", body)] * CONTENDERS)
            assert Counter(said(answer) for answer in answers) == {"201": 1, "200": LOSERS}, f"round {number}"
            told = {self.but_replayed(answer) for answer in answers}
            assert len(told) == 1, f"round {number}"
            earned = answers[0].get_json()["points"]["earned"]
            shown = crowd.chain.till.get(f"/cards/{card}").get_json()["points"]
            assert (earned > 0, shown["balance"]) == (True, earned), f"round {number}"
        publish(says("R5 one receipt", rounds, RECEIPTS))
        publish(f"R5 one receipt: {bound(len(rounds))}")

    @staticmethod
    def but_replayed(answer) -> str:
        document = {name: value for name, value in answer.get_json().items() if name != "replayed"}
        return json.dumps(document, sort_keys=True)

    @pytest.mark.parametrize("rounds", sizes(RECEIPTS, parts=5))
    def test_has_one_body(self, crowd, publish, rounds):
        """Half of the sixteen bring another body under the same identity: whoever is second is refused and booked by nobody."""
        for number in rounds:
            bodies = [
                crowd.chain.till.sale(receipt_number=f"two{number}", operator_code=str(contender % 2))
                for contender in range(CONTENDERS)
            ]
            answers = crowd.at_once(
                [lambda body=body: crowd.chain.till.post("/receipts", body) for body in bodies]
            )
            told = Counter(said(answer) for answer in answers)
            assert told == {"201": 1, "200": CONTENDERS // 2 - 1, "422 receipt_conflict": CONTENDERS // 2}
            stored = "select count(*) from {} where receipt_number = :number"
            assert crowd.number(stored.format("receipt"), number=f"two{number}") == 1
            assert crowd.number(stored.format("quarantined_receipt"), number=f"two{number}") == 1
        publish(says("R5 another body", rounds, RECEIPTS))
        publish(f"R5 another body: {bound(len(rounds))}")

    @pytest.mark.parametrize("rounds", sizes(RECEIPTS, parts=5))
    def test_may_come_alone_and_in_batches(self, crowd, publish, rounds):
        till = crowd.chain.till
        for number in rounds:
            bodies = [
                till.sale(receipt_number=f"three{number}-{part}", card_number=examples.CARD_NUMBER)
                for part in range(3)
            ]
            batch = {"receipts": bodies}
            requests = [lambda batch=batch: till.post("/receipts/batch", batch)] * (CONTENDERS // 2)
            requests += [
                lambda body=bodies[contender % 3]: till.post("/receipts", body)
                for contender in range(CONTENDERS // 2)
            ]
            statuses = Counter()
            for answer in crowd.at_once(requests):
                results = answer.get_json().get("results")
                statuses.update([answer.status_code] if results is None else [r["status"] for r in results])
            assert statuses == {201: 3, 200: 3 * CONTENDERS // 2 + CONTENDERS // 2 - 3}, f"round {number}"
        publish(says("R5 alone and in batches", rounds, RECEIPTS))

"""
R4 and R5: sixteen who want the same thing at the same moment.

The last points, the last gift, one reservation, the last of a budget, one voucher and one receipt have one taker; the
others hear so.
"""

import json
from collections import Counter
from datetime import UTC, datetime

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


def items_of(code: str) -> dict:
    return {"kind": "items", "select": {"skus": [f"L{code}"]}, "quantity": "1"}


def paid(till, number: str, price: int, off: int, code: str, **changes):
    """A sale of one piece with so much off by an offer or a voucher's batch."""
    discounts = [{"offer_code": code, "amount": off}] if off else []
    line = {"line_number": 1, "sku": f"L{code}", "quantity": "1", "unit_price": price, "tax_rate": "21",
            "discount_amount": off, "total_amount": price - off, "discounts": discounts}  # fmt: skip
    now = datetime.now(UTC)
    body = {"business_date": now.date().isoformat(), "closed_at": now.isoformat(), "lines": [line],
            "totals": {"payable_amount": price - off}}  # fmt: skip
    return till.sale(examples.SHORTEST_SALE, receipt_number=number, **body, **changes)


def flags_of(answer) -> set[str]:
    return {flag["code"] for flag in answer.get_json()["flags"]} & {"offer_not_valid", "over_redeemed"}


class TestTheLastOfABudget:
    """R4: sixteen tills ask for the last use, or the last money, of an offer; one is promised it, and it is honoured."""

    @pytest.mark.parametrize("limits", [{"uses": 1}, {"amount": 199}, {"per_store_day_uses": 1}])
    @pytest.mark.parametrize("rounds", sizes(ROUNDS, parts=100))
    def test_is_promised_once(self, crowd, publish, rounds, limits):
        name = f"LAST-{next(iter(limits)).upper().replace('_', '-')}"
        offers = [
            {"code": f"{name}-{number}", "audience": {"who": "everyone"}, "limits": limits, "stores": ["S1"],
             "condition": items_of(f"{name}-{number}"),
             "benefit": {"kind": "amount", "off": 100, "per": "application"}}
            for number in rounds
        ]  # fmt: skip
        crowd.live(offers=offers)
        for number in rounds:
            code = f"{name}-{number}"
            line = {"line_number": 1, "sku": f"L{code}", "quantity": "1", "unit_price": 1000}
            body = {"currency": "CZK", "lines": [line]}
            quotes = crowd.at_once(
                [lambda till=till, body=body: till.post("/quotes", body) for till in crowd.tills]
            )
            off = [quote.get_json()["totals"]["discount_amount"] for quote in quotes]
            assert sorted(off) == [0] * LOSERS + [100], f"round {number}"
            receipts = crowd.at_once(
                [
                    lambda till=till, quote=quote, less=less, code=code: till.post(
                        "/receipts",
                        paid(till, f"last-{code}", 1000, less, code, quote_id=quote.get_json()["quote_id"]),
                    )
                    for till, quote, less in zip(crowd.tills, quotes, off, strict=True)
                ]
            )
            assert Counter(said(answer) for answer in receipts) == {"201": CONTENDERS}
            assert not any(flags_of(answer) for answer in receipts), f"round {number}"
            again = crowd.chain.till.post("/quotes", body).get_json()["totals"]
            assert again["discount_amount"] == 0, f"round {number}"
            used = "select sum(uses) from offer_use where offer_code = :code"
            assert crowd.number(used, code=code) == 1, f"round {number}"
        publish(says(f"R4 last of a budget ({next(iter(limits))})", rounds, ROUNDS))

    @pytest.mark.parametrize("rounds", sizes(ROUNDS, parts=100))
    def test_is_flagged_for_who_took_it_unasked(self, crowd, publish, rounds):
        """Sixteen receipts without a quote: all are booked, one is within the budget."""
        offers = [
            {"code": f"UNASKED-{number}", "audience": {"who": "everyone"}, "limits": {"uses": 1}, "stores": ["S1"],
             "condition": items_of(f"UNASKED-{number}"),
             "benefit": {"kind": "amount", "off": 100, "per": "application"}}
            for number in rounds
        ]  # fmt: skip
        crowd.live(offers=offers)
        for number in rounds:
            code = f"UNASKED-{number}"
            answers = crowd.at_once(
                [
                    lambda till=till, code=code: till.post(
                        "/receipts", paid(till, f"un-{code}", 1000, 100, code)
                    )
                    for till in crowd.tills
                ]
            )
            told = Counter(tuple(flags_of(answer)) for answer in answers)
            assert told == {(): 1, ("offer_not_valid",): LOSERS}, f"round {number}"
        publish(says("R4 last of a budget, unasked", rounds, ROUNDS))


class TestTheLastGiftOfAnOffer:
    """R4: sixteen customers are promised the one gift that is left, since quotes hold none; one takes it home."""

    @pytest.mark.parametrize("quoted", [True, False])
    @pytest.mark.parametrize("rounds", sizes(ROUNDS, parts=100))
    def test_goes_with_one_receipt(self, crowd, publish, rounds, quoted):
        name = f"GIFT-{'QUOTED' if quoted else 'UNASKED'}"
        rewards = [
            {"code": f"{name}-{number}", "name": {"en": "Mug"}, "stock": {"S1": 1}} for number in rounds
        ]
        offers = [
            {"code": f"{name}-{number}", "audience": {"who": "everyone"}, "limits": {"uses": CONTENDERS},
             "condition": items_of(f"{name}-{number}"),
             "benefit": {"kind": "gift", "reward": f"{name}-{number}", "quantity": 1}}
            for number in rounds
        ]  # fmt: skip
        crowd.live(rewards=rewards, offers=offers)
        for number in rounds:
            code = f"{name}-{number}"
            line = {"line_number": 1, "sku": f"L{code}", "quantity": "1", "unit_price": 1000}
            body = {"currency": "CZK", "lines": [line]}
            quotes = [None] * CONTENDERS
            if quoted:
                answers = crowd.at_once(
                    [lambda till=till, body=body: till.post("/quotes", body) for till in crowd.tills]
                )
                quotes = [answer.get_json()["quote_id"] for answer in answers]
                assert all(len(answer.get_json()["gifts"]) == 1 for answer in answers), f"round {number}"
            receipts = crowd.at_once(
                [
                    lambda till=till, quote=quote, code=code: till.post(
                        "/receipts", paid(till, f"g-{code}", 1000, 0, code, quote_id=quote)
                    )
                    for till, quote in zip(crowd.tills, quotes, strict=True)
                ]
            )
            assert Counter(said(answer) for answer in receipts) == {"201": CONTENDERS}, f"round {number}"
            gifts = Counter(len(answer.get_json()["gifts"]) for answer in receipts)
            assert gifts == {0: LOSERS, 1: 1}, f"round {number}"
            stock = "select on_hand from reward_stock where reward_code = :code"
            handed = "select count(*) from stock_movement where reward_code = :code and kind = 'hand_over'"
            used = "select coalesce(sum(uses), 0) from offer_use where offer_code = :code"
            found = [crowd.number(question, code=code) for question in (stock, handed, used)]
            assert found == [0, 1, 1], f"round {number}"
            assert crowd.chain.till.post("/quotes", body).get_json()["gifts"] == [], f"round {number}"
        asked = "promised" if quoted else "unasked"
        publish(says(f"R4 last gift of an offer, {asked}", rounds, ROUNDS))
        publish(f"R4 last gift of an offer, {asked}: {bound(len(rounds))}")


class TestOneVoucher:
    """R4: a code on sixteen telephones."""

    @pytest.fixture
    def batch(self, crowd):
        """Return what issues so many codes worth 500 and returns the batch's name."""

        def issue(name: str, numbers) -> str:
            codes = [f"{name}-{number:05}" for number in numbers]
            crowd.live(
                vouchers=[{"batch": name, "value_amount": 500, "currency": "CZK", "minimum_amount": 0,
                           "valid_days": 30, "codes": codes}],
                offers=[],
            )  # fmt: skip
            return name

        return issue

    @pytest.mark.parametrize("rounds", sizes(ROUNDS, parts=100))
    def test_is_held_by_one_till(self, crowd, publish, batch, rounds):
        name = batch("HELD", rounds)
        for number in rounds:
            wish = {"voucher_code": f"{name}-{number:05}"}
            told = crowd.tally(
                [lambda till=till, wish=wish: till.post("/redemptions", wish) for till in crowd.tills]
            )
            assert told == {"201": 1, "409 already_redeemed": LOSERS}, f"round {number}"
        publish(says("R4 one voucher, held", rounds, ROUNDS))

    @pytest.mark.parametrize("rounds", sizes(ROUNDS, parts=100))
    def test_pays_for_one_receipt(self, crowd, publish, batch, rounds):
        """All were shown the discount; one receipt redeems it, the others are booked with a flag."""
        name = batch("PAID", rounds)
        for number in rounds:
            code = f"{name}-{number:05}"
            answers = crowd.at_once(
                [
                    lambda till=till, code=code: till.post(
                        "/receipts", paid(till, f"v-{code}", 1000, 500, name, voucher_codes=[code])
                    )
                    for till in crowd.tills
                ]
            )
            assert Counter(said(answer) for answer in answers) == {"201": CONTENDERS}
            # Who looked when it was gone already hears too that its discount was not valid.
            told = Counter("over_redeemed" in flags_of(answer) for answer in answers)
            assert told == {False: 1, True: LOSERS}, f"round {number}"
            assert sum(not flags_of(answer) for answer in answers) == 1, f"round {number}"
            spent = "select count(*) from voucher_event where voucher_code = :code and event = 'redeemed'"
            assert crowd.number(spent, code=code) == 1, f"round {number}"
        publish(says("R4 one voucher, 16 receipts", rounds, ROUNDS))
        publish(f"R4 one voucher: {bound(len(rounds))}")


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

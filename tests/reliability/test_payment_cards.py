"""S5: payment-card numbers are kept nowhere, whatever field they stand in; numbers of our own cards stay readable everywhere."""

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from sqlalchemy import text
from stdnum import luhn

from pos_api import examples
from sales.articlecodes import find_gtin
from tests.pos_api.conftest import code_of
from tests.reliability.crowds import gather
from tests.reliability.rotation import says, seed_of_run, sizes

NUMBERS = 10_000
SCHEMES = [("4", 16), ("4", 13), ("4", 19), ("51", 16), ("55", 16), ("2221", 16), ("34", 15), ("37", 15), ("6011", 16),
           ("65", 16), ("36", 14), ("3530", 16), ("62", 16), ("6304", 17), ("6759", 16), ("2200", 16)]  # fmt: skip
GROUPS = ["{}", "{}", "paid with {}, thanks", "č. {}", "{} 12/27"]

PLACES: dict[str, Callable[[dict[str, Any], str], None]] = {
    "name": lambda body, number: body["lines"][0].update(name=number),
    "unit": lambda body, number: body["lines"][0].update(unit=number[:20]),
    "sku": lambda body, number: body["lines"][0].update(sku=number),
    "offer": lambda body, number: body["lines"][0]["discounts"][0].update(offer_code=number),
    "operator": lambda body, number: body.update(operator_code=number),
    "entry": lambda body, number: body.update(card_entry_mode=number[:20]),
    "card": lambda body, number: body.update(card_number=number),
    "tender": lambda body, number: body["tenders"][0].update(type=number[:20]),
    "voucher": lambda body, number: body.update(voucher_codes=[number]),
    "redemption": lambda body, number: body.update(redemption_ids=[number]),
    "quote": lambda body, number: body.update(quote_id=number),
}
"""Every text of a receipt but its identity, which names it."""
SENTENCES = {"name"}
"""Where there is room for more than a number."""


@pytest.fixture(scope="module")
def crowd(make_database):
    yield from gather(make_database())


def payment_cards(chance: random.Random) -> Iterator[str]:
    while True:
        beginning, length = chance.choice(SCHEMES)
        digits = beginning + "".join(chance.choices("0123456789", k=length - len(beginning) - 1))
        yield digits + luhn.calc_check_digit(digits)


def in_groups(number: str, chance: random.Random) -> str:
    separator = chance.choice(["", " ", "-"])
    return chance.choice(GROUPS).format(
        separator.join(number[start : start + 4] for start in range(0, len(number), 4))
    )


def kept(crowd, receipt_number: str) -> str:
    """Return everything that the database holds of a receipt, as one text without separators in numbers."""
    with crowd.chain.sessions() as session:
        rows = session.execute(
            text(
                "select (receipt.*)::text || (select string_agg((line.*)::text, '|') from receipt_line as line"
                " where line.receipt_id = receipt.receipt_id) || coalesce((select string_agg((flag.*)::text, '|')"
                " from receipt_flag as flag where flag.receipt_id = receipt.receipt_id), '')"
                " from receipt where receipt_number = :number"
                " union all select (body)::text from quarantined_receipt where receipt_number = :number"
            ),
            {"number": receipt_number},
        ).scalars()
        return "\n".join(rows).replace(" ", "").replace("-", "")


class TestPaymentCards:
    @pytest.mark.parametrize("rounds", sizes(NUMBERS // len(PLACES), parts=2))
    def test_are_masked_in_every_text_of_a_receipt(self, crowd, publish, rounds):
        seed = seed_of_run()
        publish(says("S5 receipts", rounds, NUMBERS // len(PLACES), seed=seed))
        chance = random.Random(seed)
        numbers = payment_cards(chance)
        for round_ in rounds:
            body = crowd.chain.till.sale(deepcopy(examples.SALE), receipt_number=f"pay{round_}")
            hidden = {place: next(numbers) for place in PLACES}
            # A number that is a GTIN as well names an article where articles are named.
            hidden["sku"] = next(number for number in numbers if not find_gtin(number))
            for place, number in hidden.items():
                PLACES[place](body, in_groups(number, chance) if place in SENTENCES else number)
            answers = [crowd.chain.till.post("/receipts", body)]
            body["operator_code"] = next(numbers)
            answers.append(crowd.chain.till.post("/receipts", body))
            assert [answer.status_code for answer in answers] == [201, 422]
            assert "masked" in {flag["code"] for flag in answers[0].get_json()["flags"]}
            there = kept(crowd, f"pay{round_}") + "".join(answer.get_data(as_text=True) for answer in answers)
            found = [place for place, number in hidden.items() if number in there]
            assert found == [], f"seed {seed}, round {round_}: {hidden}"
            assert body["operator_code"] not in there
        publish(f"S5 receipts: {len(rounds) * (len(PLACES) + 1)} payment-card numbers, none kept")

    @pytest.mark.parametrize("rounds", sizes(NUMBERS // 10, parts=5))
    def test_are_refused_everywhere_else(self, crowd, publish, rounds):
        seed = seed_of_run()
        publish(says("S5 other calls", rounds, NUMBERS // 10, seed=seed))
        chance = random.Random(seed)
        numbers = payment_cards(chance)
        member = {
            "card_number": examples.CARD_NUMBER,
            "given_name": "A",
            "family_name": "B",
            "email": "a@b.example",
        }
        for _ in rounds:
            number = in_groups(next(numbers), chance)
            calls = [
                *(("/members", member | {name: number}) for name in ("given_name", "family_name")),
                (f"/cards/{examples.CARD_NUMBER}/block", {"reason": number}),
                (f"/cards/{examples.CARD_NUMBER}/replace", {"new_card_number": "2990000000026", "reason": number}),
                ("/redemptions", {"voucher_code": number}),
                ("/quotes", examples.SHORTEST_QUOTE | {"voucher_codes": [number]}),
            ]  # fmt: skip
            for path, body in calls:
                answer = crowd.chain.till.post(path, body)
                assert (answer.status_code, code_of(answer)) == (422, "invalid_content"), (path, body)
                assert number not in answer.get_data(as_text=True)
        publish(f"S5 other calls: {6 * len(rounds)} payment-card numbers, all refused")


class TestOwnCards:
    """Half of them look like payment cards: a chain may have had such numbers printed."""

    @pytest.mark.parametrize("rounds", sizes(NUMBERS // 5, parts=4))
    def test_are_never_masked_or_refused(self, crowd, publish, rounds):
        seed = seed_of_run()
        publish(says("S5 own cards", rounds, NUMBERS // 5, seed=seed))
        chance = random.Random(seed)
        numbers = payment_cards(chance)
        for round_ in rounds:
            ours = [next(numbers) for _ in range(5)]
            crowd.execute(
                "insert into card (card_number, state, created_at)"
                " select unnest(cast(:ours as text[])), 'stock', now() on conflict do nothing",
                ours=ours,
            )
            body = crowd.chain.till.sale(
                examples.SALE, receipt_number=f"own{round_}", card_number=ours[0], operator_code=ours[1],
                voucher_codes=[ours[2]],
            )  # fmt: skip
            body["lines"] = [body["lines"][0] | {"name": f"card {ours[3]}", "sku": ours[4]}]
            answer = crowd.chain.till.post("/receipts", body)
            assert answer.status_code == 201
            told = answer.get_json()
            assert "masked" not in {flag["code"] for flag in told["flags"]}, ours
            assert told["points"]["earned"] > 0
            there = kept(crowd, f"own{round_}")
            assert all(number in there for number in ours)
        publish(f"S5 own cards: {5 * len(rounds)} numbers that look like payment cards, none masked")

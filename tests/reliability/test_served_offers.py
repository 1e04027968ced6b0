"""
Offers of the house that `dev serve` serves, from outside: brought by the command line, asked for by HTTP.

Random baskets under random offers are compared with the format read a second time (tests/offers/reference.py), and with what
must hold whatever the offers are. Sixteen tills, which several worker processes answer, want the last one of something.
"""

import csv
import http.client
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from core.database import make_engine, make_sessions
from sales.operations import add_till
from tests.offers.conftest import ARTICLES, SATURDAY, Quote, basket, items, offer, percent
from tests.offers.random_offers import BATCHES, random_basket, random_left, random_offers, random_presented
from tests.offers.reference import Reference
from tests.reliability.conftest import Service
from tests.reliability.crowds import card_of
from tests.reliability.rotation import ROOT, bound, says, seed_of_run, sizes

SETS, BASKETS = 40, 250
"""Ten thousand baskets in all: that many sets of offers, and that many baskets under each."""
RACES = 40
CONTENDERS = 16
LOSERS = CONTENDERS - 1
CARDS = count(990_000)
NEVER = {"kind": "items", "select": {"skus": ["in no basket"]}, "quantity": "1"}


@dataclass(frozen=True)
class ServedTill:
    """A till that speaks HTTP to the server, every request on a connection of its own."""

    port: int
    key: str

    def post(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        """Return the status and the document that were answered."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request("POST", f"/pos/v1{path}", json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def quote(self, lines: list[dict[str, Any]], **rest: Any) -> dict[str, Any]:
        """Return the answer to a basket, whose sums are sums."""
        status, body = self.post("/quotes", {"currency": "CZK", "lines": lines} | rest)
        assert status == 200, body
        Quote(body).check()
        return body


class House:
    """What people can do with a served house who have its command line and the keys of its tills."""

    def __init__(self, data: Path, url: str, port: int) -> None:
        self.data, self.url, self.port = data, url, port
        self.live: set[str] = set()
        self.till: ServedTill = self.open_store()

    def regulars(self, *words: str) -> Any:
        """Run a command of `regulars` with --json and return what it prints."""
        done = subprocess.run(
            [sys.executable, ROOT / "cli.py", "--data", self.data, *words, "--json"],
            env=os.environ | {"DATABASE_URL": self.url}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def open_store(self) -> ServedTill:
        """Open a store with the articles of the offers' tests and return its first till."""
        self.regulars(
            "stores", "add", "S1", "--name", "Praha 1", "--currency", "CZK", "--timezone", "Europe/Prague"
        )
        file = self.data.parent / "articles.csv"
        with file.open("w", encoding="utf-8", newline="") as lines:
            facts = ["sku", "name", "department", "category", "type", "brand", "unit", "tax_rate"]
            table = csv.DictWriter(lines, facts)
            table.writeheader()
            table.writerows(
                {"sku": sku, "name": sku, "unit": "pcs", "tax_rate": 21} | known
                for sku, known in ARTICLES.items()
            )
        self.regulars("articles", "import", str(file))
        return ServedTill(self.port, self.regulars("tills", "add", "S1", "T1")["key"])

    def bring(self, offers: list[dict[str, Any]], **document: Any) -> None:
        """Let exactly these offers be live."""
        over = self.live - {one["code"] for one in offers}
        if over:
            assert self.regulars("offers", "stop", *over)["stopped"] == len(over)
        file = self.data.parent / "offers.json"
        file.write_text(json.dumps({"format": 1, **document, "offers": offers}), encoding="utf-8")
        self.regulars("offers", "import", str(file), "--live")
        self.live = {one["code"] for one in offers}


@pytest.fixture(scope="module")
def house(make_database, tmp_path_factory):
    """A house with one store on an empty database, as `dev serve` serves it."""
    data, url = tmp_path_factory.mktemp("house") / "data", make_database()
    service = Service(data, database_url=url)
    try:
        service.start()
        service.wait_until_ready()
        yield House(data, url, service.port)
    finally:
        service.stop()


def lasting(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without what is another for the same basket: its name, its end, its decisions."""
    return {
        name: part for name, part in answer.items() if name not in {"quote_id", "valid_until", "next_offers"}
    }


def given(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what a basket is given, whatever is said about what it is not."""
    return {name: part for name, part in lasting(answer).items() if name not in {"not_applied", "messages"}}


def one_group(dice: random.Random) -> list[dict[str, Any]]:
    """Offers that all want the same pieces, of which each may be consumed once."""
    return [
        offer(f"G{place}", items("A", dice.randint(1, 3)), percent(10), exclusive_group="G", priority=dice.choice([1, 2]))
        for place in range(4)
    ]  # fmt: skip


class TestRandomBaskets:
    @pytest.mark.parametrize("rounds", sizes(SETS, parts=20))
    def test_get_from_the_server_what_the_format_says(self, house, publish, rounds):
        """Each basket is asked for three times: twice under its offers, and once with one more that cannot apply."""
        seed, asked = seed_of_run(), 0
        till, card = house.till, card_of(next(CARDS))
        holder = {"given_name": "Žofie", "family_name": "Nováková", "email": f"{card}@example.org"}
        status, told = till.post("/members", {"card_number": card} | holder)
        assert status == 201, told
        vouchers = [{"batch": batch, "codes": [f"{batch}-0000"]} for batch in BATCHES]
        for number in rounds:
            dice = random.Random(f"{seed}-served-{number}")
            offers, choice = random_offers(dice, 12), dice.choice(["first", "best"])
            left = random_left(dice, offers)
            for one in offers:
                one["limits"] = one["limits"] | left.get(one["code"], {})
            asks = [(random_basket(dice), random_presented(dice)) for _ in range(BASKETS)]
            house.bring(offers, choice=choice, vouchers=vouchers)
            answers = []
            for lines, presented in asks:
                rest = {
                    "at": SATURDAY,
                    "card_number": card,
                    "voucher_codes": [f"{batch}-0000" for batch in presented],
                }
                answer = till.quote(lines, **rest)
                wanted = Reference(lines, ARTICLES, presented=presented, left=left).apply(offers, choice)
                found = {
                    line["line_number"]: {one["offer_code"]: one["amount"] for one in line["discounts"]}
                    for line in answer["lines"]
                }
                where = f"seed {seed}, set {number}: {choice} {presented} {left}\n{lines}\n{offers}"
                assert (found, answer["points"]["to_earn"]) == (wanted.lines, wanted.to_earn), where
                assert lasting(till.quote(lines, **rest)) == lasting(answer), where
                answers.append((lines, rest, answer, where))
            never = offer(
                "NEVER",
                NEVER,
                percent(100),
                priority=999,
                stackable=False,
                exclusive_group=dice.choice(["G", "H", None]),
            )
            house.bring([*offers, never], choice=choice, vouchers=vouchers)
            for lines, rest, answer, where in answers:
                assert given(till.quote(lines, **rest)) == given(answer), where
            asked += len(asks)
        publish(
            f"{says('offers, served', rounds, SETS, seed=seed)}: {asked} baskets, each three times; {bound(asked)}"
        )

    @pytest.mark.parametrize("rounds", sizes(SETS, parts=20))
    def test_have_no_unit_consumed_twice(self, house, publish, rounds):
        """However many offers of a group want a piece, a tenth of its price is all it ever loses."""
        seed, till = seed_of_run(), house.till
        for number in rounds:
            dice = random.Random(f"{seed}-group-{number}")
            house.bring(one_group(dice), choice=dice.choice(["first", "best"]))
            for _ in range(BASKETS):
                lines = basket(*(("A", dice.randint(1, 9), 1000) for _ in range(dice.randint(1, 3))))
                for line in till.quote(lines, at=SATURDAY)["lines"]:
                    assert line["discount_amount"] <= line["gross_amount"] // 10, (
                        f"seed {seed}, set {number}: {lines}"
                    )
        publish(
            f"{says('offers of one group, served', rounds, SETS, seed=seed)}: {len(rounds) * BASKETS} baskets"
        )


Ask = Callable[[ServedTill], Any]


@pytest.fixture(scope="module")
def tills(house) -> list[ServedTill]:
    """Sixteen tills of one store: a till's next quote lets go of what its last one held."""
    now, engine = datetime.now(UTC), make_engine(house.url)
    with make_sessions(engine).begin() as session:
        keys = [
            add_till(session, store_code="S1", till_code=f"C{place}", now=now, actor="test")
            for place in range(CONTENDERS)
        ]
    engine.dispose()
    return [ServedTill(house.port, key) for key in keys]


class TestSixteenTills:
    """R4 against several processes: one of sixteen gets the last one, and what it was promised is honoured."""

    @pytest.fixture
    def at_once(self, tills):
        """Return what lets every till do something at the same moment, and gives their answers in the tills' order."""
        with ThreadPoolExecutor(CONTENDERS) as pool:

            def at_once(asks: list[Ask]) -> list[Any]:
                barrier = Barrier(CONTENDERS)

                def ask(till: ServedTill, ask: Ask) -> Any:
                    barrier.wait()
                    return ask(till)

                return list(pool.map(ask, tills, asks))

            yield at_once

    @staticmethod
    def paid(code: str, off: int = 0, **rest: Any) -> dict[str, Any]:
        """A sale of one tea, with so much off by an offer."""
        now = datetime.now(UTC)
        line = basket(("tea", 1, 1000))[0] | {
            "discount_amount": off, "total_amount": 1000 - off,
            "discounts": [{"offer_code": code, "amount": off}] if off else [],
        }  # fmt: skip
        return {
            "type": "sale", "business_date": now.date().isoformat(), "receipt_number": f"R-{code}",
            "closed_at": now.isoformat(), "currency": "CZK", "lines": [line], "totals": {"payable_amount": 1000 - off},
        } | rest  # fmt: skip

    @pytest.mark.parametrize("rounds", sizes(RACES, parts=10))
    @pytest.mark.parametrize("limit", [{"uses": 1}, {"amount": 199}])
    def test_get_the_last_of_a_budget_once(self, house, at_once, publish, limit, rounds):
        tea, name = basket(("tea", 1, 1000)), next(iter(limit)).upper()
        for number in rounds:
            off = {"kind": "amount", "off": 100, "per": "application"}
            house.bring([offer(f"{name}-{number}", items("TEA"), off, limits=limit)])
            quotes = at_once([lambda till: till.quote(tea)] * CONTENDERS)
            given = [quote["totals"]["discount_amount"] for quote in quotes]
            assert sorted(given) == [0] * LOSERS + [100], f"round {number}"
            bodies = [
                self.paid(f"{name}-{number}", off, quote_id=quote["quote_id"])
                for off, quote in zip(given, quotes, strict=True)
            ]
            answers = at_once([lambda till, body=body: till.post("/receipts", body) for body in bodies])
            assert Counter(status for status, _ in answers) == {201: CONTENDERS}
            flags = [flag["code"] for _, answer in answers for flag in answer["flags"]]
            assert "offer_not_valid" not in flags, f"round {number}"
            again = at_once([lambda till: till.quote(tea)] * CONTENDERS)
            assert not any(quote["totals"]["discount_amount"] for quote in again), f"round {number}"
        publish(says(f"R4 last of a budget ({next(iter(limit))}), served", rounds, RACES))

    @pytest.mark.parametrize("rounds", sizes(RACES, parts=10))
    def test_hand_the_last_gift_over_once(self, house, at_once, publish, rounds):
        """All are promised it, since a quote holds no gift; the receipt of one takes it."""
        tea = basket(("tea", 1, 1000))
        for number in rounds:
            mug = f"MUG-{number}"
            house.bring(
                [offer(f"GIFT-{number}", items("TEA"), {"kind": "gift", "reward": mug, "quantity": 1})],
                rewards=[{"code": mug, "stock": {"S1": 1}}],
            )
            quotes = at_once([lambda till: till.quote(tea)] * CONTENDERS)
            assert all(quote["gifts"] for quote in quotes)
            bodies = [self.paid(f"GIFT-{number}", quote_id=quote["quote_id"]) for quote in quotes]
            answers = at_once([lambda till, body=body: till.post("/receipts", body) for body in bodies])
            assert Counter(status for status, _ in answers) == {201: CONTENDERS}
            gifts = [gift["quantity"] for _, answer in answers for gift in answer["gifts"]]
            assert gifts == [1], f"round {number}"
            stock = {
                row["reward_code"]: row["on_hand"] for row in house.regulars("rewards", "stock")["stock"]
            }
            assert stock[mug] == 0, f"round {number}"
        publish(says("R4 last gift, served", rounds, RACES))

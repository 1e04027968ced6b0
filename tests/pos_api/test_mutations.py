"""
Bodies that no till would send, made from good ones by a seeded mutator: never a 5xx, and never half a receipt.

`REGULARS_SEED` repeats a run. The soak sends ten times a hundred thousand.
"""

import json
import os
import random
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text

from pos_api import examples
from tests.pos_api.conftest import code_of
from tests.reliability.rotation import SOAK_TIMEOUT, TIMES, turn

SEED = int(os.environ.get("REGULARS_SEED") or turn())
"""Another one with each commit, so that in a hundred commits a hundred thousand bodies have come."""
OFTEN = 1000
GOOD = [example["value"] for example in examples.RECEIPTS.values()]

VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    0.1,
    1.0,
    -0.0,
    1e308,
    10**14,
    10**14 + 1,
    2**31,
    2**63,
    -(2**63) - 1,
    10**400,
    "",
    " ",
    "0",
    "1",
    "-1",
    "1e9",
    "NaN",
    "999999999.999",
    "0.0001",
    "2000-01-01",
    "2099-12-31",
    "2100-01-01",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-03-29T02:30:00+01:00",
    "2026-11-21T10:16:02+99:99",
    "CZK",
    "XAU",
    "sale",
    "return",
    "void",
    "training",
    "4111111111111111",
    "2990000000019",
    "x" * 20,
    "x" * 65,
    "x" * 1001,
    "\u0000",
    "\ud800",
    "\udfff\ud800",
    "\u202e\u0007\ufeff\uffff",
    "\U0001f375",
    "'; drop table receipt; --",
    "%s %(x)s {0} {{7*7}}",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    [],
    [None],
    [[]],
    [{}],
    [[[[[[]]]]]],
    {},
    {"": ""},
    {"_schema": ["x"]},
    {"0": 1},
]


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = document.items() if isinstance(document, dict) else enumerate(document)
    found = []
    for step, value in inner:
        found.append((*path, step))
        if isinstance(value, dict | list):
            found += places(value, (*path, step))
    return found


class Mutator:
    """Makes bodies out of good ones; every run of one seed makes the same ones."""

    def __init__(self, seed: int, good: Sequence[Any] = GOOD) -> None:
        self.random = random.Random(seed)
        self.good = good
        self.made = 0

    def body(self) -> bytes:
        self.made += 1
        document = deepcopy(dict(self.random.choice(self.good)))
        if "receipt_number" in document:
            document["receipt_number"] = f"m{self.made}"
        for _ in range(self.random.choice((1, 1, 1, 2, 3, 4))):
            self._change(document)
        raw = json.dumps(document, ensure_ascii=self.random.random() < 0.9).encode("utf-8", "surrogatepass")
        return self._break(raw) if self.random.random() < 0.3 else raw

    def _change(self, document: dict[str, Any]) -> None:
        found = places(document)
        if not found:
            return
        *above, last = self.random.choice(found)
        holder: Any = document
        for step in above:
            holder = holder[step]
        changes: list[Callable[[], Any]] = [
            lambda: holder.__setitem__(last, deepcopy(self.random.choice(VALUES))),
            lambda: holder.__setitem__(last, deepcopy(self.random.choice(VALUES))),
            lambda: holder.pop(last),
            lambda: self._add(holder),
            lambda: self._repeat(holder, last),
        ]
        self.random.choice(changes)()

    def _add(self, holder: Any) -> None:
        value = deepcopy(self.random.choice(VALUES))
        if isinstance(holder, dict):
            names = [
                "quantity",
                "original",
                "mode",
                "offline",
                "offline_redemptions",
                "é",
                "a/b~c",
                "\ud800",
                "",
            ]
            holder[self.random.choice(names)] = value
        else:
            holder.append(value)

    def _repeat(self, holder: Any, last: Any) -> None:
        if isinstance(holder, list):
            holder.extend(deepcopy(holder[last]) for _ in range(self.random.choice((1, 2, 50))))

    def _break(self, raw: bytes) -> bytes:
        at = self.random.randrange(len(raw) + 1)
        noise = self.random.choice(
            (
                b"\x00",
                b"\xff",
                b"\xed\xa0\x80",
                b"{",
                b"[" * 2000,
                b'"',
                b"\\u0000",
                b"\\ud800",
                b"9" * 5000,
                b"NaN,",
                b"",
            )
        )
        return raw[:at] + noise + raw[at + self.random.choice((0, 0, 1, 7, 100)) :]


def bombard(chain, count: int) -> dict[int, int]:
    mutator = Mutator(SEED)
    answered: dict[int, int] = {}
    for _ in range(count):
        raw = mutator.body()
        answer = chain.till.post("/receipts", raw)
        answered[answer.status_code] = answered.get(answer.status_code, 0) + 1
        assert answer.status_code < 500, f"seed {SEED}, body {mutator.made}: {raw!r}"
        if answer.status_code >= 400:
            assert code_of(answer)
        else:
            assert chain.till.post("/receipts", raw).status_code == 200, f"seed {SEED}: {raw!r}"
    print(f"seed {SEED}, {count} bodies: {answered}")  # noqa: T201 - a failing run must be repeatable
    with chain.sessions() as session:
        receipts, lines, orphans = session.execute(
            text(
                "select (select count(*) from receipt), (select count(distinct receipt_id) from receipt_line),"
                " (select count(*) from receipt_line left join receipt using (business_date, receipt_id)"
                "  where receipt.receipt_id is null)"
            )
        ).one()
    assert receipts == answered.get(201, 0)
    assert (lines <= receipts, orphans) == (True, 0)
    return answered


@dataclass(frozen=True)
class Call:
    """A call with good bodies of it, and all that it may be answered."""

    path: str
    good: Mapping[str, Any]
    answers: frozenset[int]


def _call(path: str, good: Mapping[str, Any], *answers: int) -> Call:
    return Call(path, good, frozenset({*answers, 400, 409, 413, 422}))


_MONEY = {"money": {"value": {"amount": 100, "receipt_number": "000123"}}}
_BACK = {"back": {"value": {"amount": 100, "entry_id": "00000000-0000-7000-8000-000000000000"}}}
CALLS = (
    _call("/quotes", examples.QUOTES, 200),
    _call("/reactions", examples.REACTIONS, 204, 404),
    _call("/receipts/batch", examples.BATCHES, 200),
    _call("/returns/quotes", examples.RETURN_QUOTES, 200, 404),
    _call("/redemptions", examples.REDEMPTIONS, 201, 404, 403),
    _call("/members", examples.MEMBERS, 201),
    _call(f"/cards/{examples.CARD_NUMBER}/block", examples.BLOCKS, 200, 404),
    _call(f"/cards/{examples.CARD_NUMBER}/replace", examples.REPLACEMENTS, 200, 404),
    _call("/gift-cards", _MONEY, 201, 404),
    _call("/gift-cards/1/load", _MONEY, 200, 201, 404),
    _call("/gift-cards/1/spend", _MONEY, 200, 201, 404),
    _call("/gift-cards/1/give-back", _BACK, 200, 201, 404),
)


def bombard_call(chain, call: Call, count: int) -> None:
    mutator = Mutator(SEED, [example["value"] for example in call.good.values()])
    for number in range(count):
        raw = mutator.body()
        headers = {"Idempotency-Key": f"k{number // 2}"} if number % 3 == 0 else {}
        answer = chain.till.post(call.path, raw, headers=headers)
        assert answer.status_code < 500, f"seed {SEED}, body {mutator.made} of {call.path}: {raw!r}"
        assert answer.status_code in call.answers, f"{answer.status_code} to {raw!r}"
        if answer.status_code >= 400:
            assert code_of(answer)


def bombard_addresses(chain, count: int) -> None:
    """Ask for what is nowhere, with headers that mean nothing."""
    chance = random.Random(SEED)
    texts = [value for value in VALUES if isinstance(value, str) and value]
    patterns = (
        ("GET", "/cards/{}"), ("POST", "/cards/{}/block"), ("POST", "/cards/{}/replace"), ("GET", "/receipts/{}/{}/{}/{}"), ("GET", "/receipts/S1/T1/{}/{}"),
        ("GET", "/redemptions/{}"), ("POST", "/redemptions/{}/release"), ("POST", "/redemptions/{}/post"), ("GET", "/snapshot?since={}"), ("GET", "/gift-cards/{}"),
        ("POST", "/gift-cards/{}/spend"), ("GET", "/{}"),
    )  # fmt: skip
    for _ in range(count):
        method, pattern = chance.choice(patterns)
        address = pattern
        while "{}" in address:
            raw = chance.choice(texts).encode("utf-8", "surrogatepass")
            address = address.replace("{}", quote(chance.choice((raw, raw + b"\xff")), safe=""), 1)
        plain = [text for text in texts if text.isascii() and text.isprintable()]
        headers = {
            name: chance.choice(plain)
            for name in ("Idempotency-Key", "If-None-Match")
            if chance.random() < 0.5
        }
        answer = chain.till.send(
            method, address, headers=headers, data=b"{}", content_type="application/json"
        )
        assert answer.status_code < 500, f"seed {SEED}: {method} {address} {headers}"
        if answer.status_code >= 400:
            assert code_of(answer)


class TestMutatedBodies:
    def test_are_answered_with_a_problem_or_booked_whole(self, chain, publish):
        publish(
            f"S1: {OFTEN} of 100000 bodies, seed {SEED}; not run: the others, whose turn comes with other seeds"
        )
        answered = bombard(chain, OFTEN)
        assert {201, 400, 422} <= set(answered)

    @pytest.mark.parametrize("call", CALLS, ids=lambda call: call.path.strip("/"))
    def test_of_every_other_call_are_answered_with_a_problem_or_with_success(self, chain, publish, call):
        bombard_call(chain, call, OFTEN // 10)

    def test_in_addresses_and_headers_are_answered_with_a_problem_or_with_success(self, chain):
        bombard_addresses(chain, OFTEN // 5)

    @pytest.mark.soak
    @pytest.mark.timeout(SOAK_TIMEOUT)
    def test_are_answered_by_the_hundred_thousand(self, chain):
        answered = bombard(chain, round(100_000 * TIMES))
        assert {201, 400, 422} <= set(answered)

    @pytest.mark.soak
    @pytest.mark.timeout(SOAK_TIMEOUT)
    def test_of_every_other_call_are_answered_by_the_ten_thousand(self, chain):
        for call in CALLS:
            bombard_call(chain, call, max(100, round(8_000 * TIMES)))
        bombard_addresses(chain, max(200, round(10_000 * TIMES)))

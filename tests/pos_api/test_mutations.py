"""
Bodies that no till would send, made from good ones by a seeded mutator: never a 5xx, and never half a receipt.

`REGULARS_SEED` repeats a run. The soak sends ten times a hundred thousand.
"""

import json
import os
import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

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


class TestMutatedBodies:
    def test_are_answered_with_a_problem_or_booked_whole(self, chain, publish):
        publish(
            f"S1: {OFTEN} of 100000 bodies, seed {SEED}; not run: the others, whose turn comes with other seeds"
        )
        answered = bombard(chain, OFTEN)
        assert {201, 400, 422} <= set(answered)

    @pytest.mark.parametrize(
        ("path", "good", "answers"),
        [
            ("/quotes", examples.QUOTES, {200, 400, 422}),
            ("/reactions", examples.REACTIONS, {204, 400, 404, 422}),
        ],
    )
    def test_of_calls_that_book_nothing_are_answered_with_a_problem_or_with_success(
        self, chain, path, good, answers
    ):
        mutator = Mutator(SEED, [example["value"] for example in good.values()])
        answered = set()
        for _ in range(OFTEN // 5):
            raw = mutator.body()
            answer = chain.till.post(path, raw)
            answered.add(answer.status_code)
            assert answer.status_code < 500, f"seed {SEED}, body {mutator.made}: {raw!r}"
            if answer.status_code >= 400:
                assert code_of(answer)
        assert answered <= {*answers, 413}

    @pytest.mark.soak
    @pytest.mark.timeout(SOAK_TIMEOUT)
    def test_are_answered_by_the_hundred_thousand(self, chain):
        answered = bombard(chain, round(100_000 * TIMES))
        assert {201, 400, 422} <= set(answered)

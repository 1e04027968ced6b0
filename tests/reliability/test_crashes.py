"""
R2: tills that retry, while workers, server and database are killed at random.

No acknowledged receipt may be lost and no point counted twice. The full size is behind the mark `soak`.
"""

import json
import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from stdnum import ean

from customers.operations import issue_cards
from sales.operations import add_store, add_till
from tests.reliability.rotation import SOAK_TIMEOUT, TIMES, bound, seed_of_run

ROOT = Path(__file__).parent.parent.parent
TILLS = 6
NOW = datetime.now(UTC)
CARDS = [number + ean.calc_check_digit(number) for number in (f"2990000{n:05}" for n in range(40))]


@pytest.fixture
def tills(service, workplace, hire_till):
    """Hire the tills of one store, with forty cards in their customers' hands."""

    def hire(seed: int, wanted: int):
        with workplace.sessions.begin() as session:
            add_store(session, store_code="S1", name="Praha 1", currency="CZK", timezone="Europe/Prague")
            issue_cards(session, card_numbers=CARDS, now=NOW, actor="test")
            keys = [
                add_till(session, store_code="S1", till_code=f"T{number}", now=NOW, actor="test")
                for number in range(TILLS)
            ]
        day = NOW.date().isoformat()
        return [
            hire_till(service.port, key, CARDS, day, seed * 1000 + number, wanted)
            for number, key in enumerate(keys)
        ]

    return hire


def run_through(
    service, tills, patiently, *, seed: int, kills: int, receipts: int, budget: float
) -> dict[str, int]:
    """
    Let the tills work while parts are killed, each time after some progress; return how often which was killed.

    It ends with so many `kills` and `receipts`, or, with at least five kills, after `budget` seconds.
    """
    choice = random.Random(seed)
    killed: dict[str, int] = {}
    ends = time.monotonic() + budget
    for till in tills:
        till.start()

    def settled() -> int:
        return sum(len(till.acknowledged) for till in tills)

    def complaints() -> list[str]:
        return [complaint for till in tills for complaint in till.complaints]

    def spent() -> bool:
        return time.monotonic() > ends and sum(killed.values()) >= 5

    while sum(killed.values()) < kills and not spent() and not complaints():
        before = settled()
        patiently(lambda known=before: settled() > known or complaints(), f"progress after {killed}")
        time.sleep(choice.uniform(0.0, 0.5))
        part = choice.choice(service.PARTS)
        if service.kill(part, choice):
            killed[part] = killed.get(part, 0) + 1
    while settled() < receipts and not spent() and not complaints():
        time.sleep(0.1)
    for till in tills:
        till.enough.set()
    for till in tills:
        till.join()
    return killed


def everything_holds(service, workplace, tills) -> None:
    """Compare what the tills know with what the database holds, to the last point."""
    assert [complaint for till in tills for complaint in till.complaints] == []
    with workplace.sessions() as session:
        rows = session.execute(
            text(
                "select till_code, receipt_number, answer, payable_amount, card_number from receipt join till using (till_id)"
            )
        ).all()
        balances = dict(
            session.execute(
                text("select card_number, points from card join balance using (account_id)")
            ).all()
        )
    stored = {(row.till_code, row.receipt_number): row for row in rows}
    known = {
        (f"T{number}", receipt): answer
        for number, till in enumerate(tills)
        for receipt, answer in till.acknowledged.items()
    }
    assert len(stored) == len(rows)
    assert stored.keys() == known.keys()
    earned = dict.fromkeys(CARDS, 0)
    for identity, answer in known.items():
        row = stored[identity]
        points = row.payable_amount // 100 if row.card_number else 0
        assert answer["points"]["earned"] == points
        if row.card_number:
            earned[row.card_number] += points
    assert {card: points for card, points in earned.items() if points} == {
        card: points for card, points in balances.items() if points
    }
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    verified = subprocess.run(
        [sys.executable, ROOT / "cli.py", "--data", service.data, "verify", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["ok"]


@pytest.fixture
def storm(service, workplace, tills, patiently, publish):
    """Let tills and kills loose on the server, then look whether all is well."""

    def storm(*, kills: int, receipts: int, budget: float) -> tuple[int, int]:
        """Return how many parts were killed, and how many receipts acknowledged and found again."""
        seed = seed_of_run()
        publish(f"R2: seed {seed}")
        hired = tills(seed, 1_000_000)
        killed = run_through(
            service, hired, patiently, seed=seed, kills=kills, receipts=receipts, budget=budget
        )
        everything_holds(service, workplace, hired)
        settled = sum(len(till.acknowledged) for till in hired)
        attempts = sum(till.attempts for till in hired)
        publish(
            f"R2: {settled} receipts in {attempts} attempts, {sum(killed.values())} kills {killed}, "
            f"{bound(settled)} (a receipt)"
        )
        return sum(killed.values()), settled

    return storm


class TestKillsAtRandom:
    def test_lose_no_acknowledged_receipt_and_count_no_point_twice(self, storm):
        kills, found = storm(kills=25, receipts=10_000, budget=60)
        assert kills >= 5
        assert found > kills

    @pytest.mark.soak
    @pytest.mark.timeout(SOAK_TIMEOUT)
    def test_lose_nothing_at_full_size_either(self, storm):
        wanted = round(25 * TIMES)
        kills, found = storm(kills=wanted, receipts=round(10_000 * TIMES), budget=600 * TIMES)
        assert kills >= min(wanted, 5)
        assert found > kills

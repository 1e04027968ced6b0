"""
How much of a row one run does.

A row that is too long for every run is cut into parts; each commit does the next one, so that
after as many commits as there are parts all of it was done. A soak does every part, many times.
"""

import os
import random
import subprocess
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TIMES = float(os.environ.get("REGULARS_SOAK_TIMES") or 10)
"""How many times the size of the programme `dev soak` does."""
MOST = int(os.environ.get("REGULARS_MOST") or 0)
"""The most rounds of a row that a usual run does, for who is in a hurry; 0 sets no limit."""
SOAK_TIMEOUT = 7200

Publish = Callable[[str], None]


@lru_cache(maxsize=1)
def turn() -> int:
    """Return which commit this is, as a number that grows by one from commit to commit; `REGULARS_TURN` overrides it."""
    given = os.environ.get("REGULARS_TURN")
    if given:
        return int(given)
    count = _git("rev-list", "--count", "HEAD")
    shallow = _git("rev-parse", "--is-shallow-repository") == "true"
    if count and not shallow:
        return int(count)
    # Without the history the commit's name is as good as a throw of dice, the same for everybody who tests it.
    return int(_git("rev-parse", "--short=8", "HEAD") or "0", 16)


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def sizes(whole: int, *, parts: int = 1) -> list[object]:
    """Return parameters for a test: the rounds of this commit's part of `whole`, and those of a soak."""
    usual = range(turn() % parts, whole, parts)[: MOST or None]
    soak = range(max(1, round(whole * TIMES)))
    return [
        pytest.param(usual, id="this commit's part" if parts > 1 else "whole"),
        pytest.param(soak, id="soak", marks=(pytest.mark.soak, pytest.mark.timeout(SOAK_TIMEOUT))),
    ]


def says(row: str, rounds: range, whole: int, *, seed: object = None) -> str:
    """Return what the log says of the rounds of a row that are about to run, and of those that are not."""
    words = f"{row}: {len(rounds)} of {whole} rounds"
    if rounds.step > 1:
        words += (
            f" (one in {rounds.step}; not run: the other {whole - len(rounds)}, "
            f"whose turn comes within the next {rounds.step} commits and in dev soak)"
        )
    return words + ("" if seed is None else f", seed {seed}")


@lru_cache(maxsize=1)
def seed_of_run() -> int:
    """
    Return the seed of this run: its commit's, so that who tests a commit again tries the same.

    The next commit has another one. A soak, and a folder without history, throw dice. `REGULARS_SEED` repeats a run's.
    """
    given = os.environ.get("REGULARS_SEED")
    if given:
        return int(given)
    commit = "" if "REGULARS_SOAK_TIMES" in os.environ else _git("rev-parse", "--short=12", "HEAD")
    return int(commit, 16) % 10**6 if commit else random.SystemRandom().randrange(10**6)


def bound(trials: int) -> str:
    """Return what no failure in so many independent trials says of the rate of failures (the rule of three)."""
    return f"no failure in {trials} trials: rate below {3 / trials:.1e} at 95 %"


def pick(cases: Iterable[object], number: int) -> list[object]:
    """Return this commit's `number` of `cases`, so that each has its turn."""
    everything = list(cases)
    first = turn() * number
    return [everything[(first + place) % len(everything)] for place in range(min(number, len(everything)))]

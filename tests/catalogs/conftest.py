"""The chain that catalogs are made for, and hands that set copies without processes of their own."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import time_machine

import catalogs.making
from catalogs.render import CHUNK, CopyOrder, MadeCopy, make_chunk
from core.database import Sessions
from tests.catalogs.chain import NOW, Chain
from tests.catalogs.run import Run


@pytest.fixture
def chain(sessions: Sessions) -> Chain:
    return Chain(sessions)


@pytest.fixture
def run(chain: Chain, tmp_path: Path) -> Run:
    return Run(chain, tmp_path)


@pytest.fixture
def in_november() -> Iterator[None]:
    """Let it be the morning on which the chain is known."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set copies in this process, which draws what they have in common once for all tests."""

    def make(
        orders: Sequence[CopyOrder],
        *,
        photos: Path | None,
        drawings: Path | None = None,
        workers: int | None = None,
    ) -> Iterator[list[MadeCopy]]:
        for start in range(0, len(orders), CHUNK):
            yield make_chunk(orders[start : start + CHUNK], photos)

    monkeypatch.setattr(catalogs.making, "make_files", make)

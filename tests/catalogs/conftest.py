"""The chain that catalogs are made for."""

import pytest

from core.database import Sessions
from tests.catalogs.chain import Chain


@pytest.fixture
def chain(sessions: Sessions) -> Chain:
    return Chain(sessions)

"""What the kernel shows of this process."""

import ctypes
from pathlib import Path

import pytest

from core.processes import give_back_memory


def resident() -> int:
    """Return how many kB this process holds."""
    line = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")
    )
    return int(line.split()[1])


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library than glibc")
def test_gives_back_what_was_freed_between_what_is_kept():
    before = resident()
    blocks = [bytearray(2000) for _ in range(60_000)]
    assert resident() - before > 100_000
    kept = blocks[::100]
    del blocks
    give_back_memory()
    assert resident() - before < 60_000
    assert len(kept) == 600

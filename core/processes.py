"""Processes as Linux shows them in /proc: who is alive, what they are called, and how they end."""

import ctypes
import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
_PR_SET_PDEATHSIG = 1


def alive(pid: int) -> bool:
    """Return whether `pid` is a process that still works; a zombie does not."""
    try:
        # The name, in parentheses, may contain anything; the state follows the last of them.
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


def command(pid: int) -> list[str]:
    """Return the command line of `pid`, empty when there is none."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def titled(beginning: str) -> list[int]:
    """Return the processes whose command line begins like this."""
    numbers = (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
    return sorted(pid for pid in numbers if " ".join(command(pid)).startswith(beginning))


def gone(pid: int, *, patience: float) -> bool:
    """Return whether `pid` ends within `patience` seconds."""
    deadline = time.monotonic() + patience
    while alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def end(pids: Iterable[int], *, patience: float) -> None:
    """Ask `pids` to quit, and kill those that have not within `patience` seconds."""
    asked = list(pids)
    for pid in asked:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)
    deadline = time.monotonic() + patience
    for pid in asked:
        if not gone(pid, patience=max(0.0, deadline - time.monotonic())):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def die_with_parent(parent: int, number: int = signal.SIGKILL) -> None:
    """
    Have the kernel send `number` to this process when `parent`, which made it, dies.

    Whoever comes too late, after the parent's death, ends here.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        raise SystemExit(1)


def give_back_memory() -> None:
    """Give freed memory that the C library keeps for itself back to the machine, where it can (glibc)."""
    with suppress(AttributeError):  # other C libraries have no such call, and keep little
        ctypes.CDLL(None).malloc_trim(0)

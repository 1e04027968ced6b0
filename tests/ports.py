"""Ports for servers of tests that are started later, or end and start again."""

import itertools
import os
import socket
from contextlib import suppress

PORTS = range(20_000, 30_000)
"""Below those that the kernel gives to whoever asks for any, so that nobody else takes one before its server has it."""

_tried = itertools.count()


def free_port() -> int:
    """Return a port of this machine that is free; each process of a run begins to look elsewhere."""
    start = os.getpid() * 97
    for _ in PORTS:
        port = PORTS[(start + next(_tried)) % len(PORTS)]
        with socket.socket() as trial, suppress(OSError):
            trial.bind(("127.0.0.1", port))
            return port
    raise AssertionError(f"no port from {PORTS.start} to {PORTS.stop - 1} is free")

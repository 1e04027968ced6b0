"""Work that waits for a lock: what it holds meanwhile is what others would meet."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from sqlalchemy import text

from core.database import Sessions

_WAITS = text("select exists (select from pg_locks where not granted)")
PATIENCE = 120.0


@contextmanager
def waiting_for_a_lock(sessions: Sessions, work: Callable[[], object]) -> Iterator[None]:
    """Begin `work` beside, go on when it waits for what the caller holds, and see it through at the end."""
    beside = ThreadPoolExecutor(1)
    try:
        done = beside.submit(work)
        until = time.monotonic() + PATIENCE
        while not done.done():
            with sessions() as session:
                if session.execute(_WAITS).scalar_one():
                    break
            assert time.monotonic() < until, "it neither waits nor ends"
            time.sleep(0.01)
        assert not done.done(), done.exception() or "it did not wait"
        yield
        done.result(PATIENCE)
    finally:
        # It may wait for the caller still, who gives its locks back only now.
        beside.shutdown(wait=False)

"""Copies made in child processes with limits: what goes wrong there ends the copy, not the house."""

import gc
import multiprocessing
import os
import resource
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from threading import Thread

from catalogs.booklets import Issue, Pick, Reader, make_booklet
from catalogs.layouts import load_theme
from catalogs.pages import PrintedVoucher
from catalogs.pdf.composing import compose_all
from catalogs.pdf.typesetting import Typesetter
from core.errors import Conflict
from core.whole_files import whole_file

CHUNK = 25
"""So many copies are set together; it bounds what a crash costs."""
MEMORY = 2 * 1024**3
"""Bytes of address space that a child may take; it works in a tenth of it."""
SECONDS_PER_COPY = 20
"""CPU seconds allowed per copy, a hundred times what one takes."""
CHUNKS_PER_CHILD = 400
"""After so many a child gives way to a new one, whatever it may have gathered."""
GARBAGE = 50_000
"""So many things more than went are made before any are looked at."""
COPIES_PER_PROCESS = 150
"""Another process pays from so many more copies on: each has to load and draw what all have in common."""


class RenderingFailed(Conflict):
    """A child process gave up on a chunk of copies, or was ended at its limits."""


@dataclass(frozen=True, slots=True)
class CopyOrder:
    """One copy to be made: what it is made of, and where the file goes."""

    copy_code: str
    theme: str
    issue: Issue
    reader: Reader
    picks: tuple[Pick, ...]
    news: tuple[Pick, ...]
    path: Path
    vouchers: tuple[PrintedVoucher, ...] = ()
    size: str = "A4"


@dataclass(frozen=True, slots=True)
class MadeCopy:
    """A copy on disk; `items` are (page, article) in reading order."""

    copy_code: str
    sha256: bytes
    size: int
    pages: int
    items: tuple[tuple[int, int], ...]


def make_files(
    orders: Sequence[CopyOrder],
    *,
    photos: Path | None,
    drawings: Path | None = None,
    workers: int | None = None,
    memory: int = MEMORY,
    seconds_per_copy: int = SECONDS_PER_COPY,
) -> Iterator[list[MadeCopy]]:
    """
    Make the files of `orders` and yield what was made, a chunk at a time, in the order of completion.

    What copies have in common is kept in the folder `drawings` for those who make others. A file appears under its
    name only when it is whole. Raises `RenderingFailed` at the first chunk
    that could not be made; those yielded before are on disk.
    """
    chunks = list(chunks_of(orders))
    kept = _KEPT.get()
    hands = kept or _Hands()
    count = workers or min(os.cpu_count() or 1, -(-len(orders) // COPIES_PER_PROCESS))
    pool, count = hands.ready(max(1, min(count, len(chunks))), memory)
    waiting = iter(chunks)
    under_way: set[Future[list[MadeCopy]]] = set()
    try:
        while True:
            # Only as many as there are hands are given out, so that stopping waits for little.
            while len(under_way) <= count and (chunk := next(waiting, None)) is not None:
                under_way.add(
                    pool.submit(_make_within, chunk, photos, drawings, seconds_per_copy * len(chunk))
                )
            if not under_way:
                return
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                yield _result(future)
    except RenderingFailed:
        hands.end()
        raise
    finally:
        for future in under_way:
            future.cancel()
        wait(under_way)
        if kept is None:
            hands.end()


def chunks_of(orders: Sequence[CopyOrder]) -> Iterator[list[CopyOrder]]:
    """Yield `orders` in chunks in which neighbours that share their pages stay together, which are then drawn once."""
    chunk: list[CopyOrder] = []
    for _same, alike in groupby(
        orders, key=lambda order: (order.theme, order.size, id(order.issue), order.reader.language)
    ):
        sharing = list(alike)
        if chunk and len(chunk) + len(sharing) > CHUNK:
            yield chunk
            chunk = []
        while len(sharing) > CHUNK:
            yield sharing[:CHUNK]
            sharing = sharing[CHUNK:]
        chunk += sharing
    if chunk:
        yield chunk


@contextmanager
def kept_hands() -> Iterator[None]:
    """Let the child processes of `make_files` go on from call to call inside a block: each has much to load and draw."""
    hands = _Hands()
    token = _KEPT.set(hands)
    try:
        yield
    finally:
        _KEPT.reset(token)
        hands.end()


class _Hands:
    """The child processes."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._count = 0

    def ready(self, count: int, memory: int) -> tuple[ProcessPoolExecutor, int]:
        """Return a pool, of `count` processes unless there is one, and how many it has."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                count,
                multiprocessing.get_context("spawn"),
                initializer=_limit,
                initargs=(memory,),
                max_tasks_per_child=CHUNKS_PER_CHILD,
            )
            self._count = count
        return self._pool, self._count

    def end(self) -> None:
        """End them; what they were at is finished first."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


_KEPT: ContextVar[_Hands | None] = ContextVar("kept", default=None)


def _result(future: "Future[list[MadeCopy]]") -> list[MadeCopy]:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise RenderingFailed(
            "a process that sets copies was ended at its limits of memory or time"
        ) from error
    except Exception as error:
        # Short of memory, a child fails in whatever it does at that moment, importing a library as well.
        raise RenderingFailed(f"a chunk of copies could not be set: {type(error).__name__}") from error


def _make_within(
    orders: Sequence[CopyOrder], photos: Path | None, drawings: Path | None, seconds: int
) -> list[MadeCopy]:
    _allow_seconds(seconds)
    return make_chunk(orders, photos, drawings)


def make_chunk(
    orders: Sequence[CopyOrder], photos: Path | None, drawings: Path | None = None
) -> list[MadeCopy]:
    """Make the files of `orders` in this process, setting together what they have in common."""
    by_design: dict[tuple[str, str], list[CopyOrder]] = {}
    for order in orders:
        by_design.setdefault((order.theme, order.size), []).append(order)
    return [
        made
        for (theme, size), same in by_design.items()
        for made in _make_alike(same, _typesetter(theme, size, photos, drawings))
    ]


def _make_alike(orders: Sequence[CopyOrder], typesetter: Typesetter) -> Iterator[MadeCopy]:
    """Make the files of orders of one design."""
    booklets = [
        make_booklet(
            typesetter.theme,
            order.issue,
            order.reader,
            picks=order.picks,
            news=order.news,
            vouchers=order.vouchers,
        )
        for order in orders
    ]
    for order, booklet, document in zip(orders, booklets, compose_all(booklets, typesetter), strict=True):
        order.path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(order.path) as file:
            file.write(document.content)
        yield MadeCopy(
            order.copy_code,
            document.sha256,
            len(document.content),
            document.pages,
            tuple((page, item.article_id) for page, item in booklet.items()),
        )


@cache
def _typesetter(theme: str, size: str, photos: Path | None, drawings: Path | None) -> Typesetter:
    return Typesetter(load_theme(theme, size), photos, kept=drawings)


def collect_seldom() -> None:
    """
    Let garbage be looked for less often in this process, and not in what is loaded already.

    Copies leave no cycles behind, but are so many small things that they would all be looked at again and again.
    """
    gc.freeze()
    gc.set_threshold(GARBAGE, 10, 10)


def _limit(memory: int) -> None:
    """Bound this child's memory, let it give way to whoever serves customers, and end it with its parent."""
    # A killed parent takes nobody along: its children would wait for work for ever, or write files behind the next one's back.
    Thread(target=_end_with_parent, daemon=True).start()
    collect_seldom()
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    with suppress(OSError):
        os.nice(5)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _allow_seconds(seconds: int) -> None:
    """Let this process use `seconds` more of CPU time; past them the system ends it."""
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    with suppress(OSError, ValueError):
        _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + seconds, hard))

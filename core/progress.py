"""Progress of long work on the terminal: a bar for people, plain lines for logs."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

Report = Callable[[int, int | None], None]
"""Called with how much is done and the total, None while nobody knows it."""

SECONDS_BETWEEN_LINES = 5.0


def silent(_done: int, _total: int | None) -> None:
    """Report nothing, to nobody."""


@contextmanager
def progress_bar(title: str) -> Iterator[Report]:
    """Show one piece of long work called `title` on stderr; yields what to report with."""
    if sys.stderr.isatty():
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=False) as progress:
            task = progress.add_task(title, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)
    else:
        yield _line_reporter(title)


def _line_reporter(title: str) -> Report:
    """Return a reporter that writes a line at the start, every few seconds, and at the end."""
    said_at = float("-inf")
    finished = False

    def report(done: int, total: int | None) -> None:
        nonlocal said_at, finished
        ends = total is not None and done >= total
        if finished or (not ends and time.monotonic() - said_at < SECONDS_BETWEEN_LINES):
            return
        said_at = time.monotonic()
        finished = ends
        of_total = f" of {total:,}" if total is not None else ""
        sys.stderr.write(f"{title}: {done:,}{of_total}\n")
        sys.stderr.flush()

    return report

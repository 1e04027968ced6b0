"""What a person sees of the set-up: what is done, how long it takes, and how to mend what is missing."""

import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

Command = list[str | Path]
LAST_LINES = 15
"""So many lines of what failed are shown: the reason stands in the last of them."""


class Missing(Exception):  # noqa: N818 - read as "raise Missing"
    """Something that we cannot do without, and the exact line that mends it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.mend = mend


def say(text: str) -> None:
    """Print one line beside the output proper."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a step of the set-up, and say how long it took."""
    say(f"==> {title}")
    started = time.monotonic()
    yield
    say(f"    done in {time.monotonic() - started:.0f} s")


@contextmanager
def counting(title: str) -> Iterator[None]:
    """Show the seconds that pass in a silent piece of work, on terminals only."""
    over = threading.Event()
    started = time.monotonic()

    def count() -> None:
        while not over.wait(1.0):
            print(
                f"\r    {title} ... {time.monotonic() - started:.0f} s", end="", file=sys.stderr, flush=True
            )

    if not sys.stderr.isatty():
        yield
        return
    counter = threading.Thread(target=count, daemon=True)
    counter.start()
    try:
        yield
    finally:
        over.set()
        counter.join()
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def run(command: Command, *, what: str, mend: str, environment: Mapping[str, str] | None = None) -> None:
    """Do `command`, showing what it prints on stderr; raise Missing when it fails."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment, check=False
        )
    except OSError as error:
        raise Missing(f"{what}: {error}", mend) from error
    if done.returncode != 0:
        raise Missing(f"{what} (exit code {done.returncode}, see above)", mend)


def run_counted(
    command: Command,
    *,
    counts: str,
    total: int,
    what: str,
    mend: str,
    environment: Mapping[str, str] | None = None,
) -> None:
    """
    Do `command` and show of what it prints only how many lines begin with `counts`, of `total`.

    On terminals the count stands in one line; elsewhere each quarter is said once. Raises Missing, after
    the last lines that were printed, when it fails.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)
    done = said = 0
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environment,
        )
    except OSError as error:
        raise Missing(f"{what}: {error}", mend) from error
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line.rstrip())
            done += line.startswith(counts)
            if sys.stderr.isatty():
                print(f"\r    {done} of {total}", end="", file=sys.stderr, flush=True)
            elif done * 4 // total > said:
                said = done * 4 // total
                say(f"    {done} of {total}")
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    if process.returncode != 0:
        for line in last:
            say(f"    {line}")
        raise Missing(f"{what} (exit code {process.returncode}, see above)", mend)


def run_silent(
    command: Command, *, what: str, mend: str, environment: Mapping[str, str] | None = None
) -> str:
    """Do `command` and return what it printed; raise Missing with its last line when it fails."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            check=False,
        )
    except OSError as error:
        raise Missing(f"{what}: {error}", mend) from error
    if done.returncode != 0:
        last = (done.stdout.strip().splitlines() or ["it said nothing"])[-1]
        raise Missing(f"{what}: {last}", mend)
    return done.stdout

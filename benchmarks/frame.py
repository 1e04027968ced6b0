"""
What every benchmark shares: interleaved rounds, medians, processor time, and a record of what ran where.

A figure alone says little. So a benchmark has sides, such as the ceiling and ours; every round
runs all of them in turn (A B A B ...), and what is reported is the median and the ratio to the first
side. Nothing here asserts: a benchmark is not a test.

    compare("import", Side("bare COPY", bare), Side("ours", ours), rounds=5, sizes={"rows": 1_470_000})
"""

import gc
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Self

import psutil
from rich.console import Console
from rich.table import Table

from core.postgres import Cluster
from core.processes import give_back_memory

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
TOLD = (
    "alembic",
    "flask",
    "granian",
    "marshmallow",
    "mlxtend",
    "numba",
    "numpy",
    "pandas",
    "psycopg",
    "sqlalchemy",
    "weasyprint",
)

console = Console(stderr=False, width=120)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the things compared: `work` is timed and returns how many units it did; `prepare` is not timed."""

    name: str
    work: Callable[[], int]
    prepare: Callable[[], object] = lambda: None


@dataclass(slots=True)
class Rounds:
    """What one side took, a number for each round."""

    name: str
    units: int = 0
    peak: int = 0
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)

    @property
    def document(self) -> dict[str, Any]:
        """As it is recorded."""
        return {
            "name": self.name,
            "units": self.units,
            "seconds": round(statistics.median(self.seconds), 6),
            "cpu_seconds": round(statistics.median(self.cpu_seconds), 6),
            "units_per_second": round(self.units / statistics.median(self.seconds), 2),
            "peak_memory_mb": round(self.peak / 1e6),
            "rounds": [round(value, 6) for value in self.seconds],
            "cpu_rounds": [round(value, 6) for value in self.cpu_seconds],
        }


def compare(
    title: str,
    *sides: Side,
    rounds: int = 5,
    sizes: Mapping[str, Any],
    watched: Callable[[], Iterable[int]] = tuple,
    more: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """
    Run the sides in turn, `rounds` times after one that does not count; print, record and return them.

    Memory is looked at in the round that does not count: what a side came to hold beyond what was held before it.

    Processor time is that of this process, its ended children, and the trees of the
    processes that `watched` names, such as a database server.
    """
    taken = [Rounds(side.name) for side in sides]
    for number in range(rounds + 1):
        for side, rounds_of in zip(sides, taken, strict=True):
            side.prepare()
            if not number:
                with HighWater() as memory:
                    side.work()
                rounds_of.peak = memory.bytes
                continue
            cpu, started = cpu_seconds(watched()), time.perf_counter()
            rounds_of.units = side.work()
            seconds = time.perf_counter() - started
            rounds_of.seconds.append(seconds)
            rounds_of.cpu_seconds.append(cpu_seconds(watched()) - cpu)
        console.print(f"[dim]{title}: round {number} of {rounds}[/dim]")
    documents = [each.document for each in taken]
    show(title, documents)
    record(title, {"sizes": dict(sizes), "sides": documents, **(more or {})})
    return documents


def show(title: str, sides: Sequence[Mapping[str, Any]]) -> None:
    """Print the sides beneath each other, with the ratio of their speed to the first one's."""
    table = Table(title=title, title_justify="left")
    table.add_column("side")
    for head in ("units", "seconds", "best", "worst", "CPU s", "units/s", "speed ratio", "CPU ratio", "MB"):
        table.add_column(head, justify="right")
    first = sides[0]
    for side in sides:
        table.add_row(
            side["name"],
            f"{side['units']:,}",
            f"{side['seconds']:.3f}",
            f"{min(side['rounds']):.3f}",
            f"{max(side['rounds']):.3f}",
            f"{side['cpu_seconds']:.3f}",
            f"{side['units_per_second']:,.1f}",
            f"{side['units_per_second'] / first['units_per_second']:.3f}",
            _per_unit(side, first),
            f"{side['peak_memory_mb']:,}" if side["peak_memory_mb"] else "",
        )
    console.print(table)


def _per_unit(side: Mapping[str, Any], first: Mapping[str, Any]) -> str:
    """Return the processor time of a unit, against that of the first side's unit."""
    if not (side["units"] and first["units"] and first["cpu_seconds"]):
        return ""
    return f"{(side['cpu_seconds'] / side['units']) / (first['cpu_seconds'] / first['units']):.3f}"


def record(title: str, document: Mapping[str, Any]) -> Path:
    """Write `document` with everything about this machine that explains it, and return where."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{title.replace(' ', '_')}.json"
    path.write_text(
        json.dumps({"benchmark": title, **surroundings(), **document}, indent=2) + "\n", encoding="utf-8"
    )
    console.print(f"[dim]written: {path.relative_to(ROOT)}[/dim]")
    return path


def surroundings() -> dict[str, Any]:
    """Return what ran where: commit, versions, processor, memory."""
    known = {dist.name.lower(): dist.version for dist in distributions()}
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip() or None,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 1024**3, 1),
        "load_before": os.getloadavg()[0],
        "versions": {name: known[name] for name in TOLD if name in known},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def cpu_seconds(trees: Iterable[int] = ()) -> float:
    """Return the processor time used so far by this process, its ended children, and the trees of processes named."""
    used = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        used += usage.ru_utime + usage.ru_stime
    return used + tree_seconds(trees)


def tree_seconds(trees: Iterable[int]) -> float:
    """Return the processor time of the trees of processes named, so far."""
    return sum(_tree_seconds(pid) for pid in trees)


def _tree_seconds(pid: int) -> float:
    """Return the time of a live process, of its live descendants, and of their children that ended."""
    used = 0.0
    try:
        tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return used
    for process in tree:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        used += times.user + times.system + times.children_user + times.children_system
    return used


class PeakMemory:
    """
    The largest memory that a process, this one if no other is named, and its descendants held together, in bytes, sampled inside a block.

    It adds proportional shares where the kernel tells them, so that what processes share counts once.
    """

    def __init__(self, *, every: float = 0.25, of: psutil.Process | None = None) -> None:
        self.bytes = 0
        self._lately = 0
        self._of = of or psutil.Process()
        self._every = every
        self._over = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._sampler.join()

    def since_asked(self) -> int:
        """Return the largest since this was asked last."""
        lately, self._lately = self._lately, 0
        return lately

    def _sample(self) -> None:
        while True:
            held = _held(self._of)
            self.bytes, self._lately = max(self.bytes, held), max(self._lately, held)
            if self._over.wait(self._every):
                return


class HighWater:
    """
    The most that this process came to hold inside a block beyond what it held before, in bytes, as the kernel noted it.

    Unlike `PeakMemory` it misses nothing between two samples, nor while a library keeps every other thread waiting;
    children do not count. 0 where the kernel does not let the mark be set back. With `whole`, what was held before counts too.
    """

    def __init__(self, *, whole: bool = False) -> None:
        self.bytes = 0
        self._before = 0
        self._whole = whole

    def __enter__(self) -> Self:
        gc.collect()
        give_back_memory()  # or what was freed before would be filled again and not show
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
            self._before = _resident("VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        if self._before:
            self.bytes = max(0, _resident("VmHWM") - (0 if self._whole else self._before))


def _resident(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _held(top: psutil.Process) -> int:
    held, tree = 0, [top]
    with suppress(psutil.NoSuchProcess):
        tree += top.children(recursive=True)
    for process in tree:
        # The kernel's own sum; adding up every mapping takes a hundred times as long.
        with suppress(OSError):
            for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    held += int(line.split()[1]) * 1024
    return held


def _largest(top: psutil.Process) -> int:
    """Return the resident bytes of the process that holds most, of `top` and those that it started."""
    held, tree = 0, [top]
    with suppress(psutil.NoSuchProcess):
        tree += top.children(recursive=True)
    for process in tree:
        with suppress(psutil.NoSuchProcess):
            held = max(held, process.memory_info().rss)
    return held


@contextmanager
def database() -> Iterator[tuple[str, Callable[[], list[int]]]]:
    """
    Yield the URL of an empty, durable database of its own, and what names its server's process.

    `DATABASE_URL` is not used: a benchmark fills what it is given.
    """
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        cluster = Cluster(place / "data")
        try:
            yield cluster.start(), lambda: [cluster.pid] if cluster.pid else []
        finally:
            cluster.remove()


def progress(text: str) -> None:
    """Say on stderr what is going on."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()

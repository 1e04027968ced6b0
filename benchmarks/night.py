"""
The whole night: processor seconds and peak of memory of every step, and how both grow with the data.

    python3 dev bench night [--nights 2] [--copies 1,10]

The data are the demonstration's; with `--copies` also as many times as many households, drawn from them with replacement. Each
night is a process of its own, as in a served house. Nights lie two weeks apart, so that each finds themes anew, learns anew how to rank,
opens the run of a standing order and makes its first hundred copies, as the first of all does; the last one follows the day after,
as most nights do. Processor time includes the database's; memory is that of the night's process and its children, without the database.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psutil
from frame import ROOT, PeakMemory, console, database, progress, record
from night_parts.chain import load
from rich.table import Table
from sqlalchemy import text

from core.database import Sessions, make_engine, make_sessions, upgrade

SIZES = ("receipt", "receipt_line", "member", "article", "store", "ledger_entry")
APART = timedelta(days=14)
WORKER = ROOT / "benchmarks" / "night_parts" / "one_night.py"


@dataclass
class Night:
    """What one night took, and each of its steps."""

    day: date
    steps: list[dict[str, Any]] = field(default_factory=list)
    peak_bytes: int = 0

    @property
    def cpu_seconds(self) -> float:
        """Processor seconds of all steps, of the night's processes and of the database."""
        return sum(step["cpu_seconds"] for step in self.steps)

    @property
    def document(self) -> dict[str, Any]:
        """As it is recorded."""
        return {
            "day": self.day.isoformat(),
            "cpu_seconds": round(self.cpu_seconds, 2),
            "peak_bytes": self.peak_bytes,
            "steps": self.steps,
        }


def main() -> None:
    """Load, run the nights, print and record them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--nights", type=int, default=2)
    parser.add_argument("--copies", default="1")
    known = parser.parse_args()
    found = []
    for copies in map(int, known.copies.split(",")):
        with database() as (url, server), tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
            upgrade(url)
            with sessions_on(url) as sessions:
                last_day = load(url, sessions, copies=copies, folder=Path(folder))
            days = [last_day - timedelta(days=1) - number * APART for number in reversed(range(known.nights))]
            nights = [one_night(url, Path(folder), day, server()[0]) for day in (*days, last_day)]
            with sessions_on(url) as sessions:
                sizes = counted(sessions)
        found.append(told(copies, nights, sizes))
    tell_growth(found)
    record("night", {"nights": known.nights, "by_copies": found})


@contextmanager
def sessions_on(url: str) -> Iterator[Sessions]:
    """Yield sessions, whose connections are closed before a night begins in another process."""
    engine = make_engine(url)
    yield make_sessions(engine)
    engine.dispose()


def one_night(url: str, folder: Path, day: date, server: int) -> Night:
    """Run the night of `day` in a process of its own and return what it took."""
    progress(f"the night of {day}")
    night = Night(day)
    command = [sys.executable, "-P", str(WORKER), url, str(folder), day.isoformat(), str(server)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        with PeakMemory(every=0.5, of=psutil.Process(process.pid)) as peak:
            for line in process.stdout:
                step = json.loads(line)
                step["peak_bytes"] = max(step["peak_bytes"], peak.since_asked())
                night.steps.append(step)
                progress(
                    f"  {step['name']}: {step['cpu_seconds']:.1f} s of CPU, "
                    f"{step['peak_bytes'] / 1e6:.0f} MB, {step['result']}"
                )
    if process.returncode:
        raise SystemExit(f"the night of {day} did not end well")
    night.peak_bytes = max(step["peak_bytes"] for step in night.steps)
    return night


def counted(sessions: Sessions) -> dict[str, int]:
    """Return how many rows the tables have."""
    with sessions() as session:
        return {name: session.scalar(text(f"select count(*) from {name}")) or 0 for name in SIZES}


def told(copies: int, nights: list[Night], sizes: dict[str, int]) -> dict[str, Any]:
    """Print the steps of nights that learn, in the middle, beside those of the night after, and return all as recorded."""
    *learning, usual = nights
    table = Table(title=f"night x{copies}: medians of {len(learning)}", title_justify="left")
    for head in ("step", "seconds", "CPU s", "peak MB", "the night after: CPU s", "peak MB"):
        table.add_column(head, justify="left" if head == "step" else "right")
    for number, step in enumerate(usual.steps):
        of_step = [night.steps[number] for night in learning]
        table.add_row(
            step["name"],
            f"{statistics.median(one['seconds'] for one in of_step):.2f}",
            f"{statistics.median(one['cpu_seconds'] for one in of_step):.2f}",
            f"{max(one['peak_bytes'] for one in of_step) / 1e6:.0f}",
            f"{step['cpu_seconds']:.2f}",
            f"{step['peak_bytes'] / 1e6:.0f}",
        )
    whole = statistics.median(night.cpu_seconds for night in learning)
    peak = max(night.peak_bytes for night in learning)
    table.add_row(
        "whole night", "", f"{whole:.2f}", f"{peak / 1e6:.0f}", f"{usual.cpu_seconds:.2f}",
        f"{usual.peak_bytes / 1e6:.0f}",
    )  # fmt: skip
    console.print(table)
    console.print(f"{sizes}")
    return {
        "copies": copies,
        "sizes": sizes,
        "cpu_seconds": round(whole, 2),
        "peak_bytes": peak,
        "usual_cpu_seconds": round(usual.cpu_seconds, 2),
        "usual_peak_bytes": usual.peak_bytes,
        "nights": [night.document for night in nights],
    }


def tell_growth(found: list[dict[str, Any]]) -> None:
    """Print how processor time and memory grew, beside how the lines did."""
    least = found[0]
    table = Table(title="growth against the smallest", title_justify="left")
    for head in ("copies", "lines", "members", "CPU", "peak of memory", "CPU of the night after"):
        table.add_column(head, justify="right")
    for one in found:
        grown = (
            one["sizes"]["receipt_line"] / least["sizes"]["receipt_line"],
            one["sizes"]["member"] / least["sizes"]["member"],
            one["cpu_seconds"] / least["cpu_seconds"],
            one["peak_bytes"] / least["peak_bytes"],
            one["usual_cpu_seconds"] / least["usual_cpu_seconds"],
        )
        table.add_row(str(one["copies"]), *(f"x{value:.2f}" for value in grown))
    if len(found) > 1:
        console.print(table)


if __name__ == "__main__":
    main()

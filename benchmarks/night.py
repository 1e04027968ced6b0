"""
The whole night on the demonstration's data: processor seconds of every step, and the peak of memory.

    python3 dev bench night [--nights 3]

Nights lie two weeks apart, so that each finds themes anew, opens the run of a standing order and makes its first
hundred copies, as the first of all does. Processor time includes the database's; memory is this process' and its children's, without the
database.
"""

import argparse
import statistics
import tempfile
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from frame import PeakMemory, console, cpu_seconds, database, progress, record
from imports import furnish
from rich.table import Table
from sqlalchemy import text

from core.clock import now
from core.copying import refresh_statistics
from core.database import Sessions, make_engine, make_sessions, upgrade
from core.jobs import Job, Shift, Step, run_once, show_nothing
from core.progress import silent
from demo.journey import last_day_of, package_source, weeks_to_last_week, write_files
from demo.loading import order_catalogs
from loyalty.imports.receipts import WRITTEN, import_receipts
from night import NIGHT

SIZES = ("receipt", "receipt_line", "member", "article", "store", "ledger_entry")
APART = timedelta(days=14)


def main() -> None:
    """Load, run the nights, print and record them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=3)
    nights = parser.parse_args().nights
    with database() as (url, server), tempfile.TemporaryDirectory() as folder:
        upgrade(url)
        engine = make_engine(url)
        sessions = make_sessions(engine)
        data = Path(folder)
        last_day = load(url, sessions, data)
        with PeakMemory() as peak:
            days = [last_day - number * APART for number in reversed(range(nights))]
            costs = [one_night(sessions, data, day, server) for day in days]
        sizes = counted(sessions)
        engine.dispose()
    tell(costs, sizes, peak.bytes)


def load(url: str, sessions: Sessions, folder: Path) -> date:
    """Load the demonstration's data, moved so that they end last week, and return their last day."""
    progress("writing files")
    last_day = last_day_of(package_source)
    weeks = weeks_to_last_week(last_day, now().date())
    write_files(folder, source=package_source, weeks=weeks, report=silent)
    progress("importing")
    furnish(url, folder)
    import_receipts(sessions, folder / "receipts.parquet", now=now(), show=show_nothing)
    refresh_statistics(url, WRITTEN)
    order_catalogs(sessions, now=now())
    return last_day + timedelta(weeks=weeks)


def one_night(sessions: Sessions, data: Path, day: date, server: Any) -> dict[str, tuple[float, float]]:
    """Run the night of `day` and return the seconds and the processor seconds of each step."""
    cpu: dict[str, float] = {}

    def watched(step: Step) -> Step:
        def work(shift: Shift) -> Mapping[str, Any]:
            before = cpu_seconds(server())
            result = step.work(shift)
            cpu[step.name] = cpu_seconds(server()) - before
            progress(f"  {step.name}: {cpu[step.name]:.1f} s of CPU, {dict(result)}")
            return result

        return Step(step.name, work)

    progress(f"the night of {day}")
    job = Job(NIGHT.name, tuple(watched(step) for step in NIGHT.steps))
    run = run_once(job, sessions=sessions, data=data, business_day=day, wait=True)
    if run.state != "completed":
        raise SystemExit(
            f"the night of {day} is {run.state}: {[step.error for step in run.steps if step.error]}"
        )
    return {
        step.name: (step.duration.total_seconds(), cpu[step.name])
        for step in run.steps
        if step.duration is not None
    }


def counted(sessions: Sessions) -> dict[str, int]:
    """Return how many rows the tables have."""
    with sessions() as session:
        return {name: session.scalar(text(f"select count(*) from {name}")) or 0 for name in SIZES}


def tell(costs: list[dict[str, tuple[float, float]]], sizes: dict[str, int], peak: int) -> None:
    """Print and record medians over the nights."""
    table = Table(title=f"night: medians of {len(costs)}", title_justify="left")
    for head in ("step", "seconds", "CPU s"):
        table.add_column(head, justify="left" if head == "step" else "right")
    steps = []
    for name in costs[0]:
        seconds = statistics.median(night[name][0] for night in costs)
        cpu = statistics.median(night[name][1] for night in costs)
        steps.append({"name": name, "seconds": round(seconds, 3), "cpu_seconds": round(cpu, 3)})
        table.add_row(name, f"{seconds:.2f}", f"{cpu:.2f}")
    whole = statistics.median(sum(cpu for _, cpu in night.values()) for night in costs)
    table.add_row(
        "whole night",
        f"{statistics.median(sum(s for s, _ in n.values()) for n in costs):.2f}",
        f"{whole:.2f}",
    )
    console.print(table)
    console.print(f"peak memory {peak / 1024**3:.2f} GiB; {sizes}")
    nights = [{name: list(cost) for name, cost in night.items()} for night in costs]
    record(
        "night", {"sizes": sizes, "steps": steps, "cpu_seconds": whole, "peak_bytes": peak, "nights": nights}
    )


if __name__ == "__main__":
    main()

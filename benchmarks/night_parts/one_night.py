"""
One night in a process of its own, as the clock or a command runs it; a line of JSON for each step says what it took.

    python -P benchmarks/night_parts/one_night.py URL FOLDER DAY PROCESS-OF-THE-DATABASE
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from frame import HighWater, tree_seconds

from core.database import make_engine, make_sessions
from core.jobs import Job, Shift, Step, run_once
from night import NIGHT


def watched(step: Step, trees: tuple[int, ...]) -> Step:
    """Return `step`, which also says what it took of the processor and of memory."""

    def work(shift: Shift) -> Mapping[str, Any]:
        with HighWater(whole=True) as memory:  # which looks for rubbish first: that is not the step's
            cpu, began = tree_seconds(trees), time.monotonic()
            result = step.work(shift)
            took = tree_seconds(trees) - cpu
        said = {
            "name": step.name,
            "seconds": time.monotonic() - began,
            "cpu_seconds": took,
            "peak_bytes": memory.bytes,
            "result": dict(result),
        }
        print(json.dumps(said, default=str), flush=True)
        return result

    return Step(step.name, work)


def main() -> None:
    """Run the night that the command line names; exits with 1 where it does not end well."""
    url, folder, day, database = sys.argv[1:]
    engine = make_engine(url)
    trees = (os.getpid(), int(database))
    job = Job(NIGHT.name, tuple(watched(step, trees) for step in NIGHT.steps))
    run = run_once(
        job,
        sessions=make_sessions(engine),
        data=Path(folder),
        business_day=date.fromisoformat(day),
        wait=True,
    )
    engine.dispose()
    for step in run.steps:
        if step.error:
            print(f"{step.name}: {step.error}", file=sys.stderr)
    sys.exit(0 if run.state == "completed" else 1)


if __name__ == "__main__":
    main()

"""
Our ranking of what somebody buys next beside those of the literature, on the demonstration's data.

    python3 dev bench relevance [--level type|article] [--as-of 2017-11-13]

Same purchases, same members, same protocol for all: see `basket_analysis/offers/evaluation.py`. Quality is what is
compared; processor seconds stand beside it. `regulars evaluate offers` prints our row and the simple ones for any database.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from frame import cpu_seconds, database, progress, record
from imports import furnish
from offer_baselines import BASELINES

from basket_analysis.offers.evaluation import SIMPLE, Method, Scored
from basket_analysis.offers.evaluation_commands import LEVELS, print_offers
from basket_analysis.offers.evaluation_reading import evaluate_level, split_at
from core.clock import now
from core.copying import refresh_statistics
from core.database import make_engine, make_sessions, upgrade
from core.jobs import show_nothing
from core.progress import silent
from demo.journey import package_source, write_files
from loyalty.imports.receipts import WRITTEN, import_receipts

AS_OF = date(2017, 11, 13)
"""The day after week 46 of the data set, whose dates stay as they are."""


def main() -> None:
    """Load, rank by every method, print and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--level", choices=LEVELS)
    parser.add_argument("--as-of", type=date.fromisoformat, default=AS_OF)
    asked = parser.parse_args()
    with database() as (url, _server), tempfile.TemporaryDirectory() as folder:
        upgrade(url)
        engine = make_engine(url)
        sessions = make_sessions(engine)
        progress("loading")
        write_files(Path(folder), source=package_source, weeks=0, report=silent)
        furnish(url, Path(folder))
        import_receipts(sessions, Path(folder) / "receipts.parquet", now=now(), show=show_nothing)
        refresh_statistics(url, WRITTEN)
        taken: dict[str, float] = {}
        methods = {name: _timed(name, method, taken) for name, method in {**SIMPLE, **BASELINES}.items()}
        with sessions.begin() as session:
            split = split_at(session, asked.as_of)
            found = []
            for level in LEVELS:
                if asked.level in {None, level}:
                    taken.clear()
                    before = cpu_seconds()
                    found.append(evaluate_level(split, level, methods))
                    taken["Regulars, and what measures all"] = cpu_seconds() - before - sum(taken.values())
                    print_offers(found[-1], asked.as_of)
                    progress(
                        "CPU s: " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in taken.items())
                    )
        engine.dispose()
    record("relevance", {"as_of": asked.as_of.isoformat(), "levels": [asdict(one) for one in found]})


def _timed(name: str, method: Method, taken: dict[str, float]) -> Method:
    def timed(bought: Any) -> Iterator[Scored]:
        scores = method(bought)
        while True:
            before = cpu_seconds()
            part = next(scores, None)
            taken[name] = taken.get(name, 0.0) + cpu_seconds() - before
            if part is None:
                return
            yield part

    return timed


if __name__ == "__main__":
    main()

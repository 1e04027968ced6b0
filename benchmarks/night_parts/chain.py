"""A chain whose night is measured: the demonstration's data, or as many times as many households drawn from them."""

import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from frame import progress
from imports import furnish

from core.clock import now
from core.copying import refresh_statistics
from core.database import Sessions
from core.jobs import show_nothing
from core.progress import silent
from demo.journey import Source, last_day_of, package_source, weeks_to_last_week, write_files
from demo.loading import order_catalogs
from loyalty.imports.receipts import WRITTEN, import_receipts

SEED = 20_260_401


def load(url: str, sessions: Sessions, *, copies: int, folder: Path) -> date:
    """
    Load the demonstration's data, moved so that they end last week, and return their last day.

    For more than one copy, as many households are drawn with replacement for each, and buy what they bought as
    somebody else. A copy is written and imported at a time, which bounds the memory.
    """
    last_day = last_day_of(package_source)
    weeks = weeks_to_last_week(last_day, now().date())
    for number in range(copies):
        progress(f"loading {number + 1} of {copies}")
        source = package_source if copies == 1 else drawn(number)
        with tempfile.TemporaryDirectory(dir=folder) as files:
            write_files(Path(files), source=source, weeks=weeks, report=silent)
            furnish(url, Path(files))
            import_receipts(sessions, Path(files) / "receipts.parquet", now=now(), show=show_nothing)
    refresh_statistics(url, WRITTEN)
    order_catalogs(sessions, now=now())
    return last_day + timedelta(weeks=weeks)


def drawn(number: int) -> Source:
    """Return the source with households drawn by chance: each has a number of its own, and so have its baskets."""

    def source(name: str) -> pd.DataFrame:
        table = package_source(name)
        return redrawn(table, number) if name == "transactions" else table

    return source


def redrawn(lines: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return the lines of as many households as `lines` has, drawn with replacement."""
    households = np.sort(lines["household_id"].unique())
    chance = np.random.default_rng([SEED, number])
    draws = pd.DataFrame(
        {
            "household_id": households[chance.integers(0, len(households), len(households))],
            "drawn": np.arange(len(households)),
        }
    )
    found = draws.merge(lines, on="household_id")
    # A basket of a household drawn twice is two baskets.
    baskets = found.groupby(["drawn", "basket_id"], sort=True).ngroup()
    return found.assign(
        household_id=number * len(households) + found["drawn"] + 1,
        basket_id=number * len(lines) + baskets + 1,
    ).drop(columns="drawn")

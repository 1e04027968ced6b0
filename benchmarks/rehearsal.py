"""
Rehearsing twenty offers on the Complete Journey baskets: processor seconds of ours and of the database.

    python3 dev bench rehearsal [--rounds 3] [--offers 20]

The offers are of every kind: percent, money off, fixed price, nth free, bundles, thresholds, multipliers, bonus
points, for members of a group, with budgets and without; beside them are ten live ones. All baskets of the year are
rehearsed, about 155,000, as the job does it: read, played twice where it matters, added up, and kept by day. Every
second article has a known cost.
"""

import argparse
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from frame import PeakMemory, console, cpu_seconds, database, progress, record
from imports import furnish
from rich.table import Table
from sqlalchemy import func, select, text

from core.clock import now
from core.copying import refresh_statistics
from core.database import Sessions, make_engine, make_sessions, upgrade
from core.jobs import show_nothing
from core.progress import silent
from demo.journey import last_day_of, package_source, weeks_to_last_week, write_files
from loyalty.imports.receipts import WRITTEN, import_receipts
from loyalty.rehearsals.plans import ask_for_rehearsal, newest_open, stores_for
from loyalty.rehearsals.rehearsing import run_rehearsal
from rewards.offer_operations import import_document
from rewards.rehearsals.queries import find_rehearsal
from sales.models import Receipt

COSTS = """
    update article set cost = (priced.price * 62 / 100)::bigint
    from (select article_id, avg(unit_price) as price from receipt_line where article_id is not null group by 1) as priced
    where priced.article_id = article.article_id and article.article_id % 2 = 0
"""


def _items(category: str, quantity: str = "1") -> dict[str, Any]:
    return {"kind": "items", "select": {"categories": [category]}, "quantity": quantity}


def _percent(off: str, **more: Any) -> dict[str, Any]:
    return {"kind": "percent", "off": off, **more}


def _offers(currency_unit: int) -> list[dict[str, Any]]:
    """Return twenty offers of every kind; amounts are in units of so many minor units."""
    much = 30 * currency_unit
    return [
        {"code": "SODA10", "condition": _items("SOFT DRINKS"), "benefit": _percent("10")},
        {"code": "MILK2", "condition": _items("FLUID MILK PRODUCTS", "2"), "benefit": _percent("50", select={"categories": ["COLD CEREAL"]})},
        {"code": "CHEESE3", "condition": _items("CHEESE", "3"), "benefit": {"kind": "nth", "off": "100", "which": "cheapest"}},
        {"code": "BREAD", "condition": _items("BAKED BREAD/BUNS/ROLLS"), "benefit": {"kind": "amount", "off": currency_unit // 5, "per": "unit"}},
        {"code": "SNACKS", "condition": _items("BAG SNACKS", "2"), "benefit": {"kind": "fixed_price", "price": 4 * currency_unit, "per": "application"}},
        {"code": "SOUP5", "condition": _items("SOUP", "5"), "benefit": {"kind": "amount", "off": currency_unit, "per": "application"}, "limits": {"per_receipt": 2}},
        {"code": "BIG", "stage": "basket", "condition": {"kind": "value", "amount": much}, "benefit": _percent("5", max_amount=5 * currency_unit), "limits": {"amount": 5000 * currency_unit}},
        {"code": "BIGNET", "stage": "basket", "condition": {"kind": "value", "amount": 2 * much, "measure": "net"}, "benefit": {"kind": "points", "points": 100}},
        {"code": "TRIPLE", "stage": "points", "condition": {"kind": "value", "amount": much, "select": {"departments": ["PRODUCE"]}}, "benefit": {"kind": "points_multiplier", "times": "3"}},
        {"code": "PIZZA", "condition": {"kind": "each", "of": [{"select": {"categories": ["FROZEN PIZZA"]}, "quantity": "1"}, {"select": {"categories": ["SOFT DRINKS"]}, "quantity": "2"}]}, "benefit": _percent("20")},
        {"code": "YOGURT", "condition": _items("YOGURT", "4"), "benefit": {"kind": "nth", "off": "50", "which": "dearest", "count": 2}, "limits": {"uses": 2000}},
        {"code": "EGGS", "condition": _items("EGGS"), "benefit": _percent("15"), "limits": {"per_member": 3}},
        {"code": "FRUIT", "condition": _items("TROPICAL FRUIT"), "benefit": _percent("12"), "limits": {"per_store_day_uses": 2}, "valid": {"weekdays": [5, 6]}},
        {"code": "BABY", "audience": {"who": "members"}, "condition": {"kind": "any", "of": [_items("BABY FOODS"), _items("DIAPERS & DISPOSABLES")]}, "benefit": _percent("25")},
        {"code": "NOSODA", "stage": "basket", "condition": {"kind": "all", "of": [{"kind": "value", "amount": much}, {"kind": "not", "of": [_items("SOFT DRINKS")]}]}, "benefit": {"kind": "points", "points": 20}},
        {"code": "LUNCH", "exclusive_group": "LUNCH", "condition": _items("LUNCHMEAT"), "benefit": _percent("10")},
        {"code": "LUNCH2", "exclusive_group": "LUNCH", "priority": 90, "condition": _items("LUNCHMEAT", "2"), "benefit": _percent("18")},
        {"code": "CANDY", "stackable": False, "condition": _items("CANDY - PACKAGED"), "benefit": _percent("30"), "limits": {"per_store_week_amount": 20 * currency_unit}},
        {"code": "BEEF", "condition": _items("BEEF"), "benefit": _percent("8"), "audience": {"who": "everyone"}, "valid": {"hours": [{"from": "15:00", "to": "21:00"}]}},
        {"code": "FIRST", "stage": "basket", "audience": {"first_purchase": True}, "condition": {"kind": "always"}, "benefit": _percent("10")},
    ]  # fmt: skip


def _live() -> list[dict[str, Any]]:
    """Return ten offers that are live beside them."""
    names = (
        "SOFT DRINKS", "CHEESE", "SOUP", "FRZN MEAT/MEAT DINNERS", "VEGETABLES - SHELF STABLE",
        "CRACKERS/MISC BKD FD", "CANDY - CHECKLANE", "BAKING NEEDS", "CANNED JUICES", "ICE CREAM/MILK/SHERBTS",
    )  # fmt: skip
    return [
        {"code": f"LIVE{number}", "condition": _items(name, str(1 + number % 3)), "benefit": _percent(str(5 + number))}
        for number, name in enumerate(names)
    ]  # fmt: skip


def load(url: str, sessions: Sessions, folder: Path) -> None:
    """Load the demonstration's data, with costs for every second article."""
    progress("writing files")
    weeks = weeks_to_last_week(last_day_of(package_source), now().date())
    write_files(folder, source=package_source, weeks=weeks, report=silent)
    progress("importing")
    furnish(url, folder)
    import_receipts(sessions, folder / "receipts.parquet", now=now(), show=show_nothing)
    refresh_statistics(url, WRITTEN)
    owner = make_engine(url, role=None)
    with owner.begin() as connection:
        connection.execute(text(COSTS))
    owner.dispose()


def rehearse(sessions: Sessions, offers: int, *, folder: Path) -> dict[str, Any]:
    """Ask for a rehearsal of the year's baskets, run it, and return what it came to."""
    with sessions.begin() as session:
        first, last = session.execute(
            select(func.min(Receipt.business_date), func.max(Receipt.business_date))
        ).one()
        rehearsal_id = ask_for_rehearsal(
            session,
            offers=[newest_open(session, str(one["code"])) for one in _offers(100)[:offers]],
            first_day=first,
            following_day=date.fromordinal(last.toordinal() + 1),
            store_ids=stores_for(session),
            actor="benchmark",
            now=now(),
        )
    run = run_rehearsal(sessions, data=folder, rehearsal_id=rehearsal_id, business_day=now().date())
    if run.state != "completed":
        raise SystemExit(f"the rehearsal {run.state}: {run.steps[0].error}")
    with sessions() as session:
        found = find_rehearsal(session, rehearsal_id=rehearsal_id).results
    assert found is not None
    return dict(found)


def main() -> None:
    """Load, rehearse, print and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--offers", type=int, default=20)
    asked = parser.parse_args()
    with database() as (url, server), tempfile.TemporaryDirectory(prefix="regulars-bench-") as name:
        folder = Path(name)
        upgrade(url)
        engine = make_engine(url)
        sessions = make_sessions(engine)
        load(url, sessions, folder)
        with sessions.begin() as session:
            import_document(
                session, document={"format": 1, "offers": _live()}, actor="benchmark", now=now(), live=True
            )
            import_document(
                session, document={"format": 1, "offers": _offers(100)}, actor="benchmark", now=now()
            )
        rounds = []
        found: dict[str, Any] = {}
        with PeakMemory() as peak:
            for number in range(asked.rounds):
                ours, theirs, started = cpu_seconds(), cpu_seconds(server()), time.perf_counter()
                found = rehearse(sessions, asked.offers, folder=folder)
                own = cpu_seconds() - ours
                rounds.append({
                    "seconds": time.perf_counter() - started,
                    "own": own,
                    "database": cpu_seconds(server()) - theirs - own,
                })  # fmt: skip
                progress(f"round {number + 1} of {asked.rounds}: {rounds[-1]}")
        engine.dispose()
    tell(rounds, found, asked.offers, peak.bytes)


def tell(rounds: list[dict[str, float]], found: dict[str, Any], offers: int, peak: int) -> None:
    """Print and record the medians."""
    middle = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    sizes = {"baskets": found["all_baskets"], "touched": found["baskets"], "offers": offers, "live": 10}
    table = Table(title=f"rehearsal: medians of {len(rounds)}", title_justify="left")
    for head in ("baskets", "touched", "offers", "seconds", "CPU s, ours", "CPU s, database", "CPU s"):
        table.add_column(head, justify="right")
    cpu = middle["own"] + middle["database"]
    table.add_row(
        f"{sizes['baskets']:,}",
        f"{sizes['touched']:,}",
        str(offers),
        f"{middle['seconds']:.1f}",
        f"{middle['own']:.1f}",
        f"{middle['database']:.1f}",
        f"{cpu:.1f}",
    )
    console.print(table)
    console.print(
        f"asked for: 150,000 baskets with 20 offers in 30 s of CPU; peak memory {peak / 1024**2:.0f} MiB without the database's"
    )
    record(
        "rehearsal",
        {"sizes": sizes, "cpu_seconds": cpu, "medians": middle, "rounds": rounds, "peak_bytes": peak},
    )


if __name__ == "__main__":
    main()

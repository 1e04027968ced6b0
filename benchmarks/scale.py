"""
Whether a till's request costs more with members, cards and history: a large chain beside an empty house, interleaved.

    python3 dev bench scale [--data FOLDER] [--members 1000000] [--receipts 10000000] [--offers 1000]
                            [--cards 1000] [--clients 4] [--seconds 3] [--rounds 5]

Both are served by the production server, each on a database of its own, and asked in turn for receipts, quotes and cards. Processor
time is the server's and the database's per request; the ratio of the medians is what says whether it grows. What the database read row by
row, table by table, says where. As many cards come to the tills in both, and each has been there several times before anything counts:
otherwise what is measured is the memory of the machine, and the disk as soon as the large house is larger than that. How many pages
the database still had to fetch says whether it was so. With `--data` the large house stays in that folder and is used again: ten millions
of receipts take some 30 GB and half an hour.
"""

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from frame import console, database, progress, record
from rich.table import Table
from sqlalchemy import select, text
from till import KINDS, Load
from till_parts.house import (
    STORE,
    TILL,
    House,
    furnish,
    offers_on,
    owner,
    serving,
)

from core.clock import now
from core.copying import refresh_statistics
from core.database import make_engine, make_sessions, upgrade
from core.postgres import Cluster
from core.progress import progress_bar
from demo.crowd import WRITTEN, CrowdThere, card_number, make_crowd
from rewards.offer_operations import import_document
from sales.models import Article
from sales.operations import add_till

EMPTY_MEMBERS = 50_000
VISITS = 5
"""How often each card comes with each kind of request, on average, before anything counts: one in 150 then never did."""
READ_ROWS = """
    select relname, seq_tup_read from pg_stat_user_tables where seq_tup_read > 0
"""


@contextmanager
def large(folder: Path, known: argparse.Namespace) -> Iterator[tuple[str, Cluster, House]]:
    """Yield the large house of `folder`, made where it is not there."""
    with Cluster(folder) as cluster:
        upgrade(cluster.url)
        engine = make_engine(cluster.url)
        sessions = make_sessions(engine)
        try:
            make_crowd(sessions, members=known.members, receipts=known.receipts, now=now(), show=progress_bar)
            refresh_statistics(cluster.url, WRITTEN)
        except CrowdThere:
            progress("the crowd is there")
        with sessions.begin() as session:
            key = add_till(session, store_code=STORE, till_code=TILL, now=now(), actor="benchmark")
            articles = [
                (sku, price or 100)
                for sku, price in session.execute(select(Article.sku, Article.price).limit(5_000)).all()
            ]
            if known.offers and not session.scalar(text("select count(*) from offer_version")):
                import_document(
                    session,
                    document=offers_on(articles, known.offers),
                    actor="benchmark",
                    now=now(),
                    live=True,
                )
        engine.dispose()
        step = max(1, known.members // known.cards)
        cards = [card_number(number) for number in range(0, known.members, step)]
        sizes = {"members": known.members, "receipts": known.receipts, "offers": known.offers}
        yield cluster.url, cluster, House(key, cards, sizes, articles)


def rows_read(url: str) -> dict[str, int]:
    """Return how many rows were read one after the other from each table, without an index."""
    with owner(url) as connection:
        connection.execute("select pg_stat_clear_snapshot()")
        return dict(connection.execute(READ_ROWS).fetchall())


def pages_fetched(url: str) -> int:
    """Return how many pages the database did not find in its own memory; the machine's memory may have had them."""
    with owner(url) as connection:
        connection.execute("select pg_stat_clear_snapshot()")
        row = connection.execute(
            "select blks_read from pg_stat_database where datname = current_database()"
        ).fetchone()
    assert row is not None
    return int(row[0])


def warm(load: Load, kind: str, known: argparse.Namespace) -> None:
    """Ask until every card has been there, with hardly an exception."""
    asked = 0.0
    while asked < VISITS * known.cards:
        asked += load.run(kind, known.clients, known.seconds)["per_second"] * known.seconds


def measure(
    loads: dict[str, Load], urls: dict[str, str], known: argparse.Namespace
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, float]], dict[str, float]]:
    """
    Ask both houses in turn.

    Returns medians by kind and house, and per request what the large house's database read row by row, and how
    many pages it fetched from outside of its own memory.
    """
    seen: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    read: dict[str, dict[str, float]] = {}
    for load in loads.values():
        for kind in reversed(KINDS):
            warm(load, kind, known)
    fetched: dict[str, float] = {}
    for kind in KINDS:
        before, fetched_before = rows_read(urls["large"]), pages_fetched(urls["large"])
        for _ in range(known.rounds):
            for house, load in loads.items():
                seen[kind][house].append(load.run(kind, known.clients, known.seconds))
        progress(f"{kind}: {known.rounds} rounds")
        done = sum(one["per_second"] * known.seconds for one in seen[kind]["large"])
        after = rows_read(urls["large"])
        read[kind] = {
            table: round((rows - before.get(table, 0)) / done, 2)
            for table, rows in after.items()
            if rows - before.get(table, 0) > done
        }
        fetched[kind] = round((pages_fetched(urls["large"]) - fetched_before) / done, 2)
    medians = {
        kind: {
            house: {name: round(statistics.median(one[name] for one in rounds), 3) for name in rounds[0]}
            for house, rounds in houses.items()
        }
        for kind, houses in seen.items()
    }
    return medians, read, fetched


def tell(
    medians: dict[str, dict[str, Any]],
    read: dict[str, dict[str, float]],
    fetched: dict[str, float],
    sizes: Any,
) -> None:
    """Print everything."""
    table = Table(title=f"scale: {dict(sizes)} ÷ an empty house", title_justify="left")
    for head in ("kind", "CPU ms, empty", "CPU ms, large", "CPU ratio", "speed ratio", "p50 ratio"):
        table.add_column(head, justify="left" if head == "kind" else "right")
    for kind, houses in medians.items():
        here, there = houses["large"], houses["empty"]
        table.add_row(
            kind,
            f"{there['cpu_ms']:.2f}",
            f"{here['cpu_ms']:.2f}",
            *(f"{here[name] / there[name]:.3f}" for name in ("cpu_ms", "per_second", "p50_ms")),
        )
    console.print(table)
    for kind, tables in read.items():
        console.print(f"{kind}: rows read one after the other, per request: {tables or 'fewer than one'}")
        console.print(
            f"{kind}: pages fetched from outside of the database's memory, per request: {fetched[kind]}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="where the large house stays; made if it is not there")
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--receipts", type=int, default=10_000_000)
    parser.add_argument("--offers", type=int, default=1000)
    parser.add_argument("--cards", type=int, default=1000, help="that come to the tills, in either house")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    known = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="regulars-bench-")))
        empty_url, empty_server = stack.enter_context(database())
        url, cluster, house = stack.enter_context(large(known.data or folder / "large", known))
        empty = furnish(empty_url, members=EMPTY_MEMBERS, receipts=0, offers=known.offers)
        empty = replace(empty, cards=empty.cards[:: max(1, len(empty.cards) // known.cards)])
        port, pid = stack.enter_context(serving(url, folder / "a"))
        empty_port, empty_pid = stack.enter_context(serving(empty_url, folder / "b"))
        loads = {
            "empty": Load(empty, empty_port, lambda: [empty_pid, *empty_server()]),
            "large": Load(house, port, lambda: [pid, *([cluster.pid] if cluster.pid else [])]),
        }
        for load in loads.values():
            load.start_after(int(time.time()) * 1000)
        medians, read, fetched = measure(loads, {"empty": empty_url, "large": url}, known)
    tell(medians, read, fetched, house.sizes)
    record(
        "scale",
        {
            "sizes": dict(house.sizes),
            "medians": medians,
            "rows_read_per_request": read,
            "pages_fetched_per_request": fetched,
        },
    )


if __name__ == "__main__":
    main()

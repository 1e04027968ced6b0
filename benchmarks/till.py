"""
Tills against the ceiling: receipts, quotes and card look-ups through the production server, in one run, interleaved.

    python3 dev bench till [--clients 1 4 8 16] [--seconds 3] [--rounds 3] [--members 50000] [--receipts 0]
                           [--offers 1000]

So many offers are live, and every quote and receipt is judged by them. The ceiling is pgbench doing the least
SQL that a receipt can mean, in one round trip, durably, on the same database. The empty response is /healthz of the same server. Processor time is the server's and the
database's per request; the load has a process of its own, counted apart. What is durable waits for the
disk on both sides. Latency claims come from open load at half of what was served at most.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote as quoted

from flask.testing import FlaskClient
from frame import ROOT, _tree_seconds, console, database, progress, record
from rich.table import Table
from sqlalchemy.engine import make_url
from till_parts.ceiling import Ceiling
from till_parts.house import ARTICLES, CARDS_USED, House, furnish, owner, serving, templates
from till_parts.tap import Tap, folder_for_sockets

from core.database import make_engine, make_sessions
from core.postgres_programs import find_programs
from wsgi import LONGEST_WAIT, create_app

KINDS = ("receipt", "quote", "card")
MOST_CONNECTIONS = 64
TRIPS = 40


class Load:
    """Asks a server for things and says how that went."""

    def __init__(self, house: House, port: int, trees: Callable[[], list[int]]) -> None:
        self._house, self._port, self._trees = house, port, trees
        self._sent = 0
        chance = random.Random(7)
        self._templates = {kind: templates(house, kind, chance) for kind in (*KINDS, "empty")}

    def start_after(self, number: int) -> None:
        """Let receipts be numbered from beyond `number`: a house that is used again knows those of earlier loads."""
        self._sent = number

    def run(self, kind: str, clients: int, seconds: float, *, rate: float = 0) -> dict[str, Any]:
        """Load the server with `clients` that ask for one kind of thing, or at a `rate` whoever waits."""
        self._sent += 10_000_000
        task = {
            "host": "127.0.0.1",
            "port": self._port,
            "templates": self._templates[kind],
            "cards": self._house.cards,
            "first_number": self._sent,
            "seed": self._sent,
            "connections": MOST_CONNECTIONS if rate else clients,
            "rate": rate,
            "seconds": seconds,
        }
        before = self._cpu()
        told = subprocess.run(
            [sys.executable, ROOT / "benchmarks" / "till_parts" / "client.py"],
            input=json.dumps(task),
            capture_output=True,
            text=True,
            check=True,
        )
        cpu = self._cpu() - before
        seen: dict[str, Any] = json.loads(told.stdout)
        odd = {status: count for status, count in seen["statuses"].items() if status not in {"200", "201"}}
        if odd:
            raise SystemExit(f"{kind}: the server answered {odd}")
        times = seen["times"]
        return {
            "per_second": seen["done"] / seen["seconds"],
            "p50_ms": 1000 * times[len(times) // 2],
            "p99_ms": 1000 * times[len(times) * 99 // 100],
            "cpu_ms": 1000 * cpu / seen["done"],
            "client_cpu_ms": 1000 * seen["cpu_seconds"] / seen["done"],
        }

    def _cpu(self) -> float:
        return sum(_tree_seconds(pid) for pid in self._trees())


def round_trips(url: str, house: House, folder: Path) -> dict[str, float]:
    """Return how often each kind of request makes the database answer, counted on the wire."""
    place, known = folder_for_sockets(folder), make_url(url)
    port = int(known.query.get("port", 5432))
    behind = Path(str(known.query["host"]))
    chance = random.Random(3)
    counted = {}
    with Tap(place, behind, port) as tap:
        near = url.replace(quoted(str(behind), safe=""), quoted(str(place), safe=""))
        engine = make_engine(near, lock_timeout=LONGEST_WAIT)
        client = create_app(make_sessions(engine)).test_client()
        for kind in KINDS:
            texts = (templates(house, kind, chance) * TRIPS)[:TRIPS]
            requests = [_call(text, house, chance, number) for number, text in enumerate(texts)]
            for request in requests[:20]:
                request(client)
            before = tap.trips
            for request in requests[20:]:
                request(client)
            counted[kind] = (tap.trips - before) / len(requests[20:])
        engine.dispose()
    return counted


def _call(text: str, house: House, chance: random.Random, number: int) -> Callable[[FlaskClient], None]:
    head, _, body = text.partition("\r\n\r\n")
    method, path, _ = head.split("\r\n")[0].split(" ")
    card = chance.choice(house.cards)
    content = body.replace("@number@", f"trip{number}").replace("@card@", card).encode()

    def call(client: FlaskClient) -> None:
        answer = client.open(
            path.replace("@card@", card),
            method=method,
            data=content or None,
            content_type="application/json" if content else None,
            headers={"Authorization": f"Bearer {house.key}"},
        )
        if answer.status_code not in {200, 201}:
            raise SystemExit(f"{method} {path}: {answer.status}: {answer.text}")

    return call


def measure(load: Load, ceiling: Ceiling, known: argparse.Namespace) -> dict[int, dict[str, Any]]:
    """Run every side in turn for each number of clients; medians of the rounds."""
    found: dict[int, dict[str, Any]] = {}
    for clients in known.clients:
        rounds: dict[str, list[dict[str, float]]] = defaultdict(list)
        for number in range(known.rounds):
            rounds["ceiling"].append({"per_second": ceiling.run(clients, known.seconds)})
            for kind in (*KINDS, "empty"):
                rounds[kind].append(load.run(kind, clients, known.seconds))
            progress(f"{clients} clients: round {number + 1} of {known.rounds}")
        found[clients] = {
            side: {name: round(statistics.median(each[name] for each in seen), 3) for name in seen[0]}
            for side, seen in rounds.items()
        }
        found[clients]["rounds"] = {
            side: [each["per_second"] for each in seen] for side, seen in rounds.items()
        }
    return found


def tell(
    found: dict[int, dict[str, Any]], opened: dict[str, Any], trips: dict[str, float], sizes: Any
) -> None:
    """Print everything."""
    table = Table(title=f"till: {sizes}", title_justify="left")
    for head in (
        "clients",
        "side",
        "per second",
        "ratio",
        "of",
        "p50 ms",
        "p99 ms",
        "CPU ms",
        "client CPU ms",
    ):
        table.add_column(head, justify="left" if head in {"side", "of"} else "right")
    for clients, sides in found.items():
        for side, seen in sides.items():
            if side == "rounds":
                continue
            against = "ceiling" if side in {"receipt", "ceiling"} else "empty"
            ratio = seen["per_second"] / sides[against]["per_second"]
            figures = [
                f"{seen[name]:.2f}" if name in seen else ""
                for name in ("p50_ms", "p99_ms", "cpu_ms", "client_cpu_ms")
            ]
            table.add_row(str(clients), side, f"{seen['per_second']:,.0f}", f"{ratio:.3f}", against, *figures)
    console.print(table)
    for kind, seen in opened.items():
        console.print(
            f"{kind}, open load of {seen['rate']:.0f}/s: p50 {seen['p50_ms']:.1f} ms, p99 {seen['p99_ms']:.1f} ms, "
            f"p99 ÷ p50 {seen['p99_ms'] / seen['p50_ms']:.1f}"
        )
    console.print(f"SQL round trips: {trips}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 8, 16])
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--members", type=int, default=50_000)
    parser.add_argument("--receipts", type=int, default=0)
    parser.add_argument("--offers", type=int, default=1000)
    known = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as name, database() as (url, server):
        folder = Path(name)
        house = furnish(url, members=known.members, receipts=known.receipts, offers=known.offers)
        at = make_url(url)
        ceiling = Ceiling(
            find_programs().bin / "pgbench",
            folder,
            socket=Path(str(at.query["host"])),
            port=int(str(at.query.get("port", 5432))),
            user=str(at.username),
            database=str(at.database),
        )
        with owner(url) as connection:
            row = connection.execute(
                "select min(store_id), min(till_id), min(article_id) from till, article"
            ).fetchone()
        assert row is not None
        ceiling.write(cards=CARDS_USED, tills=4, articles=ARTICLES, store=row[0])
        with serving(url, folder) as (port, pid):
            load = Load(house, port, lambda: [pid, *server()])
            for kind in (*KINDS, "empty"):
                load.run(kind, 8, 1)
            found = measure(load, ceiling, known)
            opened = {}
            for kind in KINDS:
                most = max(sides[kind]["per_second"] for sides in found.values())
                opened[kind] = {"rate": most / 2, **load.run(kind, 0, 3 * known.seconds, rate=most / 2)}
        trips = round_trips(url, house, folder)
    tell(found, opened, trips, house.sizes)
    title = "till" if not known.receipts else f"till {known.receipts} receipts"
    record(title, {"sizes": dict(house.sizes), "clients": found, "open": opened, "round_trips": trips})


if __name__ == "__main__":
    main()

"""
Import of receipts against a bare COPY of the same rows into the same tables, in the same run, interleaved.

    python3 dev bench imports [--rounds 3] [--format parquet|csv|csv.gz] [--rows N]

The bare side sends rows that are ready, in PostgreSQL's own binary form, and checks nothing. Ours reads the
file, checks every row, finds stores, tills, cards, articles and what is stored already, and writes the same
rows; the points that it books besides are timed apart. Both commit durably; months, indexes and constraints
are the same; between rounds the tables are emptied and a checkpoint is made, neither of which is counted.
"""

import argparse
import gzip
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pyarrow.csv
import pyarrow.parquet
from frame import PeakMemory, Rounds, console, cpu_seconds, database, progress, record, show
from sqlalchemy.engine import make_url

from core.clock import now
from core.copying import refresh_statistics
from core.database import make_engine, make_sessions, upgrade
from core.progress import Report, silent
from customers.importing import import_members
from demo.journey import package_source, write_files
from loyalty.imports.receipts import WRITTEN, Imported, import_receipts
from sales.importing import import_articles, import_stores

TABLES = ("receipt", "receipt_line")
BLOCK = 1 << 17


@dataclass(frozen=True)
class Place:
    """A database to fill again and again."""

    url: str
    file: Path
    watched: Callable[[], list[int]]

    def owner(self) -> psycopg.Connection[tuple[object, ...]]:
        """Connect with the owner's rights."""
        plain = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(plain, autocommit=True)

    def empty(self) -> None:
        """Forget all receipts and what was booked on them; the books refuse that to everybody but us here."""
        with self.owner() as owner:
            owner.execute("set session_replication_role = replica")
            owner.execute(
                "truncate receipt, receipt_line, receipt_flag, ledger_entry, ledger_leg, lot, balance"
            )
            owner.execute("checkpoint")

    def ours(self) -> Imported:
        """Import the file."""
        engine = make_engine(self.url)
        done = import_receipts(make_sessions(engine), self.file, now=now(), show=_unseen)
        engine.dispose()
        return done

    def ready_rows(self) -> dict[str, list[bytes]]:
        """Return what stands in the tables, as COPY takes it back."""
        rows = {}
        with self.owner() as owner:
            for table in TABLES:
                statement = f"copy (select * from {table} order by receipt_id) to stdout (format binary)"
                with owner.cursor().copy(statement) as copy:
                    whole = b"".join(copy)
                rows[table] = [whole[start : start + BLOCK] for start in range(0, len(whole), BLOCK)]
        return rows

    def bare(self, rows: dict[str, list[bytes]]) -> None:
        """Copy rows that are ready, in one transaction."""
        with self.owner() as owner, owner.transaction():
            for table, blocks in rows.items():
                with owner.cursor().copy(f"copy {table} from stdin (format binary)") as copy:
                    for block in blocks:
                        copy.write(block)


@contextmanager
def _unseen(_title: str) -> Iterator[Report]:
    yield silent


def furnish(url: str, folder: Path) -> None:
    """Import stores, articles and members of the demonstration."""
    engine = make_engine(url)
    sessions = make_sessions(engine)
    with sessions.begin() as session:
        import_stores(session, folder / "stores.parquet", report=silent)
        import_articles(session, folder / "articles.parquet", report=silent)
        import_members(session, folder / "members.parquet", now=now(), actor="benchmark", report=silent)
    engine.dispose()
    refresh_statistics(url, ("store", "article", "member", "card", "account"))


def receipts_file(folder: Path, form: str, rows: int | None) -> Path:
    """Return the receipts in the form asked for, or their first `rows` rows."""
    table = pyarrow.parquet.read_table(folder / "receipts.parquet").slice(0, rows)
    path = folder / f"chosen.{form}"
    if form == "parquet":
        pyarrow.parquet.write_table(table, path)
    elif form == "csv":
        pyarrow.csv.write_csv(_as_text(table), path)
    else:
        with gzip.open(path, "wb", compresslevel=6) as packed:
            pyarrow.csv.write_csv(_as_text(table), packed)
    return path


def _as_text(table: pyarrow.Table) -> pyarrow.Table:
    moments = pyarrow.compute.strftime(table["closed_at"], format="%Y-%m-%dT%H:%M:%SZ")
    return table.set_column(table.schema.get_field_index("closed_at"), "closed_at", moments)


def compare_sides(place: Place, *, rounds: int, form: str) -> None:
    """Run both sides in turn and report them."""
    place.empty()
    with PeakMemory(every=0.25) as memory:
        first = place.ours()
    ready = place.ready_rows()
    lines = first.written
    bare, ours = Rounds("bare COPY", lines), Rounds("ours: read, checked, stored", lines)
    booking: list[float] = []
    for number in range(rounds):
        for side in (bare, ours):
            place.empty()
            cpu, started = cpu_seconds(place.watched()), time.perf_counter()
            if side is bare:
                place.bare(ready)
                side.seconds.append(time.perf_counter() - started)
            else:
                seconds = place.ours().seconds
                booking.append(seconds["booking"])
                side.seconds.append(time.perf_counter() - started - seconds["booking"])
            side.cpu_seconds.append(cpu_seconds(place.watched()) - cpu)
        console.print(
            f"[dim]round {number + 1} of {rounds}: bare {bare.seconds[-1]:.2f} s, "
            f"ours {ours.seconds[-1]:.2f} s, booking {booking[-1]:.2f} s[/dim]"
        )
    documents = [bare.document, ours.document]
    title = f"import {form}"
    show(title, documents)
    ratio = bare.document["seconds"] / ours.document["seconds"]
    booked = statistics.median(booking)
    console.print(
        f"[bold]ours loads at {ratio:.2f} of the bare COPY's speed[/bold] (processor time of ours includes booking); "
        f"booking {first.points:,} points of {first.receipts:,} receipts took {booked:.2f} s apart"
    )
    sizes = {
        "lines": lines,
        "receipts": first.receipts,
        "points": first.points,
        "file_mb": round(place.file.stat().st_size / 1e6, 1),
        "rows_mb": round(sum(len(block) for blocks in ready.values() for block in blocks) / 1e6, 1),
        "peak_memory_mb_client_and_server": round(memory.bytes / 1e6),
    }
    console.print(sizes)
    with place.owner() as owner:
        server = owner.execute("show server_version").fetchone()
    record(
        title,
        {
            "sizes": sizes,
            "sides": documents,
            "ratio": ratio,
            "booking_seconds": booked,
            "booking_rounds": booking,
            "postgresql": server and server[0],
            "written": WRITTEN,
        },
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--format", choices=("parquet", "csv", "csv.gz"), default="parquet")
    parser.add_argument("--rows", type=int, help="only so many rows of the file")
    known = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as name, database() as (url, watched):
        folder = Path(name)
        progress("writing the demonstration's files")
        write_files(folder, source=package_source, weeks=0, report=silent)
        upgrade(url)
        furnish(url, folder)
        place = Place(url, receipts_file(folder, known.format, known.rows), watched)
        compare_sides(place, rounds=known.rounds, form=known.format)


if __name__ == "__main__":
    main()

"""
A whole run of catalogs at the size of a large chain: drafted, proofed, approved, made, killed on the way, handed over.

    python3 dev bench catalog_run [--copies 5000] [--kills 2] [--data data] [--room DIR] [--days 56]
                                    [--minutes 60] [--keep] [--without-zip]

A copy of the demonstration in `--data`, which nobody serves meanwhile, gets as many members as the copies need.
The run is made by `regulars catalogs run` in a process of its own. Each of `--kills` ends it with SIGKILL: the whole
family of processes, then its head alone, in turn; then it is gone on with. At the end the archive is read as a whole: a copy
for everybody who was to get one, none twice, every hash true, a voucher for each, and no file that belongs to nobody. Then the
printer's file and the ZIP are made. After `--minutes` of making the run is stopped, and what is made by then is looked at. Memory is that of all processes of the command together, without the database;
statements of more than half a second are told.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
from catalog_parts.many_members import multiply
from frame import ROOT, _held, _largest, _tree_seconds, console, progress, record
from rich.table import Table

from catalogs.copy_lists import list_copies
from catalogs.runs.lists import editions_in, read_run, run_audience
from catalogs.runs.result_lists import results_of_run
from core.database import make_engine, make_sessions, upgrade
from core.keyset import Ask
from core.postgres import Cluster

SLOW_MS = 500
STEP = 1_000
KINDS = ("zip", "print", "email")
CHILD = ("-c", "from cli import main; main()")

_MADE = "select count(*) from catalog_copy join edition using (edition_id) where catalog_run_id = %s"
_WANTED = "select count(*) from catalog_recipient where catalog_run_id = %s and not held_out"


@dataclass(slots=True)
class Watched:
    """What a command took: seconds, processor seconds, the most memory (all processes, any one), and by thousands what was done."""

    seconds: float = 0
    cpu: float = 0
    peak: int = 0
    largest: int = 0
    steps: list[dict[str, float]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As it is recorded."""
        return {
            "seconds": round(self.seconds, 1),
            "cpu_seconds": round(self.cpu, 1),
            "peak_mib": round(self.peak / 2**20, 1),
            "largest_mib": round(self.largest / 2**20, 1),
            "steps": self.steps,
        }


@dataclass(slots=True)
class House:
    """The database and data folder that the run is made in."""

    data: Path
    url: str
    cluster: Cluster

    def ask(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a question."""
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            return connection.execute(question, values).fetchall()

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start `regulars catalogs` with `words`."""
        command = [sys.executable, *CHILD, "--data", str(self.data), "catalogs", *words]
        environment = {**os.environ, "DATABASE_URL": self.url, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)

    def watch(self, *words: str, each: Callable[[Watched, psutil.Process], bool] | None = None) -> Watched:
        """Run a command to its end, or until `each`, asked every second, says that it ended it."""
        seen, started = Watched(), time.monotonic()
        database = self._cpu()
        process = self.start(*words)
        top = psutil.Process(process.pid)
        ended = False
        while not ended:
            with suppress(subprocess.TimeoutExpired):
                process.wait(1)
            with suppress(psutil.NoSuchProcess):
                seen.peak = max(seen.peak, _held(top))
                seen.largest = max(seen.largest, _largest(top))
                seen.cpu = max(seen.cpu, _tree_seconds(process.pid))
            killed = process.returncode is None and each is not None and each(seen, top)
            ended = killed or process.returncode is not None
        seen.seconds, seen.cpu = time.monotonic() - started, seen.cpu + self._cpu() - database
        if process.wait() and not killed:
            raise SystemExit(f"regulars catalogs {' '.join(words)}: exit {process.returncode}")
        return seen

    def _cpu(self) -> float:
        return _tree_seconds(self.cluster.pid) if self.cluster.pid else 0.0


def main() -> None:
    """Make the members, the run and its files; print and record what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=5_000)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--data", type=Path, default=ROOT / "data")
    parser.add_argument("--room", type=Path)
    parser.add_argument("--days", type=int, default=56)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument(
        "--without-zip", action="store_true", help="the ZIP takes as much room as the archive"
    )
    known = parser.parse_args()
    with house_in(known.data.absolute(), room=known.room, keep=known.keep) as house:
        told: dict[str, Any] = {"copies_asked": known.copies, "days_of_receipts": known.days}
        furnish(house, known.copies, days=known.days)
        code = approved(house, known.copies, told)
        make(house, code, known.kills, told, minutes=known.minutes)
        told["archive"] = verify(house, code)
        hand_over(house, code, told, kinds=("print", "email") if known.without_zip else KINDS)
        told["pages_ms"] = look(house, code)
        told["slow_statements"] = slow(house)
        record(f"catalog run {known.copies}", told)


@contextmanager
def house_in(source: Path, *, room: Path | None, keep: bool) -> Iterator[House]:
    """Yield a copy of a demonstration's database, served, with a data folder of its own."""
    if Cluster(source).running:
        raise SystemExit(f"{source} is being served; end that first, or name another with --data")
    folder = Path(tempfile.mkdtemp(prefix="regulars-run-", dir=room))
    folder.chmod(0o755)
    # Its files belong to whoever serves it, which no copying by Python keeps.
    for name in ("postgres", "postgres.users"):
        if (source / name).exists():
            subprocess.run(["cp", "-a", "--reflink=auto", str(source / name), str(folder)], check=True)
    cluster = Cluster(folder)
    try:
        url = cluster.start()
        upgrade(url)
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"alter database regulars set log_min_duration_statement = {SLOW_MS}")
        yield House(folder, url, cluster)
    finally:
        if keep:
            cluster.stop()
            console.print(f"kept: {folder}")
        else:
            cluster.remove()
            shutil.rmtree(folder, ignore_errors=True)


def furnish(house: House, copies: int, *, days: int) -> None:
    """Let there be so many members that a run has `copies`."""
    ((reached,),) = house.ask(
        "select count(distinct member_id) from consent where granted and purpose in ('catalog', 'offers')"
    )
    times = -(-copies // int(reached * 0.88))
    progress(f"{times} times the demonstration's members")
    started = time.monotonic()
    multiply(house.url.replace("+psycopg", ""), times=times, days=days, say=progress)
    progress(f"members made in {time.monotonic() - started:.0f} s")


def approved(house: House, copies: int, told: dict[str, Any]) -> str:
    """Draft, prove and approve a run, and return its code."""
    before = {row[0] for row in house.ask("select run_code from catalog_run")}
    batches = [row[0] for row in house.ask("select batch_code from voucher_batch order by 1 limit 1")]
    words = [word for batch in batches for word in ("--vouchers", batch)]
    told["draft"] = house.watch("new", f"Run of {copies}", "--by", "maker", *words).document()
    (code,) = {row[0] for row in house.ask("select run_code from catalog_run")} - before
    told["proof"] = house.watch("proof", code, "--by", "maker").document()
    house.watch("approve", code, "--by", "second")
    for name in ("draft", "proof"):
        progress(f"{name}: {told[name]['seconds']} s, {told[name]['cpu_seconds']} s of CPU")
    return code


@dataclass(slots=True)
class Follower:
    """Watches a run's copies being made, tells of every thousand, and ends it at `goal`, a share of all."""

    house: House
    code: str
    run_id: Any
    table: Table
    goal: float
    whole: bool
    until: float
    made: int = -1
    at: float = 0
    peak: int = 0
    largest: int = 0
    wanted: int = 0

    def __call__(self, seen: Watched, top: psutil.Process) -> bool:
        """Look once; return whether it ended the run."""
        made = self.house.ask(_MADE, self.run_id)[0][0]
        if self.made < 0:
            self.made, self.at = made, time.monotonic()
        with suppress(psutil.NoSuchProcess):
            self.peak = max(self.peak, _held(top))
            self.largest = max(self.largest, _largest(top))
            if made >= self.made + STEP:
                self._tell(seen, made, top.memory_info().rss)
        if not self.wanted:
            self.wanted = self.house.ask(_WANTED, self.run_id)[0][0]
        if time.monotonic() > self.until:
            self.until = float("inf")
            self.house.watch("stop", self.code)
        if self.goal < 1 and self.wanted and made >= self.wanted * self.goal:
            kill(top, whole=self.whole)
            progress(f"killed at {made:,} copies")
            return True
        return False

    def _tell(self, seen: Watched, made: int, head: int) -> None:
        now = time.monotonic()
        rate = (made - self.made) / (now - self.at)
        held = {
            "mib": round(self.peak / 2**20),
            "largest_mib": round(self.largest / 2**20),
            "head_mib": round(head / 2**20),
        }
        seen.steps.append({"copies": made, "per_second": round(rate, 1), **held})
        self.table.add_row(f"{made:,}", f"{now - self.at:.1f}", f"{rate:.1f}", *map(str, held.values()))
        progress(
            f"  {made:,} copies, {rate:.0f} a second, {held['mib']} MiB, {held['largest_mib']} in one process"
        )
        self.made, self.at, self.peak, self.largest = made, now, 0, 0


def make(house: House, code: str, kills: int, told: dict[str, Any], *, minutes: float) -> None:
    """Make the copies, killed on the way; every thousand is told."""
    ((run_id,),) = house.ask("select catalog_run_id from catalog_run where run_code = %s", code)
    table = Table(title=f"{code}: by thousands", title_justify="left")
    for head in ("copies", "seconds", "copies/s", "MiB", "MiB of the largest process", "MiB of the head"):
        table.add_column(head, justify="right")
    # Only what this call makes is divided by what it took: a run may have had copies before.
    before = house.ask(_MADE, run_id)[0][0]
    until = time.monotonic() + minutes * 60
    parts = [
        house.watch(
            "run",
            code,
            "--by",
            "maker",
            each=Follower(house, code, run_id, table, (number + 1) / (kills + 1), number % 2 == 0, until),
        )
        for number in range(kills + 1)
    ]
    console.print(table)
    whole = Watched(
        sum(part.seconds for part in parts),
        sum(part.cpu for part in parts),
        max(part.peak for part in parts),
        max(part.largest for part in parts),
        [step for part in parts for step in part.steps],
    )
    made = house.ask(_MADE, run_id)[0][0] - before
    told["made"] = {
        **whole.document(),
        "copies": made,
        "copies_before": before,
        "per_cpu_second": round(made / whole.cpu, 1),
    }
    console.print(
        f"{made:,} copies in {whole.seconds:.0f} s, {made / whole.cpu:.1f} per CPU second with the database, "
        f"at most {whole.peak / 2**20:.0f} MiB, {whole.largest / 2**20:.0f} in one process, killed {kills} times"
    )


def kill(top: psutil.Process, *, whole: bool) -> None:
    """End a process at once, with all that it started or by itself; those left alone must end by themselves."""
    family = top.children(recursive=True)
    top.send_signal(signal.SIGKILL)
    for process in family if whole else ():
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    gone, alive = psutil.wait_procs(family, timeout=30)
    if alive:
        raise SystemExit(f"{len(alive)} of {len(gone) + len(alive)} processes outlived the head of them")


def verify(house: House, code: str) -> dict[str, int]:
    """Return what the archive holds, having looked at all of it; ends with a word where anything is wrong."""
    rows = house.ask(
        """select copy.member_id, copy.copy_code, copy.path, copy.sha256, copy.size
           from catalog_copy as copy join edition using (edition_id) join catalog_run using (catalog_run_id)
           where run_code = %s""",
        code,
    )
    wanted = house.ask(
        """select member_id from catalog_recipient join catalog_run using (catalog_run_id)
           where run_code = %s and not held_out and left_out is null""",
        code,
    )
    wrong: Counter[str] = Counter()
    members = Counter(row[0] for row in rows)
    ((state,),) = house.ask("select state from catalog_run where run_code = %s", code)
    wrong["lost"] = len({row[0] for row in wanted} - set(members)) if state == "finished" else 0
    wrong["twice"] = sum(count > 1 for count in members.values())
    wrong["unwanted"] = len(set(members) - {row[0] for row in wanted})
    files: set[Path] = set()
    for _member, _code, path, digest, size in rows:
        content = (house.data / path).read_bytes()
        wrong["hash"] += hashlib.sha256(content).digest() != bytes(digest) or len(content) != size
        files.add(house.data / path)
    folders = {path.parents[1] for path in files}
    there = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    wrong["files of nobody"] = len(there - files)
    ((vouchers, doubles, without),) = house.ask(
        """select count(*), count(*) - count(distinct (edition_id, mine.member_id, batch_code)),
                  count(*) filter (where copy_id is null)
           from catalog_voucher as mine join edition using (edition_id) join catalog_run using (catalog_run_id)
           left join catalog_copy using (edition_id, member_id) where run_code = %s""",
        code,
    )
    # Those of the round that was stopped wait for their copies.
    wrong["vouchers twice"], wrong["vouchers of no copy"] = doubles, without if state == "finished" else 0
    console.print(
        f"archive of a run that is {state}: {len(rows):,} copies, {vouchers:,} vouchers; wrong: {dict(+wrong) or 'nothing'}"
    )
    if +wrong:
        raise SystemExit("the archive is not as it ought to be")
    return {"copies": len(rows), "vouchers": vouchers, "bytes": sum(row[4] for row in rows)}


def hand_over(house: House, code: str, told: dict[str, Any], *, kinds: Iterable[str] = KINDS) -> None:
    """Make the ZIP, then the printer's file, take that, and queue the mails of the others."""
    for kind in kinds:
        more = ["--out", str(house.data / "print.pdf")] if kind == "print" else []
        seen = house.watch("handover", code, "--kind", kind, "--by", "maker", *more)
        ((size, copies),) = house.ask(
            """select coalesce(catalog_handover.size, 0), copies from catalog_handover join catalog_run using (catalog_run_id)
               where run_code = %s and kind = %s order by catalog_handover.made_at desc limit 1""",
            code,
            kind,
        )
        told[kind] = {**seen.document(), "bytes": size, "copies": copies}
        console.print(
            f"{kind}: {copies:,} copies, {size:,} bytes in {seen.seconds:.0f} s, {seen.cpu:.0f} s of CPU, "
            f"{seen.peak / 2**20:.0f} MiB, {seen.largest / 2**20:.0f} in one process"
        )


def look(house: House, code: str) -> dict[str, float]:
    """Return what the screens of the run wait for, in milliseconds."""
    engine = make_engine(house.url)
    ((run_id, edition_id),) = house.ask(
        "select catalog_run_id, min(edition_id::text)::uuid from catalog_run join edition using (catalog_run_id)"
        " where run_code = %s group by 1",
        code,
    )
    looks: dict[str, Callable[[Any], object]] = {
        "monitor": lambda session: (
            read_run(session, run_id=run_id),
            run_audience(session, run_id=run_id),
            editions_in(session, run_id=run_id),
        ),
        "copies": lambda session: list_copies(session, Ask("copy_code"), edition_id=edition_id),
        "results": lambda session: results_of_run(session, run_id=run_id),
    }
    taken: dict[str, float] = {}
    with make_sessions(engine)() as session:
        for name, read in looks.items():
            started = time.perf_counter()
            read(session)
            taken[name] = round((time.perf_counter() - started) * 1000, 1)
    engine.dispose()
    console.print(f"screens, milliseconds: {json.dumps(taken)}")
    return taken


def slow(house: House) -> list[str]:
    """Return the statements that took longest, from the server's log, and print them."""
    found = re.findall(
        r"duration: ([\d.]+) ms\s+(?:statement|execute [^:]*): (.*?)(?=\n\d{4}-|\Z)",
        (house.data / "postgres.log").read_text(errors="replace"),
        re.DOTALL,
    )
    ways: dict[str, list[float]] = {}
    for duration, statement in found:
        ways.setdefault(" ".join(statement.split())[:160], []).append(float(duration))
    lines = [
        f"{max(times):,.0f} ms at most, {len(times)} times: {statement}"
        for statement, times in sorted(ways.items(), key=lambda one: -sum(one[1]))
    ]
    for line in lines[:20]:
        console.print(line, markup=False, highlight=False)
    return lines[:40]


if __name__ == "__main__":
    main()

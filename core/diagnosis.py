"""What this installation needs to work, looked at one thing after another."""

import ctypes
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from core.database import make_engine, revisions
from core.errors import RegularsError
from core.postgres_programs import OLDEST, find_programs

PRINTING = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0")
LEAST_DISK = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing looked at: what was found, and when it is not well what mends it."""

    name: str
    ok: bool
    found: str
    mend: str = ""


def examine_machine(data: Path) -> Iterator[Symptom]:
    """Look at everything but the database."""
    yield Symptom("Python", ok=True, found=f"{sys.version.split()[0]} in {sys.prefix}")
    missing = [name for name in PRINTING if not _loads(name)]
    yield Symptom(
        "libraries for PDF",
        ok=not missing,
        found=f"not there: {', '.join(missing)}" if missing else "Pango and HarfBuzz are there",
        mend="apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0, or python3 dev doctor",
    )
    try:
        programs = find_programs()
        yield Symptom("PostgreSQL programs", ok=True, found=f"{programs.version} in {programs.bin}")
    except RegularsError as error:
        yield Symptom("PostgreSQL programs", ok=False, found=str(error), mend="python3 dev doctor")
    folder = next(place for place in (data.absolute(), *data.absolute().parents) if place.exists())
    free = shutil.disk_usage(folder).free
    yield Symptom(
        "disk",
        ok=free >= LEAST_DISK,
        found=f"{free / 1024**3:,.1f} GiB free at {folder}",
        mend="make room, or choose another folder with --data",
    )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def examine_database(url: str) -> Iterator[Symptom]:
    """Look at the database at `url`, with its owner's rights, changing nothing."""
    engine = make_engine(url, role=None)
    try:
        with engine.connect() as connection:
            server = str(connection.scalar(text("show server_version")))
        yield Symptom(
            "database",
            ok=int(server.split(".", maxsplit=1)[0]) >= OLDEST,
            found=f"PostgreSQL {server} answers",
            mend=f"PostgreSQL {OLDEST} or newer is needed",
        )
        current, head = revisions(engine)
        yield Symptom(
            "schema",
            ok=current == head,
            found=f"revision {current or 'none'}, newest {head}",
            mend="regulars db upgrade",
        )
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[-1]
        yield Symptom("database", ok=False, found=reason, mend="start it, or correct DATABASE_URL")
    finally:
        engine.dispose()

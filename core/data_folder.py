"""
The data folder: where the database lies, whose it is, and who is using it.

Whoever uses the database holds a shared lock; the last one stops the server. The kernel drops
a lock with its process, so a killed user leaves nothing behind but a running server, which the
next one adopts. Locks order the processes of one machine: two machines must not share a folder.
"""

import errno
import fcntl
import hashlib
import logging
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from core.errors import Conflict
from core.postgres_programs import STATE, ServerUser, nobody

log = logging.getLogger(__name__)

PORT = 5432
LONGEST_SOCKET = 107
"""What the kernel takes as the path of a Unix socket, in bytes."""
SHORT_FOLDER = Path("/tmp")  # noqa: S108 - the owner of what we use in it is checked


class DataUnusable(Conflict):
    """The data folder cannot be used as it is."""


class DataFolder:
    """
    The folder `path`, and the database in it.

    Where root works in a folder that the server's user cannot reach, the database lies
    below `state`, and a small file in the folder names the place.
    """

    def __init__(self, path: Path, *, state: Path = STATE) -> None:
        self.path = path.absolute()
        self.state = state
        self.user: ServerUser | None = None
        """Who runs the server, where that is not the user of this process; known once prepared."""
        self._users: BinaryIO | None = None

    @property
    def place(self) -> Path:
        """The small file that names the database's home, where that is not the folder itself."""
        return self.path / "postgres.place"

    @property
    def home(self) -> Path:
        """Where the database, its socket and its locks lie."""
        return Path(self.place.read_text().strip()) if self.place.exists() else self.path

    @property
    def files(self) -> Path:
        """PostgreSQL's own data folder."""
        return self.home / "postgres"

    @property
    def log(self) -> Path:
        """What the server wrote."""
        return self.path / "postgres.log"

    @property
    def name(self) -> str:
        """The name that the server's processes bear; no other folder's do."""
        return "regulars-" + hashlib.sha256(os.fsencode(self.files.resolve())).hexdigest()[:12]

    @property
    def socket(self) -> Path:
        """The private folder of the server's socket, short enough for the kernel."""
        folder = self.home / "run"
        if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET:
            return folder
        if self.files.exists():
            owner = self.files.stat().st_uid
        else:
            owner = nobody().uid if os.geteuid() == 0 else os.geteuid()
        return SHORT_FOLDER / f"{self.name}-{owner}"

    def prepare(self) -> None:
        """
        Make the folder if it is missing, and decide who runs the server and where the database lies.

        Raises DataUnusable with what to do when this user cannot work in it.
        """
        try:
            if not self.path.exists():
                self.path.mkdir(parents=True)
                # Root's server belongs to nobody, who must be able to pass; the files inside stay closed.
                self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
            self.user = self._server_user() if os.geteuid() == 0 else None
            if (
                self.user
                and not self.place.exists()
                and not self.files.exists()
                and not self._suits(self.user)
            ):
                self._move_out()
            _demand_writable(self.home)
        except OSError as error:
            raise DataUnusable(
                f"the data folder {self.path} cannot be used: {error.strerror} ({error.filename}); "
                "choose another with --data, or run as the user it belongs to"
            ) from error
        if self.home not in {self.path, self.state / self.home.name}:
            # Root must not be led to work, or to delete, wherever a file in somebody's folder says.
            raise DataUnusable(
                f"{self.place} names {self.home}, which is not below {self.state}; delete that file"
            )
        if not self.home.is_dir():
            raise DataUnusable(
                f"{self.place} says that the database lies in {self.home}, which is not there; "
                f"bring it back, or delete {self.place} to begin with an empty database"
            )

    def hand_over(self, folder: Path) -> None:
        """Make `folder` the server's own and private; refuse one that somebody else has put there."""
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            if self.user:
                os.chown(folder, self.user.uid, self.user.gid)
        owner = self.user.uid if self.user else os.geteuid()
        if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != owner:
            raise DataUnusable(f"{folder} belongs to somebody else; move it away")
        folder.chmod(0o700)

    def open(self, path: Path) -> BinaryIO:
        """Open `path` to append to it, private to the owner of its folder."""
        try:
            file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
        except PermissionError as error:
            raise DataUnusable(
                f"{path} belongs to another user; run as that user, or choose another folder with --data"
            ) from error
        if os.geteuid() == 0:
            # A user's own folder stays that user's, even after root has worked in it.
            whose = path.parent.stat()
            os.fchown(file.fileno(), whose.st_uid, whose.st_gid)
        return file

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from starting or stopping the server meanwhile."""
        with self.open(self.home / "postgres.lock") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @property
    def used(self) -> bool:
        """Whether this object holds its share."""
        return self._users is not None

    def use(self) -> None:
        """Hold a share in the database until `let_go`; holding it twice is once."""
        if self._users is None:
            self._users = self.open(self.home / "postgres.users")
            fcntl.flock(self._users, fcntl.LOCK_SH)

    def last_user(self) -> bool:
        """Return whether nobody else holds a share; to be asked inside `alone`."""
        if self._users is None:
            return False
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def let_go(self) -> None:
        """Give the share back."""
        if self._users is not None:
            self._users.close()
            self._users = None

    def erase(self) -> None:
        """Delete the database for good; what else lies in the folder stays."""
        home = self.home
        shutil.rmtree(self.socket, ignore_errors=True)
        shutil.rmtree(self.files, ignore_errors=True)
        if home != self.path:
            shutil.rmtree(home, ignore_errors=True)
        for name in ("postgres.place", "postgres.log", "postgres.log.1", "postgres.users", "postgres.lock"):
            (self.path / name).unlink(missing_ok=True)

    def _server_user(self) -> ServerUser:
        if not self.files.exists():
            return nobody()
        owner = self.files.stat()
        if owner.st_uid == 0:
            raise DataUnusable(
                f"{self.files} belongs to root, as whom PostgreSQL does not run; chown -R nobody {self.files}"
            )
        return ServerUser(owner.st_uid, owner.st_gid)

    def _suits(self, user: ServerUser) -> bool:
        """Return whether the server's user reaches the folder, and the file system lets it own something there."""
        trial = self.path / f".owner-{os.getpid()}"
        try:
            trial.mkdir(mode=0o700)
            os.chown(trial, user.uid, user.gid)
            return user.reaches(trial)
        except OSError:
            return False
        finally:
            with suppress(OSError):
                trial.rmdir()

    def _move_out(self) -> None:
        for left in self.state.glob("*/data-folder"):
            if left.read_text().strip() == str(self.path):
                log.warning(
                    "%s is left of an earlier database of this folder: rm -r %s", left.parent, left.parent
                )
        home = self.state / uuid.uuid4().hex[:12]
        self.state.mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o755)  # whatever the umask: the server's user must pass
        home.mkdir()
        home.chmod(0o711)
        (home / "data-folder").write_text(f"{self.path}\n")
        self.place.write_text(f"{home}\n")


def _demand_writable(folder: Path) -> None:
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))

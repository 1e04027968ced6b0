"""The virtual environment `.venv`, made from the hashed lock by uv or pip, and made again when the lock changes."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from devtools.console import Command, Missing, counting, run, run_counted, run_silent, say, step
from devtools.index import PIP_SHA256, PIP_VERSION, fetch_pip, read_settings

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
LOCAL = ROOT / ".local"
STAMP = VENV / "made-from"
PIP: Command = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
WITHOUT_VENV = "as root: apt-get install -y python3-venv; then the same command again"
RECIPE = "1"
"""Changed when what we do with the lock changes."""

SCRIPT = """#!/bin/sh
# What was unpacked for an ordinary user is found like the system's own.
if [ -f "{found}" ]; then . "{found}"; fi
exec "{python}" -P -m cli "$@"
"""
FOUND = LOCAL / "found.sh"
"""Where the libraries lie that were unpacked, in the shell's words."""


def prepare(environment: Mapping[str, str]) -> None:
    """
    Make sure that the environment holds exactly what the lock says; at once when it does.

    Raises Missing where `.venv` is a link: what it leads to is another's, and neither filled nor removed.
    """
    if is_ready():
        return
    if VENV.is_symlink():
        raise Missing(
            f"{VENV} is a symbolic link to {VENV.readlink()}, which was not made from this checkout's lock",
            mend_of_link(),
        )
    with _alone():
        if is_ready():
            return
        if not _usable():
            _make(environment)
        _install(environment)
        _add_project()
        STAMP.write_text(_recipe())


def is_ready() -> bool:
    """Return whether the environment was made from this lock, here."""
    return STAMP.exists() and STAMP.read_text() == _recipe() and PYTHON.exists()


def mend_of_link() -> str:
    """Return the line that takes the link away, and nothing of what it leads to."""
    return f"rm {VENV}; then the same command again makes an environment of this checkout's own"


def _recipe() -> str:
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    project = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    return f"recipe {RECIPE}\nlock {lock}\nproject {project}\nplace {VENV}\n"


def _usable() -> bool:
    """Return whether there is an environment that may be brought up to date, rather than made anew."""
    if not PYTHON.exists():
        return False
    if STAMP.exists() and f"place {VENV}\n" not in STAMP.read_text():
        return False  # the checkout was moved, and the scripts still point to the old place
    found = subprocess.run(
        [PYTHON, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=False
    )
    return found.returncode == 0 and Path(found.stdout.strip()).resolve() == VENV.resolve()


def _make(environment: Mapping[str, str]) -> None:
    with step(f"Making the virtual environment .venv (Python {sys.version.split()[0]})"):
        if VENV.exists():
            shutil.rmtree(VENV)
        if _uv():
            command: Command = [_uv(), "venv", "--quiet", "--no-project", "--python", sys.executable, VENV]
            run(command, what="uv could not make .venv", mend=WITHOUT_VENV, environment=_for_uv(environment))
            return
        command = [sys.executable, "-m", "venv", "--without-pip", VENV]
        with counting("making it"):
            run_silent(command, what="the virtual environment could not be made", mend=WITHOUT_VENV)


def _install(environment: Mapping[str, str]) -> None:
    count = sum(line[:1].isalnum() for line in LOCK.read_text().splitlines())
    with step(f"Installing {count} packages from requirements.lock (about 450 MB to fetch the first time)"):
        if _uv() and _install_with_uv(environment):
            return
        _bring_pip(environment)
        run_counted(
            [
                *PIP,
                "--progress-bar",
                "off",
                "--only-binary",
                ":all:",
                "--no-deps",
                "--no-warn-script-location",
                "--require-hashes",
                "-r",
                LOCK,
            ],
            counts="Collecting ",
            total=count,
            what="the packages could not be installed",
            mend="see pip's last lines; another index: PIP_INDEX_URL=https://YOUR-INDEX/simple python3 dev run",
            environment=environment,
        )


def _install_with_uv(environment: Mapping[str, str]) -> bool:
    command: Command = [
        _uv(),
        "pip",
        "install",
        "--python",
        PYTHON,
        "--no-deps",
        "--require-hashes",
        "-r",
        LOCK,
    ]
    try:
        with counting("installing them"):
            run_silent(
                command,
                what="uv could not install the packages",
                mend="",
                environment=_for_uv(environment),
            )
    except Missing as error:
        say(f"    {error}; going on with pip")
        return False
    return True


def _bring_pip(environment: Mapping[str, str]) -> None:
    """Put the pinned pip into the environment: it shows its progress, and behaves alike under every Python."""
    found = subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, text=True, check=False)
    if found.returncode == 0 and found.stdout.startswith(f"pip {PIP_VERSION} "):
        return
    if find_spec("ensurepip"):
        _bring_pip_by_pythons_own(environment)
        return
    # Debian's Python comes without one.
    wheel = fetch_pip(read_settings(environment), LOCAL)
    command: Command = [PYTHON, wheel / "pip", "install", "--quiet", "--no-index", "--no-deps", wheel]
    run_silent(
        command, what="pip could not be installed from its wheel", mend=WITHOUT_VENV, environment=environment
    )


def _bring_pip_by_pythons_own(environment: Mapping[str, str]) -> None:
    """Let the pip that Python brings, which knows every setting of pip's, fetch the pinned one."""
    run_silent([PYTHON, "-m", "ensurepip"], what="Python's own pip did not start", mend=WITHOUT_VENV)
    pinned = LOCAL / "pip.lock"
    pinned.write_text(f"pip=={PIP_VERSION} --hash=sha256:{PIP_SHA256}\n")
    try:
        run_silent([*PIP, "--require-hashes", "-r", pinned], what="pip", mend="", environment=environment)
    except Missing as error:
        say(f"    going on with Python's own pip ({error})")


def _add_project() -> None:
    """Make our packages importable and `regulars` a command, without a build."""
    what, mend = "the environment's Python does not work", f"rm -rf {VENV}; python3 dev doctor"
    where = run_silent(
        [PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], what=what, mend=mend
    ).strip()
    (Path(where) / "regulars.pth").write_text(f"{ROOT}\n")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for old in Path(where).glob("regulars-*.dist-info"):
        shutil.rmtree(old)
    record = Path(where) / f"regulars-{version}.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: regulars\nVersion: {version}\n")
    (record / "INSTALLER").write_text("dev\n")
    script = VENV / "bin" / "regulars"
    script.write_text(SCRIPT.format(python=PYTHON, found=FOUND))
    script.chmod(0o755)


def _uv() -> str:
    return shutil.which("uv") or ""


def _for_uv(environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` with pip's settings in uv's words, unless uv has words of its own."""
    own = any(name.startswith(("UV_INDEX", "UV_DEFAULT_INDEX", "UV_CONFIG_FILE")) for name in environment)
    config = Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "uv" / "uv.toml"
    if own or config.exists() or Path("/etc/uv/uv.toml").exists():
        return dict(environment)
    return read_settings(environment).for_uv() | dict(environment)


@contextmanager
def _alone() -> Iterator[None]:
    """Let one set-up at a time work in this checkout."""
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / "setup.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("==> Waiting for another set-up in this checkout")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def plain(environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` without what would bend another Python: ours must find its own packages only."""
    bent = {
        "PYTHONHOME",
        "PYTHONPATH",
        "VIRTUAL_ENV",
        "PYTHONSTARTUP",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_USER",
    }
    kept = {name: value for name, value in environment.items() if name not in bent}
    return kept | {"PATH": f"{VENV / 'bin'}{os.pathsep}{environment.get('PATH', os.defpath)}"}

"""The commands of `python3 dev`: each sets up what it needs, then hands over to the real thing."""

import argparse
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from devtools import doctor, environment, libraries
from devtools.console import Missing, say
from devtools.environment import PYTHON, ROOT

PORT = 8000
MOST_TESTING = 4
"""The most processes that test at once: each brings a database server, some a browser and compiled kernels."""
CHECKS: dict[str, list[str]] = {
    "lint": ["-m", "ruff", "check"],
    "format": ["-m", "ruff", "format", "--check"],
    "types": ["-m", "mypy"],
    "import contracts": ["-c", "from importlinter.cli import lint_imports_command as check; check()"],
}


def main(arguments: Sequence[str]) -> int:
    """Do the command that `arguments` name; what is missing ends in one line that mends it, and exit code 3."""
    parser = _parser()
    known, rest = parser.parse_known_args(arguments)
    if rest and known.command not in {"bench", "soak", "test"}:
        parser.error(f"unknown: {' '.join(rest)}")
    try:
        return int(known.do(known, rest))
    except Missing as missing:
        say(f"dev: {missing}")
        if missing.mend:
            say(f"mend: {missing.mend}")
        return 3
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 dev", description="Set up what is needed, then do it.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    def command(name: str, do: object, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(do=do)
        return made

    run = command("run", _run, "load the demonstration and serve it")
    run.add_argument("--once", action="store_true", help="do everything but serve")
    run.add_argument("--fresh", action="store_true", help="throw the data away and load them again")
    run.add_argument("--as-is", action="store_true", help="leave the dates as they are in the data set")
    serve = command("serve", _serve, "serve the data folder's database, loading nothing")
    serve.add_argument(
        "--no-scheduler", action="store_true", help="leave the nightly clock to another machine"
    )
    serve.add_argument(
        "--mailbox",
        action="store_true",
        help="keep mails as files in the data folder where no SMTP_URL is set, as the demonstration does",
    )
    for one in (run, serve):
        one.add_argument(
            "--port", type=int, default=PORT, help=f"where to listen on 127.0.0.1 (default {PORT})"
        )
        one.add_argument("--data", type=Path, default=ROOT / "data", help="the data folder (default ./data)")
    command(
        "test",
        _test,
        "check lint, types and contracts and run all tests, on every core; more arguments go to pytest instead",
    )
    command("doctor", _doctor, "say what is missing, and the exact line that mends it")
    bench = command("bench", _bench, "run the benchmarks, or the named ones; more options go to them")
    bench.add_argument("names", nargs="*", help="files of benchmarks/, without .py")
    soak = command("soak", _soak, "run the long tests at full size; more arguments go to pytest")
    soak.add_argument(
        "--times", type=float, default=10, help="how many times the size of the programme (default 10)"
    )
    return parser


def _ready(packages: Sequence[str]) -> dict[str, str]:
    """Set everything up and return the environment for what follows."""
    plain = environment.plain(os.environ)
    environment.prepare(plain)
    libraries.provide(packages, plain)
    return libraries.with_private(plain)


def _hand_over(command: Sequence[str | Path], surroundings: Mapping[str, str]) -> int:
    """Become `command`, so that signals reach it directly."""
    os.chdir(ROOT)
    os.execve(command[0], [str(word) for word in command], surroundings)


def _call(command: Sequence[str | Path], surroundings: Mapping[str, str]) -> int:
    """Do `command` and return its exit code; who stops us stops it."""
    process = subprocess.Popen(command, cwd=ROOT, env=surroundings)
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: process.terminate())
    try:
        while True:
            # Ctrl-C reaches the whole terminal group: the command ends in its own way, and we wait for it.
            with suppress(KeyboardInterrupt):
                status = process.wait()
                return status if status >= 0 else 128 - status
    finally:
        signal.signal(signal.SIGTERM, before)


def _demand_free(port: int) -> None:
    """Say before long work, rather than after it, that nobody could serve on `port`."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            raise Missing(
                f"port {port} cannot be used: {error.strerror}", "choose another with --port"
            ) from error


def _run(known: argparse.Namespace, _rest: list[str]) -> int:
    if not known.once:
        _demand_free(known.port)
    surroundings = _ready(libraries.TO_RUN)
    data = known.data.absolute()
    flags = [f"--{name}" for name in ("fresh", "as-is") if getattr(known, name.replace("-", "_"))]
    regulars = [environment.VENV / "bin" / "regulars", "--data", data]
    status = _call([*regulars, "demo", "load", "--port", str(known.port), *flags], surroundings)
    if status or known.once:
        return status
    command = [PYTHON, "-m", "server", "--data", data, "--port", str(known.port), "--mailbox"]
    return _hand_over(command, surroundings)


def _serve(known: argparse.Namespace, _rest: list[str]) -> int:
    surroundings = _ready(libraries.TO_RUN)
    flags = [f"--{name}" for name in ("no-scheduler", "mailbox") if getattr(known, name.replace("-", "_"))]
    command = [PYTHON, "-m", "server", "--data", known.data.absolute(), "--port", str(known.port), *flags]
    return _hand_over(command, surroundings)


def _test(_known: argparse.Namespace, rest: list[str]) -> int:
    surroundings = _ready(libraries.TO_TEST)
    failed = []
    for number, (name, arguments) in enumerate(CHECKS.items(), 1):
        started = time.monotonic()
        say(f"==> {number}/{len(CHECKS) + 1} {name}")
        if _call([PYTHON, *arguments], surroundings):
            failed.append(name)
        say(f"    {'FAILED' if name in failed else 'ok'} in {time.monotonic() - started:.1f} s")
    say(f"==> {len(CHECKS) + 1}/{len(CHECKS) + 1} tests")
    # Processes that share the tests must find the same ones, so sets are in one order in all of them.
    surroundings = {"PYTHONHASHSEED": "0", **surroundings}
    status = _call([PYTHON, "-m", "pytest", *(rest or _shared())], surroundings)
    # When all is well pytest's closing line stays the last.
    if failed:
        say(f"dev test: failed before the tests: {', '.join(failed)} (see above)")
    return status or (1 if failed else 0)


def _shared() -> list[str]:
    """Return what lets pytest share all files of tests among a process per core, each with a PostgreSQL of its own."""
    return ["-n", str(min(os.cpu_count() or 1, MOST_TESTING)), "--dist", "loadfile", "--no-loadscope-reorder"]


def _doctor(_known: argparse.Namespace, _rest: list[str]) -> int:
    return doctor.report(doctor.examine(environment.plain(os.environ)))


def _bench(known: argparse.Namespace, rest: list[str]) -> int:
    # Our packages come first: a benchmark may bear the name of what it measures.
    path = os.pathsep.join(map(str, (ROOT, ROOT / "benchmarks")))
    surroundings = _ready(libraries.TO_RUN) | {"PYTHONPATH": path}
    there = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("*.py")) if path.stem != "frame"}
    unknown = [name for name in known.names if name not in there]
    if unknown:
        raise Missing(f"no benchmark {', '.join(unknown)}", f"python3 dev bench {' '.join(there)}")
    failed = []
    for name in known.names or there:
        say(f"==> {name}")
        if _call([PYTHON, "-P", there[name], *rest], surroundings):
            failed.append(name)
    if failed:
        say(f"dev bench: failed: {', '.join(failed)}")
    return 1 if failed else 0


def _soak(known: argparse.Namespace, rest: list[str]) -> int:
    surroundings = _ready(libraries.TO_TEST) | {"REGULARS_SOAK_TIMES": str(known.times)}
    # Long on purpose: only what hangs for an hour hangs.
    return _call([PYTHON, "-m", "pytest", "-m", "soak", "--timeout", "3600", *rest], surroundings)

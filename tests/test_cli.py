"""The command line: answers on stdout, everything else on stderr, one line for bad input."""

import json
import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from cli import BOOK, COMMANDS, PARTS, help_pages
from devtools.command_book import book

ROOT = Path(__file__).parent.parent


@pytest.fixture
def regulars(database_url, tmp_path):
    def regulars(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        settings = os.environ | {"DATABASE_URL": database_url, "REGULARS_DATA": str(tmp_path)} | environment
        command = [sys.executable, str(ROOT / "cli.py"), *arguments]
        return subprocess.run(
            command, env=settings, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    return regulars


def parts_of_the_command_line() -> list[Path]:
    """From the lowest room to the highest: what a higher one adds to a command, the lower one cannot."""
    rooms = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    return [path for room in (*rooms, "demo") for path in sorted((ROOT / room).rglob("*commands.py"))]


class TestCommands:
    def test_are_all_those_of_the_packages(self):
        offered = {
            command.name: name
            for path in [*parts_of_the_command_line(), ROOT / "night.py"]
            for name in [".".join(path.relative_to(ROOT).with_suffix("").parts)]
            for command in getattr(import_module(name), "commands", ())
        }
        assert offered == COMMANDS

    def test_take_in_all_parts_of_other_rooms(self):
        offered = {
            part.name: ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for path in parts_of_the_command_line()
            for part in getattr(
                import_module(".".join(path.relative_to(ROOT).with_suffix("").parts)), "parts", ()
            )
        }
        assert offered == {name: module for parts in PARTS.values() for name, module in parts.items()}

    def test_are_told_in_the_book_as_they_tell_themselves(self):
        assert BOOK.read_text() == book(), "renew it: .venv/bin/python -m devtools.command_book"

    @pytest.mark.parametrize("arguments", ["--help", "stores --help", "catalogs make --help", "mine --help"])
    def test_are_told_without_a_database_being_loaded(self, arguments):
        program = f"import atexit, sys, cli; atexit.register(lambda: print(*sys.modules)); cli.main({arguments.split()})"
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
        )
        told, loaded = done.stdout.rstrip("\n").rsplit("\n", 1)
        assert told == help_pages()[f"regulars {arguments}".removesuffix(" --help")]
        assert not {"sqlalchemy", "alembic", "psycopg", *COMMANDS.values()} & set(loaded.split())

    def test_are_told_at_once_where_none_is_named(self, regulars):
        done = regulars()
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == help_pages()["regulars"] + "\n"

    def test_are_told_by_themselves_when_they_are_not_in_the_book(self, regulars):
        done = regulars("--data", "elsewhere", "tills", "--help")
        assert (done.returncode, done.stdout) == (0, help_pages()["regulars tills"] + "\n")

    def test_do_not_load_what_other_commands_need(self):
        program = (
            "import sys, cli; print({'flask', 'numpy', 'pandas', 'pyarrow'} & set(sys.modules) or 'light')"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout == "light\n"


class TestBadInput:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["nigth"],
            ["night", "--date", "2026-02-30"],
            ["night", "--date", "20261121x"],
            ["night", "--date", "2099-01-01"],
            ["people", "add", "novak"],
            ["--nonsense"],
            ["db", "upgrade", "one", "two"],
            ["db", "upgrade", "nonsense"],
            ["groups", "undo", str(10**20)],
            ["cards", "staff", "end", str(10**12)],
            ["gift-cards", "issue", "1000", "nothing"],
        ],
    )
    def test_gets_one_line_and_exit_code_2(self, regulars, arguments):
        done = regulars(*arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1, done.stderr
        assert done.stderr.startswith("regulars: ")

    @pytest.mark.parametrize(
        "environment",
        [{"DATABASE_URL": "secret nonsense"}, {"REGULARS_NIGHT_HOUR": "77"}, {"REGULARS_POOL_SIZE": "many"}],
    )
    def test_in_the_environment_gets_one_line_and_exit_code_2_as_well(self, regulars, environment):
        done = regulars("db", "status", **environment)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1, done.stderr
        assert done.stderr.startswith("regulars: ")
        assert "secret" not in done.stderr

    def test_leaves_no_run_behind(self, regulars):
        regulars("night", "--date", "2099-01-01")
        assert regulars("db", "shell", "-At", "-c", "select count(*) from job_run").stdout == "0\n"


class TestUnreachableDatabase:
    def test_is_said_in_one_line(self, regulars):
        done = regulars("verify", DATABASE_URL="postgresql://nobody@/nothing?host=/nonexistent")
        assert done.returncode == 1
        assert done.stderr.startswith("regulars: the database does not answer: ")
        assert done.stderr.count("\n") == 1, done.stderr


class TestNight:
    def test_prints_one_document_and_nothing_else_on_stdout(self, regulars):
        done = regulars("night", "--date", "2026-03-02", "--json")
        assert done.returncode == 0, done.stderr
        night = json.loads(done.stdout)
        assert night["state"] == "completed"
        assert [step["state"] for step in night["steps"]] == ["completed"] * len(night["steps"])
        assert all(step["seconds"] >= 0 for step in night["steps"])

    def test_is_the_same_run_when_asked_again(self, regulars):
        first = regulars("night", "--date", "2026-03-02", "--json").stdout
        assert regulars("night", "--date", "2026-03-02", "--json").stdout == first

    def test_closes_the_last_closed_day_when_none_is_named(self, regulars):
        night = json.loads(regulars("night", "--json").stdout)
        assert night["business_day"] < "2099"
        assert night["state"] == "completed"


class TestVerify:
    def test_names_every_check(self, regulars):
        done = regulars("verify", "--json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["ok"] is True
        assert all(check["ok"] and check["violations"] == 0 for check in found["checks"])


class TestDb:
    def test_status_names_the_revisions(self, regulars):
        status = json.loads(regulars("db", "status", "--json").stdout)
        assert status["current"] is True
        assert status["revision"] == status["newest_revision"]

    def test_shell_works_as_the_application(self, regulars):
        assert regulars("db", "shell", "-At", "-c", "select current_user").stdout == "regulars_app\n"


class TestDoctor:
    def test_looks_at_the_database(self, regulars):
        checks = {check["name"]: check for check in json.loads(regulars("doctor", "--json").stdout)["checks"]}
        assert checks["database"]["ok"]
        assert checks["schema"]["ok"]

    def test_says_what_mends_a_database_that_is_not_there(self, regulars):
        done = regulars("doctor", "--json", DATABASE_URL="postgresql://nobody@/nothing?host=/nonexistent")
        assert done.returncode == 1
        checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
        assert not checks["database"]["ok"]
        assert "DATABASE_URL" in checks["database"]["mend"]

"""The rules of docs/architecture.md that a machine can hold us to."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ROOMS = PROJECT["tool"]["importlinter"]["root_packages"]
COMPOSITIONS = set(PROJECT["tool"]["setuptools"]["py-modules"])
"""Top-level modules; only `night`, the composition of the night, is there for the others."""

LONGEST_FILE = 420
LONGEST_FUNCTION = 50
FORBIDDEN_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "service",
    "services",
    "manager",
    "managers",
}
HEAVY = {
    "weasyprint",
    "mlxtend",
    "py4j",
    "pyspark",
    "numba",
    "lightgbm",
    "graspologic_native",
    "scipy",
    "sklearn",
    "pandas",
    "pyarrow",
    "xlsxwriter",
}


def sources(*folders: str) -> list[Path]:
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "vendor" not in path.parts and "versions" not in path.parts
    )


def room_sources() -> list[Path]:
    return sources(*ROOMS)


def composition_sources() -> list[Path]:
    return [path for name in sorted(COMPOSITIONS) if (path := ROOT / f"{name}.py").exists()] + sources("demo")


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def imports(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node, node.module


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def called(node: ast.AST) -> str:
    """Return the name that a call calls, such as "session.begin", or "" for anything else."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


class TestImports:
    def test_go_down_the_house_only(self):
        program = Path(sys.executable).parent / "lint-imports"
        done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_are_watched_in_every_package(self):
        packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
        assert packages - {"migrations", "demo", "devtools", "tests", "benchmarks"} == set(ROOMS)

    def test_of_our_own_are_never_hidden_in_a_function(self):
        hidden = [
            f"{place(path, node)} {name}"
            for path in room_sources() + composition_sources()
            for function in functions(parse(path))
            for node, name in imports(function)
            if name.split(".")[0] in {*ROOMS, *COMPOSITIONS, "demo", "migrations"}
        ]
        assert not hidden

    def test_inside_functions_are_of_heavy_libraries_only(self):
        hidden = [
            f"{place(path, node)} {name}"
            for path in room_sources()
            for function in functions(parse(path))
            for node, name in imports(function)
            if name.split(".")[0] not in HEAVY
        ]
        assert not hidden

    def test_never_reach_for_a_composition_root(self):
        roots = {*COMPOSITIONS, "demo"} - {"night"}
        reaching = [
            f"{place(path, node)} {name}"
            for path in room_sources() + composition_sources()
            for node, name in imports(parse(path))
            if name.split(".")[0] in roots - {path.relative_to(ROOT).parts[0]}
        ]
        assert not reaching

    def test_reach_for_the_night_from_composition_roots_only(self):
        reaching = [
            f"{place(path, node)} {name}"
            for path in room_sources()
            for node, name in imports(parse(path))
            if name.split(".")[0] in {"night", "demo", "migrations", "devtools"}
        ]
        assert not reaching

    @pytest.mark.parametrize("root", ["cli", "scheduler", "wsgi"])
    def test_of_heavy_libraries_wait_until_they_are_needed(self, root):
        late = ("weasyprint", "mlxtend", "numba")
        program = f"import sys, {root}; print([name for name in {late!r} if name in sys.modules])"
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "[]"


class TestDrawing:
    PAGE = (ROOT / "docs" / "architecture.md").read_text()
    ROOM = re.compile(r'^ +(\w+)\["', re.MULTILINE)

    def test_shows_every_room(self):
        assert set(self.ROOM.findall(self.PAGE)) == {*ROOMS, *COMPOSITIONS, "demo"}

    def test_leads_down_by_the_floors_that_imports_keep(self):
        boxes = re.findall(r"subgraph (\w+)\[(.*?)\n  end", self.PAGE, re.DOTALL)
        shared = {room: box for box, inside in boxes for room in self.ROOM.findall(inside)}
        layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
        floors = [shared.get(rooms.split(" | ")[0], rooms) for rooms in layers]
        assert f"  roots --> {' --> '.join(floors)}\n" in self.PAGE


class TestPapers:
    PAPERS = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))

    def test_name_every_decision_in_the_index(self):
        folder = ROOT / "docs" / "adr"
        index = (folder / "README.md").read_text()
        said = {f"# {number} {title}" for number, title in re.findall(r"\[(\d{4})\]\(.+?\) (.+)", index)}
        assert said == {path.read_text().partition("\n")[0] for path in folder.glob("0*.md")}

    def test_lead_to_what_is_there(self):
        lost = [
            f"{path.name}: {target}"
            for path in self.PAPERS
            for target in re.findall(r"\]\(([^)#\s]+)", path.read_text())
            if "://" not in target and not (path.parent / target).exists()
        ]
        assert not lost

    def test_name_files_that_are_there(self):
        lost = [
            f"{path.name}: {name}"
            for path in self.PAPERS
            if "adr" not in path.parts  # a decision may tell of what was before
            for name in re.findall(r"`((?:[a-z_]+/)+[a-z_0-9]+\.(?:py|html|md))`", path.read_text())
            if not (ROOT / name).exists()
        ]
        assert not lost


class TestCommits:
    def test_are_made_by_blocks_that_begin_only(self):
        made = [
            place(path, node)
            for path in room_sources() + composition_sources()
            for node in ast.walk(parse(path))
            if called(node).endswith(".commit") or called(node) == "session.rollback"
        ]
        assert not made

    def test_stand_at_an_edge_or_in_a_job(self):
        """Operations and queries take a session and leave its end to whoever began it."""
        begun = [
            place(path, node)
            for path in room_sources()
            if path.name in {"operations.py", "queries.py"} or path.parent.name in {"operations", "queries"}
            for node in ast.walk(parse(path))
            if called(node).endswith((".begin", ".begin_nested"))
        ]
        assert not begun


class TestTables:
    def owners(self) -> dict[str, str]:
        """Return the room that owns each table's class."""
        return {
            node.name: path.relative_to(ROOT).parts[0]
            for path in room_sources()
            if path.stem.endswith("models")
            for node in parse(path).body
            if isinstance(node, ast.ClassDef)
            and any(isinstance(base, ast.Name) and base.id == "Base" for base in node.bases)
        }

    def names(self) -> dict[str, str]:
        """Return the room that owns each table's name."""
        return {
            statement.value.value: path.relative_to(ROOT).parts[0]
            for path in room_sources()
            if path.stem.endswith("models")
            for node in ast.walk(parse(path))
            if isinstance(node, ast.ClassDef)
            for statement in node.body
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__tablename__"
            if isinstance(statement.value, ast.Constant)
        }

    def test_are_declared_in_their_owners_models(self):
        declared = [
            place(path, node)
            for path in room_sources()
            if not path.stem.endswith("models")
            for node in ast.walk(parse(path))
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Base" for base in node.bases)
        ]
        assert not declared
        assert len(self.owners()) == len(self.names())

    def test_are_written_by_their_owner_only(self):
        owners = self.owners()
        strangers = [
            f"{place(path, node)} {called(node)} {node.args[0].id}"
            for path in room_sources()
            for node in ast.walk(parse(path))
            if called(node) in {"insert", "update", "delete"}
            and node.args
            and isinstance(node.args[0], ast.Name)
            if owners.get(node.args[0].id, path.relative_to(ROOT).parts[0]) != path.relative_to(ROOT).parts[0]
        ]
        assert not strangers

    def test_are_written_by_their_owner_only_in_sql_too(self):
        names = self.names()
        writes = re.compile(r"\b(?:insert\s+into|update|delete\s+from|copy)\s+([a-z_]+)\b", re.IGNORECASE)
        strangers = [
            f"{place(path, node)} {table}"
            for path in room_sources()
            for node in ast.walk(parse(path))
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value[:1]
            for table in writes.findall(node.value)
            if names.get(table, path.relative_to(ROOT).parts[0]) != path.relative_to(ROOT).parts[0]
        ]
        assert not strangers


class TestTime:
    def test_is_read_from_one_clock(self):
        read = [
            place(path, node)
            for path in room_sources() + composition_sources()
            if path != ROOT / "core" / "clock.py"
            for node in ast.walk(parse(path))
            if called(node) in {"datetime.now", "datetime.utcnow", "date.today", "datetime.today"}
        ]
        assert not read

    def test_is_passed_to_operations_and_queries(self):
        read = [
            place(path, node)
            for path in room_sources()
            if path.name in {"operations.py", "queries.py"}
            for node in ast.walk(parse(path))
            if called(node) in {"clock.now", "now"}
        ]
        assert not read


class TestModules:
    def test_are_named_after_what_they_are_about(self):
        vague = [
            path
            for path in room_sources()
            if path.stem in FORBIDDEN_NAMES or path.parent.name in FORBIDDEN_NAMES
        ]
        assert not vague

    def test_are_short_enough_to_read(self):
        long = [
            f"{path.relative_to(ROOT)}: {lines} lines"
            for path in room_sources() + composition_sources()
            if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
        ]
        assert not long

    def test_consist_of_functions_that_fit_a_screen(self):
        long = [
            f"{place(path, function)} {function.name}: {length} lines"
            for path in room_sources() + composition_sources()
            for function in functions(parse(path))
            if (length := self.length(function)) > LONGEST_FUNCTION
            # What only returns a table is as long as its table.
            if not isinstance(function.body[-1], ast.Return) or len(function.body) > 3
        ]
        assert not long

    def length(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
        """Return how many lines a function's statements take, without its signature and its promise."""
        first = function.body[1 if ast.get_docstring(function) and len(function.body) > 1 else 0]
        return (function.end_lineno or 0) - first.lineno + 1

    def test_are_shipped(self):
        made = {
            ".".join(path.parent.relative_to(ROOT).parts)
            for folder in (*ROOMS, "migrations", "demo")
            for path in (ROOT / folder).rglob("__init__.py")
        }
        assert made == set(PROJECT["tool"]["setuptools"]["packages"])


class TestTests:
    def test_are_mirrored_to_the_modules_they_are_about(self):
        """At the edges a test may be about a whole behaviour, such as what is told during an outage."""
        astray = [
            path.relative_to(ROOT)
            for room in set(ROOMS) - {"pos_api", "web"}
            for path in (ROOT / "tests" / room).rglob("test_*.py")
            if not self.about(path)
        ]
        assert not astray

    def about(self, test: Path) -> bool:
        """Return whether a module or template folder bears the name that the test does."""
        room = ROOT / test.relative_to(ROOT / "tests").parts[0]
        subject = test.stem.removeprefix("test_")
        return any(subject in {path.stem, path.name} for path in room.rglob("*"))

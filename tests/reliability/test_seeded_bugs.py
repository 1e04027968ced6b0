"""
H1: a green run counts only if known bugs turn it red.

Two bugs a commit are put into a copy of the product, each by itself, and the row that they belong to must fail there,
by an assertion of its own. That every bug still fits the product is looked at in every run.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.reliability.rotation import ROOT, pick
from tests.reliability.seeded_bugs import BUGS, Bug

EACH_RUN = 2
LEFT_BEHIND = shutil.ignore_patterns(".*", "data", "__pycache__", "docs", "benchmarks")


def bugs() -> list[object]:
    """Return this commit's bugs, and all of them for a soak."""
    mine = pick(BUGS, EACH_RUN)
    return [
        pytest.param(bug, id=bug.name.replace(" ", "_"), marks=() if bug in mine else pytest.mark.soak)
        for bug in BUGS
    ]


@pytest.fixture
def copy(tmp_path) -> Path:
    """A copy of the product that may be spoilt."""
    there = tmp_path / "product"
    shutil.copytree(ROOT, there, ignore=LEFT_BEHIND)
    return there


def spoil(product: Path, bug: Bug) -> None:
    for change in bug.changes:
        file = product / change.file
        file.write_text(file.read_text().replace(change.old, change.new))


def outcome(product: Path, bug: Bug, server_url: str) -> tuple[str, str]:
    """Run the bug's row on `product`; return what became of it ("passed", "failed", "broken") and all that was said."""
    report = product / "report.xml"
    given = {"REGULARS_MOST": "30", "DATABASE_URL": server_url, "PYTHONDONTWRITEBYTECODE": "1"}
    words = ["-x", "-q", "-p", "no:cacheprovider", "--timeout", "250", f"--junit-xml={report}", bug.row]
    if bug.story:
        words += ["-k", bug.story]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=product,
        env=os.environ | given,
        capture_output=True,
        text=True,
        check=False,
    )
    if not report.exists():
        return "broken", done.stdout + done.stderr
    cases = list(ET.parse(report).iter("testcase"))
    failures = [failure.get("message", "") for case in cases for failure in case.iter("failure")]
    failures += [error.get("message", "") for case in cases for error in case.iter("error")]
    if done.returncode == 0 and cases:
        return "passed", done.stdout
    return ("failed" if done.returncode == 1 and failures else "broken"), done.stdout + done.stderr


class TestASeededBug:
    @pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name.replace(" ", "_"))
    def test_fits_the_product(self, bug):
        for change in bug.changes:
            there = (ROOT / change.file).read_text().count(change.old)
            assert there == 1, f"{change.file} has {there} times: {change.old}"

    @pytest.mark.parametrize("bug", bugs())
    def test_turns_its_row_red(self, copy, server_url, publish, bug):
        spoil(copy, bug)
        what, said = outcome(copy, bug, server_url)
        assert what == "failed", f"{bug.row} {what}\n{said[-4000:]}"
        assert "Error" in said, said[-4000:]
        publish(f"H1: {bug.name}: caught by {bug.row.rpartition('::')[2]}")

    def test_has_its_turn(self, publish):
        mine = pick(BUGS, EACH_RUN)
        publish(
            f"H1: {len(mine)} of {len(BUGS)} seeded bugs; not run: the other {len(BUGS) - len(mine)}, "
            f"whose turn comes within {-(-len(BUGS) // EACH_RUN)} commits and in dev soak"
        )
        assert len(BUGS) >= 12

"""What a person sees of a long command: how far it got, and its last words only when it failed."""

import sys

import pytest

from devtools.console import LAST_LINES, Missing, run_counted

EIGHT = "for n in range(8): print('Collecting', n); print('  noise')"


def run(program: str) -> None:
    run_counted(
        [sys.executable, "-c", program], counts="Collecting ", total=8, what="it failed", mend="mend it"
    )


class TestRunCounted:
    def test_says_each_quarter_and_nothing_of_the_noise(self, capfd):
        run(EIGHT)
        assert capfd.readouterr().err.split("\n") == [f"    {n} of 8" for n in (2, 4, 6, 8)] + [""]

    def test_shows_the_last_lines_of_what_failed(self, capfd):
        with pytest.raises(Missing, match="exit code 3"):
            run("for n in range(40): print('line', n)\nraise SystemExit(3)")
        shown = capfd.readouterr().err.splitlines()
        assert shown == [f"    line {n}" for n in range(40 - LAST_LINES, 40)]

    def test_names_what_cannot_be_started(self):
        with pytest.raises(Missing, match="it failed"):
            run_counted(["/no/such/program"], counts="x", total=1, what="it failed", mend="")

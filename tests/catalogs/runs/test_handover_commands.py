"""`regulars catalogs handover`: what leaves the house by a command."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from catalogs.runs.handover_commands import handover
from core.commandline import Workplace
from tests.catalogs.run import Run
from tests.catalogs.runs.test_handover_preparing import ask, begin, kill


@pytest.mark.usefixtures("at_home", "in_november")
class TestHandover:
    @pytest.fixture
    def hand_over(self, run: Run, database_url: str):
        def hand_over(kind: str, out: Path | None = None) -> Result:
            place = () if out is None else ("--out", str(out))
            arguments = (run.view.run_code, "--kind", kind, *place, "--json")
            with closing(Workplace(run.data, database_url)) as workplace:
                return CliRunner().invoke(handover, arguments, obj=workplace)

        return hand_over

    def test_goes_on_with_one_that_was_killed_and_writes_its_file_again(
        self, run: Run, hand_over, tmp_path: Path
    ):
        run.make()
        handover_id = ask(run, "zip")
        kill(run, begin(run))
        first, again = tmp_path / "first.zip", tmp_path / "again.zip"
        told = json.loads(hand_over("zip", first).stdout)
        kept = run.handover(handover_id)
        assert (told["state"], told["copies"]) == (kept.state, kept.copies) == ("handed", 4)
        assert told["sha256"] == kept.sha256.hex()
        assert json.loads(hand_over("zip", again).stdout)["sha256"] == told["sha256"]
        assert first.read_bytes() == again.read_bytes() == (run.data / kept.path).read_bytes()
        assert not list(tmp_path.glob("*.part*"))

    def test_ends_with_2_where_nothing_waits_and_nothing_was_handed_over(
        self, run: Run, hand_over, tmp_path: Path
    ):
        assert hand_over("print", tmp_path / "early.pdf").exit_code == 2
        run.make()
        assert hand_over("email").exit_code == 2
        assert not (tmp_path / "early.pdf").exists()

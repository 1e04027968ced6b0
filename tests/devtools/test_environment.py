import subprocess
import sys

import pytest

from devtools import doctor, environment
from devtools.console import Missing
from devtools.environment import SCRIPT, plain


class TestScript:
    def test_works_in_any_folder(self, tmp_path):
        folder = tmp_path / ("a folder with spaces, ěšč and a long name " * 4).strip()
        folder.mkdir()
        python = folder / "python"
        python.symlink_to(sys.executable)
        script = folder / "regulars"
        script.write_text(SCRIPT.format(python=python, found=folder / "found.sh"))
        script.chmod(0o755)
        (folder / "found.sh").write_text("export LD_LIBRARY_PATH='/unpacked'\n")
        (folder / "cli.py").write_text("import os, sys; print(os.environ['LD_LIBRARY_PATH'], sys.argv[1:])\n")
        done = subprocess.run(
            [script, "mine", "two words"],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"},
        )
        assert done.stdout == "/unpacked ['mine', 'two words']\n"


class TestPlain:
    def test_drops_what_would_bend_our_python(self):
        bent = {
            "PYTHONPATH": "/x",
            "PYTHONHOME": "/y",
            "VIRTUAL_ENV": "/z",
            "PATH": "/bin",
            "LANG": "cs_CZ.UTF-8",
        }
        kept = plain(bent)
        assert set(kept) == {"PATH", "LANG"}
        assert kept["PATH"].endswith(":/bin")


class TestReadiness:
    def test_ends_with_another_lock(self, tmp_path, monkeypatch):
        lock = tmp_path / "requirements.lock"
        lock.write_text("a==1\n")
        monkeypatch.setattr(environment, "LOCK", lock)
        monkeypatch.setattr(environment, "STAMP", tmp_path / "made-from")
        assert not environment.is_ready()
        environment.STAMP.write_text(environment._recipe())
        assert environment.is_ready()
        lock.write_text("a==2\n")
        assert not environment.is_ready()


class TestALink:
    """`.venv` of one checkout led to another's: it was neither removed nor filled, but a traceback is no answer."""

    @pytest.fixture
    def elsewhere(self, tmp_path, monkeypatch):
        other = tmp_path / "other"
        (other / "bin").mkdir(parents=True)
        (other / "bin" / "python").symlink_to(sys.executable)
        link = tmp_path / ".venv"
        link.symlink_to(other)
        monkeypatch.setattr(environment, "VENV", link)
        monkeypatch.setattr(environment, "PYTHON", link / "bin" / "python")
        monkeypatch.setattr(environment, "STAMP", link / "made-from")
        return other

    @staticmethod
    def files(folder):
        return sorted(str(path) for path in folder.rglob("*"))

    @pytest.mark.parametrize("made", [None, "recipe 1\nplace /elsewhere/.venv\n"])
    def test_to_another_s_environment_is_refused_with_the_line_that_mends_it(self, elsewhere, made):
        if made:
            (elsewhere / "made-from").write_text(made)
        before = self.files(elsewhere)
        with pytest.raises(Missing) as refused:
            environment.prepare({"PATH": "/usr/bin:/bin"})
        assert str(elsewhere) in str(refused.value)
        assert refused.value.mend.startswith(f"rm {environment.VENV}; ")
        assert self.files(elsewhere) == before
        assert environment.VENV.is_symlink()
        assert doctor._environment().mend == refused.value.mend

    def test_that_leads_nowhere_is_refused_too(self, elsewhere):
        environment.VENV.unlink()
        environment.VENV.symlink_to(elsewhere / "gone")
        with pytest.raises(Missing):
            environment.prepare({"PATH": "/usr/bin:/bin"})
        assert not (elsewhere / "gone").exists()

    def test_under_which_the_environment_was_made_is_used(self, elsewhere):
        (elsewhere / "made-from").write_text(environment._recipe())
        before = self.files(elsewhere)
        environment.prepare({"PATH": "/usr/bin:/bin"})
        assert environment.VENV.is_symlink()
        assert self.files(elsewhere) == before

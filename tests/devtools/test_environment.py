import subprocess
import sys

from devtools import environment
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

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core import processes
from devtools.commands import CHECKS, main

ROOT = Path(__file__).parent.parent


def dev(*arguments, python=sys.executable, **environment):
    return subprocess.run(
        [python, str(ROOT / "dev"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=dict(os.environ) | environment,
    )


class TestDev:
    def test_explains_itself(self):
        done = dev("--help")
        assert done.returncode == 0
        for command in ("run", "test", "serve", "doctor", "bench", "soak"):
            assert f"\n    {command} " in done.stdout

    def test_may_be_called_by_its_name(self):
        assert subprocess.run([ROOT / "dev", "--help"], capture_output=True, check=False).returncode == 0

    def test_refuses_what_it_does_not_know(self):
        assert dev("serve", "--prot", "80").returncode == 2
        assert dev("dance").returncode == 2

    def test_has_nothing_that_an_old_python_cannot_read(self):
        text = (ROOT / "dev").read_text()
        guard, _, rest = text.partition("from devtools")
        assert rest
        assert 'f"' not in guard
        assert "match " not in guard
        assert ":=" not in guard

    def test_tells_the_doctors_findings_by_its_exit_code(self, tmp_path):
        done = dev("doctor", DATABASE_URL="postgresql://somewhere/else")
        missing = [line for line in done.stdout.splitlines() if line.startswith("MISSING")]
        assert done.returncode == (1 if missing else 0)
        assert done.stdout.count("mend: ") == len(missing)
        done = dev("doctor", PATH=str(tmp_path))
        assert done.returncode == 1
        assert "MISSING git" in done.stdout


class TestMain:
    def test_names_what_is_missing_and_how_to_mend_it(self, capsys, monkeypatch):
        monkeypatch.setattr("devtools.environment.prepare", lambda _environment: None)
        monkeypatch.setattr("devtools.libraries.provide", lambda _packages, _environment: None)
        assert main(["bench", "no_such_benchmark"]) == 3
        said = capsys.readouterr().err.splitlines()
        assert said[0] == "dev: no benchmark no_such_benchmark"
        assert said[1].startswith("mend: python3 dev bench")

    def test_asks_for_the_port_before_the_long_work(self, capsys):
        with socket.create_server(("127.0.0.1", 0)) as other:
            assert main(["run", "--port", str(other.getsockname()[1])]) == 3
        assert "cannot be used" in capsys.readouterr().err

    def test_stops_what_it_started_when_it_is_stopped(self, tmp_path):
        mark = tmp_path / "mark"
        work = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
        code = f"import os, sys; from devtools.commands import _call; sys.exit(_call([sys.executable, '-c', {work!r}], os.environ))"
        with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as caller:
            while not (mark.exists() and mark.read_text()):
                time.sleep(0.05)
            caller.terminate()
            assert caller.wait() == 128 + signal.SIGTERM
        assert processes.gone(int(mark.read_text()), patience=10)

    @pytest.mark.parametrize("name", CHECKS)
    def test_can_call_every_check(self, name):
        arguments = [sys.executable, *CHECKS[name], "--help"]
        assert subprocess.run(arguments, capture_output=True, check=False, cwd=ROOT).returncode == 0

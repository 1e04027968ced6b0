import base64
import functools
import hashlib
import http.server
import threading
from urllib.parse import urlsplit

import pytest

from devtools import index
from devtools.console import Missing
from devtools.index import PIP, PUBLIC_INDEX, fetch_pip, read_settings

WHEEL = b"what a wheel would hold"


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home/.config/pip").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def surroundings(home, tmp_path, monkeypatch):
    """An environment in which pip would see only the files of this test."""
    monkeypatch.setattr(index, "EVERYBODYS", tmp_path / "none")
    return {"HOME": str(home), "XDG_CONFIG_DIRS": str(tmp_path / "xdg")}


@pytest.fixture
def pinned(monkeypatch):
    """Pin our small wheel instead of pip's own."""
    monkeypatch.setattr(index, "PIP_SHA256", hashlib.sha256(WHEEL).hexdigest())


@pytest.fixture
def site(tmp_path):
    """A package index on this machine that asks for a name and a password, and tells where pip lies."""
    folder = tmp_path / "site"
    (folder / "simple/pip").mkdir(parents=True)
    (folder / "files").mkdir()
    (folder / "files" / PIP).write_bytes(WHEEL)
    page = f'<a href="../../files/pip-1.0.tar.gz">old</a> <a href="../../files/{PIP}#sha256=00">{PIP}</a>'
    (folder / "simple/pip/index.html").write_text(page)
    login = "Basic " + base64.b64encode(b"anna:p@ss").decode()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.headers.get("Authorization") == login:
                super().do_GET()
            else:
                self.send_error(401)

        def log_message(self, *_words):
            pass

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


class TestReadSettings:
    def test_asks_the_public_index_where_nothing_is_set(self, surroundings):
        assert read_settings(surroundings).indexes == (PUBLIC_INDEX,)

    def test_lets_later_files_and_the_environment_win(self, surroundings, home, tmp_path):
        (tmp_path / "xdg/pip").mkdir(parents=True)
        (tmp_path / "xdg/pip/pip.conf").write_text("[global]\nindex-url = https://a/simple\ncert = /a.pem\n")
        (home / ".config/pip/pip.conf").write_text(
            "[global]\nindex_url = https://b/simple\n[install]\nextra-index-url =\n  https://c/simple\n  https://d/simple\n"
        )
        settings = read_settings(surroundings)
        assert settings.indexes == ("https://b/simple", "https://c/simple", "https://d/simple")
        assert settings.certificates == "/a.pem"
        settings = read_settings(
            surroundings | {"PIP_INDEX_URL": "https://e/simple", "PIP_FIND_LINKS": "/x /y"}
        )
        assert settings.indexes[0] == "https://e/simple"
        assert settings.links == ("/x", "/y")

    def test_reads_no_file_when_pip_would_not(self, surroundings, home):
        (home / ".config/pip/pip.conf").write_text("[global]\nindex-url = https://b/simple\n")
        assert read_settings(surroundings | {"PIP_CONFIG_FILE": "/dev/null"}).indexes == (PUBLIC_INDEX,)

    def test_asks_nobody_where_no_index_is_wanted(self, surroundings):
        assert read_settings(surroundings | {"PIP_NO_INDEX": "1"}).indexes == ()

    def test_says_the_same_to_uv(self, surroundings):
        words = read_settings(
            surroundings
            | {
                "PIP_INDEX_URL": "https://e/simple",
                "PIP_EXTRA_INDEX_URL": "https://f https://g",
                "PIP_CERT": "/c.pem",
            }
        ).for_uv()
        assert words["UV_DEFAULT_INDEX"] == "https://e/simple"
        assert words["UV_INDEX"] == "https://f https://g"
        assert words["SSL_CERT_FILE"] == "/c.pem"
        assert words["UV_INDEX_STRATEGY"] == "unsafe-best-match"


@pytest.mark.usefixtures("pinned")
class TestFetchPip:
    def test_follows_the_index_with_its_login(self, surroundings, site, tmp_path):
        settings = read_settings(surroundings | {"PIP_INDEX_URL": f"http://anna:p%40ss@{site}/simple"})
        wheel = fetch_pip(settings, tmp_path / "local")
        assert wheel.read_bytes() == WHEEL
        assert [path.name for path in (tmp_path / "local").iterdir()] == [PIP]

    def test_uses_what_is_there(self, surroundings, tmp_path):
        (tmp_path / PIP).write_bytes(WHEEL)
        assert fetch_pip(read_settings(surroundings | {"PIP_NO_INDEX": "1"}), tmp_path) == tmp_path / PIP

    def test_reads_an_index_of_files(self, surroundings, tmp_path, site):
        address = (tmp_path / "site/simple").as_uri()
        wheel = fetch_pip(read_settings(surroundings | {"PIP_INDEX_URL": address}), tmp_path / "local")
        assert wheel.read_bytes() == WHEEL

    def test_takes_it_from_a_folder_of_wheels(self, surroundings, tmp_path):
        (tmp_path / "wheels").mkdir()
        (tmp_path / "wheels" / PIP).write_bytes(WHEEL)
        settings = read_settings(
            surroundings | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels")}
        )
        assert fetch_pip(settings, tmp_path / "local").read_bytes() == WHEEL

    def test_refuses_another_file_of_that_name(self, surroundings, site, tmp_path):
        (tmp_path / "site/files" / PIP).write_bytes(b"malice")
        settings = read_settings(surroundings | {"PIP_INDEX_URL": f"http://anna:p%40ss@{site}/simple"})
        with pytest.raises(Missing, match="not the file that we trust"):
            fetch_pip(settings, tmp_path / "local")
        assert not list((tmp_path / "local").iterdir())

    def test_never_shows_a_password(self, surroundings, site, tmp_path):
        settings = read_settings(surroundings | {"PIP_INDEX_URL": f"http://anna:wrong@{site}/simple"})
        with pytest.raises(Missing, match="401") as refusal:
            fetch_pip(settings, tmp_path / "local")
        assert "wrong" not in str(refusal.value)
        assert urlsplit(f"http://{site}").netloc in str(refusal.value)

"""Where packages come from: pip's own settings, read without pip, and one pinned pip fetched by them."""

import base64
import configparser
import hashlib
import netrc
import os
import re
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit, urlunsplit

from devtools.console import Missing

PIP_VERSION = "26.3"
PIP = f"pip-{PIP_VERSION}-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
PUBLIC_INDEX = "https://pypi.org/simple"
EVERYBODYS = Path("/etc/pip.conf")
SECONDS = 60


@dataclass(frozen=True)
class Settings:
    """What pip would use here."""

    index: str | None
    extra: tuple[str, ...]
    links: tuple[str, ...]
    certificates: str | None
    trusted: tuple[str, ...]
    proxy: str | None
    no_index: bool

    @property
    def indexes(self) -> tuple[str, ...]:
        """The indexes to ask, in order."""
        return () if self.no_index else (self.index or PUBLIC_INDEX, *self.extra)

    def for_uv(self) -> dict[str, str]:
        """Return the same in uv's words; uv does not read pip's."""
        words = {
            "UV_DEFAULT_INDEX": self.index,
            "UV_INDEX": " ".join(self.extra),
            "UV_FIND_LINKS": ",".join(self.links),
            "SSL_CERT_FILE": self.certificates,
            "UV_INSECURE_HOST": " ".join(self.trusted),
            "UV_NO_INDEX": "1" if self.no_index else "",
            # As pip does: every index may offer a file, and the lock's hash decides whether it is the right one.
            "UV_INDEX_STRATEGY": "unsafe-best-match",
        }
        return {name: value for name, value in words.items() if value}


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return pip's settings for installing, from its files and from `environment`."""
    values: dict[str, str] = {}
    for file in _files(environment):
        values |= _read(file)
    for name, value in environment.items():
        if name.startswith("PIP_"):
            values[name[4:].lower().replace("_", "-")] = value
    return Settings(
        index=values.get("index-url") or None,
        extra=tuple(values.get("extra-index-url", "").split()),
        links=tuple(values.get("find-links", "").split()),
        certificates=values.get("cert") or None,
        trusted=tuple(values.get("trusted-host", "").split()),
        proxy=values.get("proxy") or None,
        no_index=values.get("no-index", "").lower() in {"1", "true", "yes", "on", "y", "t"},
    )


def _files(environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield pip's configuration files in the order in which later ones overrule earlier ones."""
    named = environment.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    home = Path(environment.get("HOME") or Path.home())
    for folder in reversed((environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")):
        yield Path(folder) / "pip" / "pip.conf"
    yield EVERYBODYS
    yield home / ".pip" / "pip.conf"
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    if environment.get("VIRTUAL_ENV"):
        yield Path(environment["VIRTUAL_ENV"]) / "pip.conf"
    if named:
        yield Path(named)


def _read(file: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return {}
    found: dict[str, str] = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            found |= {key.replace("_", "-"): value for key, value in parser.items(section)}
    return found


def fetch_pip(settings: Settings, folder: Path) -> Path:
    """Return the pinned pip's wheel in `folder`, fetched and checked unless it is there."""
    wheel = folder / PIP
    if wheel.exists() and _sha256(wheel) == PIP_SHA256:
        return wheel
    folder.mkdir(parents=True, exist_ok=True)
    said: list[str] = []
    for url in _offers(settings, said):
        fresh = wheel.with_suffix(f".{os.getpid()}")
        try:
            with _open(url, settings) as source, fresh.open("wb") as target:
                shutil.copyfileobj(source, target)
            if _sha256(fresh) == PIP_SHA256:
                fresh.replace(wheel)
                return wheel
            said.append(f"{_shown(url)} is not the file that we trust")
        except OSError as error:
            said.append(f"{_shown(url)}: {error}")
        finally:
            fresh.unlink(missing_ok=True)
    raise Missing(
        f"pip could not be fetched ({'; '.join(said) or 'no index is configured'})",
        "export PIP_INDEX_URL=https://YOUR-INDEX/simple, or as root: apt-get install -y python3-venv",
    )


def _offers(settings: Settings, said: list[str]) -> Iterator[str]:
    """Yield the addresses at which the pinned pip is offered."""
    for link in settings.links:
        local = Path(unquote(urlsplit(link).path) if link.startswith("file:") else link)
        if (local / PIP).exists():
            yield (local / PIP).absolute().as_uri()
    pages = [f"{index.rstrip('/')}/pip/" for index in settings.indexes]
    for page in (*pages, *(link for link in settings.links if link.startswith("http"))):
        address = page + "index.html" if page.startswith("file:") else page
        try:
            with _open(address, settings) as answer:
                text, base = answer.read().decode("utf-8", "replace"), answer.geturl() or address
        except (OSError, ValueError) as error:
            said.append(f"{_shown(page)}: {error}")
            continue
        offered = [link for link in _links(text) if urldefrag(link)[0].rsplit("/", 1)[-1] == PIP]
        if not offered:
            said.append(f"{_shown(page)} does not offer {PIP}")
        for link in offered:
            # An answer's address has lost the name and password that the index's address carried.
            yield _with_login(urljoin(base, urldefrag(link)[0]), page)


def _links(page: str) -> list[str]:
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value for name, value in attrs if tag == "a" and name == "href" and value)

    Reader().feed(page)
    return found


def _with_login(url: str, like: str) -> str:
    """Return `url` with the login of `like` where it leads to the same host."""
    there, here = urlsplit(url), urlsplit(like)
    if there.hostname == here.hostname and "@" in here.netloc and "@" not in there.netloc:
        return urlunsplit(there._replace(netloc=f"{here.netloc.rpartition('@')[0]}@{there.netloc}"))
    return url


def _open(url: str, settings: Settings) -> "urllib.request._UrlopenRet":
    parts = urlsplit(url)
    request = urllib.request.Request(
        urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])),
        headers={"Accept": "text/html, application/octet-stream;q=0.9, */*;q=0.1"},
    )
    name, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not name and parts.hostname:
        name, password = _netrc(parts.hostname)
    if name:
        login = base64.b64encode(f"{name}:{password}".encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {login}")
    context = ssl.create_default_context(cafile=settings.certificates)
    if parts.hostname in {host.partition(":")[0] for host in settings.trusted}:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=context)]
    if settings.proxy:
        handlers.append(urllib.request.ProxyHandler({"http": settings.proxy, "https": settings.proxy}))
    return urllib.request.build_opener(*handlers).open(request, timeout=SECONDS)


def _netrc(host: str) -> tuple[str, str]:
    try:
        entry = netrc.netrc().authenticators(host)
    except (OSError, netrc.NetrcParseError):
        return "", ""
    return (entry[0], entry[2] or "") if entry else ("", "")


def _shown(url: str) -> str:
    """Return `url` without a password in it."""
    return re.sub(r"//[^/@]*@", "//", url)


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()

"""Libraries and programs of the operating system: which are missing, and how they come."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from devtools.console import Missing, run, say, step
from devtools.environment import FOUND, LOCAL

TO_RUN = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "libgomp1")
TO_TEST = (*TO_RUN, "poppler-utils", "chromium")
SHARED = {
    "libpango-1.0-0": "libpango-1.0.so.0",
    "libpangoft2-1.0-0": "libpangoft2-1.0.so.0",
    "libharfbuzz-subset0": "libharfbuzz-subset.so.0",
    "libgomp1": "libgomp.so.1",
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ELSEWHERE = {
    "dnf": "dnf install -y pango harfbuzz libgomp poppler-utils chromium",
    "zypper": "zypper install -y libpango-1_0-0 libharfbuzz-subset0 libgomp1 poppler-tools chromium",
    "pacman": "pacman -S --noconfirm pango harfbuzz gcc-libs poppler chromium",
}
PRIVATE = LOCAL / "debian"
"""Where an ordinary user's Debian packages are unpacked."""
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>/usr/share/fonts</dir>
  <dir>{private}/usr/share/fonts</dir>
  <cachedir>{local}/fontconfig</cachedir>
</fontconfig>
"""


def with_private(environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` in which what was unpacked for an ordinary user is found, and the browser named."""
    found = dict(environment)
    if PRIVATE.is_dir():
        before = [found["LD_LIBRARY_PATH"]] if found.get("LD_LIBRARY_PATH") else []
        found["LD_LIBRARY_PATH"] = os.pathsep.join([*_library_folders(), *before])
        found["FONTCONFIG_FILE"] = str(LOCAL / "fonts.conf")
        found["PATH"] = f"{found.get('PATH', os.defpath)}{os.pathsep}{PRIVATE / 'usr/bin'}"
    browser = _browser(found)
    return found | ({"REGULARS_CHROMIUM": browser} if browser else {})


def _library_folders() -> list[str]:
    folders = [path for part in ("usr/lib", "lib") for path in PRIVATE.glob(f"{part}/*-linux-gnu*")]
    return [str(folder / below) for below in (".", "pulseaudio") for folder in folders]


def _browser(environment: Mapping[str, str]) -> str | None:
    named = environment.get("REGULARS_CHROMIUM")
    found = (shutil.which(name, path=environment.get("PATH")) for name in BROWSERS)
    return named or next((path for path in found if path), None)


def missing(packages: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Return those of `packages` whose library does not load or whose program is not there."""
    within = with_private(environment)
    there = {
        "poppler-utils": shutil.which("pdftotext", path=within["PATH"]) is not None,
        "chromium": "REGULARS_CHROMIUM" in within,
    }
    return [name for name in packages if not (there[name] if name in there else _loads(SHARED[name], within))]


def _loads(library: str, environment: Mapping[str, str]) -> bool:
    # The loader reads its path at a process' start, so that a process of its own must try.
    command = [sys.executable, "-c", f"import ctypes; ctypes.CDLL({library!r})"]
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0


def mend(packages: Sequence[str]) -> str:
    """Return the line that brings `packages` on this system."""
    if shutil.which("apt-get"):
        return f"as root: apt-get update && apt-get install -y --no-install-recommends {' '.join(packages)}"
    for program, line in ELSEWHERE.items():
        if shutil.which(program):
            return f"as root: {line}"
    return f"install what Debian calls {' '.join(packages)}"


def provide(packages: Sequence[str], environment: Mapping[str, str]) -> None:
    """Bring what is missing of `packages`; raise Missing, with the line to type, where we cannot."""
    wanted = missing(packages, environment)
    if not wanted:
        return
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Missing(f"these libraries and programs are missing: {' '.join(wanted)}", mend(wanted))
    with step(f"Fetching {' '.join(wanted)} from Debian"):
        if os.geteuid() == 0:
            _install(wanted, environment)
        else:
            _unpack(wanted, environment)
    left = missing(packages, environment)
    if left:
        raise Missing(f"still missing: {' '.join(left)}", mend(left))


def _install(packages: Sequence[str], environment: Mapping[str, str]) -> None:
    quiet = {**environment, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "-o", "APT::Color=0"]
    _update(apt, quiet)
    run(
        [*apt, "install", "-y", "--no-install-recommends", *packages],
        what=f"apt-get could not install {' '.join(packages)}",
        mend=mend(packages),
        environment=quiet,
    )


def _unpack(packages: Sequence[str], environment: Mapping[str, str]) -> None:
    """Fetch `packages` and what they need beyond what is installed, and unpack them beside the environment."""
    lists, cache = LOCAL / "apt/lists", LOCAL / "apt/cache"
    for folder in (lists / "partial", cache / "archives/partial"):
        folder.mkdir(parents=True, exist_ok=True)
    # Locks would be taken in the system's folders, which we neither can nor change.
    options = {
        "Dir::State::lists": str(lists),
        "Dir::Cache": str(cache),
        "Debug::NoLocking": "1",
        "APT::Color": "0",
    }
    apt = ["apt-get", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
    _update(apt, environment)
    run(
        [*apt, "install", "-y", "--no-install-recommends", "--download-only", *packages],
        what=f"apt-get could not download {' '.join(packages)}",
        mend=mend(packages),
        environment=environment,
    )
    PRIVATE.mkdir(parents=True, exist_ok=True)
    for archive in sorted((cache / "archives").glob("*.deb")):
        run(
            ["dpkg-deb", "-x", archive, PRIVATE],
            what=f"{archive.name} could not be unpacked",
            mend=mend(packages),
        )
        archive.unlink()
    # Debian's launcher reads its settings from the system's folders; the program itself minds not where it lies.
    program, launcher = PRIVATE / "usr/lib/chromium/chromium", PRIVATE / "usr/bin/chromium"
    if program.exists():
        launcher.unlink(missing_ok=True)
        launcher.symlink_to(program)
    (LOCAL / "fonts.conf").write_text(FONTS.format(private=PRIVATE, local=LOCAL))
    words = {
        "LD_LIBRARY_PATH": os.pathsep.join(_library_folders()),
        "FONTCONFIG_FILE": str(LOCAL / "fonts.conf"),
    }
    FOUND.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in words.items()))


def _update(apt: Sequence[str], environment: Mapping[str, str]) -> None:
    try:
        run([*apt, "update"], what="apt-get update", mend="", environment=environment)
    except Missing as error:
        # One broken source among many is no reason to stop: what we want may be in the others.
        say(f"    {error}; going on with what is there")

"""What others made: recorded, unchanged, licensed, and used."""

import hashlib
import json
import re
from pathlib import Path

WEB = Path(__file__).parents[2] / "web"
VENDOR = WEB / "static/vendor"
RECORD = json.loads((VENDOR / "VENDOR.json").read_text())["packages"]
ALLOWED = {"0BSD", "Apache-2.0", "OFL-1.1", "ISC", "MIT", "BSD-3-Clause"}


class TestVendored:
    def test_files_are_those_recorded(self):
        recorded = {name: digest for package in RECORD for name, digest in package["files"].items()}
        for name, digest in recorded.items():
            assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name
        present = {
            path.name
            for path in VENDOR.iterdir()
            if not path.name.startswith(("LICENSE", "NOTICE", "VENDOR"))
        }
        assert present == {name for name in recorded if not name.startswith("..")}

    def test_packages_name_their_licence(self):
        for package in RECORD:
            assert package["licence"] in ALLOWED
            assert (VENDOR / package["licence_file"]).exists()

    def test_pages_reach_for_nothing_outside(self):
        for path in [*WEB.rglob("*.html"), *WEB.glob("static/css/**/*.css"), *WEB.glob("static/js/**/*.js")]:
            outside = re.findall(
                r"(?:src|href|url\(|import|fetch\()[^\n]{0,5}[\"'(]?(?:https?:)?//", path.read_text()
            )
            assert not outside, path


class TestIcons:
    def test_are_all_there_and_all_used(self):
        sprite = set(re.findall(r'<symbol id="([\w-]+)"', (WEB / "static/icons.svg").read_text()))
        sources = "\n".join(
            path.read_text() for suffix in ("py", "html") for path in WEB.rglob(f"*.{suffix}")
        )
        words = set(re.findall(r"[\"']([a-z0-9]+(?:-[a-z0-9]+)*)[\"']", sources))
        named = set(re.findall(r"icon\(\"([\w-]+)\"", sources)) - {""}
        assert named - sprite == set()
        assert sprite - words == set()

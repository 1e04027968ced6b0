import hashlib
import json
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = {name for name in PROJECT["tool"]["setuptools"]["packages"] if "." not in name}
RECORDS = sorted(record for name in PACKAGES for record in (ROOT / name).rglob("VENDOR.json"))


def entries(value):
    """Every part of a record that names a package and its files."""
    if isinstance(value, dict):
        if "package" in value:
            yield value
        for part in value.values():
            yield from entries(part)
    elif isinstance(value, list):
        for part in value:
            yield from entries(part)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: str(record.parent.relative_to(ROOT)))
class TestVendored:
    def test_packages_are_named_in_the_notice(self, record):
        notice = (ROOT / "NOTICE").read_text()
        packages = list(entries(json.loads(record.read_text())))
        assert packages
        for package in packages:
            assert package["package"] in notice
            assert package["version"]
            assert package["licence"]

    def test_files_are_what_their_record_says(self, record):
        for package in entries(json.loads(record.read_text())):
            for name, sha256 in package["files"].items():
                assert hashlib.sha256((record.parent / name).read_bytes()).hexdigest() == sha256, name


class TestLicence:
    def test_is_the_one_that_the_project_states(self):
        assert "Apache License" in (ROOT / "LICENSE").read_text()
        assert PROJECT["project"]["license"] == "Apache-2.0"

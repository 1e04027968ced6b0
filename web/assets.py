"""Addresses of our own files, which change with their content."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

from flask import url_for

STATIC: Final = Path(__file__).resolve().parent / "static"


def asset(name: str) -> str:
    """Return the address of a file of ours; it changes with the file, so browsers keep it for ever."""
    return url_for("assets.static", filename=name, v=_fingerprint(name))


@lru_cache(maxsize=256)
def _fingerprint(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]

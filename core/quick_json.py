"""
JSON for what is written all day: as `json` writes it without spaces, in a thirtieth of the time.

What only `json` can say (an integer beyond 64 bits, half of a surrogate pair, a named tuple) is left to it.
"""

import json
from collections.abc import Callable
from typing import Any

import orjson


def written(document: Any, *, default: Callable[[Any], Any] | None = None) -> bytes:
    """
    Return `document` as compact JSON in UTF-8, in the order of its members.

    Half of a surrogate pair, which UTF-8 cannot say, is written as an escape. What JSON has no form for is
    what `default` makes of it; raises TypeError without one, but for what has a usual form: moments, days and UUIDs.
    """
    try:
        return orjson.dumps(document, default=default)
    except TypeError:
        return json.dumps(document, separators=(",", ":"), default=default).encode()


def text_of(document: Any, *, default: Callable[[Any], Any] | None = None) -> str:
    """Return `document` as `written` does, as a text."""
    return written(document, default=default).decode()

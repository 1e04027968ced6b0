"""Conditions within conditions, as fields of the builder: parts are added and taken away without losing the rest."""

import re
from typing import Final

from web.offers.fields import Given
from web.offers.forms import NESTED

_PART: Final = re.compile(r"(condition(?:\.of\.\d{1,3})*)\.of\.(\d{1,3})$")
_LIST: Final = re.compile(r"(condition(?:\.of\.\d{1,3})*)\.of$")
_HOURS: Final = "valid.hours"


def reshaped(given: Given, do: str) -> Given:
    """Return the fields after "add:condition.of" or "remove:condition.of.1"; any other wish leaves them as they are."""
    wish, _, path = do.partition(":")
    if wish == "add" and path == _HOURS:
        return given | {f"{_HOURS}.{_next(given, _HOURS)}.from": [""]}
    if wish == "add" and (found := _LIST.match(path)):
        return _added(given, found.group(1))
    if wish == "remove" and (found := _PART.match(path)):
        return _removed(given, f"{found.group(1)}.of", int(found.group(2)))
    return with_parts(given)


def with_parts(given: Given) -> Given:
    """Return the fields with the parts that the chosen kinds of conditions need: a set has two, a combination two."""
    found = dict(given)
    waiting = ["condition"]
    while waiting:
        path = waiting.pop()
        kind = (found.get(f"{path}.kind") or ["items"])[0]
        if kind not in NESTED | {"each"}:
            continue
        wanted = 1 if kind == "not" else 2
        while len(_numbers(found, f"{path}.of")) < wanted and not _numbers(given, f"{path}.of"):
            found = _added(found, path)
        if kind in NESTED:
            waiting += [f"{path}.of.{number}" for number in _numbers(found, f"{path}.of")]
    return found


def _added(given: Given, path: str) -> Given:
    kind = (given.get(f"{path}.kind") or ["items"])[0]
    place = f"{path}.of.{_next(given, f'{path}.of')}"
    new: Given = {f"{place}.quantity": ["1"]}
    if kind in NESTED:
        new[f"{place}.kind"] = ["items"]
    return given | new


def _removed(given: Given, path: str, number: int) -> Given:
    """Return the fields without one part; the parts after it move up."""
    place = re.compile(re.escape(path) + r"\.(\d{1,3})\.(.+)$")
    found: Given = {}
    for name, values in given.items():
        part = place.match(name)
        if part is None:
            found[name] = values
            continue
        here = int(part.group(1))
        if here != number:
            found[f"{path}.{here - (here > number)}.{part.group(2)}"] = values
    return found


def _numbers(given: Given, path: str) -> list[int]:
    place = re.compile(re.escape(path) + r"\.(\d{1,3})\.")
    return sorted({int(found.group(1)) for name in given if (found := place.match(name))})


def _next(given: Given, path: str) -> int:
    return max(_numbers(given, path), default=-1) + 1

"""Bodies: what tills send, read as JSON or refused with exactly what is wrong, and what they hear."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from flask import Response, request
from werkzeug.exceptions import ClientDisconnected

from core.quick_json import written
from pos_api.problems import Problem, invalid_content, pointer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MEBIBYTE = 1 << 20

MOST_DROPPED = 64 * MEBIBYTE
"""So much of a body that is too large is taken in before it is refused; beyond that the connection breaks."""
BLOCK = 1 << 16

LONGEST_LENGTH = 10
"""Digits of a length that needs no care."""

LONGEST_INTEGER = 4300
"""Digits that Python reads; a longer integer is out of every range anyway."""


_Trail: TypeAlias = "tuple[_Trail, str | int] | None"
"""Where a value stands, innermost step first; shared by siblings, so that depth costs nothing."""

_Fault: TypeAlias = tuple[tuple[str | int, ...], str]
"""Where something cannot be kept, from the outside in, and why."""


class _Twice:
    """Stands for a value whose name stood twice in one object."""


class _RepeatedName(Exception):  # noqa: N818
    """A name stands twice in one object; which value was meant is unknowable."""


def read(limit: int = MEBIBYTE) -> bytes:
    """Return the body of the current request; a wrong type, encoding or size raises its `Problem`."""
    environ = request.environ
    stated_length = environ.get("CONTENT_LENGTH", "")
    if (
        environ.get("CONTENT_TYPE") == "application/json"
        and "HTTP_CONTENT_ENCODING" not in environ
        and "HTTP_TRANSFER_ENCODING" not in environ
        and stated_length.isdecimal()
        and len(stated_length) < LONGEST_LENGTH
        and int(stated_length) <= limit
    ):
        # As nearly every till says it: there is nothing to look up about it.
        length, take = int(stated_length), environ["wsgi.input"].read
        raw: bytes = take(length)
        while len(raw) < length and (more := take(length - len(raw))):
            raw += more
        if len(raw) < length:
            raise Problem("malformed", "The body ended early.")
        return raw
    return _read_with_care(limit)


def _read_with_care(limit: int) -> bytes:
    if request.mimetype != "application/json":
        raise Problem("unsupported_media_type", "Send Content-Type: application/json.")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem("unsupported_media_type", "Send the body without Content-Encoding.")
    stated = request.content_length
    too_large = Problem("too_large", f"The body is over {limit} bytes.")
    if stated is not None and stated > limit:
        _drop(stated)
        raise too_large
    # One byte more than allowed: Werkzeug cuts a body without a stated length at its limit in silence.
    request.max_content_length = limit + 1
    try:
        raw = request.get_data(cache=False)
    except ClientDisconnected as error:
        raise Problem("malformed", "The body ended early.") from error
    if len(raw) > limit:
        raise too_large
    if stated is not None and len(raw) < stated:
        raise Problem("malformed", "The body ended early.")
    return raw


def _drop(stated: int) -> None:
    """Take a body in without keeping it: who is still sending does not listen to an answer."""
    request.max_content_length = stated
    left = min(stated, MOST_DROPPED)
    with suppress(ClientDisconnected, OSError):
        while left > 0 and (block := request.stream.read(min(left, BLOCK))):
            left -= len(block)


def parse(raw: bytes) -> dict[str, Any]:
    """
    Return the JSON object in `raw` without its nulls, which mean the same as absent.

    Raises `malformed` for what is not a JSON object in UTF-8, `invalid_content` for
    names that repeat, integers nobody can read and text that no database can keep.
    """
    document, faults = _parse(raw)
    if faults:
        raise invalid_content((pointer(*steps), detail) for steps, detail in faults)
    return document


def parse_each(raw: bytes, name: str) -> tuple[dict[str, Any], dict[int, Problem]]:
    """
    Return the JSON object in `raw`, and by index what is wrong inside an entry of its list `name`.

    A fault elsewhere is raised as by `parse`; entries that are wrong must not be read.
    """
    document, faults = _parse(raw)
    outside: list[tuple[str, str]] = []
    wrong: dict[int, list[tuple[str, str]]] = {}
    for steps, detail in faults:
        match steps:
            case (str(first), int(index), *rest) if first == name:
                wrong.setdefault(index, []).append((pointer(*rest), detail))
            case _:
                outside.append((pointer(*steps), detail))
    if outside:
        raise invalid_content(outside)
    return document, {index: invalid_content(found) for index, found in wrong.items()}


def _parse(raw: bytes) -> tuple[dict[str, Any], Sequence[_Fault]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem("malformed", f"The body is not UTF-8 at byte {error.start}.") from error
    faults: Sequence[_Fault] = ()
    try:
        try:
            document = _DECODER.decode(text)
        except json.JSONDecodeError:
            raise
        except (_RepeatedName, ValueError):
            # Told apart only now, so that a good body is read at full speed.
            document = _FORGIVING_DECODER.decode(text)
            faults = tuple(_unreadable(document))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem("malformed", f"The body is not JSON at {where}: {error.msg}.") from error
    except RecursionError as error:
        raise Problem("malformed", "The body is nested too deeply.") from error
    if type(document) is not dict:
        raise Problem("malformed", "The body is not a JSON object.")
    if not faults and "\\u" in text:
        # Only an escape can bring in what UTF-8 or PostgreSQL cannot hold.
        faults = tuple(_unreadable(document))
    return document, faults


def from_path(*parts: str) -> None:
    """Raise `not_found` for parts of an address that no database can keep; so nothing there is called so."""
    if not all(map(_keepable, parts)):
        raise Problem("not_found", "There is nothing of this name.")


class Whole(Response):
    """An answer whose headers are all known when it is made: they are sent as they stand, not looked through again."""

    more: Sequence[tuple[str, str]] = ()
    """Headers that every answer carries, sent after its own."""

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a WSGI server."""
        if environ["REQUEST_METHOD"] == "HEAD":
            self.headers.extend(self.more)
            return super().__call__(environ, start_response)
        start_response(self.status, [*self.headers, *self.more])
        return [self.get_data()]


def answer(document: Mapping[str, Any], status: int = 200) -> Response:
    """Return `document` as the whole answer; nobody on the way may keep it."""
    content = written(document)
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
        "Cache-Control": "no-store",
    }
    return Whole(content, status, headers)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise _RepeatedName
    if None in names.values():
        return {name: value for name, value in pairs if value is not None}
    return names


def _object_with_faults(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for name, value in pairs:
        names[name] = _Twice if name in names else value
    return {name: value for name, value in names.items() if value is not None}


def _no_constant(name: str) -> Any:
    raise Problem("malformed", f"{name} is not JSON.")


def _integer(digits: str) -> Any:
    return int(digits) if len(digits) < LONGEST_INTEGER else float("inf")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)
_FORGIVING_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_with_faults, parse_constant=_no_constant, parse_int=_integer
)


def _unreadable(document: Any) -> Iterator[_Fault]:
    """Yield what can be parsed but not kept; an explicit stack, since input decides the depth."""
    waiting: list[tuple[_Trail, Any]] = [(None, document)]
    while waiting:
        trail, value = waiting.pop()
        if value is _Twice:
            yield _steps(trail), "The name stands twice in this object."
        elif value == float("inf"):
            yield _steps(trail), "The number is out of range."
        elif isinstance(value, str):
            if not _keepable(value):
                yield _steps(trail), "The text has a NUL or half a surrogate pair."
        elif isinstance(value, dict):
            if not all(map(_keepable, value)):
                yield _steps(trail), "A name has a NUL or half a surrogate pair."
            waiting.extend(((trail, name), inner) for name, inner in value.items())
        elif isinstance(value, list):
            waiting.extend(((trail, index), inner) for index, inner in enumerate(value))


def _steps(trail: _Trail) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    while trail:
        trail, step = trail
        steps.append(step)
    return tuple(reversed(steps))


def _keepable(text: str) -> bool:
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

"""Pieces of PDF made once and laid into many files: only the numbers of their objects differ from file to file."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pikepdf

NAME = re.compile(rb"/[^\x00-\x20()<>\[\]{}/%]+")
NAMED = ("/ColorSpace", "/ExtGState", "/Font", "/Pattern", "/Properties", "/Shading", "/XObject")
"""The kinds of resources that a content stream calls by name."""

Pieces = tuple[bytes | int, ...]
"""An object as bytes, where a number stands for the reference to another object of the same part."""


@dataclass(frozen=True, slots=True)
class Part:
    """Objects that belong together, such as a drawing or a font; the first is the one that others refer to."""

    objects: tuple[Pieces, ...]

    def numbered(self, first: int) -> Iterator[bytes]:
        """Yield the objects in their order, as if the first of them had the number `first`."""
        for pieces in self.objects:
            if len(pieces) == 1 and isinstance(pieces[0], bytes):
                yield pieces[0]
            else:
                yield b"".join(
                    piece if isinstance(piece, bytes) else b"%d 0 R" % (first + piece) for piece in pieces
                )


def part_of(top: pikepdf.Object) -> Part:
    """
    Return an object with everything it refers to, always the same bytes for the same look.

    Resources that a stream does not use are left out, and those it uses get names by the order of
    their use: what else was in the document that it was made in leaves no trace.
    """
    return Part(_Reading(top).objects())


class _Reading:
    """One part as it is read."""

    def __init__(self, top: pikepdf.Object) -> None:
        self._numbers: dict[tuple[int, int], int] = {}
        self._found: list[pikepdf.Object] = []
        self._number(top)

    def objects(self) -> tuple[Pieces, ...]:
        """Return the objects, the top one first."""
        done: list[Pieces] = []
        while len(done) < len(self._found):
            pieces = list(self._whole(self._found[len(done)]))
            done.append(_joined(pieces))
        return tuple(done)

    def _number(self, thing: pikepdf.Object) -> int:
        key = thing.objgen
        if key not in self._numbers or key == (0, 0):
            self._numbers[key] = len(self._found)
            self._found.append(thing)
        return self._numbers[key]

    def _whole(self, thing: pikepdf.Object) -> Iterator[bytes | int]:
        if not isinstance(thing, pikepdf.Stream):
            yield from self._value(thing, top=True)
            return
        entries: dict[str, Any] = {key: value for key, value in thing.items() if key != "/Length"}
        data = thing.read_raw_bytes()
        if entries.get("/Subtype") == "/Form":
            content, resources = _lean(thing.read_bytes(), entries.get("/Resources"))
            entries["/Resources"] = resources
            entries.pop("/DecodeParms", None)
            entries["/Filter"] = pikepdf.Name.FlateDecode
            data = zlib.compress(content, 9)
        elif "/Filter" not in entries:
            entries["/Filter"] = pikepdf.Name.FlateDecode
            data = zlib.compress(data, 9)
        entries["/Length"] = len(data)
        yield from self._dictionary(entries)
        yield b"\nstream\n" + data + b"\nendstream"

    def _value(self, value: Any, *, top: bool = False) -> Iterator[bytes | int]:
        if isinstance(value, pikepdf.Object) and value.is_indirect and not top:
            yield self._number(value)
        elif isinstance(value, pikepdf.Dictionary):
            yield from self._dictionary(dict(value.items()))
        elif isinstance(value, dict):
            yield from self._dictionary(value)
        elif isinstance(value, pikepdf.Array):
            yield b"["
            for at, each in enumerate(value):
                if at:
                    yield b" "
                yield from self._value(each)
            yield b"]"
        elif isinstance(value, pikepdf.Object):
            yield value.unparse()
        elif isinstance(value, bool):
            yield b"true" if value else b"false"
        else:
            yield str(value).encode("ascii")

    def _dictionary(self, entries: dict[str, Any]) -> Iterator[bytes | int]:
        yield b"<<"
        for key in sorted(entries):
            yield key.encode("ascii") + b" "
            yield from self._value(entries[key])
        yield b">>"


def _lean(content: bytes, resources: Any) -> tuple[bytes, dict[str, Any]]:
    """Return a content stream and the resources it uses, under names given by the order of their use."""
    if resources is None:
        return content, {}
    have = {
        (kind, name): resources[kind][name] for kind in NAMED if kind in resources for name in resources[kind]
    }
    # A string may look as if it used a name; then names stay, and everything with them.
    plain = b"(" not in content
    used = {found.group().decode("ascii") for found in NAME.finditer(content)} if plain else None
    kept = {key: thing for key, thing in have.items() if used is None or key[1] in used}
    names: dict[str, str] = {}
    if plain and len({name for _kind, name in kept}) == len(kept):
        for found in NAME.finditer(content):
            name = found.group().decode("ascii")
            if any(key[1] == name for key in kept):
                names.setdefault(name, f"/R{len(names)}")
        content = NAME.sub(
            lambda found: names.get(found.group().decode("ascii"), found.group().decode("ascii")).encode(
                "ascii"
            ),
            content,
        )
    lean: dict[str, Any] = {}
    for (kind, name), thing in kept.items():
        lean.setdefault(kind, {})[names.get(name, name)] = thing
    return content, lean


def _joined(pieces: list[bytes | int]) -> Pieces:
    """Return pieces with neighbouring bytes put together."""
    joined: list[bytes | int] = []
    for piece in pieces:
        if joined and isinstance(piece, bytes) and isinstance(joined[-1], bytes):
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)


@lru_cache(maxsize=4_000)
def text_string(text: str) -> bytes:
    """Return text as PDF writes it outside of what is shown on pages."""
    if text.isascii() and text.isprintable():
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        return b"(" + escaped.encode("ascii") + b")"
    return b"<feff" + sound(text).encode("utf-16-be").hex().encode("ascii") + b">"


def sound(text: str) -> str:
    """Return text with halves of signs, which no file may hold, as the mark for what could not be read."""
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")

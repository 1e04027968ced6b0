"""
POSLog files read transaction by transaction, in memory that does not grow with the file.

What a file cannot be read for at all is one named error with its line. A document type and with it
every entity is refused before the elements are looked at; nothing outside the file is ever fetched.
"""

import gzip
import xml.etree.ElementTree as ET
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, cast
from xml.parsers.expat import ExpatError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from core.tabular import DAMAGED, UnreadableFile

NAMESPACE = "http://www.nrf-arts.org/IXRetail/namespace/"
ROOT = f"{{{NAMESPACE}}}POSLog"
TRANSACTION = f"{{{NAMESPACE}}}Transaction"
BLOCK = 1 << 15
"""Bytes that are read at a time: what they make stays near the processor, which doubles the speed."""
MOST_BYTES = 16 << 20
"""A transaction that goes on for longer than this is none, and is not kept in memory to find out."""


def is_poslog(path: Path) -> bool:
    """Return whether a file is XML, by its first bytes; raises `UnreadableFile` when it cannot be opened."""
    try:
        with path.open("rb") as file, _plain(file) as plain:
            start = plain.read(64)
    except OSError as error:
        if isinstance(error, DAMAGED):
            return False
        raise UnreadableFile(f"{path}: {error.strerror}") from error
    except DAMAGED:
        return False
    marks = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
    for mark in marks:
        start = start.removeprefix(mark)
    return start.replace(b"\x00", b"").lstrip().startswith(b"<")


def _plain(file: BufferedReader) -> IO[bytes]:
    packed = file.peek(2)[:2] == b"\x1f\x8b"
    return cast("IO[bytes]", gzip.open(file)) if packed else file


class _Target:
    """Makes nothing of what the guard reads."""

    def close(self) -> None:
        """End the document."""


class _Guard:
    """Reads ahead of everybody: refuses document types and entities, and notes the lines of transactions."""

    def __init__(self) -> None:
        self.lines: deque[int] = deque()
        self._parser = DefusedXMLParser(target=_Target(), forbid_dtd=True)
        self._expat = self._parser.parser
        # Nobody asks for what stands between the elements.
        self._expat.DefaultHandlerExpand = None
        self._expat.StartElementHandler = self._start

    def feed(self, block: bytes) -> None:
        self._parser.feed(block)

    def close(self) -> None:
        self._parser.close()

    def _start(self, name: str, _attributes: Any) -> None:
        if name == "http://www.nrf-arts.org/IXRetail/namespace/}Transaction":
            self.lines.append(self._expat.CurrentLineNumber)


class PoslogReader(AbstractContextManager["PoslogReader"]):
    """
    A POSLog file, plain or .gz, to be read once from beginning to end.

    Raises `UnreadableFile` when opened, and while reading where the rest is not well-formed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise UnreadableFile(f"{path}: {error.strerror}") from error

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def percent(self) -> int:
        """Return how much of the file has been read."""
        return min(100, 100 * self._file.tell() // max(self._path.stat().st_size, 1))

    def transactions(self) -> Iterator[tuple[int, ET.Element]]:
        """Yield each transaction with the line on which it begins; it is gone when the next is asked for."""
        guard = _Guard()
        parser: ET.XMLPullParser[Any] = ET.XMLPullParser(("start", "end"))
        root: ET.Element | None = None
        try:
            for block in self._blocks(guard):
                parser.feed(block) if block else parser.close()
                for event, element in cast("Iterator[tuple[str, ET.Element]]", parser.read_events()):
                    if root is None:
                        root = _checked(element, self._path)
                    if event == "end" and element.tag == TRANSACTION:
                        yield guard.lines.popleft(), element
                        root.clear()
                        self._since = 0
                if self._since > MOST_BYTES:
                    raise UnreadableFile(
                        f"{self._path.name}: no transaction ends within {MOST_BYTES >> 20} MiB"
                    )
        except DefusedXmlException as error:
            raise UnreadableFile(
                f"{self._path.name} declares a document type or entities, which are not read"
            ) from error
        except (ET.ParseError, ExpatError) as error:
            raise UnreadableFile(f"{self._path.name} is not well-formed XML: {error}") from error
        except DAMAGED as error:
            raise UnreadableFile(f"{self._path.name} is a damaged .gz file: {error}") from error

    def _blocks(self, guard: _Guard) -> Iterator[bytes]:
        """Yield the file in blocks that the guard has let pass, and nothing at its end."""
        self._since = 0
        plain = _plain(self._file)
        while block := plain.read(BLOCK):
            guard.feed(block)
            self._since += len(block)
            yield block
        guard.close()
        yield b""


def _checked(root: ET.Element, path: Path) -> ET.Element:
    if root.tag != ROOT:
        raise UnreadableFile(f"{path.name} is no POSLog: it begins with {root.tag}, not with {ROOT}")
    return root

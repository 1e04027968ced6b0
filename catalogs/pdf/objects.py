"""Objects of a PDF file as they are written one after the other, and the table that says where each begins."""

import zlib
from struct import Struct

from catalogs.pdf.parts import Part

HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
ENTRY = Struct(">BIH")
"""An entry of the table: 1, offset, 0 for an object by itself; 2, number of its pack, place in it for a packed one."""
IN_A_PACK = 200
"""So many small objects are packed together; a reader unpacks all to see one."""


class Objects:
    """
    Objects numbered from `first` on, the first byte of which stands at `offset` in their file.

    `level` says how hard small ones are packed.
    """

    def __init__(self, first: int, offset: int, *, level: int = 9) -> None:
        self.level = level
        self.first = first
        self.next = first
        self.offset = offset
        self.chunks: list[bytes] = []
        self.entries: dict[int, bytes] = {}
        self._small: list[tuple[int, bytes]] = []

    def reserve(self) -> int:
        """Return the number of an object that is written later."""
        self.next += 1
        return self.next - 1

    def enter(self, number: int, kind: int, where: int, place: int) -> None:
        """Note where an object stands."""
        self.entries[number] = ENTRY.pack(kind, where, place)

    def write(self, number: int, body: bytes) -> None:
        """Write an object by itself, as streams must be."""
        chunk = b"%d 0 obj\n%b\nendobj\n" % (number, body)
        self.enter(number, 1, self.offset, 0)
        self.chunks.append(chunk)
        self.offset += len(chunk)

    def stream(self, number: int, deflated: bytes) -> None:
        """Write a stream that is deflated already and has no other entries."""
        self.write(
            number,
            b"<</Filter /FlateDecode/Length %d>>\nstream\n%b\nendstream" % (len(deflated), deflated),
        )

    def part(self, part: Part) -> int:
        """Write the objects of a part and return the number of the first."""
        first = self.next
        self.next += len(part.objects)
        for number, body in enumerate(part.numbered(first), start=first):
            self.write(number, body)
        return first

    def pack(self, number: int, body: bytes) -> None:
        """Take a small object to be packed with others."""
        self._small.append((number, body))
        if len(self._small) == IN_A_PACK:
            self.close()

    def close(self) -> None:
        """Write the small objects that wait."""
        if not self._small:
            return
        own = self.reserve()
        heads: list[bytes] = []
        at = 0
        for place, (number, body) in enumerate(self._small):
            heads.append(b"%d %d" % (number, at))
            self.enter(number, 2, own, place)
            at += len(body) + 1
        head = b" ".join(heads) + b"\n"
        data = zlib.compress(head + b"\n".join(body for _number, body in self._small), self.level)
        self.write(
            own,
            b"<</Type /ObjStm/N %d/First %d/Filter /FlateDecode/Length %d>>\nstream\n%b\nendstream"
            % (len(self._small), len(head), len(data), data),
        )
        self._small.clear()

    def table(self) -> bytes:
        """Return the entries of the objects from `first` on, every one of which must have been written."""
        return b"".join(self.entries[number] for number in range(self.first, self.next))

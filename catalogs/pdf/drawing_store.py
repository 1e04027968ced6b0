"""Drawings kept on disk from run to run: whoever needs one that looks the same reads it instead of drawing it again."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from struct import Struct, error
from typing import Final

from catalogs.layouts import Fragment, Theme
from catalogs.pdf.parts import Part, Pieces
from catalogs.pdf.typefaces import FONTS
from core.whole_files import whole_file

FOLDER: Final = "drawings"
"""Under the data folder. It may be removed at any time: what is missing is drawn again."""
MOST: Final = 4_000
"""So many drawings of one design are kept before all are forgotten, which bounds the disk."""
LARGEST: Final = 512 * 1024
"""Bytes of a drawing that is kept: a large photograph is set faster than it is worth to keep twice."""

_ROOT: Final = Path(__file__).resolve().parents[1]
_PROGRAMS: Final = (
    "layouts.py",
    "pdf/typesetting.py",
    "pdf/parts.py",
    "pdf/papercut.py",
    "pdf/drawing_store.py",
)
"""What makes a drawing what it is, beside the theme and the libraries."""
_LIBRARIES: Final = ("weasyprint", "pydyf", "pikepdf", "fonttools", "jinja2")
_DIGEST: Final = 32
_NUMBER: Final = Struct(">I")
_PIECE: Final = Struct(">?I")
"""Whether it is a reference, and its number; else how many bytes follow."""


class DrawingStore:
    """
    The drawings of one design under `folder`, found by everything that shows.

    A design is a theme in a size as it looks to the letter: with its files, the faces, and the programs that draw it.
    Those of designs that the theme had before are removed. What cannot be read or written is as if it were not there.
    """

    def __init__(self, folder: Path, theme: Theme) -> None:
        kind = f"{theme.name}-{theme.size}-"
        self._folder = folder / f"{kind}{design_digest(theme)[:24]}"
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for other in folder.glob(f"{kind}*"):
                if other != self._folder:
                    shutil.rmtree(other, ignore_errors=True)
            if sum(1 for _ in self._folder.iterdir()) > MOST:
                for path in self._folder.iterdir():
                    path.unlink(missing_ok=True)

    def find(self, fragment: Fragment, picture: bytes) -> Part | None:
        """Return the drawing of `fragment`, for which `picture` is what its picture's file holds, if it is kept."""
        try:
            kept = self._path(fragment, picture).read_bytes()
        except OSError:
            return None
        digest, packed = kept[:_DIGEST], kept[_DIGEST:]
        if sha256(packed).digest() != digest:
            return None
        with suppress(error):
            return Part(tuple(_unpacked(packed)))
        return None

    def keep(self, fragment: Fragment, picture: bytes, part: Part) -> None:
        """Keep a drawing for whoever needs it next; it appears when it is whole."""
        packed = _packed(part)
        if len(packed) > LARGEST:
            return
        path = self._path(fragment, picture)
        with suppress(OSError), whole_file(path, durable=False) as file:
            file.write(sha256(packed).digest() + packed)

    def _path(self, fragment: Fragment, picture: bytes) -> Path:
        return self._folder / sha256(repr(fragment).encode() + b"\0" + picture).hexdigest()[:40]


@lru_cache(maxsize=16)
def design_digest(theme: Theme) -> str:
    """Return what tells designs apart that do not look the same, in hexadecimal digits."""
    digest = sha256(repr((theme.data, theme.size)).encode())
    for name in _LIBRARIES:
        digest.update(f"{name} {version(name)}\n".encode())
    files = [_ROOT / name for name in _PROGRAMS]
    files += sorted(path for folder in (theme.folder, FONTS) for path in folder.iterdir() if path.is_file())
    for path in files:
        digest.update(f"{path.name}\n".encode() + sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _packed(part: Part) -> bytes:
    """Return a part as bytes: each object as the number of its pieces, and these."""
    packed = bytearray()
    for pieces in part.objects:
        packed += _NUMBER.pack(len(pieces))
        for piece in pieces:
            if isinstance(piece, int):
                packed += _PIECE.pack(True, piece)
            else:
                packed += _PIECE.pack(False, len(piece)) + piece
    return bytes(packed)


def _unpacked(packed: bytes) -> Iterator[Pieces]:
    at = 0
    while at < len(packed):
        (count,) = _NUMBER.unpack_from(packed, at)
        at += _NUMBER.size
        pieces: list[bytes | int] = []
        for _ in range(count):
            reference, number = _PIECE.unpack_from(packed, at)
            at += _PIECE.size
            if reference:
                pieces.append(number)
            else:
                pieces.append(packed[at : at + number])
                at += number
        yield tuple(pieces)

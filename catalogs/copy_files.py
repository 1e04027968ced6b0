"""Files of copies as the archive has them: read back and checked by their hash, and packed into a ZIP."""

import csv
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Final

from catalogs.runs.leaving_copies import CopyToSend
from core.errors import Conflict
from core.progress import Report, silent
from core.spreadsheets import harmless
from core.whole_files import whole_file

MANIFEST: Final = (
    "file",
    "copy_code",
    "member_code",
    "name",
    "language",
    "store",
    "channel",
    "pages",
    "sha256",
)


class ArchiveDamaged(Conflict):
    """A file of the archive is not the one that was made."""


def write_zip(path: Path, rows: list[CopyToSend], *, data: Path, report: Report = silent) -> None:
    """
    Write a ZIP of single files with a manifest; it appears when it is whole. Raises `ArchiveDamaged`.

    File names are copy codes, which hold no sign that any system minds; names of people stand in the manifest only,
    where none is taken for a formula.
    """
    with whole_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for number, row in enumerate(rows, start=1):
            content = read_archived(data, row.path, row.sha256)
            archive.writestr(f"{row.copy_code}.pdf", content)
            report(number, len(rows))
        archive.writestr("manifest.csv", "\ufeff" + "".join(_manifest(rows)), zipfile.ZIP_DEFLATED)


def _manifest(rows: list[CopyToSend]) -> Iterator[str]:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(MANIFEST)
    for row in rows:
        cells = (
            f"{row.copy_code}.pdf",
            row.copy_code,
            row.member_code,
            row.name,
            row.language,
            row.store_code or "",
            row.channel,
            str(row.pages),
            row.sha256.hex(),
        )
        writer.writerow([harmless(cell) for cell in cells])
    yield text.getvalue()


def read_archived(data: Path, path: str, digest: bytes) -> bytes:
    """Return a file of the archive exactly as it was made; raises `ArchiveDamaged`."""
    try:
        content = (data / path).read_bytes()
    except OSError as error:
        raise ArchiveDamaged(f"{path} is not in the archive") from error
    if sha256(content).digest() != digest:
        raise ArchiveDamaged(f"{path} is not what was made")
    return content

"""The catalogs that a customer may open: their own copies, exactly as the archive has them."""

import hashlib
import logging
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from catalogs.copy_lists import CopyRow, NoSuchCopy, copies_of_member, read_copy
from core.errors import NotFound
from web.state import state

_log = logging.getLogger(__name__)


class CopyFileMissing(NotFound):
    """The archive's row is there, but no file that it describes."""


@dataclass(frozen=True, slots=True)
class OwnCopy:
    """A copy as its reader sees it; `last_day` is the last on which its prices hold."""

    copy_id: UUID
    valid_from: date
    last_day: date
    pages: int
    size: int


def own_copies(session: Session, member_id: UUID) -> list[OwnCopy]:
    """Return the copies that a member was sent, the newest first."""
    return [
        OwnCopy(copy.copy_id, copy.valid_from, copy.valid_to - timedelta(days=1), copy.pages, copy.size)
        for copy in copies_of_member(session, member_id=member_id)
    ]


def own_copy(session: Session, *, copy_id: UUID, member_id: UUID) -> CopyRow:
    """Return one copy of a member; raises `NoSuchCopy`, for somebody else's too."""
    copy = read_copy(session, copy_id=copy_id)
    if copy.member_id != member_id:
        raise NoSuchCopy("There is no such copy")
    return copy


def document_of(copy: CopyRow) -> bytes:
    """Return a copy's PDF, which is the one that was made; raises `CopyFileMissing` for any other."""
    folder = state().data.resolve()
    path = (folder / copy.path).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        raise CopyFileMissing("The file of this copy is not in the data folder")
    document = path.read_bytes()
    if hashlib.sha256(document).digest() != copy.sha256:
        _log.error("the file of copy %s is not the one that was archived", copy.copy_code)
        raise CopyFileMissing("The file of this copy is not the one that was archived")
    return document

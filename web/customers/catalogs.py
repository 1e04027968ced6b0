"""The catalogs that a customer may open: their own copies, exactly as the archive has them."""

import hashlib
import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from catalogs.copy_lists import CopyRow, NoSuchCopy, copies_of_member
from contacts.reaction_lists import answers_of_member
from core.errors import NotFound
from customers.member_lists import read_member
from web.state import Customer, state

_log = logging.getLogger(__name__)
_MOST: Final = 200


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


def own_copies(session: Session, person: Customer, *, now: datetime) -> list[OwnCopy]:
    """
    Return the copies that a member may open, the newest first.

    What was sent stays theirs as it was. What is made and still waits for its hand-over may be read before,
    unless the member has refused something since, or objects to profiling: then it is made again first.
    Copies that were only made to be tried are nobody's.
    """
    return [
        OwnCopy(copy.copy_id, copy.valid_from, copy.valid_to - timedelta(days=1), copy.pages, copy.size)
        for copy in _copies(session, person, now)
    ]


def is_made_again(session: Session, person: Customer, *, now: datetime) -> bool:
    """Return whether a copy is made anew before it goes out, since the member has refused something in between."""
    refused = [one for one in answers_of_member(session, person.member_id, now) if one.standing]
    gets_none = any(one.scope == "all" for one in refused)
    if not refused or gets_none or _objects(session, person):
        return False
    refused_at = max(one.known_at for one in refused)
    copies = copies_of_member(session, member_id=person.member_id, limit=_MOST)
    return any(_waits(copy) and copy.made_at <= refused_at and copy.valid_to > now.date() for copy in copies)


def own_copy(session: Session, *, copy_id: UUID, person: Customer, now: datetime) -> CopyRow:
    """Return one copy that a member may open; raises `NoSuchCopy`, for somebody else's too."""
    for copy in _copies(session, person, now):
        if copy.copy_id == copy_id:
            return copy
    raise NoSuchCopy("There is no such copy")


def _copies(session: Session, person: Customer, now: datetime) -> list[CopyRow]:
    copies = copies_of_member(session, member_id=person.member_id, limit=_MOST)
    objects = _objects(session, person)
    answers = answers_of_member(session, person.member_id, now)
    refused_at = max((answer.known_at for answer in answers if answer.standing), default=None)
    return [
        copy
        for copy in copies
        if copy.state == "sent"
        or (_waits(copy) and not objects and (refused_at is None or refused_at < copy.made_at))
    ]


def _objects(session: Session, person: Customer) -> bool:
    return read_member(session, member_id=person.member_id).profiling_objected_at is not None


def _waits(copy: CopyRow) -> bool:
    """Return whether a copy is made and on no way yet."""
    return copy.state == "made" and copy.channel is not None


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

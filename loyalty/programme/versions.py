"""Versions of the programme as they are stored: those in force, and all there are."""

from typing import Final

from core.errors import NotFound
from loyalty.models import ProgrammeVersion
from loyalty.programme.codec import read_rules, rules_document
from loyalty.programme.rules import Approved, Programme, Programmes
from loyalty.stored_versions import RulesVersion, StoredVersions

Version = RulesVersion[Programme]


class VersionNotFound(NotFound):
    """There is no version of the programme of this number."""


_STORED: Final[StoredVersions[Programme, Programmes]] = StoredVersions(
    table=ProgrammeVersion,
    read=read_rules,
    write=rules_document,
    gather=lambda approved: Programmes(Approved(*one) for one in approved),
    missing=lambda version: VersionNotFound(f"there is no version {version} of the programme"),
)

programmes: Final = _STORED.in_force
read_programmes: Final = _STORED.read_in_force
forget_copy: Final = _STORED.forget
all_versions: Final = _STORED.all
find_version: Final = _STORED.find
version_document: Final = _STORED.document

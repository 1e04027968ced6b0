"""Versions of the tiers as they are stored: those in force, and all there are."""

from typing import Final

from core.errors import NotFound
from loyalty.stored_versions import RulesVersion, StoredVersions
from loyalty.tiers.codec import read_scheme, scheme_document
from loyalty.tiers.models import TierScheme
from loyalty.tiers.scheme import ApprovedScheme, Scheme, Schemes

SchemeVersion = RulesVersion[Scheme]


class SchemeNotFound(NotFound):
    """There is no version of the tiers of this number."""


_STORED: Final[StoredVersions[Scheme, Schemes]] = StoredVersions(
    table=TierScheme,
    read=read_scheme,
    write=scheme_document,
    gather=lambda approved: Schemes(ApprovedScheme(*one) for one in approved),
    missing=lambda version: SchemeNotFound(f"there is no version {version} of the tiers"),
)

schemes: Final = _STORED.in_force
read_schemes: Final = _STORED.read_in_force
forget_schemes: Final = _STORED.forget
all_schemes: Final = _STORED.all
find_scheme: Final = _STORED.find
version_document: Final = _STORED.document

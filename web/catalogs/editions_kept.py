"""An edition as its editor finds it: with the run that it belongs to."""

import json
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalogs.models import CatalogRun, Edition
from core.errors import NotFound

EDITED = ("draft", "proofed")
"""In these states of its run an edition may be changed."""


class NoSuchEdition(NotFound):
    """There is no such edition."""


@dataclass(frozen=True, slots=True)
class EditionKept:
    """An edition and its run; one of no run was made to be tried and is not edited."""

    edition: Edition
    run: CatalogRun | None

    @property
    def may_change(self) -> bool:
        """Whether its pages can be changed now."""
        return self.run is not None and self.run.state in EDITED

    @property
    def countries(self) -> tuple[str, ...]:
        """In the stores of which countries the readers of its run shop; empty is everywhere."""
        return tuple(self.run.countries) if self.run else ()

    @property
    def seen(self) -> str:
        """A mark of what the pages are now: who saves others than those they saw is told."""
        pages = json.dumps(self.edition.content.get("pages"), sort_keys=True)
        return sha256(pages.encode()).hexdigest()


def edition_kept(session: Session, edition_id: UUID, *, to_change: bool = False) -> EditionKept:
    """Return an edition with its run, and let nobody else change it meanwhile if asked; raises `NoSuchEdition`."""
    edition = session.get(Edition, edition_id, with_for_update=to_change)
    if edition is None:
        raise NoSuchEdition("There is no such edition.")
    run = session.scalar(select(CatalogRun).where(CatalogRun.catalog_run_id == edition.catalog_run_id))
    return EditionKept(edition, run)

"""Writes: opening editions, and putting copies into the archive."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalogs.models import CatalogCopy, Edition
from core.ids import uuid7

CONTENT_FORMAT = 2
"""How an edition's content is written; format 1 had no pages, batches and size."""


@dataclass(frozen=True, slots=True)
class PlannedPage:
    """
    A page as it was planned; every copy gets it, each with what its own store has.

    An article that the store has not, or the member refused, gives its place to the next fitting one.
    """

    layout: str
    headline: Mapping[str, str] = field(default_factory=dict)
    """By language; where it is missing it is made from the articles."""
    articles: tuple[int, ...] = ()
    """What is wanted, in order."""
    pinned: tuple[int, ...] = ()
    """Those of them that a person put there, and that no plan moves any more."""


@dataclass(frozen=True, slots=True)
class EditionPlan:
    """What an edition is made of, before any shop or member is looked at."""

    group_id: str
    group_name: str
    categories: tuple[str, ...]
    """What the group is about, the best tied first; empty where members have no theme in common."""
    colour: int
    ranking: tuple[int, ...]
    """Articles, the strongest for this group first."""
    beside: Mapping[str, Sequence[str]]
    """Which categories a rule ties to which."""
    pages: tuple[PlannedPage, ...] = ()
    """The themed pages; where there are none, the theme deals its own from `ranking`."""
    voucher_batches: tuple[str, ...] = ()
    """Of which batches every copy carries a voucher of its own."""
    size: str = "A4"


@dataclass(frozen=True, slots=True)
class OpenEdition:
    """An edition that copies are made of."""

    edition_id: UUID
    edition_code: str
    theme: str
    valid_from: date
    valid_to: date
    plan: EditionPlan

    @property
    def last_day(self) -> date:
        """The last day on which the catalog holds."""
        return self.valid_to - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ArchivedCopy:
    """One finished copy."""

    copy_code: str
    edition_id: UUID
    member_id: UUID
    store_id: int
    language: str
    path: str
    sha256: bytes
    size: int
    pages: int
    picks: list[dict[str, Any]]
    channel: str | None = None


def edition_code(group_id: str, theme: str, valid_from: date) -> str:
    """Return the code of an edition, fit for a file name: "2026-W48-g7-trh"."""
    week = valid_from.isocalendar()
    group = re.sub(r"[^A-Za-z0-9]+", "-", group_id).strip("-") or "group"
    return f"{week.year}-W{week.week:02}-{group}-{theme}"


def open_edition(
    session: Session,
    plan: EditionPlan,
    *,
    run_id: UUID,
    theme: str,
    valid_from: date,
    valid_to: date,
    now: datetime,
) -> OpenEdition:
    """Return the edition of no run of a group for a period, made from `plan` unless it is there already."""
    session.execute(
        insert(Edition)
        .values(
            edition_id=uuid7(),
            edition_code=edition_code(plan.group_id, theme, valid_from),
            run_id=run_id,
            group_id=plan.group_id,
            group_name=plan.group_name,
            theme=theme,
            valid_from=valid_from,
            valid_to=valid_to,
            created_at=now,
            content=content_of(plan),
        )
        .on_conflict_do_nothing()
    )
    edition = session.scalars(
        select(Edition).where(
            Edition.catalog_run_id.is_(None),
            Edition.group_id == plan.group_id,
            Edition.valid_from == valid_from,
            Edition.theme == theme,
        )
    ).one()
    return opened(edition)


def opened(edition: Edition) -> OpenEdition:
    """Return an edition as copies are made of it."""
    return OpenEdition(
        edition.edition_id,
        edition.edition_code,
        edition.theme,
        edition.valid_from,
        edition.valid_to,
        plan_in(edition.content, group_id=edition.group_id, group_name=edition.group_name),
    )


def content_of(plan: EditionPlan) -> dict[str, Any]:
    """Return a plan as an edition's content keeps it."""
    return {
        "format": CONTENT_FORMAT,
        "categories": list(plan.categories),
        "colour": plan.colour,
        "ranking": list(plan.ranking),
        "beside": {category: list(others) for category, others in plan.beside.items()},
        "pages": [
            {
                "layout": page.layout,
                "headline": dict(page.headline),
                "articles": list(page.articles),
                "pinned": list(page.pinned),
            }
            for page in plan.pages
        ],
        "voucher_batches": list(plan.voucher_batches),
        "size": plan.size,
    }


def plan_in(content: Mapping[str, Any], *, group_id: str, group_name: str) -> EditionPlan:
    """Return the plan that an edition's content keeps, in the present format or the one before."""
    return EditionPlan(
        group_id=group_id,
        group_name=group_name,
        categories=tuple(content["categories"]),
        colour=content["colour"],
        ranking=tuple(content["ranking"]),
        beside={category: tuple(others) for category, others in content["beside"].items()},
        pages=tuple(
            PlannedPage(
                page["layout"], dict(page["headline"]), tuple(page["articles"]), tuple(page["pinned"])
            )
            for page in content.get("pages", ())
        ),
        voucher_batches=tuple(content.get("voucher_batches", ())),
        size=content.get("size", "A4"),
    )


def archive_copies(session: Session, copies: Sequence[ArchivedCopy], *, now: datetime) -> None:
    """Put finished copies into the archive; one that is there already stays as it was sent."""
    if copies:
        session.execute(
            insert(CatalogCopy).on_conflict_do_nothing(),
            [
                {
                    "copy_id": uuid7(),
                    "copy_code": copy.copy_code,
                    "edition_id": copy.edition_id,
                    "member_id": copy.member_id,
                    "store_id": copy.store_id,
                    "language": copy.language,
                    "path": copy.path,
                    "sha256": copy.sha256,
                    "size": copy.size,
                    "pages": copy.pages,
                    "picks": copy.picks,
                    "made_at": now,
                    "channel": copy.channel,
                }
                for copy in copies
            ],
        )

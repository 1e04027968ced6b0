"""Offers as lists show them: one row for each code, its versions, and what is used, held and left of its budget."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from core.keyset import Ask, BadCursor, Page
from rewards.models import OfferCounter, OfferHold, OfferVersion
from rewards.offer_decisions import OfferVersionNotFound
from web.offers.names import Json

SORTS: Final = ("code", "name", "state", "start", "end", "spent")
STATES: Final = ("runs", "planned", "draft", "exhausted", "over", "stopped", "ended")
_LATEST: Final = datetime(9999, 12, 1, tzinfo=UTC)
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Spent:
    """What is used of an offer, and what quotes hold of it now; amounts in minor units."""

    uses: int = 0
    amount: int = 0
    held_uses: int = 0
    held_amount: int = 0


@dataclass(frozen=True, slots=True)
class OfferVersionView:
    """One version of an offer, as it stands."""

    offer_code: str
    version: int
    document: Json
    state: str
    imported_live: bool
    drafted_by: str
    drafted_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None
    live_from: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    end_reason: str | None

    def names(self, language: str) -> str:
        """Return what the offer is called in `language`, else in English, else in any, else its code."""
        named = self.document.get("name") or {}
        return str(named.get(language) or named.get("en") or next(iter(named.values()), self.offer_code))

    @property
    def start(self) -> datetime | None:
        """The first moment of its period."""
        return _moment(self.document, "from")

    @property
    def end(self) -> datetime | None:
        """The moment with which its period is over."""
        return _moment(self.document, "to")


@dataclass(frozen=True, slots=True)
class OfferRow:
    """An offer: the version that says most about it, the draft that waits, and its budget."""

    version: OfferVersionView
    draft: int | None
    spent: Spent
    state: str


_COLUMNS = tuple(getattr(OfferVersion, name) for name in OfferVersionView.__dataclass_fields__)
_RANK = case({"live": 0, "draft": 1}, value=OfferVersion.state, else_=2)
"""Of a code the live version says most, then its newest draft, then its newest version."""


def find_offer_version(session: Session, code: str, version: int | None = None) -> OfferVersionView:
    """Return a version of an offer, the one that says most when none is named; raises `OfferVersionNotFound`."""
    statement = select(*_COLUMNS).where(OfferVersion.offer_code == code)
    if version is not None:
        statement = statement.where(OfferVersion.version == version)
    row = session.execute(statement.order_by(_RANK, OfferVersion.version.desc()).limit(1)).one_or_none()
    if row is None:
        raise OfferVersionNotFound(
            f"there is no offer {code}" + (f" of version {version}" if version else "")
        )
    return OfferVersionView(*row)


def base_version(session: Session, code: str) -> OfferVersionView:
    """Return what an edit begins from: the newest draft, else what is live, else the newest version."""
    row = session.execute(
        select(*_COLUMNS)
        .where(OfferVersion.offer_code == code, OfferVersion.state == "draft")
        .order_by(OfferVersion.version.desc())
        .limit(1)
    ).one_or_none()
    return OfferVersionView(*row) if row else find_offer_version(session, code)


def versions_of_code(session: Session, code: str) -> list[OfferVersionView]:
    """Return the versions of an offer, the newest first."""
    rows = session.execute(
        select(*_COLUMNS).where(OfferVersion.offer_code == code).order_by(OfferVersion.version.desc())
    )
    return [OfferVersionView(*row) for row in rows]


def live_versions(session: Session) -> list[OfferVersionView]:
    """Return the live versions, by code."""
    rows = session.execute(
        select(*_COLUMNS).where(OfferVersion.state == "live").order_by(OfferVersion.offer_code)
    )
    return [OfferVersionView(*row) for row in rows]


def all_offers(session: Session, *, now: datetime) -> list[OfferRow]:
    """Return a row for each offer, by code."""
    rows = session.execute(
        select(*_COLUMNS)
        .ext(distinct_on(OfferVersion.offer_code))
        .order_by(OfferVersion.offer_code, _RANK, OfferVersion.version.desc())
    )
    drafts = {
        code: int(newest)
        for code, newest in session.execute(
            select(OfferVersion.offer_code, func.max(OfferVersion.version))
            .where(OfferVersion.state == "draft")
            .group_by(OfferVersion.offer_code)
        )
    }
    spent = spent_by_code(session, now=now)
    found = []
    for row in rows:
        version = OfferVersionView(*row)
        used = spent.get(version.offer_code, Spent())
        found.append(OfferRow(version, drafts.get(version.offer_code), used, standing(version, used, now)))
    return found


def list_offers(offers: Sequence[OfferRow], ask: Ask, *, language: str) -> Page[OfferRow]:
    """Return a page of `offers`; filters state, stage and store, words in code or name. Raises `BadCursor`."""
    rows = [row for row in offers if _fits(row, ask, language)]
    keys: dict[str, Callable[[OfferRow], Any]] = {
        "code": lambda row: row.version.offer_code,
        "name": lambda row: row.version.names(language).casefold(),
        "state": lambda row: STATES.index(row.state),
        "start": lambda row: row.version.start or _EARLIEST,
        "end": lambda row: row.version.end or _LATEST,
        "spent": lambda row: row.spent.amount,
    }
    rows.sort(key=lambda row: (keys[ask.sort](row), row.version.offer_code), reverse=ask.descending)
    return page_of(rows, ask)


def page_of(rows: Sequence[OfferRow], ask: Ask) -> Page[OfferRow]:
    """Return the part of sorted rows that is asked for."""
    first = _place(ask.after) if ask.after else max(0, _place(ask.before) - ask.limit) if ask.before else 0
    last = first + ask.limit
    return Page(
        tuple(rows[first:last]),
        _cursor(last) if last < len(rows) else None,
        _cursor(first) if first else None,
        len(rows),
    )


def standing(version: OfferVersionView, spent: Spent, now: datetime) -> str:
    """Return where an offer stands: what its version's state, its period and its budget come to."""
    if version.state == "draft":
        return "draft"
    if version.state != "live":
        return "stopped" if version.state == "stopped" else "ended"
    if version.end and version.end <= now:
        return "over"
    limits = version.document.get("limits") or {}
    for key, used in (("uses", spent.uses), ("amount", spent.amount)):
        if limits.get(key) is not None and used >= limits[key]:
            return "exhausted"
    return "planned" if version.start and version.start > now else "runs"


def spent_by_code(session: Session, *, now: datetime, codes: Sequence[str] | None = None) -> dict[str, Spent]:
    """Return what is used and held of offers, by code; of those without a budget nothing is counted."""
    counted = select(OfferCounter.offer_code, OfferCounter.uses, OfferCounter.amount).where(
        OfferCounter.period == "total"
    )
    holds = (
        select(OfferHold.offer_code, func.sum(OfferHold.uses), func.sum(OfferHold.amount))
        .where(OfferHold.valid_until > now)
        .group_by(OfferHold.offer_code)
    )
    if codes is not None:
        counted = counted.where(OfferCounter.offer_code.in_(codes))
        holds = holds.where(OfferHold.offer_code.in_(codes))
    held = {code: (int(uses), int(amount)) for code, uses, amount in session.execute(holds)}
    found = {code: Spent(int(uses), int(amount)) for code, uses, amount in session.execute(counted)}
    return {
        code: Spent(found.get(code, Spent()).uses, found.get(code, Spent()).amount, *held.get(code, (0, 0)))
        for code in {*found, *held}
    }


def spent_here(session: Session, *, store_id: int, today: date, monday: date) -> dict[tuple[str, str], Spent]:
    """Return what a store used of offers on a day and in its week, by code and period."""
    rows = session.execute(
        select(OfferCounter.offer_code, OfferCounter.period, OfferCounter.uses, OfferCounter.amount).where(
            OfferCounter.store_id == store_id,
            ((OfferCounter.period == "day") & (OfferCounter.starts_on == today))
            | ((OfferCounter.period == "week") & (OfferCounter.starts_on == monday)),
        )
    )
    return {(code, period): Spent(int(uses), int(amount)) for code, period, uses, amount in rows}


def _fits(row: OfferRow, ask: Ask, language: str) -> bool:
    document = row.version.document
    wanted = ask.filters
    stores = document.get("stores") or ()
    words = ask.words.casefold()
    return (
        wanted.get("state") in {None, row.state}
        and wanted.get("stage") in {None, document.get("stage")}
        and (wanted.get("store") is None or not stores or wanted["store"] in stores)
        and (
            not words
            or words in row.version.offer_code.casefold()
            or words in row.version.names(language).casefold()
        )
    )


def _moment(document: Json, key: str) -> datetime | None:
    text = (document.get("valid") or {}).get(key)
    return datetime.fromisoformat(text) if text else None


def _cursor(place: int) -> str:
    return urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _place(cursor: str | None) -> int:
    try:
        place = json.loads(urlsafe_b64decode((cursor or "") + "=" * (-len(cursor or "") % 4)))
    except ValueError as error:
        raise BadCursor("This page marker was not made by this list") from error
    if not isinstance(place, int) or not 0 <= place < 10**9:
        raise BadCursor("This page marker was not made by this list")
    return place

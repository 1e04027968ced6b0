"""The layouts of in-store barcodes that stores and countries have set, kept at hand by every process."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Engine, delete, event, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.audit import record_event
from core.database import engine_of
from core.driver import driver_of
from core.errors import NotFound, Refused
from core.models import AuditEvent
from sales.articlecodes import find_gtin
from sales.barcodes import Decoded, Layout, find_decoded, is_in_store
from sales.baskets import BasketLine
from sales.countries import country_of
from sales.given_codes import code_of, given_skus
from sales.models import BarcodeLayout, Store
from sales.queries import store_of_code
from sales.receipts import PostedLine

EVERYWHERE = "all stores"
KEPT_FOR = 60.0
"""Seconds after which a process reads the layouts again; one that was set just now works at once where it was set."""

Layouts = Mapping[int, tuple[Layout, ...]]
"""By store, the store's own first, then its country's, then those of all stores."""

Codes = tuple[list[str | None], list[str | None]]
"""SKUs and GTINs of lines, in their order."""

_kept: WeakKeyDictionary[Engine, tuple[float, Layouts]] = WeakKeyDictionary()
_ASKED = "sales.barcode_layouts.asked"


class LayoutNotFound(NotFound):
    """No such layout was set there."""


class OnePlace(Refused):
    """A layout is of one store, of one country, or of all stores."""


@dataclass(frozen=True, slots=True)
class PlacedLayout:
    """A layout and where it holds: in a store, in a country, or, when both are None, everywhere."""

    layout: Layout
    store_code: str | None
    country: str | None
    set_by: str
    set_at: datetime


_LAYOUTS = """
    select store.store_id, layout.pattern, layout.holds, layout.decimals, layout.article_by
    from barcode_layout as layout
    join store on layout.store_id = store.store_id or layout.country = store.country
               or layout.store_id is null and layout.country is null
    order by store.store_id, layout.store_id nulls last, layout.country nulls last, layout.pattern
"""


def layouts_of(session: Session, store_id: int) -> tuple[Layout, ...]:
    """Return the layouts that hold in a store, from this process' copy while that is fresh."""
    engine = engine_of(session)
    kept = _kept.get(engine)
    if kept is None or time.monotonic() - kept[0] >= KEPT_FOR:
        read_at, found = time.monotonic(), dict[int, tuple[Layout, ...]]()
        for at, *layout in driver_of(session).execute(_LAYOUTS).fetchall():
            found[at] = (*found.get(at, ()), Layout(*layout))
        kept = _kept[engine] = read_at, found
    return kept[1].get(store_id, ())


def decoded_in_store(session: Session, code: str | None, *, store_id: int) -> Decoded | None:
    """Return what a barcode of the store's own scales says; None for any other code."""
    return find_decoded(code, layouts_of(session, store_id)) if is_in_store(code) else None


def codes_to_look_up(session: Session, lines: Sequence[PostedLine | BasketLine], *, store_id: int) -> Codes:
    """
    Return the SKU and the GTIN by which the article of each line is found.

    Those on the line; of an in-store barcode the codes of the article that it stands for, and
    of a code that a person gave to an article that one's. A GTIN with a wrong check digit finds none.
    """
    asked: tuple[object, int, Codes] | None = session.info.get(_ASKED)
    if asked is not None and asked[0] is lines and asked[1] == store_id:
        # Offers, the basket and the books each ask about the lines of one receipt.
        return asked[2]
    codes = _codes(session, lines, store_id)
    session.info[_ASKED] = lines, store_id, codes
    return codes


def _codes(session: Session, lines: Sequence[PostedLine | BasketLine], store_id: int) -> Codes:
    given = given_skus(session)
    skus: list[str | None] = []
    gtins: list[str | None] = []
    for line in lines:
        sku, gtin = line.sku, line.gtin
        if gtin is not None:
            decoded = decoded_in_store(session, gtin, store_id=store_id)
            sku = sku or (decoded.sku if decoded else None)
            gtin = (decoded.gtin if decoded else None) or find_gtin(gtin)
        if given:
            sku = given.get(code_of(sku, gtin) or "", sku)
        skus.append(sku)
        gtins.append(gtin)
    return skus, gtins


def all_layouts(session: Session) -> list[PlacedLayout]:
    """Return every layout that was set."""
    rows = session.execute(
        select(BarcodeLayout, Store.store_code)
        .outerjoin(Store, Store.store_id == BarcodeLayout.store_id)
        .order_by(Store.store_code, BarcodeLayout.country, BarcodeLayout.pattern)
    )
    return [
        PlacedLayout(
            Layout(row.pattern, row.holds, row.decimals, row.article_by),  # type: ignore[arg-type]
            store_code,
            row.country,
            row.set_by,
            row.set_at,
        )
        for row, store_code in rows
    ]


@dataclass(frozen=True, slots=True)
class LayoutChange:
    """A layout that was set or taken away: what holds since, and what held before."""

    at: datetime
    actor: str
    pattern: str
    place: str | None
    """A store's code or a country; None for all stores."""
    holds: str | None
    decimals: int | None
    article_by: str | None


def layout_changes(session: Session, *, limit: int = 50) -> list[LayoutChange]:
    """Return the versions that layouts had, the newest first; one that was taken away holds nothing since."""
    rows = session.execute(
        select(AuditEvent.happened_at, AuditEvent.actor, AuditEvent.subject_id, AuditEvent.detail)
        .where(AuditEvent.subject_kind.in_(("barcode_layout", "barcode layout")))
        .order_by(AuditEvent.event_id.desc())
        .limit(limit)
    )
    changes = []
    for happened_at, actor, subject, detail in rows:
        pattern, _, place = str(subject).partition(" in ")
        content = detail or {}
        changes.append(
            LayoutChange(
                happened_at,
                actor,
                pattern,
                None if place == EVERYWHERE else place,
                content.get("holds"),
                content.get("decimals"),
                content.get("article_by"),
            )
        )
    return changes


def set_layout(
    session: Session,
    layout: Layout,
    *,
    store_code: str | None = None,
    country: str | None = None,
    now: datetime,
    actor: str,
) -> None:
    """Let `layout` hold in a store, a country or everywhere; replaces the one of this pattern there."""
    country = country_of(country)
    store_id = _place(session, store_code, country)
    before = session.execute(
        select(BarcodeLayout.holds, BarcodeLayout.decimals, BarcodeLayout.article_by).where(
            *_is_there(layout.pattern, store_id, country)
        )
    ).one_or_none()
    content = {
        "holds": layout.holds,
        "decimals": layout.decimals,
        "article_by": layout.article_by,
        "set_by": actor,
        "set_at": now,
    }
    session.execute(
        insert(BarcodeLayout)
        .values(store_id=store_id, country=country, pattern=layout.pattern, **content)
        .on_conflict_do_update(constraint="barcode_layout_place_key", set_=content)
    )
    detail: dict[str, object] = {
        "holds": layout.holds,
        "decimals": layout.decimals,
        "article_by": layout.article_by,
    }
    if before is not None:
        detail["before"] = dict(before._mapping)  # noqa: SLF001 - SQLAlchemy's public way to name columns
    subject = f"{layout.pattern} in {store_code or country or EVERYWHERE}"
    _recorded(session, "barcode.set", subject, detail, now=now, actor=actor)


def remove_layout(
    session: Session,
    pattern: str,
    *,
    store_code: str | None = None,
    country: str | None = None,
    now: datetime,
    actor: str,
) -> None:
    """Take a layout away from a store, a country or from all; raises `LayoutNotFound`."""
    country = country_of(country)
    store_id = _place(session, store_code, country)
    removed = session.execute(
        delete(BarcodeLayout)
        .where(*_is_there(pattern, store_id, country))
        .returning(BarcodeLayout.holds, BarcodeLayout.decimals, BarcodeLayout.article_by)
    ).one_or_none()
    if removed is None:
        raise LayoutNotFound(f"no layout {pattern!r} was set there")
    subject = f"{pattern} in {store_code or country or EVERYWHERE}"
    detail: dict[str, object] = {"before": dict(removed._mapping)}  # noqa: SLF001 - SQLAlchemy's public way to name columns
    _recorded(session, "barcode.remove", subject, detail, now=now, actor=actor)


def _is_there(pattern: str, store_id: int | None, country: str | None) -> tuple[ColumnElement[bool], ...]:
    return (
        BarcodeLayout.pattern == pattern,
        BarcodeLayout.store_id.is_not_distinct_from(store_id),
        BarcodeLayout.country.is_not_distinct_from(country),
    )


def _place(session: Session, store_code: str | None, country: str | None) -> int | None:
    if store_code is not None and country is not None:
        raise OnePlace("a layout is of one store, of one country, or of all stores")
    return None if store_code is None else store_of_code(session, store_code).store_id


def _recorded(
    session: Session, action: str, subject: str, detail: dict[str, object], *, now: datetime, actor: str
) -> None:
    record_event(
        session,
        now=now,
        actor=actor,
        action=action,
        subject_kind="barcode_layout",
        subject_id=subject,
        detail=detail,
    )
    engine = engine_of(session)
    event.listen(session, "after_commit", lambda _: _kept.pop(engine, None), once=True)

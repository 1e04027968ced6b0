"""Writes about offers: drafts by people, and whole documents imported, as drafts or live at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.audit import record_event
from core.clock import business_day
from core.errors import Conflict
from rewards.codec import OffersRefused, offer_document, read_document, read_offer
from rewards.models import LiveBook, OfferCode, OfferVersion, Reward, RewardStock
from rewards.offer_decisions import AlreadyDecided, OfferVersionNotFound, hold_book, let_tills_see
from rewards.offer_references import check_document, check_offer, currency_of, known_things
from rewards.offers import Offer, OfferDocument, OfferedReward, VoucherBatch
from rewards.vouchers.batches import BadBatch, imported_batch
from rewards.vouchers.issue import CodeTaken, take_codes
from sales.models import Store

AUDITED_CODES = 200
"""Of a large document so many codes are named in the audit trail; how many there were is always said."""


class SameContent(Conflict):
    """The version that is open has this very content."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a document: the new version of each offer that has one, and the codes of those unchanged."""

    versions: Mapping[str, int]
    unchanged: tuple[str, ...]
    live: bool
    generation_changed: bool


@dataclass(frozen=True, slots=True)
class _Open:
    """The versions of an offer that matter to a new one."""

    newest: int
    live: Mapping[str, Any] | None
    draft: tuple[int, Mapping[str, Any]] | None
    """The newest draft that was not decided."""


def draft_offer(session: Session, *, document: Mapping[str, Any], actor: str, now: datetime) -> int:
    """
    Write an offer as a draft and return the number of its version.

    Raises `OffersRefused` with a pointer into `document`, or `SameContent`.
    """
    offer = _checked(session, document)
    hold_book(session)
    content = offer_document(offer)
    found = _open_versions(session, [offer.code]).get(offer.code)
    if found and (found.live == content or (found.draft and found.draft[1] == content)):
        raise SameContent(f"{offer.code} has a version of this very content")
    version = (found.newest if found else 0) + 1
    _add(session, [(offer.code, version, content)], live=False, actor=actor, now=now)
    _recorded(session, "offer.draft", offer.code, {"version": version}, actor=actor, now=now)
    return version


def change_draft(
    session: Session,
    *,
    offer_code: str,
    version: int,
    seen: datetime,
    document: Mapping[str, Any],
    actor: str,
    now: datetime,
) -> None:
    """
    Write a draft anew that was `seen` as it was last changed; who changes it is who drafted it from then on.

    Raises `OffersRefused`, `OfferVersionNotFound`, or `AlreadyDecided` when it was decided or changed meanwhile.
    """
    offer = _checked(session, document)
    if offer.code != offer_code:
        raise OffersRefused("/code", f"the draft is of {offer_code}")
    changed = session.scalar(
        update(OfferVersion)
        .where(
            OfferVersion.offer_code == offer_code,
            OfferVersion.version == version,
            OfferVersion.state == "draft",
            OfferVersion.drafted_at == seen,
        )
        .values(document=offer_document(offer), drafted_by=actor, drafted_at=now)
        .returning(OfferVersion.version)
    )
    if changed is None:
        if session.get(OfferVersion, (offer_code, version)) is None:
            raise OfferVersionNotFound(f"there is no version {version} of {offer_code}")
        raise AlreadyDecided(f"version {version} of {offer_code} was decided or changed meanwhile")
    _recorded(session, "offer.change", offer_code, {"version": version}, actor=actor, now=now)


def import_document(
    session: Session, *, document: Mapping[str, Any], actor: str, now: datetime, live: bool = False
) -> Imported:
    """
    Write a whole document: its batches, its rewards, and its offers as drafts, or live at once.

    An offer of the content that its live version has, or without `live` its newest draft, stays as it is;
    with `live` such a draft goes live as it stands. All or nothing: raises `OffersRefused` with a pointer.
    """
    read = read_document(document)
    hold_book(session)
    known = known_things(session, read)
    check_document(read, known, raw=document)
    vouchers = [replace(batch, currency=currency_of(batch, known)) for batch in read.vouchers]
    _import_batches(session, vouchers, actor=actor, now=now)
    renamed = _import_rewards(session, read.rewards)
    found = _open_versions(session, [offer.code for offer in read.offers])
    fresh: list[tuple[str, int, dict[str, Any]]] = []
    drafts: list[tuple[str, int]] = []
    unchanged: list[str] = []
    for offer in read.offers:
        content, at_hand = offer_document(offer), found.get(offer.code)
        drafted = at_hand.draft if at_hand and at_hand.draft and at_hand.draft[1] == content else None
        if at_hand and (at_hand.live == content or (drafted and not live)):
            unchanged.append(offer.code)
        elif drafted:
            drafts.append((offer.code, drafted[0]))
        else:
            fresh.append((offer.code, at_hand.newest + 1 if at_hand else 1, content))
    versions = dict(drafts) | {code: version for code, version, _ in fresh}
    if live:
        _replace_live(session, list(versions), actor=actor, now=now)
        _let_go_live(session, drafts, actor=actor, now=now)
    _add(session, fresh, live=live, actor=actor, now=now)
    chosen = live and _choose(session, read, actor=actor, now=now)
    changed = bool(chosen or renamed or (live and versions))
    if changed:
        let_tills_see(session, actor=actor, now=now)
    done = Imported(dict(sorted(versions.items())), tuple(sorted(unchanged)), live, changed)
    _recorded_import(session, done, read, actor=actor, now=now)
    return done


def _checked(session: Session, document: Mapping[str, Any]) -> Offer:
    offer = read_offer(document)
    check_offer(offer, known_things(session, OfferDocument()), raw=document)
    return offer


def _open_versions(session: Session, codes: Sequence[str]) -> dict[str, _Open]:
    rows = session.execute(
        select(
            OfferVersion.offer_code,
            OfferVersion.version,
            OfferVersion.state,
            OfferVersion.document,
        )
        .where(OfferVersion.offer_code.in_(codes))
        .order_by(OfferVersion.offer_code, OfferVersion.version)
    )
    found: dict[str, _Open] = {}
    for row in rows:
        before = found.get(row.offer_code) or _Open(0, None, None)
        found[row.offer_code] = _Open(
            row.version,
            row.document if row.state == "live" else before.live,
            (row.version, row.document) if row.state == "draft" else before.draft,
        )
    return found


def _add(
    session: Session,
    fresh: Sequence[tuple[str, int, dict[str, Any]]],
    *,
    live: bool,
    actor: str,
    now: datetime,
) -> None:
    """Write new versions, and the codes that are new."""
    if not fresh:
        return
    decided = {"decided_by": actor, "decided_at": now, "live_from": now} if live else {}
    codes = [{"offer_code": code, "created_at": now, "created_by": actor} for code, _, _ in fresh]
    session.execute(insert(OfferCode).on_conflict_do_nothing(), codes)
    session.execute(
        insert(OfferVersion),
        [
            {
                "offer_code": code,
                "version": version,
                "document": content,
                "state": "live" if live else "draft",
                "imported_live": live,
                "drafted_by": actor,
                "drafted_at": now,
                **decided,
            }
            for code, version, content in fresh
        ],
    )


def _replace_live(session: Session, codes: Sequence[str], *, actor: str, now: datetime) -> None:
    session.execute(
        update(OfferVersion)
        .where(OfferVersion.offer_code.in_(codes), OfferVersion.state == "live")
        .values(state="replaced", ended_at=now, ended_by=actor)
        .execution_options(synchronize_session=False)
    )


def _let_go_live(session: Session, drafts: Sequence[tuple[str, int]], *, actor: str, now: datetime) -> None:
    for code, version in drafts:
        session.execute(
            update(OfferVersion)
            .where(OfferVersion.offer_code == code, OfferVersion.version == version)
            .values(state="live", imported_live=True, decided_by=actor, decided_at=now, live_from=now)
            .execution_options(synchronize_session=False)
        )


def _choose(session: Session, read: OfferDocument, *, actor: str, now: datetime) -> bool:
    """Let groups choose as the document says; returns whether that is new."""
    if read.choice is None:
        return False
    return bool(
        session.scalar(
            update(LiveBook)
            .where(LiveBook.choice != read.choice)
            .values(choice=read.choice, changed_at=now, changed_by=actor)
            .returning(LiveBook.book)
        )
    )


def _import_batches(session: Session, batches: Sequence[VoucherBatch], *, actor: str, now: datetime) -> None:
    today = _today(session, now) if batches else now.date()
    for index, batch in enumerate(batches):
        try:
            imported_batch(
                session,
                batch_code=batch.batch,
                value_amount=batch.value_amount,
                currency=batch.currency,
                minimum_amount=batch.minimum_amount or 0,
                valid_days=batch.valid_days,
                actor=actor,
                now=now,
            )
            if batch.codes:
                take_codes(
                    session,
                    batch_code=batch.batch,
                    codes=batch.codes,
                    today=today,
                    actor=actor,
                    now=now,
                )
        except BadBatch as error:
            raise OffersRefused(f"/vouchers/{index}", str(error)) from error
        except CodeTaken as error:
            raise OffersRefused(f"/vouchers/{index}/codes", str(error)) from error


def _today(session: Session, now: datetime) -> date:
    """Return the day it is where it is latest, so that nothing ends before its days are over in any store."""
    zones = session.scalars(select(Store.timezone).distinct())
    return max((business_day(now, zone) for zone in zones), default=now.date())


def _import_rewards(session: Session, rewards: Sequence[OfferedReward]) -> bool:
    """
    Write rewards, and return whether one that was there is called otherwise now.

    Only a new one gets the stock that the document says, for stock moves in the stores.
    """
    renamed = False
    rows = session.execute(select(Store.store_code, Store.store_id)) if rewards else ()
    stores = {row.store_code: row.store_id for row in rows}
    for reward in rewards:
        content = {"name": dict(reward.names), "points": reward.points}
        names = session.scalar(select(Reward.name).where(Reward.reward_code == reward.code))
        if names is not None:
            renamed = renamed or names != content["name"]
            session.execute(update(Reward).where(Reward.reward_code == reward.code).values(**content))
            continue
        session.execute(insert(Reward).values(reward_code=reward.code, **content))
        for store_code, pieces in reward.stock.items():
            session.execute(
                insert(RewardStock).values(
                    reward_code=reward.code, store_id=stores[store_code], on_hand=pieces
                )
            )
    return renamed


def _recorded_import(
    session: Session, done: Imported, read: OfferDocument, *, actor: str, now: datetime
) -> None:
    detail = {
        "live": done.live,
        "versions": dict(list(done.versions.items())[:AUDITED_CODES]),
        "new": len(done.versions),
        "unchanged": len(done.unchanged),
        "batches": [batch.batch for batch in read.vouchers][:AUDITED_CODES],
        "rewards": [reward.code for reward in read.rewards][:AUDITED_CODES],
    }
    _recorded(session, "offer.import", "document", detail, actor=actor, now=now)


def _recorded(
    session: Session, action: str, subject: str, detail: dict[str, Any], *, actor: str, now: datetime
) -> None:
    record_event(
        session,
        now=now,
        actor=actor,
        action=action,
        subject_kind="offer",
        subject_id=subject,
        detail=detail,
    )

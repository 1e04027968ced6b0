"""What a rehearsal is of: versions of offers, what is live beside them, the days and the stores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Refused
from rewards.codec import offer_document, read_offer
from rewards.offer_decisions import OfferVersionNotFound
from rewards.offer_queries import choice_of, live_offers, versions_of
from rewards.offers import Gift, Offer, VoucherPresented, conditions_in
from rewards.rehearsals.operations import Beside, request_rehearsal
from rewards.rehearsals.queries import kept_rehearsal
from sales.models import Receipt, Store

WEEKS: Final = 8
"""How far back a rehearsal looks unless it is told otherwise."""


class NoBaskets(Refused):
    """There are no stores, or no baskets yet, to rehearse on."""


class SeveralCurrencies(Refused):
    """The stores have different currencies, which cannot be added up: choose those of one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What is rehearsed on what: offers with their versions, what is live beside them, days and stores.

    Things are worth what they were worth at `asked_at`, however long a stop lasts.
    """

    rehearsed: tuple[Offer, ...]
    live: tuple[Offer, ...]
    choice: str
    first_day: date
    following_day: date
    store_ids: tuple[int, ...]
    asked_at: datetime


def usual_period(session: Session, *, now: datetime) -> tuple[date, date]:
    """Return the last eight weeks that have baskets, half-open; raises `NoBaskets`."""
    # A till whose clock runs ahead must not move the period into the future.
    last = session.scalar(
        select(func.max(Receipt.business_date)).where(Receipt.business_date <= now.date() + timedelta(days=1))
    )
    if last is None:
        raise NoBaskets("there are no baskets yet to rehearse on")
    return last + timedelta(days=1 - 7 * WEEKS), last + timedelta(days=1)


def stores_for(
    session: Session, *, codes: Sequence[str] = (), currency: str | None = None
) -> tuple[int, ...]:
    """
    Return the stores of these codes, or all, of one currency; raises `NoBaskets` or `SeveralCurrencies`.

    Without a `currency` all of them must have the same.
    """
    statement = select(Store.store_id, Store.store_code, Store.currency).order_by(Store.store_id)
    if codes:
        statement = statement.where(Store.store_code.in_(codes))
    if currency is not None:
        statement = statement.where(Store.currency == currency)
    rows = session.execute(statement).all()
    unknown = sorted(set(codes) - {row.store_code for row in rows})
    if unknown or not rows:
        raise NoBaskets(f"there is no store {', '.join(unknown)}" if unknown else "there are no stores")
    currencies = sorted({row.currency for row in rows})
    if len(currencies) > 1:
        raise SeveralCurrencies(f"choose the stores of one currency: {', '.join(currencies)}")
    return tuple(row.store_id for row in rows)


def beside_now(live: Sequence[Offer], rehearsed: Sequence[Offer], *, now: datetime) -> tuple[Offer, ...]:
    """
    Return which of the `live` offers can meet the rehearsed ones: not over, and with days in common.

    The live version of a rehearsed offer is among them: it is what the new one replaces.
    """
    codes = {offer.code for offer in rehearsed}

    def meets(offer: Offer) -> bool:
        if offer.valid.end is not None and offer.valid.end <= now:
            return False
        return offer.code in codes or any(_overlap(offer, other) for other in rehearsed)

    return tuple(offer for offer in live if meets(offer))


def _overlap(one: Offer, other: Offer) -> bool:
    return (one.valid.start is None or other.valid.end is None or one.valid.start < other.valid.end) and (
        other.valid.start is None or one.valid.end is None or other.valid.start < one.valid.end
    )


def newest_open(session: Session, offer_code: str, version: int | None = None) -> Offer:
    """
    Return a version of an offer; without a number the newest draft, else the live one.

    Raises `OfferVersionNotFound`.
    """
    versions = versions_of(session, [offer_code])
    if version is None:
        found = [one for one in versions if one.state == "draft"] or [
            one for one in versions if one.state == "live"
        ]
    else:
        found = [one for one in versions if one.offer.version == version]
    if not found:
        named = f"no version {version}" if version else "neither a draft nor a live version"
        raise OfferVersionNotFound(f"there is {named} of {offer_code}")
    return found[-1].offer


def ask_for_rehearsal(
    session: Session,
    *,
    offers: Sequence[Offer],
    first_day: date,
    following_day: date,
    store_ids: Sequence[int],
    actor: str,
    now: datetime,
) -> UUID:
    """
    Ask for a rehearsal of versions as they are stored, beside what is live now; return its id.

    Raises `TooManyOffers` or `BadPeriod`.
    """
    live = beside_now(live_offers(session), offers, now=now)
    return request_rehearsal(
        session,
        offers=[(offer.version, offer_document(offer)) for offer in offers],
        beside=Beside(choice_of(session), tuple((offer.version, offer_document(offer)) for offer in live)),
        first_day=first_day,
        following_day=following_day,
        store_ids=store_ids,
        actor=actor,
        now=now,
    )


def plan_of(session: Session, *, rehearsal_id: UUID) -> Plan | None:
    """Return what a rehearsal is to do, None when it is completed; raises `RehearsalNotFound`."""
    kept = kept_rehearsal(session, rehearsal_id=rehearsal_id)
    if kept.completed:
        return None
    live = Beside.read(kept.beside)
    return Plan(
        rehearsed=tuple(_offer(version, document) for version, document in kept.offers),
        live=tuple(_offer(version, document) for version, document in live.offers),
        choice=live.choice,
        first_day=kept.first_day,
        following_day=kept.following_day,
        store_ids=kept.store_ids,
        asked_at=kept.requested_at,
    )


def _offer(version: int, document: Mapping[str, Any]) -> Offer:
    return replace(read_offer(document), version=version)


def notes_of(offer: Offer) -> list[str]:
    """Return what a rehearsal of this offer cannot say, as codes for `web.rehearsals.words`."""
    notes = []
    if any(isinstance(part, VoucherPresented) for part in conditions_in(offer.condition)):
        notes.append("vouchers_not_presented")
    if offer.audience.tiers:
        notes.append("tiers_of_today")
    if offer.audience.groups:
        notes.append("groups_of_today")
    if offer.audience.phases or offer.audience.values:
        notes.append("phases_of_today")
    if isinstance(offer.benefit, Gift):
        notes.append("stock_not_counted")
    if offer.valid.start is not None or offer.valid.end is not None:
        notes.append("dates_left_out")
    return notes

"""Reads of offers: what is live, every version that there ever was, and the whole book as a document."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core.driver import driver_of
from rewards.codec import document_of, read_offer
from rewards.live_book import live_book
from rewards.models import LiveBook, OfferCounter, OfferVersion, Reward, RewardStock
from rewards.offers import FIRST, Offer, OfferDocument, OfferedReward, VoucherBatch
from rewards.vouchers.batches import batches
from sales.models import Store


@dataclass(frozen=True, slots=True)
class VersionOfOffer:
    """A version of an offer as it is stored, with its story."""

    offer: Offer
    state: str
    drafted_by: str
    drafted_at: datetime
    live_from: datetime | None
    ended_at: datetime | None

    def was_live(self, moment: datetime) -> bool:
        """Return whether tills were given it at `moment`."""
        return (
            self.live_from is not None
            and self.live_from <= moment
            and (self.ended_at is None or moment < self.ended_at)
        )


def live_offers(session: Session) -> tuple[Offer, ...]:
    """Return the offers that are live now, by code."""
    return tuple(live_book(session).offers.values())


def choice_of(session: Session) -> str:
    """Return how exclusive groups choose: `first` or `best`."""
    return session.scalar(select(LiveBook.choice)) or FIRST


def is_offer(session: Session, offer_code: str) -> bool:
    """Return whether there ever was a version of this offer."""
    return bool(session.scalar(select(exists().where(OfferVersion.offer_code == offer_code))))


def versions_of(session: Session, codes: Collection[str] | None = None) -> list[VersionOfOffer]:
    """Return every version of these offers, of all if none are given, by code and number."""
    question = select(OfferVersion).order_by(OfferVersion.offer_code, OfferVersion.version)
    if codes is not None:
        question = question.where(OfferVersion.offer_code.in_(codes))
    return [
        VersionOfOffer(
            replace(read_offer(row.document), version=row.version),
            row.state,
            row.drafted_by,
            row.drafted_at,
            row.live_from,
            row.ended_at,
        )
        for row in session.scalars(question.execution_options(populate_existing=True))
    ]


def export_document(
    session: Session, *, now: datetime, live_only: bool = False, with_codes: bool = True
) -> dict[str, Any]:
    """
    Return offers, rewards and batches as the document that an import reads.

    Of each offer the live version, else its newest draft unless it is `live_only`; what was rejected,
    withdrawn or stopped is left out. Codes of vouchers are those that are good still and anybody's, as
    a document gives them: who has one has its value, so that they are left out unless `with_codes`. Members'
    vouchers stay theirs, and what lies reserved at a till is that receipt's.
    """
    chosen: dict[str, VersionOfOffer] = {}
    for version in versions_of(session):
        before = chosen.get(version.offer.code)
        if version.state == "live" or (
            version.state == "draft" and not live_only and (before is None or before.state == "draft")
        ):
            chosen[version.offer.code] = version
    return document_of(
        OfferDocument(
            offers=tuple(version.offer for version in chosen.values()),
            vouchers=_batches(session, now, with_codes=with_codes),
            rewards=_rewards(session),
            choice=choice_of(session),
        )
    )


_CODES = """
    select batch_code, array_agg(voucher_code order by voucher_code collate "C")
    from voucher
    where state = 'issued' and account_id is null and receipt_id is null and replaces is null
      and (valid_until is null or valid_until >= (
               select coalesce(min((%(now)s::timestamptz at time zone timezone)::date), %(now)s::date) from store))
    group by batch_code
"""


def _batches(session: Session, now: datetime, *, with_codes: bool) -> tuple[VoucherBatch, ...]:
    codes: dict[str, tuple[str, ...]] = {}
    if with_codes:
        codes = dict(driver_of(session).execute(_CODES, {"now": now}).fetchall())
    return tuple(
        VoucherBatch(
            batch=batch.batch_code,
            value_amount=batch.value_amount,
            currency=batch.currency,
            minimum_amount=batch.minimum_amount or None,
            valid_days=batch.valid_days,
            codes=tuple(codes.get(batch.batch_code, ())),
        )
        for batch in batches(session).values()
    )


def _rewards(session: Session) -> tuple[OfferedReward, ...]:
    stock: dict[str, dict[str, int]] = {}
    for reward_code, store_code, on_hand in session.execute(
        select(RewardStock.reward_code, Store.store_code, RewardStock.on_hand)
        .join(Store, Store.store_id == RewardStock.store_id)
        .order_by(Store.store_code)
    ):
        stock.setdefault(reward_code, {})[store_code] = on_hand
    return tuple(
        OfferedReward(reward.reward_code, reward.points, reward.name, stock.get(reward.reward_code, {}))
        for reward in session.scalars(select(Reward).where(Reward.active).order_by(Reward.reward_code))
    )


def offer_list(session: Session) -> list[dict[str, Any]]:
    """Return every version as JSON, with what was used of its offer where that is counted."""
    spent = {
        row.offer_code: (row.uses, row.amount)
        for row in session.execute(
            select(OfferCounter.offer_code, OfferCounter.uses, OfferCounter.amount).where(
                OfferCounter.period == "total"
            )
        )
    }
    return [_listed(version, spent.get(version.offer.code)) for version in versions_of(session)]


def _listed(version: VersionOfOffer, spent: tuple[int, int] | None) -> dict[str, Any]:
    offer = version.offer
    uses, amount = spent or (None, None)
    return {
        "offer_code": offer.code,
        "version": offer.version,
        "state": version.state,
        "name": dict(offer.names),
        "stage": offer.stage,
        "priority": offer.priority,
        "exclusive_group": offer.exclusive_group,
        "valid_from": offer.valid.start and offer.valid.start.isoformat(),
        "valid_to": offer.valid.end and offer.valid.end.isoformat(),
        "stores": list(offer.stores),
        "drafted_by": version.drafted_by,
        "drafted_at": version.drafted_at.isoformat(),
        "live_from": version.live_from and version.live_from.isoformat(),
        "ended_at": version.ended_at and version.ended_at.isoformat(),
        "limits": {"uses": offer.limits.uses, "amount": offer.limits.amount},
        "uses": uses,
        "amount": amount,
    }

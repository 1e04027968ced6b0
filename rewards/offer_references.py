"""What a document of offers names must exist: stores, rewards and batches, and one currency where there are amounts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards.codec import OffersRefused
from rewards.models import Reward
from rewards.models import VoucherBatch as VoucherBatchRow
from rewards.offers import (
    DISCOUNTS,
    AllOf,
    AnyOf,
    Condition,
    Gift,
    NextVoucher,
    NoneOf,
    Offer,
    OfferDocument,
    VoucherBatch,
    VoucherPresented,
    has_amounts,
)
from sales.models import Store


@dataclass(frozen=True, slots=True)
class Known:
    """What there is: the currency of each store, rewards and batches, by their codes."""

    stores: Mapping[str, str]
    rewards: Collection[str]
    batches: Collection[str]
    valued: Collection[str] = ()
    """The batches whose vouchers are worth money."""


def known_things(session: Session, document: OfferDocument) -> Known:
    """Return what there is, what `document` brings along included."""
    stores = session.execute(select(Store.store_code, Store.currency))
    rows = session.execute(select(VoucherBatchRow.batch_code, VoucherBatchRow.value_amount))
    worth = {row.batch_code: row.value_amount for row in rows}
    worth |= {one.batch: one.value_amount for one in document.vouchers}
    return Known(
        stores={row.store_code: row.currency for row in stores},
        rewards={*session.scalars(select(Reward.reward_code)), *(one.code for one in document.rewards)},
        batches=worth.keys(),
        valued={batch for batch, value in worth.items() if value is not None},
    )


def check_document(document: OfferDocument, known: Known, *, raw: Mapping[str, Any]) -> None:
    """Raise `OffersRefused` for the first thing that `document`, which stood in `raw`, names and nobody knows."""
    for index, batch in enumerate(document.vouchers):
        if batch.has_amounts and currency_of(batch, known) is None:
            raise OffersRefused(
                f"/vouchers/{index}/currency", "is required with amounts where stores have not all the same"
            )
    for index, reward in enumerate(document.rewards):
        for store_code in reward.stock:
            if store_code not in known.stores:
                raise OffersRefused(f"/rewards/{index}/stock/{store_code}", f"there is no store {store_code}")
    for index, offer in enumerate(document.offers):
        check_offer(offer, known, pointer=f"/offers/{index}", raw=raw["offers"][index])


def currency_of(batch: VoucherBatch, known: Known) -> str | None:
    """Return the currency of a batch's amounts: its own, else that of all stores; None where they differ."""
    if batch.currency is not None or not batch.has_amounts:
        return batch.currency
    currencies = set(known.stores.values())
    return currencies.pop() if len(currencies) == 1 else None


def check_offer(offer: Offer, known: Known, *, pointer: str = "", raw: Mapping[str, Any]) -> None:
    """Raise `OffersRefused` for the first thing that `offer`, which stood in `raw`, names and nobody knows."""
    stated: Sequence[str] = raw.get("stores") or ()
    for place, store_code in enumerate(stated):
        if store_code not in known.stores:
            raise OffersRefused(f"{pointer}/stores/{place}", f"there is no store {store_code}")
    if offer.code in known.valued and isinstance(offer.benefit, DISCOUNTS):
        # A receipt states both under this code: nobody could tell what the voucher took off.
        raise OffersRefused(f"{pointer}/code", f"{offer.code} is a batch of vouchers with a value")
    benefit = offer.benefit
    if isinstance(benefit, Gift) and benefit.reward not in known.rewards:
        raise OffersRefused(f"{pointer}/benefit/reward", f"there is no reward {benefit.reward}")
    if isinstance(benefit, NextVoucher) and benefit.batch not in known.batches:
        raise OffersRefused(f"{pointer}/benefit/batch", f"there is no batch {benefit.batch}")
    for place_of_batch, batch in _batches(offer.condition, f"{pointer}/condition"):
        if batch not in known.batches:
            raise OffersRefused(place_of_batch, f"there is no batch {batch}")
    currencies = {known.stores[store_code] for store_code in offer.stores or known.stores}
    if len(currencies) > 1 and has_amounts(offer):
        named = ", ".join(sorted(currencies))
        raise OffersRefused(
            f"{pointer}/stores", f"an offer with amounts needs stores of one currency, not of {named}"
        )


def _batches(condition: Condition, pointer: str) -> Iterator[tuple[str, str]]:
    """Yield the pointer and the code of every batch that `condition` asks for."""
    if isinstance(condition, VoucherPresented):
        yield f"{pointer}/batch", condition.batch
    elif isinstance(condition, AllOf | AnyOf | NoneOf):
        for place, part in enumerate(condition.of):
            yield from _batches(part, f"{pointer}/of/{place}")

"""The live offers as tills see them: read once per generation, kept at hand by every process."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.database import engine_of
from core.driver import driver_of
from rewards.book import OfferBook
from rewards.codec import read_offer
from rewards.offers import FIRST, Names, Offer

GENERATION = "(select generation from offer_book)"
"""SQL for the generation of the live offers, a part of larger questions."""


@dataclass(frozen=True, slots=True)
class LiveBook:
    """Everything that is live in one generation, compiled."""

    generation: int | None
    book: OfferBook
    offers: Mapping[str, Offer]
    """By code."""
    holds: bool
    """Whether one of them has a budget that quotes hold."""
    asks_first: bool
    """Whether one of them is for first purchases only."""

    def __bool__(self) -> bool:
        """Return whether anything is live at all."""
        return bool(self.offers)


NOTHING_LIVE = LiveBook(None, OfferBook(()), {}, holds=False, asks_first=False)

_kept: WeakKeyDictionary[Engine, LiveBook] = WeakKeyDictionary()

_BOOK = """
    select generation, choice,
           (select jsonb_agg(jsonb_build_array(version, document) order by offer_code)
            from offer_version where state = 'live'),
           (select jsonb_object_agg(sku, name) from article where sku in (
                select jsonb_path_query(document, '$.**.skus[*]') #>> '{}'
                from offer_version where state = 'live')),
           (select jsonb_object_agg(batch_code, name) from voucher_batch where batch_code in (
                select jsonb_path_query(document, '$.**.batch') #>> '{}'
                from offer_version where state = 'live')),
           (select jsonb_object_agg(reward_code, name) from reward where reward_code in (
                select document #>> '{benefit,reward}' from offer_version where state = 'live'))
    from offer_book
"""
"""The live versions, and what the articles, batches and rewards are called that they name: answers speak of them."""


def book_at_hand(session: Session) -> LiveBook:
    """Return this process' copy, which may be of an earlier generation; nothing live where it has none yet."""
    return _kept.get(engine_of(session), NOTHING_LIVE)


def live_book(session: Session, *, generation: int | None = None) -> LiveBook:
    """
    Return the live offers of `generation`, read only when this process has others at hand.

    Without a generation they are read now. What went live after it may be among them: the next
    question tells of that.
    """
    engine = engine_of(session)
    kept = _kept.get(engine)
    if kept is not None and generation is not None and kept.generation == generation:
        return kept
    row = driver_of(session).execute(_BOOK).fetchone()
    found = _compiled(row, kept or NOTHING_LIVE) if row else NOTHING_LIVE
    _kept[engine] = found
    return found


def _compiled(row: Any, before: LiveBook) -> LiveBook:
    generation, choice, versions, *names = row
    found = [_read(version, document, before) for version, document in versions or ()]
    offers = {offer.code: offer for offer in found}
    return LiveBook(
        generation=generation,
        book=OfferBook(found, choice or FIRST, Names(*(each or {} for each in names))),
        offers=offers,
        holds=any(offer.limits.held for offer in found),
        asks_first=any(offer.audience.first_purchase for offer in found),
    )


def _read(version: int, document: Mapping[str, Any], before: LiveBook) -> Offer:
    """Return a live version; decided ones never change, so one that is at hand is not read again."""
    known = before.offers.get(document["code"])
    return known if known and known.version == version else replace(read_offer(document), version=version)

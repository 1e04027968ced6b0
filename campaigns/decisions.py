"""
The next best offer: what was ranked at night, held against this very moment, said with a reason and always logged.

It may be down or slow, and then there is no offer: nobody who asks gets an error or waits.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic, perf_counter
from typing import Any, Final, Literal
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from campaigns.books import book_at_hand, engine_of, kept_book
from campaigns.deciding import Decided, Moment, Place, decide
from campaigns.scenes import LIST_PART, SCENE, Failed, Silence, scene_in, scene_values
from core.clock import business_day
from core.driver import ask
from core.quick_json import text_of
from loyalty.expiry import ending_soon
from loyalty.queries import position_of_account
from rewards.live_book import GENERATION, live_book
from sales.business_days import chain_timezone

KEEP: Final = "select keep_decisions(%s::jsonb)"
"""Keeps decisions and answers whether it could; its value is made by `kept_values`."""

LONGEST: Final = 0.03
"""Seconds that choosing may take at a till; after that there is no offer."""

PATIENCE: Final = timedelta(seconds=1)
"""So long a screen waits for the database."""

FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 10.0
"""
Seconds for which nothing is asked after the database could not answer: others have it hard enough. Doubled each time, up to
the longest: one that was slow for a moment costs few their offers, one that is down is soon left alone.
"""

Channel = Literal["till", "desk", "account", "catalog"]

_log = logging.getLogger(__name__)
_paused: WeakKeyDictionary[Engine, "_Pause"] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class _Pause:
    until: float
    length: float


@dataclass(frozen=True, slots=True)
class NextOffer:
    """One article that is offered: `reason` is a sentence or a few in the member's language."""

    decision_id: UUID
    article_id: int
    sku: str
    headline: str
    reason: str
    offer_code: str | None
    score: float
    explored: bool


_PLACE = f"""
    select store.store_id, store.store_code, store.timezone, store.currency, {GENERATION}
    from (values (1)) as one left join store on store.store_id = %s::integer
"""


def next_offers(
    session: Session,
    *,
    member_id: UUID | None,
    account_id: UUID | None,
    store_id: int | None,
    channel: Channel,
    basket: Sequence[str] = (),
    language: str,
    now: datetime,
    count: int = 1,
) -> list[NextOffer] | None:
    """
    Return what to offer somebody next, and log it in the caller's transaction.

    `basket` are skus that the customer has before them. A card without a member has an account only. The same
    article on the same day in the same channel and store is the same decision, so a page that is
    shown again logs nothing twice. Without a `store_id` nobody can say what is in stock. What nobody is to be
    told (refused, returned as faulty, of an open case, too private, beyond the limits of the channel) is not
    among it. None while the engine cannot answer: that is not to be told as if there were nothing.
    """
    if not may_ask(session):
        return None
    place_row = ask(session, _PLACE, (store_id,)).fetchone()
    place = Place(*place_row[:4]) if place_row[0] is not None else None
    today = business_day(now, place.timezone if place else chain_timezone(session))
    values = scene_values(
        at=now,
        today=today,
        member_id=member_id,
        account_id=account_id,
        store_id=place.store_id if place else None,
        common=common_of(session, place),
        patience=PATIENCE,
    )
    found = ask(session, SCENE, values).fetchone()[0]
    position = position_of_account(session, account_id=account_id, now=now) if account_id else None
    moment = Moment(
        channel=channel,
        language=language,
        now=now,
        today=today,
        place=place,
        live=live_book(session, generation=place_row[4]),
        ending=ending_soon(position, today) if position else None,
    )
    decided = decided_from(
        session, found, moment, skus=list(basket), gtins=[None] * len(basket), count=count, wait=True
    )
    if not decided:
        return None if decided is None else []
    if not ask(session, KEEP, kept_values(decided)).fetchone()[0]:
        return None
    return [_told(one) for one in decided]


def _told(one: Decided) -> NextOffer:
    return NextOffer(
        decision_id=one.decision_id,
        article_id=one.choice.candidate.article.article_id,
        sku=one.choice.candidate.article.sku,
        headline=one.choice.candidate.article.name,
        reason=one.sentence,
        offer_code=one.offer_code,
        score=one.choice.score,
        explored=one.choice.explored,
    )


def common_of(session: Session, place: Place | None) -> Sequence[int]:
    """Return what is offered in a store to who has no list of their own, as far as this process knows."""
    book = kept_book(session)
    if book is None or place is None:
        return ()
    return book.common.get(place.store_id, ())[: 2 * LIST_PART]


def may_ask(session: Session) -> bool:
    """Return whether the database may be asked for a scene: not for a while after it could not answer."""
    paused = _paused.get(engine_of(session))
    return paused is None or monotonic() >= paused.until


def pause(session: Session) -> None:
    """Ask nothing for a while, twice as long as the last time unless there was an answer in between."""
    engine = engine_of(session)
    before, now = _paused.get(engine), monotonic()
    if before is not None and now < before.until:
        # Who had asked before the pause began tells nothing new.
        return
    length = FIRST_PAUSE if before is None else min(2 * before.length, LONGEST_PAUSE)
    _paused[engine] = _Pause(now + length, length)


def ask_again(session: Session) -> None:
    """End a pause at once."""
    _paused.pop(engine_of(session), None)


def decided_from(
    session: Session,
    found: Mapping[str, Any],
    moment: Moment,
    *,
    skus: Sequence[str | None],
    gtins: Sequence[str | None],
    count: int,
    wait: bool = False,
) -> list[Decided] | None:
    """
    Return what is offered after what `SCENE` found; None when anything about it went wrong, or took too long.

    It asks the database nothing in `session`. With `wait` whoever looks at a screen waits: for the rules within
    baskets too.
    """
    try:
        scene = scene_in(found, now=moment.now)
        ask_again(session)
        if isinstance(scene, Silence):
            return []
        book = book_at_hand(session, run_id=scene.run_id, words=scene.words, wait=wait)
        if book is None:
            return None
        began = perf_counter()
        basket = book.in_basket(skus, gtins)
        decided = decide(scene, book, moment, basket=basket, count=count)
        if not wait and perf_counter() - began > LONGEST:
            _log.warning("choosing an offer took too long; there is none")
            return None
    except Failed as error:
        pause(session)
        _log.warning("nothing to choose an offer from: %s", error)
        return None
    except Exception:  # noqa: BLE001 - whatever it was, no sale waits for it
        _log.exception("an offer could not be chosen; there is none")
        return None
    return decided


def kept_values(decided: Sequence[Decided]) -> tuple[str]:
    """Return the value for the place in `KEEP`."""
    return (text_of([dict(one.row) for one in decided]),)

"""The basket of a receipt that is being booked, as the live offers see it; asked together with the receipt's opening."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.driver import Along, ask, bring_along
from loyalty.flags import may_earn
from loyalty.opening import Opening, open_receipt
from loyalty.paid_offers import stated_offers
from loyalty.printing import language_of_store
from loyalty.programme.rules import NOTHING_EXCLUDED, Programme
from loyalty.quotes.offers import Buyer, OnBasket, on_basket
from loyalty.shoppers import SCENE, articles_in, person_of, scene_in, scene_values, with_tier
from loyalty.tiers.scheme import Scheme
from rewards.live_book import LiveBook, book_at_hand, live_book
from sales.receipts import LIVE, SALE, PostedReceipt, TillIdentity


@dataclass(slots=True)
class Look:
    """What is asked about a receipt's basket, and the live offers that were at hand when it was."""

    live: LiveBook
    values: dict[str, Any] | None = None
    along: Along | None = None
    _row: Sequence[Any] | None = None

    def row(self, session: Session) -> Sequence[Any]:
        """Return what the question came to; there must be one."""
        if self._row is None:
            assert self.along is not None
            self._row = self.along.row(session)
            assert self._row is not None
        return self._row

    def articles(self, session: Session, posted: PostedReceipt) -> tuple[int | None, ...]:
        """Return the articles of a receipt's lines, which were looked up with the basket; it must have been asked about."""
        return articles_in(self.row(session), lines=posted.lines)


def look_at(session: Session, posted: PostedReceipt, till: TillIdentity) -> Look | None:
    """
    Let the question about the basket of `posted` travel with the next, where offers may have to do with it.

    None for what is no live sale: offers give nothing for that.
    """
    if posted.type != SALE or posted.mode != LIVE or posted.currency != till.currency:
        return None
    live = book_at_hand(session)
    if not live and not posted.voucher_codes and not stated_offers(posted):
        return Look(live)
    values = _values(session, posted, till, live)
    return Look(live, values, bring_along(session, SCENE, values))


def open_with_look(
    session: Session,
    till: TillIdentity,
    posted: PostedReceipt,
    look: Look | None,
    *,
    rules: Programme,
    tiers: Scheme | None,
    now: datetime,
) -> Opening:
    """Return the opening of `posted`; its articles come with the look at its basket where there is one."""
    asked_there = look is not None and look.along is not None
    excluded = rules.excluded if posted.type == SALE else NOTHING_EXCLUDED
    opening = open_receipt(
        session,
        till=till,
        posted=posted,
        now=now,
        excluded=excluded,
        tiers=tiers,
        # What the programme leaves out is told by the articles that the opening finds itself.
        with_articles=not asked_there or bool(excluded),
    )
    if look is None or not asked_there or opening.known is not None:
        return opening
    return replace(opening, articles=look.articles(session, posted))


def basket_of(
    session: Session,
    look: Look | None,
    *,
    posted: PostedReceipt,
    till: TillIdentity,
    opening: Opening,
    now: datetime,
) -> OnBasket | None:
    """Return the basket of a receipt before the offers that are live now; None where none has to do with it."""
    if look is None:
        return None
    live = live_book(session, generation=opening.generation)
    if not live and look.along is None:
        return None
    values = look.values
    if values is None or look.along is None or (live.asks_first and not look.live.asks_first):
        values = _values(session, posted, till, live)
        row = ask(session, SCENE, values).fetchone()
        assert row is not None
    else:
        row = look.row(session)
    scene = scene_in(row, lines=posted.lines, values=values)
    card = opening.card if may_earn(posted, opening.card) else None
    return on_basket(
        session,
        live=live,
        cart=scene.cart,
        till=till,
        at=posted.closed_at,
        buyer=Buyer(
            shopper=with_tier(scene.shopper, opening.tier_code) if card else None,
            account_id=card.account_id if card else None,
            person_id=person_of(card.member_id, card.account_id) if card else None,
            language=(card.language if card else None) or language_of_store(till.timezone),
        ),
        voucher_codes=posted.voucher_codes,
        now=now,
    )


def _values(session: Session, posted: PostedReceipt, till: TillIdentity, live: LiveBook) -> dict[str, Any]:
    return scene_values(
        session,
        lines=posted.lines,
        card_number=posted.card_number,
        store_id=till.store_id,
        at=posted.closed_at,
        asks_first=live.asks_first,
    )

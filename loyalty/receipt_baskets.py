"""The basket of a receipt that is being booked, as the live offers see it; asked together with the receipt's opening."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.clock import business_day
from core.driver import ask
from loyalty.advice import Adviser
from loyalty.flags import may_earn
from loyalty.opening import Opening, open_receipt
from loyalty.paid_offers import stated_offers
from loyalty.printing import language_of_store
from loyalty.programme.rules import NOTHING_EXCLUDED, Programme
from loyalty.quotes.offers import Buyer, OnBasket, on_basket
from loyalty.receipt_scenes import Look, ask_about
from loyalty.shoppers import SCENE, person_of, scene_in, scene_values, with_tier
from loyalty.tiers.scheme import Scheme
from rewards.live_book import LiveBook, book_at_hand, live_book
from sales.receipts import LIVE, SALE, PostedReceipt, TillIdentity


def open_with_look(  # noqa: PLR0917 - what a receipt is booked by
    session: Session,
    till: TillIdentity,
    posted: PostedReceipt,
    rules: Programme,
    tiers: Scheme | None,
    adviser: Adviser | None,
    *,
    now: datetime,
    imported: bool,
) -> tuple[Opening, Look | None]:
    """
    Return the opening of `posted`, and the look at its basket that came with it.

    No look at what is `imported` or no live sale: offers give nothing for that, and nothing is offered next.
    """
    if imported or posted.type != SALE or posted.mode != LIVE:
        excluded = rules.excluded if posted.type == SALE else NOTHING_EXCLUDED
        return open_receipt(session, till=till, posted=posted, now=now, excluded=excluded, tiers=tiers), None
    live = book_at_hand(session)
    return ask_about(
        session,
        till,
        posted,
        now=now,
        today=business_day(now, till.timezone),
        tiers=tiers,
        excluded=rules.excluded,
        asks_buyer=_concerns_offers(posted, till, live),
        asks_first=live.asks_first,
        advice=adviser.question if adviser is not None else None,
    )


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
    if not _concerns_offers(posted, till, live):
        return None
    row = look.basket
    if not look.asked_buyer or (live.asks_first and not look.asked_first):
        # What went live meanwhile asks more than was known to matter.
        values = scene_values(
            session,
            lines=posted.lines,
            card_number=posted.card_number,
            store_id=till.store_id,
            at=posted.closed_at,
            asks_first=live.asks_first,
        )
        row = ask(session, SCENE, values).fetchone()
    scene = scene_in(row, lines=posted.lines, values=look.values)
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


def _concerns_offers(posted: PostedReceipt, till: TillIdentity, live: LiveBook) -> bool:
    """Return whether offers may have to do with a live sale: what was given, or could be, in the currency of its store."""
    return posted.currency == till.currency and bool(live or posted.voucher_codes or stated_offers(posted))

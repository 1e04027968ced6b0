"""Why each live offer gives something for a basket or a receipt, or does not; nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import business_day
from customers.queries import CardNotFound
from loyalty.printing import language_of_store
from loyalty.queries import standing_of_card
from loyalty.quotes.offers import Buyer, OnBasket, on_basket
from loyalty.shoppers import Lines, ask_scene, person_of, scene_values, with_tier
from rewards.applicator import Application
from rewards.carts import Left
from rewards.live_book import live_book
from rewards.models import OfferUse
from sales.queries import stored_answer
from sales.receipts import TillIdentity
from sales.stored_receipts import StoredReceipt, read_stored


@dataclass(frozen=True, slots=True)
class Explained:
    """What one offer comes to on a basket: `why` in words where it gives nothing, and what is `missing` there."""

    offer_code: str
    offer_version: int
    times: int = 0
    amount: int = 0
    points: int = 0
    why: str | None = None
    missing: str | None = None

    @property
    def applied(self) -> bool:
        """Whether it gives something."""
        return self.times > 0

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "offer_code": self.offer_code,
            "offer_version": self.offer_version,
            "applied": self.applied,
            "times": self.times,
            "amount": self.amount,
            "points": self.points,
            "why": self.why,
            "missing": self.missing,
        }


def explain_basket(
    session: Session,
    *,
    lines: Lines,
    card_number: str | None,
    voucher_codes: Sequence[str],
    till: TillIdentity,
    at: datetime,
    now: datetime,
    language: str | None = None,
) -> list[Explained]:
    """Return every live offer, in the order in which they are tried, with what it comes to at `at`, as budgets are `now`."""
    live = live_book(session)
    values = scene_values(
        session,
        lines=lines,
        card_number=card_number,
        store_id=till.store_id,
        at=at,
        asks_first=live.asks_first,
    )
    scene = ask_scene(session, lines=lines, values=values)
    buyer = Buyer(language=language or language_of_store(till.timezone))
    try:
        if card_number is not None:
            standing = standing_of_card(
                session,
                card_number=card_number,
                store_id=till.store_id,
                now=now,
                today=business_day(now, till.timezone),
            )
            holder = standing.holder
            buyer = Buyer(
                with_tier(scene.shopper, standing.tier_code),
                holder.account_id,
                person_of(holder.member_id, holder.account_id),
                buyer.language,
            )
    except CardNotFound:
        pass  # a card that nobody knows is nobody's
    basket = on_basket(
        session,
        live=live,
        cart=scene.cart,
        till=till,
        at=at,
        buyer=buyer,
        voucher_codes=voucher_codes,
        now=now,
    )
    basket.evaluate(session)
    return _explained(basket, basket.left_of(session, list(live.offers)))


def explain_receipt(
    session: Session,
    *,
    store_code: str,
    till_code: str,
    business_date: date,
    receipt_number: str,
    now: datetime,
    language: str | None = None,
) -> tuple[list[Explained], list[dict[str, Any]]]:
    """
    Return what the live offers come to on a stored receipt's basket when it was closed, and what it used of offers.

    Raises `sales.queries.ReceiptNotFound`.
    """
    stored = _stored(session, store_code, till_code, business_date, receipt_number)
    posted = stored.posted
    explained = explain_basket(
        session,
        lines=posted.lines,
        card_number=posted.card_number,
        voucher_codes=posted.voucher_codes,
        till=stored.till,
        at=posted.closed_at,
        now=now,
        language=language,
    )
    uses = session.execute(
        select(OfferUse)
        .where(OfferUse.business_date == business_date, OfferUse.receipt_id == stored.receipt_id)
        .order_by(OfferUse.use_id)
    ).scalars()
    used = [
        {
            "offer_code": use.offer_code,
            "offer_version": use.offer_version,
            "uses": use.uses,
            "amount": use.amount,
            "covered": use.covered,
        }
        for use in uses
    ]
    return explained, used


def _stored(
    session: Session, store_code: str, till_code: str, business_date: date, receipt_number: str
) -> StoredReceipt:
    found = stored_answer(
        session,
        store_code=store_code,
        till_code=till_code,
        business_date=business_date,
        receipt_number=receipt_number,
    )
    return read_stored(session, business_date=business_date, receipt_id=found.receipt_id)


def _explained(basket: OnBasket, left: Mapping[str, Left]) -> list[Explained]:
    evaluation = basket.evaluation
    assert evaluation is not None
    given: dict[str, Application] = {one.offer_code: one for one in evaluation.applications}
    explained = []
    for offer in sorted(basket.live.offers.values(), key=lambda offer: offer.order):
        found = given.get(offer.code)
        if found is not None:
            explained.append(Explained(offer.code, offer.version, found.times, found.amount, found.points))
            continue
        why = evaluation.why_not(offer.code, left.get(offer.code))
        explained.append(
            Explained(
                offer.code,
                offer.version,
                why=why.reason if why else "gives nothing here",
                missing=why.missing if why else None,
            )
        )
    return explained

"""The next best offers at a till: asked for in the question that a quote or a receipt asks anyway."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from campaigns import scenes
from campaigns.books import kept_book
from campaigns.deciding import Moment, Place
from campaigns.decision_words import printed_lines
from campaigns.decisions import KEEP, ask_again, common_of, decided_from, kept_values, may_ask
from campaigns.scenes import ALL_REFUSED, LIST_PART, refusals_in
from loyalty.advice import Advice, Customer
from rewards.live_book import book_at_hand
from sales.barcode_layouts import codes_to_look_up
from sales.baskets import Basket, BasketLine
from sales.receipts import LIVE, SALE, PostedLine, PostedReceipt, TillIdentity

IN_QUOTE = 3
ON_RECEIPT = 1
"""So many offers are told at most."""

PRINTED_WITHIN: Final = timedelta(minutes=10)
"""Whoever paid longer ago has gone: what a late receipt told would be heard by nobody, and count as told."""


class TillOffers:
    """What one quote or one receipt is told to offer next; it asks nothing where nobody would hear it."""

    def __init__(self, till: TillIdentity, *, whose: Callable[[], str], count: int, now: datetime) -> None:
        self._place = Place(till.store_id, till.store_code, till.timezone, till.currency)
        self._till_id = till.till_id
        self._whose = whose
        self._count = count
        self._now = now
        self._skus: Sequence[str | None] = ()
        self._gtins: Sequence[str | None] = ()
        self.question: dict[str, Any] | None = None

    @classmethod
    def for_quote(
        cls, session: Session, *, till: TillIdentity, basket: Basket, now: datetime
    ) -> "TillOffers":
        """Return what is told beside a quote, which asks its question."""
        offers = cls(till, whose=lambda: _basket_of(basket.lines), count=IN_QUOTE, now=now)
        offers._read(session, basket.lines, till)
        if basket.card_number is not None or offers._goes_with_something(session):
            offers.question = offers._question(session)
        return offers

    @classmethod
    def for_receipt(
        cls, session: Session, *, till: TillIdentity, posted: PostedReceipt, now: datetime
    ) -> "TillOffers | None":
        """Return what is told on a receipt, None for one that nobody waits for (any more)."""
        if posted.type != SALE or posted.mode != LIVE or posted.offline or posted.card_number is None:
            return None
        if posted.closed_at < now - PRINTED_WITHIN:
            return None
        offers = cls(till, whose=lambda: posted.card_number or "", count=ON_RECEIPT, now=now)
        offers._read(session, posted.lines, till)
        offers.question = offers._question(session)
        return offers

    def _read(self, session: Session, lines: Sequence[PostedLine | BasketLine], till: TillIdentity) -> None:
        self._skus, self._gtins = codes_to_look_up(session, lines, store_id=till.store_id)

    def _goes_with_something(self, session: Session) -> bool:
        """Return whether a rule ties what the store's baskets hold to this one: without a card there is nothing else."""
        book = kept_book(session)
        if book is None:
            return False
        in_basket = [article.article_id for article in book.in_basket(self._skus, self._gtins)]
        return bool(in_basket and book.rules.going_with(in_basket, among=common_of(session, self._place)))

    def _question(self, session: Session) -> dict[str, Any] | None:
        """Return the values of the question for who asks it beside their own; None while the database is left alone."""
        if not may_ask(session):
            return None
        live = book_at_hand(session)
        return {
            "asks_advice": True,
            "common": list(common_of(session, self._place)),
            "most": LIST_PART,
            "asks_person": bool(live) or live.generation is None,
            "patience": scenes.PATIENCE,
        }

    def advise(self, session: Session, customer: Customer, found: Mapping[str, Any] | None = None) -> Advice:
        """Return what to offer next, nothing while that cannot be said, and what is refused: all while that is not known."""
        if found is None:
            return Advice(refusals=ALL_REFUSED)
        refusals = refusals_in(found, now=self._now)
        if "silent" in found:
            ask_again(session)
            return Advice(refusals=refusals)
        moment = Moment(
            channel="till",
            language=customer.language,
            now=self._now,
            today=customer.today,
            place=self._place,
            live=customer.live,
            tier_code=customer.tier_code,
            ending=customer.ending,
            whose=f"{self._till_id} {self._whose()}",
            source=customer.source,
        )
        decided = decided_from(session, found, moment, skus=self._skus, gtins=self._gtins, count=self._count)
        if not decided:
            return Advice(refusals=refusals)
        first = decided[0]
        return Advice(
            offers=tuple(one.document() for one in decided),
            lines=tuple(
                printed_lines(first.choice.candidate.article.name, first.sentence, customer.language)
            ),
            log=(KEEP, kept_values(decided)),
            refusals=refusals,
        )


def _basket_of(lines: Sequence[BasketLine]) -> str:
    """Return what stands for whoever has a basket that nobody has shown a card for."""
    return " ".join(f"{line.sku or line.gtin}x{line.quantity}" for line in lines)

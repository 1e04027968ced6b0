"""The next best offers at a till: asked for on the trips that a quote or a receipt makes anyway."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from campaigns.books import kept_book
from campaigns.deciding import Moment, Place
from campaigns.decision_words import printed_lines
from campaigns.decisions import KEEP, decided_from, kept_values, may_ask
from campaigns.scenes import SCENE, scene_values
from core.clock import business_day
from core.driver import Along, bring_along
from loyalty.advice import NO_ADVICE, Advice, Customer
from sales.barcode_layouts import codes_to_look_up
from sales.baskets import Basket, BasketLine
from sales.receipts import LIVE, SALE, PostedLine, PostedReceipt, TillIdentity

IN_QUOTE = 3
ON_RECEIPT = 1
"""So many offers are told at most."""


class TillOffers:
    """What one quote or one receipt is told to offer next; it asks nothing where nobody would hear it."""

    def __init__(self, till: TillIdentity, *, whose: str, count: int, now: datetime) -> None:
        self._till = till
        self._whose = whose
        self._count = count
        self._now = now
        self._along: Along | None = None

    @classmethod
    def for_quote(
        cls, session: Session, *, till: TillIdentity, basket: Basket, now: datetime
    ) -> "TillOffers":
        """Return what is told beside a quote; its question travels with the quote's first."""
        offers = cls(till, whose=_basket_of(basket.lines), count=IN_QUOTE, now=now)
        # Without a card there is only what goes with the basket, and nothing does without rules.
        book = kept_book(session)
        if basket.card_number is not None or (book is not None and len(book.rules)):
            offers._ask(session, basket.lines, basket.card_number)
        return offers

    @classmethod
    def for_receipt(
        cls, session: Session, *, till: TillIdentity, posted: PostedReceipt, now: datetime
    ) -> "TillOffers | None":
        """Return what is told on a receipt, None for one that nobody waits for."""
        if posted.type != SALE or posted.mode != LIVE or posted.offline or posted.card_number is None:
            return None
        offers = cls(till, whose=posted.card_number, count=ON_RECEIPT, now=now)
        offers._ask(session, posted.lines, posted.card_number, hold=True)
        return offers

    def _ask(
        self,
        session: Session,
        lines: Sequence[PostedLine | BasketLine],
        card_number: str | None,
        *,
        hold: bool = False,
    ) -> None:
        if not may_ask(session):
            return
        skus, gtins = codes_to_look_up(session, lines, store_id=self._till.store_id)
        values = scene_values(
            at=self._now,
            today=business_day(self._now, self._till.timezone),
            card_number=card_number,
            store_id=self._till.store_id,
            skus=skus,
            gtins=gtins,
            hold=hold,
        )
        self._along = bring_along(session, SCENE, values)

    def advise(self, session: Session, customer: Customer) -> Advice:
        """Return what to offer next, nothing while that cannot be said."""
        if self._along is None:
            return NO_ADVICE
        till = self._till
        moment = Moment(
            channel="till",
            language=customer.language,
            now=self._now,
            today=customer.today,
            place=Place(till.store_id, till.store_code, till.timezone, till.currency),
            live=customer.live,
            tier_code=customer.tier_code,
            ending=customer.ending,
            whose=f"{till.till_id} {self._whose}",
            source=customer.source,
        )
        decided = decided_from(session, self._along.row(session)[0], moment, count=self._count)
        if not decided:
            return NO_ADVICE
        first = decided[0]
        return Advice(
            offers=tuple(one.document() for one in decided),
            lines=tuple(
                printed_lines(first.choice.candidate.article.name, first.sentence, customer.language)
            ),
            log=(KEEP, kept_values(decided)),
        )


def _basket_of(lines: Sequence[BasketLine]) -> str:
    """Return what stands for whoever has a basket that nobody has shown a card for."""
    return " ".join(f"{line.sku or line.gtin}x{line.quantity}" for line in lines)

"""
What tills ask, asked once before anybody waits for it: by every process, on every connection that tills will use.

The first question on a connection plans all that is in it, and the first offer of a process waits for the rules within
baskets: tens of milliseconds that a till does not give. Whoever is served first would be offered nothing.
"""

import logging
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from basket_analysis.groups.lists import served_run
from campaigns.books import read_book
from campaigns.deciding import Place
from campaigns.decisions import ask_again, common_of
from campaigns.scenes import SCENE, scene_values
from campaigns.till_offers import TillOffers
from core.clock import business_day
from core.database import Sessions
from core.driver import ask
from loyalty.quotes.baskets import quote_basket
from sales.baskets import Basket, BasketLine
from sales.receipts import TillIdentity

TIMES: Final = 6
"""After so many PostgreSQL keeps a plan for good."""
PATIENCE: Final = timedelta(seconds=5)

_TILL: Final = text(
    "select till.till_id, store.store_id, store_code, till_code, currency, timezone"
    " from till join store using (store_id) order by till_id limit 1"
)
_CARD: Final = text(
    "select card_number from served_run join member_offers using (run_id) join card using (member_id)"
    " where card.state = 'active' limit 1"
)

_ANY_CARD: Final = text(
    "select card_number from card where state = 'active' and member_id is not null limit 1"
)

_log = logging.getLogger(__name__)


def warm_up(sessions: Sessions, *, connections: int, now: datetime) -> int:
    """
    Ask what a quote asks on `connections` connections at once, and keep nothing of it; return on how many that was done.

    0 where there is no till yet. Before the first night there are no rules to read, and all else is asked the same.
    What goes wrong is logged and hinders nobody from serving.
    """
    try:
        with sessions() as session:
            session.execute(text("set local statement_timeout = '20s'"))
            run, row = served_run(session), session.execute(_TILL).first()
            if row is None:
                return 0
            if run is not None:
                read_book(session, run_id=run.run_id)
            card_number = session.scalar(_CARD) or session.scalar(_ANY_CARD)
        with ExitStack() as held:
            # All of them before the first is given back: each is another one.
            opened = [held.enter_context(sessions()) for _ in range(connections)]
            for session in opened:
                session.connection()
            for session in opened:
                _ask_all(session, TillIdentity(*row), card_number, now)
                # Undone before the next one tells the same, which would wait for it.
                session.close()
        ask_again(session)
    except Exception:  # noqa: BLE001 - whatever it was, tills are served
        _log.exception("what tills ask could not be asked in advance; they are served all the same")
        return 0
    return connections


def _ask_all(session: Session, till: TillIdentity, card_number: str | None, now: datetime) -> None:
    """Ask all that a quote of a card does, often enough for plans to be kept; nothing of it is committed."""
    place = Place(till.store_id, till.store_code, till.timezone, till.currency)
    values = scene_values(
        at=now,
        today=business_day(now, till.timezone),
        card_number=card_number,
        store_id=till.store_id,
        common=common_of(session, place),
        patience=PATIENCE,
    )
    for _ in range(TIMES):
        ask(session, SCENE, values)
    basket = Basket(
        currency=till.currency,
        lines=(BasketLine(1, Decimal(1), 100, sku="-", tax_rate=Decimal(0)),),
        card_number=card_number,
    )
    for _ in range(TIMES):
        # One that was slow is no reason to leave the next one's advice out.
        ask_again(session)
        adviser = TillOffers.for_quote(session, till=till, basket=basket, now=now)
        quote_basket(session, till=till, basket=basket, now=now, adviser=adviser)

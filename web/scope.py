"""What the figures of a screen are about: one store or all, and how far back."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from sales.models import Store
from web.navigation import PERIODS
from web.state import viewer

COOKIE: Final = "regulars_scope"
_USUAL_WEEKS: Final = 13


@dataclass(frozen=True, slots=True)
class Scope:
    """The store (None: all) and the weeks, up to and with the last full week."""

    store_id: int | None
    store_code: str | None
    currency: str
    timezone: str
    weeks: int
    stores: tuple[tuple[str, str], ...]
    currencies: tuple[str, ...] = ()
    """What the stores in scope sell in, the one of most stores first: sums are never made across them."""
    periods: tuple[int, ...] = PERIODS

    def since(self, today: date) -> date:
        """Return the Monday with which the period starts."""
        return self.until(today) - timedelta(weeks=self.weeks)

    @staticmethod
    def until(today: date) -> date:
        """Return the Monday before which the period ends: unfinished weeks would look like a slump."""
        return today - timedelta(days=today.weekday())


def pack(store_code: str, weeks: str) -> str:
    """Return the cookie's content for a choice."""
    return f"{weeks if weeks.isdigit() else _USUAL_WEEKS}|{store_code[:40]}"


def read(session: Session) -> Scope:
    """Return the scope the reader chose; people of one store have that store."""
    weeks_text, _, store_code = request.cookies.get(COOKIE, "").partition("|")
    weeks = int(weeks_text) if weeks_text.isdigit() and int(weeks_text) in PERIODS else _USUAL_WEEKS
    person = viewer()
    stores = session.execute(
        select(Store.store_id, Store.store_code, Store.name, Store.currency, Store.timezone).order_by(
            Store.store_code
        )
    ).all()
    wanted = person.store_code or store_code
    store = next((one for one in stores if one.store_code == wanted), None)
    counted = Counter(one.currency for one in ([store] if store else stores))
    currencies = tuple(currency for currency, _stores in counted.most_common())
    asked = request.args.get("currency", "")
    currency = asked if asked in currencies else next(iter(currencies), "EUR")
    first = store or next((one for one in stores if one.currency == currency), None)
    return Scope(
        store_id=store.store_id if store else None,
        store_code=store.store_code if store else None,
        currency=currency,
        timezone=first.timezone if first else "UTC",
        weeks=weeks,
        stores=tuple((one.store_code, one.name) for one in stores),
        currencies=currencies,
    )

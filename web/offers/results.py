"""What an offer came to so far: uses and money by day and by store, from the receipts that it was booked with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards.models import OfferUse
from sales.models import Store
from web.charts import Axis, Chart, Series, column_options
from web.words import date_text, day_month, money_text, ngettext, number_text
from web.words import gettext as _

_MOST_DAYS = 120


@dataclass(frozen=True, slots=True)
class DayOfOffer:
    """What an offer gave on a day."""

    day: date
    uses: int
    amount: int
    receipts: int


@dataclass(frozen=True, slots=True)
class StoreOfOffer:
    """What an offer gave in a store."""

    store_code: str
    name: str
    currency: str
    uses: int
    amount: int
    receipts: int


def by_day(session: Session, *, code: str, store_id: int | None) -> list[DayOfOffer]:
    """Return the days on which an offer was used, from the first; what was given back is taken off its day."""
    statement = (
        select(
            OfferUse.day,
            func.sum(OfferUse.uses),
            func.sum(OfferUse.amount),
            func.count(OfferUse.receipt_id.distinct()),
        )
        .where(OfferUse.offer_code == code)
        .group_by(OfferUse.day)
        .order_by(OfferUse.day.desc())
        .limit(_MOST_DAYS)
    )
    if store_id is not None:
        statement = statement.where(OfferUse.store_id == store_id)
    found = [
        DayOfOffer(day, int(uses), int(amount), int(receipts))
        for day, uses, amount, receipts in session.execute(statement)
    ]
    return found[::-1]


def by_store(session: Session, *, code: str, store_id: int | None) -> list[StoreOfOffer]:
    """Return the stores in which an offer was used, what cost most first."""
    amount = func.sum(OfferUse.amount)
    statement = (
        select(
            Store.store_code,
            Store.name,
            Store.currency,
            func.sum(OfferUse.uses),
            amount,
            func.count(OfferUse.receipt_id.distinct()),
        )
        .join(Store, Store.store_id == OfferUse.store_id)
        .where(OfferUse.offer_code == code)
        .group_by(Store.store_id)
        .order_by(amount.desc(), Store.store_code)
    )
    if store_id is not None:
        statement = statement.where(OfferUse.store_id == store_id)
    return [
        StoreOfOffer(row[0], row[1], row[2], int(row[3]), int(row[4]), int(row[5]))
        for row in session.execute(statement)
    ]


def chart(days: Sequence[DayOfOffer], currency: str) -> Chart:
    """Return the course of an offer with its finding in the title: every day between the first and the last."""
    known = {one.day: one for one in days}
    span = [days[0].day + timedelta(days=number) for number in range((days[-1].day - days[0].day).days + 1)]
    every = [known.get(day, DayOfOffer(day, 0, 0, 0)) for day in span]
    uses, amount = sum(one.uses for one in days), sum(one.amount for one in days)
    costs = amount != 0
    return Chart(
        key="offer",
        title=_(
            "%(amount)s in %(uses)s",
            amount=money_text(amount, currency),
            uses=ngettext("%(num)s use", "%(num)s uses", uses),
        )
        if costs
        else ngettext("%(num)s use", "%(num)s uses", uses),
        note=_("Per day, from %(day)s", day=date_text(days[0].day)),
        options=column_options(
            [day_month(one.day) for one in every],
            (
                Series(
                    _("Discounts") if costs else _("Uses"),
                    [one.amount if costs else one.uses for one in every],
                ),
            ),
            Axis("money", currency, 100) if costs else Axis(),
        ),
        head=(_("Day"), _("Uses"), _("Discounts"), _("Receipts")),
        rows=tuple(
            (
                date_text(one.day),
                number_text(one.uses),
                money_text(one.amount, currency),
                number_text(one.receipts),
            )
            for one in days
        ),
        height="short",
    )

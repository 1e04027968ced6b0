"""What the protocol of offers is measured on, out of the database: purchases before a day, and what came after it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from basket_analysis.baskets import Int32s, Int64s
from basket_analysis.offers.evaluation import (
    LENGTH,
    WEEKS,
    Lists,
    Method,
    OfferEvaluation,
    Outcome,
    evaluate_offers,
)
from basket_analysis.offers.relevance_purchases import ItemPurchases, Purchases, RankedLevel
from basket_analysis.offers.relevance_reading import Bought, bought_before
from basket_analysis.reading import SoldLines, read_sold_lines
from basket_analysis.relevance import RelevanceRanker
from sales.models import Receipt


@dataclass(frozen=True)
class Split:
    """
    What some members bought before a day, and everybody's sales of the six weeks from it.

    In chains with many members they are the sample that the night learns from.
    """

    bought: Bought
    numbers: Int32s
    purchases: Purchases
    after: SoldLines

    def at(self, level: RankedLevel) -> tuple[ItemPurchases, Int64s, Outcome]:
        """Return purchases, buyers of each item, and what members bought afterwards, at a level."""
        buyers = self.bought.type_buyers if level == "type" else self.bought.buyers
        return self.purchases.at(level), buyers, self._outcome(level)

    def _outcome(self, level: RankedLevel) -> Outcome:
        names = self.bought.types if level == "type" else [kinds.sku for kinds in self.bought.articles]
        item_of = {name: number for number, name in enumerate(names)}
        labels = [kinds.type if level == "type" else kinds.sku for kinds in self.after.articles]
        items = np.array([item_of.get(label or "", -1) for label in labels] or [-1], np.int32)
        place = {self.bought.members[number]: row for row, number in enumerate(self.numbers.tolist())}
        members = np.array([place.get(member, -1) for member in self.after.members] or [-1], np.int32)
        owner = np.where(self.after.member >= 0, members[self.after.member], -1)[self.after.basket]
        item = items[self.after.article]
        kept = (owner >= 0) & (item >= 0)
        basket = self.after.basket[kept]
        return Outcome(owner[kept], basket, self.after.day[basket], item[kept])


def split_at(session: Session, as_of: date) -> Split:
    """Return what is known before `as_of`, and the six weeks from it."""
    bought = bought_before(session, as_of)
    numbers, purchases = bought.sample()
    after = read_sold_lines(session, first_day=as_of, following_day=as_of + timedelta(weeks=WEEKS))
    return Split(bought, numbers, purchases, after)


def six_weeks_before_the_end(session: Session) -> date | None:
    """Return the latest day with six weeks of sales after it; None without any sale."""
    newest = session.scalar(
        select(func.max(Receipt.business_date)).where(Receipt.type == "sale", Receipt.mode == "live")
    )
    return newest - timedelta(weeks=WEEKS) + timedelta(days=1) if newest else None


def evaluate_level(split: Split, level: RankedLevel, methods: Mapping[str, Method]) -> OfferEvaluation:
    """Rank at `level` as the night does, and hold it against `methods`."""
    bought, buyers, outcome = split.at(level)
    ranked = (
        RelevanceRanker()
        .fit(bought, buyers)
        .rank(bought, own=np.arange(bought.members, dtype=np.int32), count=LENGTH)
    )
    ours = Lists(ranked["all"].items, ranked["new"].items)
    return evaluate_offers(level, bought, buyers, outcome, ours=ours, methods=methods)

"""Sales as decisions are measured by them: per store, article and day, and which stores are comparable."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from basket_analysis.assortment.effects import AFTER_WEEKS, BEFORE_WEEKS
from basket_analysis.assortment.store_baskets import Floats, Int32s, Int64s
from basket_analysis.assortment.substitutes import offsets
from basket_analysis.distinct import distinct
from basket_analysis.reading import SoldLines

EPOCH = date(2000, 1, 1)

COMPARED = 10
"""The stores most like the one that decided, of those that did not change, so many at most."""

LIKE_ENOUGH = 0.5
"""Cosine of what two stores sell, below which they are not alike."""

AT_ONCE = 1_000_000
"""Lines that are summed at a time."""


@dataclass(frozen=True, slots=True)
class Window:
    """The weeks before a change and those after it; `first` is the day of the change."""

    first: date

    @property
    def start(self) -> date:
        """The first day that counts."""
        return self.first - timedelta(weeks=BEFORE_WEEKS)

    @property
    def due(self) -> date:
        """The day on which the weeks after the change are over."""
        return self.first + timedelta(weeks=AFTER_WEEKS)


class DecisionSales:
    """
    The sales of some months; articles and stores by their database ids.

    `currencies` gives each store's; stores with another one are never compared. `articles` are those that may
    be asked about: of what is not of their kind nothing but sums is kept. KeyError for another one.
    """

    def __init__(self, sold: SoldLines, currencies: dict[int, str], articles: Collection[int]) -> None:
        self._ids = sold.stores
        self._currency = np.array([currencies.get(int(store), "") for store in self._ids], object)
        self._number = {article.article_id: number for number, article in enumerate(sold.articles)}
        self._articles = sold.articles
        self._categories = _codes([article.category for article in sold.articles])
        self._types = _codes([article.type for article in sold.articles])
        self._first = (sold.first_day - EPOCH).days
        self._asked = frozenset(articles)
        days = (sold.following_day - sold.first_day).days
        self._totals = np.zeros((len(self._ids), days))
        categories = int(self._categories.max(initial=-1)) + 2
        weeks = -(-days // 7)
        mixes = np.zeros((len(self._ids), categories, weeks))
        kin = np.zeros(len(sold.articles), np.bool_)
        for asked in self._asked & self._number.keys():
            kin[self._kin(asked, alone=False)] = True
        stores = np.searchsorted(self._ids, sold.store_id).astype(np.int32)
        kept = [np.zeros(0, np.int64)]
        for first in range(0, len(sold.article), AT_ONCE):
            part = slice(first, first + AT_ONCE)
            article, value = sold.article[part], sold.value[part].astype(np.float64)
            store = stores[sold.basket[part]].astype(np.int64)
            day = sold.day[sold.basket[part]] - self._first
            category = self._categories[article] + 1
            np.add.at(self._totals.reshape(-1), store * days + day, value)
            np.add.at(mixes.reshape(-1), (store * categories + category) * weeks + day // 7, value)
            kept.append(np.flatnonzero(kin[article]) + first)
        self._mixes = mixes.astype(np.float32)
        lines = np.concatenate(kept)
        lines = lines[np.argsort(sold.article[lines], kind="stable")]
        self._store = stores[sold.basket[lines]]
        self._day = sold.day[sold.basket[lines]] - self._first
        self._value = sold.value[lines].astype(np.float64)
        self._of_article = offsets(sold.article[lines], len(sold.articles))

    def knows(self, store_id: int) -> bool:
        """Return whether the store sold anything at all."""
        return store_id in set(self._ids.tolist())

    def days_sold(self, store_id: int, article_id: int) -> list[date]:
        """Return the days on which a store sold an article."""
        lines = self._lines(article_id, alone=True)
        days = distinct(self._day[lines[self._ids[self._store[lines]] == store_id]])
        return [EPOCH + timedelta(days=self._first + int(day)) for day in days]

    def kind_of(self, article_id: int) -> tuple[str, str | None]:
        """Return the level at which what replaces an article is counted, and its name there: type, else category."""
        number = self._number.get(article_id)
        if number is None:
            return "article", None
        article = self._articles[number]
        for level in ("type", "category"):
            if name := getattr(article, level):
                return level, name
        return "article", article.sku

    def by_week(self, window: Window, *, article_id: int | None, alone: bool = False) -> Floats:
        """
        Return values by store and week over a window, of an article's kind, of it `alone`, or (None) of everything.

        Rows are in the order of `stores`.
        """
        start = (window.start - EPOCH).days - self._first
        weeks = BEFORE_WEEKS + AFTER_WEEKS
        found = np.zeros((len(self._ids), weeks))
        if article_id is None:
            known = np.zeros((len(self._ids), weeks * 7))
            first, last = max(start, 0), min(start + weeks * 7, self._totals.shape[1])
            known[:, first - start : last - start] = self._totals[:, first:last]
            return np.asarray(known.reshape(len(self._ids), weeks, 7).sum(axis=2))
        lines = self._lines(article_id, alone=alone)
        week = (self._day[lines] - start) // 7
        kept = (week >= 0) & (week < weeks)
        np.add.at(found, (self._store[lines[kept]], week[kept]), self._value[lines[kept]])
        return found

    def comparable(self, window: Window, *, store_id: int, article_id: int) -> list[int]:
        """
        Return the rows of the stores most like one before the change, of those whose range did not change.

        A store did not change that sold the article both before and after the day of the change, or neither.
        """
        row = int(np.searchsorted(self._ids, store_id))
        alone = self.by_week(window, article_id=article_id, alone=True)
        before = alone[:, :BEFORE_WEEKS].any(axis=1)
        unchanged = before == alone[:, BEFORE_WEEKS:].any(axis=1)
        kin = self.by_week(window, article_id=article_id)
        open_before, open_after = (
            self.by_week(window, article_id=None)[:, part].all(axis=1)
            for part in (slice(None, BEFORE_WEEKS), slice(BEFORE_WEEKS, None))
        )
        usable = unchanged & open_before & open_after & (kin[:, :BEFORE_WEEKS].sum(axis=1) > 0)
        usable &= self._currency == self._currency[row]
        usable[row] = False
        likeness = np.where(usable, self._likeness(window, row), -1.0)
        order = np.lexsort((self._ids, -likeness))[:COMPARED]
        return [int(other) for other in order if likeness[other] >= LIKE_ENOUGH]

    def row(self, store_id: int) -> int:
        """Return the row of a store."""
        return int(np.searchsorted(self._ids, store_id))

    def _lines(self, article_id: int, *, alone: bool) -> Int64s:
        """Return the lines with an article, or with any of its kind."""
        if article_id not in self._asked:
            raise KeyError(article_id)
        kin = self._kin(article_id, alone=alone)
        parts = [
            np.arange(self._of_article[number], self._of_article[number + 1]) for number in kin if number >= 0
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def _kin(self, article_id: int, *, alone: bool) -> Int32s:
        number = self._number.get(article_id, -1)
        if alone or number < 0:
            return np.array([number], np.int32)
        for codes in (self._types, self._categories):
            if codes[number] >= 0:
                return np.flatnonzero(codes == codes[number]).astype(np.int32)
        return np.array([number], np.int32)

    def _likeness(self, window: Window, row: int) -> Floats:
        """Return the cosine of every store's sales by category with those of one, before the change."""
        end = ((window.first - EPOCH).days - self._first) // 7
        sums = self._mixes[:, :, max(0, end - BEFORE_WEEKS) : max(0, end)].sum(axis=2)
        roots = np.sqrt(np.maximum(sums, 0) / np.maximum(sums.sum(axis=1, keepdims=True), 1))
        return np.asarray(roots @ roots[row])


def _codes(labels: list[str | None]) -> Int32s:
    code_of = {label: code for code, label in enumerate(sorted({label for label in labels if label}))}
    return np.array([code_of.get(label or "", -1) for label in labels], np.int32)

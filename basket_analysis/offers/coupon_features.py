"""
What speaks for a coupon in a household's hands, from what was known before one day.

All of it is counted for a whole pool at once: a row for each pair of household and coupon. Habits are counted
three times, for the articles that a coupon is good for, for their types and for their categories; a kind is a coupon's when at
least a tenth of what the chain sold of the coupon's articles is of that kind.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from basket_analysis.offers.coupon_books import Campaign, CouponBook, Floats, Int32s, Int64s, Redemptions
from basket_analysis.offers.coupon_codes import told_by_codes

RECENT = 56
"""Days of the chain's latest sales that popularity is read from."""

KIND_SHARE = 0.1
LONG_AGO = 999
RIDGE = 200.0
MOST_TYPES = 1_500
"""So many types, the most bought ones, are looked at for what households with alike purchases buy."""

Rows = NDArray[np.float32]

_HABITS = ("times", "times_28", "times_56", "fading_14", "fading_30", "fading_90", "since", "gap", "spent")
_OF_KINDS = ("times", "times_56", "fading_90", "since", "gap", "spent")
_COMPARED = (
    "article_times", "article_fading_90", "article_fading_30", "article_spent", "article_since", "type_fading_90",
    "category_fading_90", "popularity", "redeemed_before", "alike_redeemed_before", "own_redeemed_before",
    "own_alike_redeemed", "over_chain", "type_times", "expected",
)  # fmt: skip
"""Signals that also tell by their place among the household's other coupons of the pool."""


@dataclass(frozen=True)
class Purchases:
    """
    Sold lines of known households, ordered by household; kinds of articles are -1 where nothing is known.

    Households without lines may have numbers beyond those of `offsets`.
    """

    offsets: Int64s
    basket: Int32s
    article: Int32s
    day: Int32s
    value: Floats
    type_of: Int32s
    category_of: Int32s

    def lines_of(self, households: Int64s) -> tuple[Int64s, Int64s]:
        """Return the lines of `households`, and for each line the place of its household among them."""
        known = households < len(self.offsets) - 1
        first = np.where(known, self.offsets[np.where(known, households, 0)], 0)
        count = np.where(known, self.offsets[np.where(known, households + 1, 0)] - first, 0)
        return _runs(first, count), np.repeat(np.arange(len(households)), count)


def _runs(first: Int64s, count: Int64s) -> Int64s:
    """Return first, first + 1, … for each run, as many as it counts."""
    ends = np.cumsum(count)
    inside = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - count, count)
    return np.repeat(first, count) + inside


def _joined(keys: NDArray[np.integer], table: Any) -> tuple[Int64s, Int64s]:
    """Return the rows of `keys` and the columns of `table` that they lead to, a pair each."""
    count = np.diff(table.indptr)[keys].astype(np.int64)
    columns = table.indices[_runs(table.indptr[keys].astype(np.int64), count)]
    return np.repeat(np.arange(len(keys)), count), columns.astype(np.int64)


class Moment:
    """What the chain knew when a day began: nothing of that day or later is looked at."""

    def __init__(self, purchases: Purchases, book: CouponBook, day: int) -> None:
        self.purchases = purchases
        self.book = book
        self.day = day
        self._past = purchases.day < day
        self._recent = self._past & (purchases.day >= day - RECENT)
        self._articles = len(purchases.type_of)

    @cached_property
    def sold(self) -> Floats:
        """Lines sold of each article."""
        return np.bincount(self.purchases.article[self._past], minlength=self._articles).astype(np.float64)

    @cached_property
    def turnover(self) -> Floats:
        """What was taken for each article, in minor units."""
        past = self._past
        return np.bincount(
            self.purchases.article[past], weights=self.purchases.value[past], minlength=self._articles
        ).astype(np.float64)

    @cached_property
    def recent_owners(self) -> tuple[Int64s, Int64s]:
        """Households and articles of the latest sales, each pair once."""
        owners = np.repeat(np.arange(len(self.purchases.offsets) - 1), np.diff(self.purchases.offsets))
        width = max(1, self._articles)
        pairs = np.unique(owners[self._recent] * width + self.purchases.article[self._recent])
        return pairs // width, pairs % width

    @cached_property
    def redemptions(self) -> Redemptions:
        """What was redeemed before."""
        return self.book.redemptions.before(self.day)

    @cached_property
    def earlier(self) -> "EarlierCoupons":
        """The coupons of campaigns that began before."""
        return EarlierCoupons(self)

    @cached_property
    def alike(self) -> "AlikeHouseholds":
        """What households buy that bought the same types."""
        return AlikeHouseholds(self)

    def kind_table(self, pool: Campaign, kinds: Int32s) -> tuple[Any, Floats]:
        """Return the kinds (rows) that coupons (columns) are of, as a sparse matrix, and the lines sold of each kind."""
        known = np.flatnonzero(kinds >= 0)
        count = int(kinds.max(initial=-1)) + 1
        filed = sparse.csr_matrix(
            (self.sold[known] + 0.01, (known, kinds[known])), shape=(self._articles, max(1, count))
        )
        weight = (pool.articles @ filed).tocoo()
        whole = np.bincount(weight.row, weights=weight.data, minlength=len(pool.coupons))
        kept = weight.data >= KIND_SHARE * whole[weight.row]
        table = sparse.csr_matrix(
            (np.ones(int(kept.sum())), (weight.col[kept], weight.row[kept])),
            shape=(max(1, count), len(pool.coupons)),
        )
        sold = np.bincount(kinds[known], weights=self.sold[known], minlength=max(1, count))
        return table, sold.astype(np.float64)

    def signals(self, pool: Campaign, households: Int64s) -> tuple[Rows, tuple[str, ...]]:
        """Return the signals of every coupon of the pool in the hands of every household, household by household."""
        return CouponSignals(self, pool, households).table()


class AlikeHouseholds:
    """
    EASE (Steck 2019) over types: how far a household's other types foretell each one.

    B = I - P · diag(1 / diag P), P = (XᵀX + λI)⁻¹, X = log(1 + lines) of each household and type.
    """

    def __init__(self, moment: Moment) -> None:
        purchases = moment.purchases
        known = moment._past & (purchases.type_of[purchases.article] >= 0)  # noqa: SLF001 - one with its moment
        owners = np.repeat(np.arange(len(purchases.offsets) - 1), np.diff(purchases.offsets))[known]
        types = purchases.type_of[purchases.article[known]]
        count = int(purchases.type_of.max(initial=-1)) + 1
        lines = np.bincount(types, minlength=max(1, count))
        self.types = np.sort(np.argsort(-lines, kind="stable")[:MOST_TYPES])
        place = np.full(max(1, count), -1, np.int64)
        place[self.types] = np.arange(len(self.types))
        held = place[types] >= 0
        bought = sparse.csr_matrix(
            (np.ones(int(held.sum())), (owners[held], place[types[held]])),
            shape=(max(1, len(purchases.offsets) - 1), len(self.types)),
        )
        bought.data = np.log1p(bought.data)
        gram = (bought.T @ bought).toarray()
        inverse = np.linalg.inv(gram + RIDGE * np.eye(len(gram)))
        weights = -inverse / np.diag(inverse)
        np.fill_diagonal(weights, 0.0)
        self._bought, self._weights = bought, weights

    def expected(self, households: Int64s, pool: Campaign, moment: Moment) -> Floats:
        """Return the mean score of the types of each coupon's articles, weighted by what the chain sells of them."""
        types = moment.purchases.type_of
        place = np.full(int(types.max(initial=-1)) + 2, -1, np.int64)
        place[self.types] = np.arange(len(self.types))
        of = place[types]
        known = np.flatnonzero(of >= 0)
        filed = sparse.csr_matrix(
            (moment.sold[known] + 0.01, (known, of[known])), shape=(len(types), len(self.types))
        )
        weight = (pool.articles @ filed).tocsr()
        whole = np.maximum(np.asarray(weight.sum(axis=1)).ravel(), 1e-9)
        there = households < self._bought.shape[0]
        rows = self._bought[np.where(there, households, 0)].toarray() * there[:, None]
        scores = rows @ self._weights
        return np.asarray((sparse.diags(1.0 / whole) @ weight) @ scores.T).T


class EarlierCoupons:
    """The pools of campaigns that began before a moment, and how often their coupons were redeemed till then."""

    def __init__(self, moment: Moment) -> None:
        chosen = [
            number
            for number, campaign in enumerate(moment.book.campaigns)
            if campaign.starts < moment.day and len(campaign.coupons)
        ]
        pools = [moment.book.campaigns[number] for number in chosen]
        sizes = np.array([len(pool.coupons) for pool in pools], np.int64)
        first = np.full(len(moment.book.campaigns) + 1, -1, np.int64)
        first[chosen] = np.cumsum(sizes) - sizes
        done = moment.redemptions
        done = done.where(first[done.campaign] >= 0)
        pairs = np.unique(np.stack([done.household, first[done.campaign] + done.coupon]), axis=1)
        self.households, self.coupons = pairs[0], pairs[1]
        count = int(sizes.sum())
        self.times = np.bincount(self.coupons, minlength=count).astype(np.float64)
        campaign = np.repeat(np.arange(len(pools)), sizes)
        # What a coupon would have had if all of its pool had been redeemed alike.
        self.expected = (
            np.bincount(campaign, weights=self.times, minlength=len(pools)) / np.maximum(sizes, 1)
        )[campaign]
        self.articles = sparse.vstack([pool.articles for pool in pools]).tocsr() if pools else None
        self._moment = moment

    def likeness(self, pool: Campaign) -> Iterator[tuple[str, Floats]]:
        """Yield how like each earlier coupon (row) is to each of the pool: by articles, and by types."""
        assert self.articles is not None
        own = np.asarray(pool.articles.sum(axis=1)).ravel()
        theirs = np.asarray(self.articles.sum(axis=1)).ravel()
        shared = (self.articles @ pool.articles.T).toarray()
        yield "", (shared / np.sqrt(np.maximum(np.outer(theirs, own), 1.0))) ** 2
        types = self._moment.purchases.type_of
        known = np.flatnonzero(types >= 0)
        weight = np.sqrt(self._moment.sold[known] + 0.01)
        filed = sparse.csr_matrix(
            (weight, (known, types[known])), shape=(len(types), int(types.max(initial=-1)) + 1 or 1)
        )
        yield "alike_", (_unit(self.articles @ filed) @ _unit(pool.articles @ filed).T).toarray() ** 4


def _unit(rows: Any) -> Any:
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return (sparse.diags(1.0 / np.maximum(lengths, 1e-9)) @ rows).tocsr()


class CouponSignals:
    """The signals of one pool of coupons in the hands of some households."""

    def __init__(self, moment: Moment, pool: Campaign, households: Int64s) -> None:
        self.moment, self.pool, self.households = moment, pool, households
        self.shape = (len(households), len(pool.coupons))
        lines, owners = moment.purchases.lines_of(households)
        past = moment.purchases.day[lines] < moment.day
        self._lines, self._owners = lines[past], owners[past]

    def table(self) -> tuple[Rows, tuple[str, ...]]:
        """Return a row for each pair, household by household, a column for each name."""
        found: dict[str, Floats] = {}
        for name, values in self._all():
            found[name] = np.broadcast_to(values, self.shape)
        for name in _COMPARED:
            found[f"place_of_{name}"] = _places(found[name])
        names = tuple(found)
        rows = np.empty((self.shape[0] * self.shape[1], len(names)), np.float32)
        for column, name in enumerate(names):
            rows[:, column] = found[name].ravel()
        return rows, names

    def _all(self) -> Iterator[tuple[str, Floats]]:
        articles = self.pool.articles.T.tocsr()
        purchases = self.moment.purchases
        own = self._habits(purchases.article[self._lines], articles)
        for name in _HABITS:
            yield f"article_{name}", own[name]
        yield from self._of_kind("type", purchases.type_of, own)
        yield from self._of_kind("category", purchases.category_of, own)
        yield from self._of_household(own)
        yield from self._of_redemptions()
        yield "expected", self.moment.alike.expected(self.households, self.pool, self.moment)
        yield "articles", np.log1p(np.asarray(self.pool.articles.sum(axis=1)).ravel())[None, :]
        yield "pool", np.full((1, 1), float(len(self.pool.coupons)))
        yield "days", np.full((1, 1), float(self.pool.ends - self.pool.starts))
        yield from self._of_codes()

    def _of_codes(self) -> Iterator[tuple[str, Floats]]:
        """Yield what the codes of coupons say of their terms, against what a line of their articles usually costs."""
        lines = self.pool.articles @ self.moment.sold
        prices = np.where(
            lines > 0, (self.pool.articles @ self.moment.turnover) / np.maximum(lines, 1.0), np.nan
        )
        for name, values in told_by_codes(self.pool.coupons, prices).items():
            yield name, values[None, :]

    def _habits(self, keys: NDArray[np.integer], table: Any) -> dict[str, Floats]:
        """Return how often, how lately and for how much each household bought what `table` leads to from `keys`."""
        purchases, (households, coupons) = self.moment.purchases, self.shape
        rows, columns = _joined(keys, table)
        lines = self._lines[rows]
        cells = self._owners[rows] * coupons + columns
        size = households * coupons
        spent = np.bincount(cells, weights=purchases.value[lines], minlength=size)
        # A basket counts once, however many lines of it are meant.
        order = np.lexsort((purchases.basket[lines], cells))
        cells, baskets, days = cells[order], purchases.basket[lines][order], purchases.day[lines][order]
        first = np.ones(len(cells), np.bool_)
        first[1:] = (cells[1:] != cells[:-1]) | (baskets[1:] != baskets[:-1])
        cells, days = cells[first], days[first].astype(np.float64)
        age = self.moment.day - days
        found = {"spent": spent, "times": np.bincount(cells, minlength=size).astype(np.float64)}
        for window in (28, 56):
            found[f"times_{window}"] = np.bincount(
                cells, weights=(age <= window).astype(np.float64), minlength=size
            )
        for half_life in (14, 30, 90):
            found[f"fading_{half_life}"] = np.bincount(
                cells, weights=0.5 ** (age / half_life), minlength=size
            )
        youngest, oldest = np.full(size, float(LONG_AGO)), np.zeros(size)
        np.minimum.at(youngest, cells, np.minimum(age, LONG_AGO))
        np.maximum.at(oldest, cells, age)
        found["since"] = youngest
        times = found["times"]
        found["gap"] = np.where(times > 1, (oldest - youngest) / np.maximum(times - 1, 1), -1.0)
        return {name: np.asarray(values, np.float64).reshape(self.shape) for name, values in found.items()}

    def _of_kind(self, name: str, kinds: Int32s, own: dict[str, Floats]) -> Iterator[tuple[str, Floats]]:
        table, sold = self.moment.kind_table(self.pool, kinds)
        filed = np.where(kinds < 0, table.shape[0], kinds)
        padded = sparse.vstack([table, sparse.csr_matrix((1, table.shape[1]))]).tocsr()
        habits = self._habits(filed[self.moment.purchases.article[self._lines]], padded)
        for what in _OF_KINDS:
            yield f"{name}_{what}", habits[what]
        yield f"share_of_{name}", own["spent"] / np.maximum(habits["spent"], 1.0)
        yield (
            f"chain_share_of_{name}",
            ((self.pool.articles @ self.moment.sold) / np.maximum(table.T @ sold, 1.0))[None, :],
        )

    def _of_household(self, own: dict[str, Floats]) -> Iterator[tuple[str, Floats]]:
        purchases, households = self.moment.purchases, self.shape[0]
        spent = np.bincount(self._owners, weights=purchases.value[self._lines], minlength=households).astype(
            np.float64
        )
        pairs = np.unique(
            self._owners * (int(purchases.basket.max(initial=0)) + 1) + purchases.basket[self._lines]
        )
        owners = pairs // (int(purchases.basket.max(initial=0)) + 1)
        visits = np.bincount(owners, minlength=households).astype(np.float64)
        members, articles = self.moment.recent_owners
        rows, columns = _joined(articles, self.pool.articles.T.tocsr())
        buyers = np.unique(members[rows] * self.shape[1] + columns) % self.shape[1]
        active = max(1, len(np.unique(members)))
        popularity = np.bincount(buyers, minlength=self.shape[1]).astype(np.float64) / active
        yield "popularity", popularity[None, :]
        yield "visits", visits[:, None]
        yield "spent", spent[:, None]
        yield "share_of_spending", own["spent"] / np.maximum(spent, 1.0)[:, None]
        yield "per_visit", own["times"] / np.maximum(visits, 1.0)[:, None]
        usual = np.maximum(visits[:, None] * np.maximum(popularity, 1e-3)[None, :] * 0.2, 1e-3)
        yield "over_chain", np.log((own["times"] + 0.5 * popularity[None, :]) / usual + 1e-3)
        yield "overdue", np.where(own["gap"] > 0, own["since"] / np.maximum(own["gap"], 1.0), -1.0)

    def _of_redemptions(self) -> Iterator[tuple[str, Floats]]:
        earlier, done = self.moment.earlier, self.moment.redemptions
        place = np.full(max(int(self.households.max(initial=0)), int(done.household.max(initial=0))) + 1, -1)
        place[self.households] = np.arange(len(self.households))
        mine = place[done.household]
        yield (
            "own_redeemed",
            np.bincount(mine[mine >= 0], minlength=self.shape[0]).astype(np.float64)[:, None],
        )
        if earlier.articles is None:
            for name in ("", "alike_"):
                yield f"{name}redeemed_before", np.zeros((1, 1))
                yield f"{name}known_before", np.zeros((1, 1))
                yield ("own_alike_redeemed" if name else "own_redeemed_before"), np.zeros((1, 1))
            return
        owners = place[earlier.households]
        own = sparse.csr_matrix(
            (np.ones(int((owners >= 0).sum())), (owners[owners >= 0], earlier.coupons[owners >= 0])),
            shape=(self.shape[0], len(earlier.times)),
        )
        for name, likeness in earlier.likeness(self.pool):
            usual = earlier.expected @ likeness
            yield f"{name}redeemed_before", np.log((earlier.times @ likeness + 0.5) / (usual + 0.5))[None, :]
            yield f"{name}known_before", np.log1p(usual)[None, :]
            yield ("own_alike_redeemed" if name else "own_redeemed_before"), np.asarray(own @ likeness)


def _places(values: Floats) -> Floats:
    """Return the place of each value in its row, from 0 to 1; equal ones share the middle of theirs."""
    from scipy.stats import rankdata  # noqa: PLC0415 - slow to import

    return np.asarray((rankdata(values, axis=1) - 0.5) / max(1, values.shape[1]))

"""A chain made up so that its natural delistings, and what they leave, are known before they are looked for."""

import json
import tracemalloc

import numpy as np
import pytest
from click.testing import CliRunner

from basket_analysis.assortment.delisting_evaluation import evaluate_delistings
from basket_analysis.assortment.delistings import natural_delistings
from basket_analysis.assortment.listing_evaluation import evaluate_listings, groups_of
from basket_analysis.assortment.retention import RetentionModel
from basket_analysis.assortment.store_baskets import StoreBaskets
from basket_analysis.evaluation_commands import evaluate
from core.commandline import Workplace
from tests.basket_analysis.assortment.test_listing import HEADER
from tests.basket_analysis.baskets_made import write_csv

SEED = 11
WEEKS = 40
STOP = 20
ARTICLES = 6
"""Of one category; the last one is loved by some who buy no other."""


def chain(
    stores=30, households=20, *, gone=lambda store: store % 2 == 0, open_until=lambda _store: WEEKS, loyal=0.3
):
    """
    Baskets of stores whose households come most weeks and buy one article of the category, and one of another.

    In the stores that `gone` names the first article is sold until week 20. Its loyal buyers then do without;
    the others take another one.
    """
    random = np.random.default_rng(SEED)
    baskets, pairs = [], []
    for store in range(stores):
        for number in range(households):
            faithful = random.random() < loyal
            often = random.uniform(0.15, 0.9)
            for week in range(open_until(store)):
                if random.random() > often:
                    continue
                wanted = 0 if faithful else int(random.integers(0, ARTICLES))
                if wanted == 0 and gone(store) and week >= STOP:
                    wanted = -1 if faithful else int(random.integers(1, ARTICLES))
                baskets.append((store, store * households + number, week))
                pairs += [(len(baskets) - 1, item) for item in (wanted, ARTICLES) if item >= 0]
    store, household, week = (np.array(column, np.int32) for column in zip(*baskets, strict=True))
    basket, item = (np.array(column, np.int32) for column in zip(*pairs, strict=True))
    kinds = np.array([0] * ARTICLES + [1], np.int32)
    return StoreBaskets(
        stores=tuple(f"s{number:02}" for number in range(stores)),
        items=tuple(f"i{number}" for number in range(ARTICLES + 1)),
        households=stores * households,
        basket=basket,
        item=item,
        value=np.full(len(item), 50_000, np.int64),
        store=store,
        household=household,
        week=week,
        type_of=kinds,
        category_of=kinds,
        weeks=WEEKS,
    )


@pytest.fixture(scope="module")
def delisted():
    return chain()


class TestNaturalDelistings:
    def test_are_where_a_store_stopped_and_the_chain_went_on(self, delisted):
        stop = natural_delistings(delisted)
        stores = set(stop.store[stop.gone].tolist())
        assert len(stores) >= 12
        assert all(store % 2 == 0 for store in stores)

    def test_are_none_where_the_whole_chain_stopped(self):
        assert not natural_delistings(chain(stores=6, gone=lambda _: True)).gone.any()

    def test_are_none_where_the_store_closed(self):
        closed = chain(stores=8, gone=lambda _: False, open_until=lambda store: WEEKS if store else STOP)
        assert not natural_delistings(closed).gone.any()

    def test_count_what_each_buyer_of_the_category_did(self, delisted):
        stop = natural_delistings(delisted)
        assert (stop.without <= stop.occasions).all()
        assert (stop.own <= stop.spent).all()
        assert (stop.kept == (stop.spent_after > 0)).all()

    def test_take_little_memory_beside_the_lines(self):
        lines = 1_000_000
        random = np.random.default_rng(SEED)
        many = StoreBaskets(
            stores=tuple("abcdefgh"), items=tuple(map(str, range(50))), households=500,
            basket=np.repeat(np.arange(lines // 5, dtype=np.int32), 5),
            item=random.integers(0, 50, lines).astype(np.int32), value=np.full(lines, 100, np.int64),
            store=random.integers(0, 8, lines // 5).astype(np.int32),
            household=np.full(lines // 5, -1, np.int32),
            week=random.integers(0, WEEKS, lines // 5).astype(np.int32),
            type_of=np.zeros(50, np.int32), category_of=np.zeros(50, np.int32), weeks=WEEKS,
        )  # fmt: skip
        tracemalloc.start()
        natural_delistings(many)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        # All lines are of nobody known: what is left out must not be copied first.
        assert peak < 20 * lines

    @pytest.mark.parametrize("weeks", [None, 5])
    def test_are_none_in_too_short_a_past(self, delisted, weeks):
        short = StoreBaskets(**{**delisted.__dict__, "week": delisted.week * 0, "weeks": weeks})
        assert not len(natural_delistings(short).gone)

    def test_are_none_without_households(self, delisted):
        nobody = StoreBaskets(
            **{**delisted.__dict__, "household": delisted.household * 0 - 1, "households": 0}
        )
        assert not len(natural_delistings(nobody).gone)

    def test_are_none_without_categories_and_types(self, delisted):
        unfiled = np.full(len(delisted.items), -1, np.int32)
        plain = StoreBaskets(**{**delisted.__dict__, "type_of": unfiled, "category_of": unfiled})
        assert not len(natural_delistings(plain).gone)


class TestRetentionModel:
    def test_foretells_more_loss_where_more_buyers_know_nothing_else(self):
        kept = []
        for loyal in (0.1, 0.6):
            stop = natural_delistings(chain(loyal=loyal))
            model = RetentionModel().fit(stop, np.ones(len(stop.gone), np.bool_))
            kept.append(model.share(stop).middle[stop.gone].mean())
        assert kept[1] < kept[0] - 0.2

    def test_says_little_where_the_past_is_too_short_to_learn_from(self, delisted):
        stop = natural_delistings(delisted)
        learnt = RetentionModel().fit(stop, ~stop.gone)
        assert (learnt.share_.slope, learnt.share_.extra, learnt.share_.events) == (1.0, 0.0, 0)
        taught = RetentionModel().fit(stop, np.ones(len(stop.gone), np.bool_))
        wide, narrow = (
            (made.high - made.low)[stop.gone].mean() for made in (learnt.share(stop), taught.share(stop))
        )
        assert wide > narrow

    def test_never_leaves_the_bounds_of_a_share(self, delisted):
        stop = natural_delistings(delisted)
        made = RetentionModel().fit(stop, np.ones(len(stop.gone), np.bool_)).share(stop)
        assert made.low.min() >= 0
        assert made.high.max() <= 1


class TestEvaluateDelistings:
    def test_holds_the_truth_about_as_often_as_it_says(self):
        """Intervals of 80 %, foretold from other stores than they are held against."""
        found = evaluate_delistings(chain(stores=120, gone=lambda store: store % 3 == 0))
        share, money = found.rows
        assert found.delistings >= 35
        for row in (share, money):
            assert 0.65 <= row.covered <= 0.95
            assert abs(row.predicted - row.actual) < 0.05

    def test_finds_nothing_where_nothing_was_delisted(self):
        found = evaluate_delistings(chain(stores=4, gone=lambda _: False))
        assert (found.delistings, found.rows) == (0, ())


class TestEvaluateListings:
    def test_stands_beside_rows_with_groups_and_with_the_same_groups_shuffled(self):
        random = np.random.default_rng(SEED)
        found = evaluate_listings(
            _of_two_tastes(random), learn_weeks=20, min_store_baskets=20, min_item_baskets=5
        )
        names = [row.method for row in found.rows]
        assert names[-3:] == ["Regulars", "Regulars with groups", "Regulars with shuffled groups"]

    def test_has_no_groups_without_categories(self, delisted):
        unfiled = np.full(len(delisted.items), -1, np.int32)
        assert (
            groups_of(StoreBaskets(**{**delisted.__dict__, "type_of": unfiled, "category_of": unfiled}))
            is None
        )


def _of_two_tastes(random):
    """Two tastes of six categories each, in stores that sell three quarters of the articles at first."""
    rows = []
    for store in range(10):
        hidden = {int(item) for item in random.choice(48, 12, replace=False)}
        for number in range(16):
            taste = number % 2
            for week in range(30):
                kinds = taste * 6 + random.choice(6, 3, replace=False)
                items = {int(kind) * 4 + int(random.integers(0, 4)) for kind in kinds}
                rows.append(
                    (store, store * 16 + number, week, [i for i in items if i not in hidden or week >= 20])
                )
    rows = [row for row in rows if row[3]]
    pairs = [(number, item) for number, row in enumerate(rows) for item in row[3]]
    basket, item = (np.array(column, np.int32) for column in zip(*pairs, strict=True))
    store, household, week = (np.array([row[n] for row in rows], np.int32) for n in range(3))
    return StoreBaskets(
        stores=tuple(f"s{n}" for n in range(10)), items=tuple(f"i{n:02}" for n in range(48)), households=160, basket=basket,
        item=item, value=np.full(len(item), 10_000, np.int64), store=store, household=household, week=week,
        type_of=(np.arange(48) // 4).astype(np.int32), category_of=(np.arange(48) // 4).astype(np.int32), weeks=30,
    )  # fmt: skip


class TestEvaluateAssortment:
    """The command, on files that hold little."""

    @pytest.mark.parametrize("value", ["100", "-100", "0"])
    def test_prints_a_document_where_there_is_nothing_to_find(self, tmp_path, value):
        rows = [
            (
                str(number),
                "a",
                f"h{number % 9}",
                f"2026-01-{number % 28 + 1:02}T10:00:00Z",
                "s",
                value,
                "t",
                "c",
            )
            for number in range(300)
        ]
        path = write_csv(tmp_path / "b.csv", rows, columns=HEADER)
        asked = CliRunner().invoke(
            evaluate,
            ["assortment", "--baskets", str(path), "--learn-weeks", "2", "--json"],
            obj=Workplace(tmp_path, None),
        )
        found = json.loads(asked.stdout, parse_constant=pytest.fail)
        assert (found["covered"], found["rows"], found["natural_delistings"]["delistings"]) == (None, [], 0)

    def test_says_so_in_words(self, tmp_path):
        rows = [
            (str(number), "a", "h", f"2026-01-{number % 28 + 1:02}", "s", "1", "t", "c")
            for number in range(60)
        ]
        path = write_csv(tmp_path / "b.csv", rows, columns=HEADER)
        asked = CliRunner().invoke(
            evaluate,
            ["assortment", "--baskets", str(path), "--learn-weeks", "2"],
            obj=Workplace(tmp_path, None),
        )
        assert "no natural delistings" in asked.stdout

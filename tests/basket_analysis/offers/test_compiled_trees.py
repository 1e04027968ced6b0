"""Trees followed by a compiled loop say what LightGBM says, to the bit."""

from collections.abc import Sequence
from typing import Any

import lightgbm
import numpy as np
import pytest

from basket_analysis.offers.compiled_trees import TILE, TreesUnknownError, flat_trees
from basket_analysis.offers.relevance_lessons import LEAVES


def rows_of(count: int, *, columns: int = 9) -> np.ndarray:
    """Return rows as rankings have them: skewed, whole, often 0, often unknown, tiny, and always known."""
    chance = np.random.default_rng(3)
    rows = chance.normal(size=(count, columns)).astype(np.float32)
    rows[:, 0] = np.exp(rows[:, 0] * 3)
    rows[:, 1] = np.round(rows[:, 1] * 4)
    rows[:, 2][rows[:, 2] < 0.5] = 0
    rows[:, 3][chance.random(count) < 0.4] = np.nan
    rows[:, 4] *= np.float32(1e-34)
    rows[:, 5] = np.where(chance.random(count) < 0.5, np.nan, np.sign(rows[:, 5]))
    return rows


def grown(rows: np.ndarray, categories: Sequence[int] = (), **more: Any) -> lightgbm.Booster:
    """Return trees with which these rows, most of all their unknown values, have to do."""
    speaks = np.nan_to_num(rows[:, 3], nan=1.3) + np.isnan(rows[:, 5]) * 0.7 + np.log1p(rows[:, 0]) * 0.2
    outcome = (speaks + 0.3 * rows[:, 1] + (rows[:, 4] > 0) > 1).astype(np.float32)
    settings = dict(LEAVES) | {"min_data_in_leaf": 5} | more
    lessons = lightgbm.Dataset(rows, outcome, params=settings, categorical_feature=list(categories))
    return lightgbm.train(settings, lessons, num_boost_round=40)


def test_rows_are_worth_what_lightgbm_says_to_the_bit() -> None:
    """Also at the thresholds themselves, next to them, where something is unknown, and in a last tile that is not full."""
    rows = rows_of(3_000)
    booster = grown(rows)
    trees = flat_trees(str(booster.model_to_string()))
    edges = [rows]
    for column in range(rows.shape[1]):
        bounds = np.unique(np.abs(trees.bound[trees.column == column]))
        for values in (
            bounds,
            -bounds,
            np.nextafter(bounds, np.float32(np.inf)),
            -np.nextafter(bounds, np.float32(0)),
        ):
            some = rows[np.arange(len(values)) % len(rows)].copy()
            some[:, column] = values
            edges.append(some)
    strange = rows[: 8 * rows.shape[1]].copy()
    for column in range(rows.shape[1]):
        strange[column * 8 : column * 8 + 8, column] = [
            np.nan,
            0,
            -0.0,
            1e-35,
            -1e-35,
            1e-40,
            np.inf,
            -np.inf,
        ]
    asked = np.concatenate([*edges, strange])[:-1]
    assert len(asked) % TILE
    assert np.array_equal(trees.predict(asked), booster.predict(asked, raw_score=True, num_threads=1))


def test_a_tree_that_found_nothing_to_ask_is_worth_its_one_leaf() -> None:
    """Where columns say nothing, and where there is no row."""
    rows = np.zeros((300, 2), np.float32)
    outcome = (np.arange(300) % 3 == 0).astype(np.float32)
    booster = lightgbm.train(
        dict(LEAVES), lightgbm.Dataset(rows, outcome, params=dict(LEAVES)), num_boost_round=3
    )
    trees = flat_trees(str(booster.model_to_string()))
    assert np.array_equal(trees.predict(rows), booster.predict(rows, raw_score=True))
    assert trees.predict(rows[:0]).tolist() == []


def test_rows_of_other_columns_are_refused() -> None:
    """Or they would be judged by whatever stands behind them."""
    rows = rows_of(300)
    with pytest.raises(ValueError, match="8 columns instead of 9"):
        flat_trees(str(grown(rows).model_to_string())).predict(rows[:, :8])


@pytest.mark.parametrize("more", [{"num_leaves": 40}, {"categories": [1]}, {"zero_as_missing": True}])
def test_trees_that_cannot_be_followed_are_refused(more: dict[str, Any]) -> None:
    """Rather than followed wrongly."""
    rows = rows_of(2_000)
    rows[:, 1] = np.abs(rows[:, 1])
    with pytest.raises(TreesUnknownError):
        flat_trees(str(grown(rows, **more).model_to_string()))

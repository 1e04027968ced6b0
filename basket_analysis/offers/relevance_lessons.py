"""
What days of the past teach about what members buy next: their outcome is known, and trees are grown from it. Pure.

Trees are kept as text with what they were grown from, so that they can rank on later days as well.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final

import numpy as np

from basket_analysis.baskets import Int32s, Int64s
from basket_analysis.offers.compiled_trees import FlatTrees, flat_trees
from basket_analysis.offers.relevance_blocks import Moment, Plan, blocks_of, moment_of
from basket_analysis.offers.relevance_kernels import BLOCK
from basket_analysis.offers.relevance_purchases import (
    FEWEST_BUYERS,
    Floats,
    ItemPurchases,
    Kind,
    among,
    distinct,
)
from basket_analysis.offers.relevance_tastes import EASES, FACTORS, NEAREST
from core.processes import give_back_memory

MIN_BASKETS = 5
"""Members with fewer baskets are not learnt from."""

LEAST_LESSONS = 200
"""With fewer purchases to learn from, lists go by recency and by members alike."""

LEAVES: Final = {
    "objective": "cross_entropy",
    "num_leaves": 31,
    "learning_rate": 0.05,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.3,
    "lambda_l2": 5.0,
    "max_bin": 127,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 7,
    "verbose": -1,
}


@dataclass(frozen=True, slots=True)
class Trees:
    """What was learnt for one kind of list, as LightGBM writes it; `text` is empty where there was too little to learn from."""

    as_of: int
    """The day, since 2000-01-01, before which everything lies that was learnt from."""
    settings: str
    """The hash of how it was learnt, and from which columns: other trees must not judge them."""
    text: str


@dataclass(slots=True)
class _Lessons:
    """Rows of features and whether they came true, gathered over days of the past."""

    features: list[Floats] = field(default_factory=list)
    outcomes: list[Floats] = field(default_factory=list)
    """1 came true, 0 did not; in between what came true, but not in the very next basket."""
    weights: list[Floats] = field(default_factory=list)
    """Small baskets count nearly as much as large ones, as each member's list is to be good."""
    columns: tuple[str, ...] = ()


def learn_trees(sample: ItemPurchases, plans: Mapping[Kind, Plan]) -> dict[Kind, Trees]:
    """Return what the days of each kind's plan teach about its lists; one kind after the other, which bounds the memory."""
    found: dict[Kind, Trees] = {}
    for kind, plan in plans.items():
        lessons = _Lessons()
        for number in range(plan.origins):
            moment = moment_of(sample, sample.as_of - plan.horizon - plan.step * number, (kind,))
            _learn_day(lessons, sample, moment, kind, plan, number)
            # Or it would stand in memory beside the next one, and beside the trees.
            del moment
            give_back_memory()
        found[kind] = Trees(sample.as_of, settings_of(plan, lessons.columns), _grow(lessons, plan))
        del lessons
        give_back_memory()
    return found


def columns_of(sample: ItemPurchases, kind: Kind) -> tuple[str, ...]:
    """Return the names of the columns by which lists of `kind` are ranked: a few members tell them as well as all."""
    few = sample.of_first(A_FEW)
    moment = moment_of(few, few.as_of, (kind,))
    everybody = np.arange(few.members, dtype=np.int32)
    (asked,) = blocks_of(moment, moment.sample, everybody, everybody, (kind,))
    return asked.features(np.empty(0, np.int64))[0]


A_FEW = 20


def settings_of(plan: Plan, columns: tuple[str, ...]) -> str:
    """Return the hash of all that trees depend on besides purchases: other releases may count columns otherwise."""
    tastes = (EASES, NEAREST, FACTORS)
    versions = (version("lightgbm"), version("regulars"))
    settings = repr((plan, sorted(LEAVES.items()), columns, tastes, versions))
    return hashlib.sha256(settings.encode()).hexdigest()


def _learn_day(  # noqa: PLR0917
    lessons: _Lessons, sample: ItemPurchases, moment: Moment, kind: Kind, plan: Plan, number: int
) -> None:
    day = moment.sample.day
    items = max(sample.items, 1)
    bought = _bought_in(sample, day, plan.horizon)
    outcome = bought if kind == "all" else np.setdiff1d(bought, moment.sample.key, assume_unique=True)
    size = np.bincount(outcome // items, minlength=sample.members)
    chance = np.random.default_rng(1_000 * number + plan.horizon)
    members = np.flatnonzero((size > 0) & (moment.sample.baskets >= MIN_BASKETS)).astype(np.int32)
    if len(members) > plan.members:
        members = np.sort(chance.choice(members, plan.members, replace=False))
    known = moment.sample.buyers >= FEWEST_BUYERS
    soon = _next_baskets(sample, day, plan.horizon) if kind == "all" else outcome
    for block in blocks(members):
        (asked,) = blocks_of(moment, moment.sample, block, block, (kind,))
        keys = asked.candidates(plan, known)
        true = among(keys, outcome)
        kept = true | (chance.random(len(keys)) < plan.kept_negatives)
        if kept.any():
            lessons.columns, features = asked.features(keys)
            lessons.features.append(features[kept])
            keys, true = keys[kept], true[kept]
            lessons.outcomes.append(((true * 1.0 + among(keys, soon)) / 2).astype(np.float32))
            lessons.weights.append((1 / np.sqrt(np.maximum(size[keys // items], 2))).astype(np.float32))


def _grow(lessons: _Lessons, plan: Plan) -> str:
    """Return the trees; nothing where there is too little to learn from."""
    outcomes = np.concatenate(lessons.outcomes or [_NOTHING])
    if (outcomes > 0).sum() < LEAST_LESSONS or (outcomes > 0).all():
        return ""
    import lightgbm  # noqa: PLC0415 - heavy, and needed at night only

    weights = np.concatenate(lessons.weights)
    rows = lightgbm.Dataset(
        lessons.features, outcomes, weight=weights / weights.mean(), params=dict(LEAVES), free_raw_data=True
    )
    rows.construct()
    lessons.features.clear()
    booster = lightgbm.train(dict(LEAVES), rows, num_boost_round=plan.rounds)
    return str(booster.model_to_string())


def judge_of(trees: Trees) -> FlatTrees | None:
    """Return what judges by `trees`; None where nothing could be learnt."""
    return flat_trees(trees.text) if trees.text else None


def blocks(members: Int32s) -> Iterator[Int32s]:
    """Yield `members`, some at a time."""
    for first in range(0, len(members), BLOCK):
        yield members[first : first + BLOCK]


def _next_baskets(bought: ItemPurchases, day: int, horizon: int) -> Int64s:
    """Return the pairs of each member's first basket from `day` on, within `horizon` days."""
    within = np.flatnonzero((bought.day >= day) & (bought.day < day + horizon))
    first = np.full(bought.members, np.iinfo(np.int64).max)
    np.minimum.at(first, bought.member[within], bought.basket[within])
    rows = within[bought.basket[within] == first[bought.member[within]]]
    return distinct(bought.member[rows].astype(np.int64) * max(bought.items, 1) + bought.item[rows])


def _bought_in(bought: ItemPurchases, day: int, horizon: int) -> Int64s:
    """Return the pairs bought from `day` on, within `horizon` days."""
    within = (bought.day >= day) & (bought.day < day + horizon)
    return distinct(bought.member[within].astype(np.int64) * max(bought.items, 1) + bought.item[within])


_NOTHING: Floats = np.empty(0, np.float32)

"""Stores whose households shop alike but for what a test plants: sales tables for comparing stores."""

import numpy as np

from basket_analysis.assortment.store_sales import SalesTable

SEED = 20261122
STORES, HOUSEHOLDS, VISITS, ARTICLES, WEEKS = 4, 50, 16, 8, 16


def chance():
    """Return the chance of a test, the same each time."""
    return np.random.default_rng(SEED)


def made(rows, *, stores=STORES, articles=ARTICLES, weeks=WEEKS, type_of=None):
    """Return the table of rows (store, household, week, {article: value})."""
    lines = [(at, article, value) for at, row in enumerate(rows) for article, value in sorted(row[3].items())]
    return SalesTable(
        basket=np.array([line[0] for line in lines], np.int32),
        article=np.array([line[1] for line in lines], np.int32),
        value=np.array([line[2] for line in lines], np.int64),
        store=np.array([row[0] for row in rows], np.int32),
        household=np.array([row[1] for row in rows], np.int32),
        week=np.array([row[2] for row in rows], np.int32),
        type_of=np.array(type_of or [0] * articles, np.int32),
        stores=stores,
        weeks=weeks,
    )


def alike(draw, *, basket, households=HOUSEHOLDS, stores=STORES, visits=VISITS):
    """Return rows of `stores`, each with its own households; `basket(draw, store)` gives what one holds."""
    return [
        (store, store * households + household, visit % WEEKS, basket(draw, store))
        for store in range(stores)
        for household in range(households)
        for visit in range(visits)
    ]

"""Other miners of the same baskets, where they are installed: `uv pip install pyfim efficient-apriori`."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np
from frame import Side, console

from basket_analysis.baskets import BasketTable

Work = Callable[[], int]

APRIORI_UP_TO = 200_000
"""Baskets beyond which efficient-apriori would take minutes."""


def rivals(table: BasketTable, least: int) -> Iterator[Side]:
    """Yield the others; what each prepares is not timed, and what is not installed is said."""
    yield Side("scipy X.T @ X (pairs only)", _scipy_pairs(table, least))
    if find_spec("fim") is None:
        console.print("PyFIM is not installed (uv pip install pyfim, which needs a C compiler): left out")
    else:
        yield Side("PyFIM eclat", _pyfim(table, least))
    if find_spec("efficient_apriori") is None:
        console.print("efficient-apriori is not installed: left out")
    elif len(table) > APRIORI_UP_TO:
        console.print("efficient-apriori is left out beyond 200,000 baskets")
    else:
        yield Side("efficient-apriori", _apriori(table, least))


def _scipy_pairs(table: BasketTable, least: int) -> Work:
    from scipy.sparse import csr_array, triu

    frequent = np.flatnonzero(table.item_counts >= least)
    shape = (len(table), len(table.items))
    matrix = csr_array((np.ones(len(table.codes), np.int32), table.codes, table.offsets), shape=shape)
    matrix = matrix[:, frequent].tocsr()
    return lambda: int((triu(matrix.T @ matrix, 1).data >= least).sum())


def _baskets(table: BasketTable) -> list[tuple[int, ...]]:
    return [tuple(basket.tolist()) for basket in np.split(table.codes, table.offsets[1:-1])]


def _pyfim(table: BasketTable, least: int) -> Work:
    from fim import eclat

    baskets = _baskets(table)
    return lambda: len(eclat(baskets, target="s", supp=-least, zmin=1, report="a"))


def _apriori(table: BasketTable, least: int) -> Work:
    from efficient_apriori import itemsets_from_transactions

    baskets = _baskets(table)
    share = (least - 0.5) / len(table)

    def work() -> int:
        found, _count = itemsets_from_transactions(baskets, share)
        return sum(map(len, found.values()))

    return work

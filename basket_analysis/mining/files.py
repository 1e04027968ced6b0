"""The files of `regulars mine`: itemsets and rules, one a row, in the order of code points."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from basket_analysis.mining.itemsets import Itemsets
from basket_analysis.mining.rules import Rules
from basket_analysis.result_files import write_rows

ROWS_AT_ONCE = 1 << 18

_ITEMSETS = pa.schema([("items", pa.string()), ("count", pa.int64())])
_MEASURES = ("support", "confidence", "lift", "leverage", "conviction", "adjusted_lift", "z", "q")
_RULES = pa.schema(
    [
        ("antecedent", pa.string()),
        ("consequent", pa.string()),
        ("count", pa.int64()),
        *((measure, pa.float64()) for measure in _MEASURES),
    ]
)


def joined(items: Sequence[str]) -> str:
    r"""Return `items` joined with "|"; inside an item "\" is written "\\" and "|" is "\|"."""
    return "|".join(map(_escaped, items))


def _escaped(item: str) -> str:
    return item.replace("\\", "\\\\").replace("|", "\\|")


def write_itemsets(path: Path, items: Sequence[str], itemsets: Itemsets) -> int:
    """Write every itemset with its count, by length and then by code point; return how many."""
    return write_rows(path, _ITEMSETS, _itemset_batches(items, itemsets))


def _itemset_batches(items: Sequence[str], itemsets: Itemsets) -> Iterator[Any]:
    names = pa.array([_escaped(item) for item in items], pa.string())
    for level in itemsets.levels:
        for first in range(0, len(level), ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            yield pa.record_batch([_texts(names, level.items[rows]), level.counts[rows]], schema=_ITEMSETS)


def _texts(names: Any, rows: np.ndarray[Any, Any]) -> Any:
    return pc.binary_join_element_wise(*(names.take(pa.array(column)) for column in rows.T), "|")


def write_rules(path: Path, items: Sequence[str], rules: Rules) -> int:
    """Write every rule with its measures, in the order of the itemsets they split; return how many."""
    return write_rows(path, _RULES, _rule_batches(items, rules))


def _rule_batches(items: Sequence[str], rules: Rules) -> Iterator[Any]:
    names = pa.array([_escaped(item) for item in items], pa.string())
    # An itemset's text is made once for each block of rules that needs it, not for each rule.
    for first in range(0, len(rules), ROWS_AT_ONCE):
        block = rules[first : first + ROWS_AT_ONCE]
        measures = [np.asarray(getattr(block, measure)) for measure in _MEASURES]
        yield pa.record_batch(
            [
                _sides(names, rules.itemsets, block.antecedents),
                _sides(names, rules.itemsets, block.consequents),
                block.counts,
                *measures,
            ],
            schema=_RULES,
        )


def _sides(names: Any, itemsets: Itemsets, numbers: np.ndarray[Any, Any]) -> Any:
    """Return the texts of the itemsets `numbers`."""
    needed, where = np.unique(numbers, return_inverse=True)
    texts = []
    first = 0
    for level in itemsets.levels:
        here = needed[(needed >= first) & (needed < first + len(level))] - first
        if len(here):
            texts.append(_texts(names, level.items[here]))
        first += len(level)
    return pa.concat_arrays(texts).take(pa.array(where))

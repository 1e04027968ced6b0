"""How much of the range members get to see: what is least far from a list's top somewhere takes its last place there. Pure."""

from typing import Final

import numpy as np

from basket_analysis.baskets import Int32s
from basket_analysis.relevance_purchases import Floats

SHOWN: Final = 20
"""So many of a list are taken to be seen."""

SHARE: Final = 0.4
"""So much of the range is to be seen by somebody."""

AUDIENCE: Final = 4
"""An item counts as seen from so many members on."""


def show_more_items(items: Int32s, scores: Floats, rankable: int) -> None:
    """
    Move items that hardly anybody sees to the last place that is seen of lists where they come close; in place.

    At most one place of a list is given away, and only until `SHARE` of the `rankable` items is seen. Scores
    stay with the places, so that they go on falling. Lists no longer than what is seen stay as they are.
    """
    members, length = items.shape
    if not members or length <= SHOWN:
        return
    audience = np.bincount(items[:, :SHOWN][items[:, :SHOWN] >= 0], minlength=int(items.max()) + 1)
    missing = int(SHARE * rankable) - int((audience >= AUDIENCE).sum())
    if missing <= 0:
        return
    rows, places = np.nonzero((items[:, SHOWN:] >= 0) & (audience[items[:, SHOWN:]] < AUDIENCE))
    gaps = scores[rows, SHOWN - 1] - scores[rows, places + SHOWN]
    free = np.ones(members, np.bool_)
    for at in np.lexsort((rows, gaps)).tolist():
        row, place = int(rows[at]), int(places[at]) + SHOWN
        item = int(items[row, place])
        if not free[row] or audience[item] >= AUDIENCE:
            continue
        free[row] = False
        items[row, SHOWN - 1 : place + 1] = np.roll(items[row, SHOWN - 1 : place + 1], 1)
        audience[item] += 1
        missing -= audience[item] == AUDIENCE
        if missing <= 0:
            return

"""How much of the range members get to see: what comes close somewhere takes the last places seen there. Pure."""

from typing import Final

import numpy as np

from basket_analysis.baskets import Int32s
from basket_analysis.offers.relevance_purchases import Floats

SHOWN: Final = 20
"""So many of a list are taken to be seen."""

SHARE: Final = 0.6
"""So much of the range is to be seen by somebody; of a large range as much as the places allow."""

AUDIENCE: Final = 2
"""An item counts as seen from so many members on."""

PLACES: Final = 4
"""So many of the places that are seen are given away in one list at most."""


def show_more_items(items: Int32s, scores: Floats, rankable: int) -> None:
    """
    Move items that nobody sees to the last places that are seen of lists where they come close; in place.

    At most `PLACES` of a list are given away, and only until `SHARE` of the `rankable` items is seen. Scores
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
    wanted = items[rows, places + SHOWN]
    gaps = scores[rows, SHOWN - 1] - scores[rows, places + SHOWN]
    given = np.zeros(members, np.int64)
    for at in np.lexsort((rows, gaps)).tolist():
        row, item = int(rows[at]), int(wanted[at])
        if given[row] == PLACES or audience[item] >= AUDIENCE:
            continue
        given[row] += 1
        place = SHOWN + int(np.argmax(items[row, SHOWN:] == item))
        moved = np.r_[SHOWN - given[row], SHOWN : place + 1]
        items[row, moved] = np.roll(items[row, moved], 1)
        audience[item] += 1
        missing -= audience[item] == AUDIENCE
        if missing <= 0:
            return

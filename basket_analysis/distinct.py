"""Different values of long arrays of whole numbers."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.integer)


def distinct(values: NDArray[Number]) -> NDArray[Number]:
    """
    Return the different values of `values`, which has one dimension, rising.

    As `np.unique` does, which since version 2.3 keeps whole numbers in a hash table and takes a hundred times as
    long for a million keys of pairs as sorting them does.
    """
    rising = np.sort(values)
    new = np.ones(len(rising), np.bool_)
    np.not_equal(rising[1:], rising[:-1], out=new[1:])
    return rising[new]

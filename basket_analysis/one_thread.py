"""
Linear algebra on one thread: sums that threads share out are rounded otherwise, and threads that wait for others spin.

The same purchases are to give the same bytes on machines with any number of cores, and a night shares its machine with tills.
"""

import os
import sys
from typing import Final

from threadpoolctl import threadpool_limits

_COUNTS: Final = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def work_on_one_thread() -> None:
    """Have BLAS and LAPACK of this process, and of those it starts, work on one thread, unless the environment says otherwise."""
    if any(name in os.environ for name in _COUNTS):
        return
    os.environ.update(dict.fromkeys(_COUNTS, "1"))
    if "numpy" in sys.modules:  # it has read the environment already
        threadpool_limits(limits=1, user_api="blas")

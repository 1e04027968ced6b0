"""Linear algebra on one thread: the same bytes on machines with any number of cores."""

import os
import subprocess
import sys

import pytest

COUNTS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

THREADS = """
{first}
import basket_analysis.offers.relevance_kernels, threadpoolctl
print({{one["num_threads"] for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"}})
"""


def threads(first: str = "", **told: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in COUNTS} | told
    return subprocess.run(
        [sys.executable, "-c", THREADS.format(first=first)],
        env=environment, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip


class TestLinearAlgebra:
    @pytest.mark.parametrize(
        "first", ["", "import numpy", "import scipy.linalg", "import core.clock, pandas"]
    )
    def test_works_on_one_thread_whatever_was_loaded_before(self, first):
        assert threads(first) == "{1}"

    @pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="there is one core")
    def test_works_on_more_where_the_environment_says_so(self):
        assert threads(OPENBLAS_NUM_THREADS="2") == "{2}"

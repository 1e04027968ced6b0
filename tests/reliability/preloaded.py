"""
What the process has loaded from which the nights' processes are forked.

Importing and linking the compiled loops takes seconds, and every fork would pay them again.
"""

import graspologic_native  # noqa: F401
import numba  # noqa: F401
import scipy.optimize
import scipy.sparse
import scipy.special  # noqa: F401

import night  # noqa: F401
import scheduler  # noqa: F401
from basket_analysis.groups.grouping import ThemeFinder
from basket_analysis.groups.scoring import HouseholdScorer
from tests.basket_analysis.baskets_made import table_of
from tests.reliability import crash_points

BASKETS = [["A", "B", "C"], ["A", "B", "D"], ["C", "D"], ["B", "C", "E", "F"], ["E", "F"], ["A"]] * 60
TABLE = table_of(BASKETS, [f"h{number % 30}" for number in range(len(BASKETS))])
HouseholdScorer(ThemeFinder().fit(TABLE).themes_).fit(TABLE)
crash_points.application()

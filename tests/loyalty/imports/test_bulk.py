import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.money import split_largest_remainder
from loyalty.imports.bulk import share_over_lines

LINES = st.lists(st.integers(-(10**14), 10**14), min_size=1, max_size=12)
RECEIPTS = st.lists(st.tuples(st.integers(0, 10**12), LINES), min_size=1, max_size=8)
SMALL = st.lists(
    st.tuples(st.integers(0, 500), st.lists(st.integers(-300, 3000), min_size=1, max_size=9)),
    min_size=1,
    max_size=20,
)


def shared(receipts):
    totals = np.array([total for _, lines in receipts for total in lines], np.int64)
    starts = np.cumsum([0, *(len(lines) for _, lines in receipts)])[:-1]
    return share_over_lines([points for points, _ in receipts], totals, starts).tolist()


def one_by_one(receipts):
    shares = []
    for points, lines in receipts:
        weights = [max(0, total) for total in lines]
        if not any(weights):
            weights[0] = 1
        shares += split_largest_remainder(points, weights)
    return shares


class TestShareOverLines:
    @given(SMALL)
    def test_comes_to_the_same_as_sharing_one_by_one(self, receipts):
        assert shared(receipts) == one_by_one(receipts)

    @given(RECEIPTS)
    def test_is_exact_beyond_64_bits(self, receipts):
        assert shared(receipts) == one_by_one(receipts)

    def test_breaks_ties_for_the_lower_line(self):
        assert shared([(10, [100, 100, 100]), (2, [1, 1, 1, 1])]) == [4, 3, 3, 1, 1, 0, 0]

    def test_shares_nothing_among_no_receipts(self):
        assert share_over_lines([], np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []

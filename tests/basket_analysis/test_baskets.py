import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from basket_analysis.baskets import tabulate
from tests.basket_analysis.baskets_made import table_of

row = st.tuples(st.integers(0, 6), st.integers(0, 8), st.integers(-1, 3))


def tabulated(rows):
    baskets, items, owners = (np.array(column, np.int32) for column in zip(*rows, strict=True))
    used, renumbered = np.unique(baskets, return_inverse=True)
    return tabulate(
        baskets=renumbered.astype(np.int32),
        items=items,
        names=[f"i{number}" for number in range(9)],
        basket_count=len(used),
        owners=owners,
        households=[f"h{number}" for number in range(4)],
    )


def contents(table):
    return [
        table.codes[first:last].tolist()
        for first, last in zip(table.offsets[:-1], table.offsets[1:], strict=True)
    ]


class TestTabulate:
    @given(rows=st.lists(row, min_size=1, max_size=60))
    def test_keeps_each_pair_once_and_counts_the_others(self, rows):
        table = tabulated(rows)
        pairs = {(basket, item) for basket, item, _ in rows}
        expected = [
            sorted(item for other, item in pairs if other == basket)
            for basket in sorted({b for b, _ in pairs})
        ]
        assert contents(table) == expected
        assert table.duplicates == len(rows) - len(pairs)

    @given(rows=st.lists(row, min_size=1, max_size=60), shuffled=st.randoms(use_true_random=False))
    def test_does_not_depend_on_the_order_of_rows(self, rows, shuffled):
        one = tabulated(rows)
        other = rows.copy()
        shuffled.shuffle(other)
        again = tabulated(other)
        assert contents(one) == contents(again)
        assert one.owners.tolist() == again.owners.tolist()
        assert one.strata.tolist() == again.strata.tolist()

    def test_gives_a_basket_of_several_households_to_the_first(self):
        table = tabulated([(0, 1, 3), (0, 2, 1), (0, 3, -1), (1, 1, -1)])
        assert table.owners.tolist() == [1, -1]

    def test_takes_no_baskets_at_all(self):
        table = table_of([])
        assert (len(table), table.items, table.stratum_sizes.sum()) == (0, (), 0)


class TestCap:
    @given(
        of_days=st.lists(
            st.lists(st.sets(st.integers(0, 8), min_size=1), max_size=4), min_size=1, max_size=4
        ).filter(any)
    )
    def test_asks_the_baskets_of_the_same_day_only(self, of_days):
        bought = [(day, basket) for day, baskets in enumerate(of_days) for basket in baskets]
        table = tabulate(
            baskets=np.array([at for at, (_day, basket) in enumerate(bought) for _item in basket], np.int32),
            items=np.array([item for _day, basket in bought for item in basket], np.int32),
            names=[f"i{number}" for number in range(9)],
            basket_count=len(bought),
            max_basket=2,
            days=np.array([3 * day for day, _basket in bought], np.int32),
        )
        held = [[item for basket in baskets for item in basket] for baskets in of_days]
        assert contents(table) == [
            sorted(sorted(basket, key=lambda item: (-held[day].count(item), item))[:2])
            for day, basket in bought
        ]

    def test_keeps_the_items_that_most_baskets_hold(self):
        table = table_of([["a", "b", "c", "d"], ["d"], ["d", "c"], ["c"], ["b"]], max_basket=2)
        assert [[table.items[code] for code in basket] for basket in contents(table)] == [
            ["c", "d"], ["d"], ["c", "d"], ["c"], ["b"],
        ]  # fmt: skip

    def test_prefers_the_lower_code_point_among_equals(self):
        table = table_of([["b", "a", "c"]], max_basket=2)
        assert contents(table) == [[0, 1]]

    def test_is_kept_in_the_record(self):
        table = table_of([list("abcde"), list("ab")], max_basket=3)
        assert (table.cap.max_basket, table.cap.baskets_cut, table.cap.pairs_dropped) == (3, 1, 2)

    def test_leaves_a_basket_in_the_stratum_of_its_full_size(self):
        table = table_of([list("abcdefghi"), list("ab")], max_basket=2)
        assert table.strata.tolist() == [6, 1]

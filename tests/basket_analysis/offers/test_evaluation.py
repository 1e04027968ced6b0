"""The protocol of offers: truths, measures, lists of methods, and our row among them."""

import numpy as np
import pytest

from basket_analysis.offers.coupon_evaluation import measure_lists
from basket_analysis.offers.evaluation import (
    LENGTH,
    NULL,
    OURS,
    SIMPLE,
    Lists,
    Outcome,
    Protocol,
    Scored,
    evaluate_offers,
)
from basket_analysis.offers.relevance_purchases import ItemPurchases

DAY = 100
MEMBERS, ITEMS = 6, 30


def purchases():
    """Every member bought their own five neighbours of items in each of six baskets, and all of them item 0."""
    rows = []
    for member in range(MEMBERS):
        for visit in range(6):
            day = DAY - 7 * (6 - visit)
            rows += [(member, member * 6 + visit, day, 0)]
            rows += [(member, member * 6 + visit, day, 1 + (member + step) % 10) for step in range(5)]
    rows.sort(key=lambda row: (row[0], row[3], row[1]))
    member, basket, day, item = (np.array(column, np.int32) for column in zip(*rows, strict=True))
    ones = np.ones(len(rows), np.float32)
    return ItemPurchases(
        member=member, basket=basket, day=day, store=np.zeros(len(rows), np.int32), item=item, quantity=ones,
        value=100 * ones, reduction=0 * ones, known=np.unique(member.astype(np.int64) * ITEMS + item),
        members=MEMBERS, items=ITEMS, as_of=DAY,
        groups={name: np.zeros(ITEMS, np.int32) for name in ("category", "department", "type")},
    )  # fmt: skip


def outcome(*rows):
    return Outcome(*(np.array(column, np.int32) for column in zip(*rows, strict=True)))


def lists(**of):
    found = Lists(*(np.full((MEMBERS, LENGTH), -1, np.int32) for _ in range(2)))
    for kind, rows in of.items():
        for member, items in rows.items():
            getattr(found, kind)[member, : len(items)] = items
    return found


BUYERS = np.full(ITEMS, 9)


class TestProtocol:
    def test_looks_for_the_first_basket_two_weeks_and_what_is_new(self):
        later = outcome(
            (0, 900, DAY, 0), (0, 900, DAY, 20), (0, 901, DAY + 13, 2), (0, 902, DAY + 14, 21), (0, 903, DAY + 42, 22)
        )  # fmt: skip
        protocol = Protocol(purchases(), BUYERS, later)
        ours = lists(all={0: [20, 2]}, new={0: [21, 25]})
        (recall, ndcg, new), covered = protocol.measure(ours)
        assert recall.tolist() == [0.5]  # 20 of 0 and 20
        ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
        assert ndcg.tolist() == pytest.approx([(1 + 1 / np.log2(3)) / ideal])
        assert new.tolist() == [0.5]  # 21 of 20 and 21; 22 came too late
        assert covered == pytest.approx(2 / ITEMS)

    def test_asks_about_members_with_five_baskets_and_items_of_five_buyers_only(self):
        few = BUYERS.copy()
        few[20] = 4
        protocol = Protocol(purchases(), few, outcome((0, 900, DAY, 20), (1, 901, DAY, 0)))
        assert protocol.members.tolist() == [1]

    def test_leaves_out_of_new_lists_what_a_member_knows(self):
        bought = purchases()

        def method(_):
            scores = np.tile(np.arange(ITEMS, 0, -1, dtype=np.float32), (MEMBERS, 1))
            yield Scored(np.arange(MEMBERS, dtype=np.int32), scores, scores)

        found = Protocol(bought, BUYERS, outcome((0, 900, DAY, 0))).lists_of(bought, method)
        assert found.all[0, :3].tolist() == [0, 1, 2]
        assert found.new[0, :3].tolist() == [6, 7, 8]


class TestEvaluateOffers:
    def test_puts_our_row_first_and_the_null_beside_it(self):
        later = outcome(*[(member, 900 + member, DAY, 1 + member) for member in range(MEMBERS)])
        perfect = lists(all={member: [1 + member] for member in range(MEMBERS)})
        found = evaluate_offers("type", purchases(), BUYERS, later, ours=perfect, methods=SIMPLE)
        rows = {row.method: row for row in found.rows}
        assert list(rows) == [OURS, NULL, *SIMPLE]
        assert rows[OURS].means[0] == 1.0
        assert rows[NULL].means[0] == 0.0
        assert rows[NULL].behind_low[0] == 1.0
        assert rows["personal frequency"].means[0] == 1.0

    def test_measures_nothing_where_nobody_came_back(self):
        nobody = Outcome(*(np.empty(0, np.int32) for _ in range(4)))
        found = evaluate_offers("type", purchases(), BUYERS, nobody, ours=lists(), methods={})
        assert (found.members, found.rows[0].means) == (0, (0.0, 0.0, 0.0, 0.0))


class TestMeasureLists:
    def test_measures_lists_with_something_redeemed_and_something_not(self):
        taken = np.zeros(100, bool)
        taken[[0, 50]] = True
        falling = -np.arange(100.0)
        row = measure_lists(
            "x", [(falling, taken), (falling, np.zeros(100, bool)), (falling[:3], np.ones(3, bool))]
        )
        below = (98 + 49) / (2 * 98)
        assert row.means == pytest.approx((below, (1 + 2 / 51) / 2, 0.5))

    def test_counts_equal_scores_half(self):
        row = measure_lists("x", [(np.zeros(4), np.array([True, False, False, False]))])
        assert row.means[0] == 0.5

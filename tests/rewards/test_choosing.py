import pytest

from tests.rewards.offer_making import (
    amount,
    applied,
    discounts,
    evaluate,
    items,
    line,
    offer,
    percent,
    points,
)

GROUP = {"exclusive_group": "G"}


def rivals(count: int, category: str = "TEA") -> list:
    """Offers of one group of which each takes one unit, the later ones more off it."""
    return [
        offer(f"R{number:02}", items(category), amount(number + 1), limits={"per_receipt": 1}, **GROUP)
        for number in range(count)
    ]


class TestBest:
    def test_takes_the_subset_with_the_largest_sum(self):
        single = offer("A", items(), percent("10"), priority=300, **GROUP)
        bundle = offer("B", items(quantity="2"), percent("15"), priority=200, **GROUP)
        other = offer("C", items("MILK"), percent("5"), **GROUP)
        cart = [line(1, "2", 1000), line(2, "1", 1000, "MILK")]
        assert applied(cart, single, bundle, other, choice="best") == {"B": 1, "C": 1}

    def test_takes_of_equal_sums_what_comes_first(self):
        offers = [offer(code, items(), percent("10"), **GROUP) for code in "BA"]
        assert applied([line(1, "1", 1000)], *offers, choice="best") == {"A": 1}

    def test_keeps_points_that_cost_no_discount(self):
        bonus = offer("B", items("MILK"), points(), priority=50, **GROUP)
        cart = [line(1, "1", 1000), line(2, "1", 500, "MILK")]
        assert applied(cart, offer("A", items(), percent("10"), **GROUP), bonus, choice="best") == {
            "A": 1,
            "B": 1,
        }

    def test_counts_points_as_nothing(self):
        bonus = offer("A", items(), points(10_000), priority=900, **GROUP)
        assert applied(
            [line(1, "1", 1000)], bonus, offer("B", items(), amount(1), **GROUP), choice="best"
        ) == {"B": 1}

    def test_looks_at_what_others_leave_between(self):
        dear = offer("A", items(), amount(400), priority=300, **GROUP)
        between = offer("M", items(), amount(900), priority=200)
        half = offer("B", items(), percent("50"), priority=100, **GROUP)
        # After the offer between them, half of what is left is 50; before it, 400 come off.
        assert applied([line(1, "1", 1000)], dear, between, half, choice="best") == {"A": 1, "M": 1}

    def test_leaves_other_groups_and_stages_alone(self):
        offers = [
            offer("A", items(), percent("10"), **GROUP),
            offer("B", items(), percent("20"), exclusive_group="H"),
            offer("C", items(), percent("30"), stage="basket", **GROUP),
        ]
        assert applied([line(1, "1", 1000)], *offers, choice="best") == {"A": 1, "B": 1, "C": 1}

    @pytest.mark.parametrize("units", [1, 3, 12])
    def test_is_exact_up_to_twelve_candidates(self, units):
        found = evaluate([line(1, str(units), 1000)], *rivals(12), choice="best")
        assert found.lines[0].discount == sum(range(13 - units, 13))
        assert found.notes == ()

    def test_says_when_it_was_not_exact(self):
        found = evaluate([line(1, "3", 1000)], *rivals(13), choice="best")
        assert found.notes == (("greedy", "G"),)
        assert found.lines[0].discount == 11 + 12 + 13

    def test_decides_apart_what_has_no_line_in_common(self):
        cart = [line(1, "1", 1000), line(2, "1", 1000, "MILK")]
        milk = [
            offer(f"M{number:02}", items("MILK"), amount(number + 1), limits={"per_receipt": 1}, **GROUP)
            for number in range(12)
        ]
        found = evaluate(cart, *rivals(12), *milk, choice="best")
        assert [each.discount for each in found.lines] == [12, 12]
        assert found.notes == ()

    def test_tells_the_others_that_something_was_better(self):
        ten, twenty = (offer(f"T{off}", items(), percent(off), **GROUP) for off in ("10", "20"))
        found = evaluate([line(1, "1", 1000)], ten, twenty, choice="best", language="en")
        assert [(each.offer_code, each.reason) for each in found.not_applied] == [
            ("T10", "Another offer is better")
        ]

    def test_does_not_spend_budgets_on_what_it_tried(self):
        limited = [
            offer(f"T{off}", items(), percent(off), limits={"per_receipt": 1, "uses": 1}, **GROUP)
            for off in ("10", "20", "30")
        ]
        assert discounts([line(1, "1", 1000)], *limited, choice="best") == [300]

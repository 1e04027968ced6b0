from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from loyalty.returns.standing_lines import BroughtBack, Counted, SoldLine, Standing


def standing(quantity: str = "3", points: int = 10, spent: int = 5) -> Standing:
    return Standing({1: SoldLine(Decimal(quantity), points, spent)})


def brought(quantity: str, *, line: int | None = 1) -> list[BroughtBack]:
    return [BroughtBack(1, line, Decimal(quantity))]


class TestStanding:
    def test_takes_the_floor_of_the_share_over_all_returns(self):
        sale = standing(quantity="3", points=10, spent=5)
        counted = [sale.count(brought("1"))[0] for _ in range(3)]
        assert [line.points for line in counted] == [3, 3, 4]
        assert [line.points_spent for line in counted] == [1, 2, 2]

    def test_takes_exactly_the_share_when_everything_comes_back(self):
        assert standing(points=10).count(brought("3"))[0].points == 10

    def test_caps_what_comes_back_at_what_was_sold(self):
        sale = standing(quantity="3")
        assert sale.count(brought("2"))[0].over is False
        assert sale.count(brought("2")) == [Counted(1, 1, Decimal(1), 4, 2, over=True)]
        assert sale.count(brought("1")) == [Counted(1, 1, Decimal(0), 0, 0, over=True)]

    def test_caps_two_lines_of_one_return_together(self):
        sale = standing(quantity="3")
        counted = sale.count([BroughtBack(1, 1, Decimal(2)), BroughtBack(2, 1, Decimal(2))])
        assert [(line.quantity, line.over) for line in counted] == [(2, False), (1, True)]
        assert sum(line.points for line in counted) == 10

    def test_lets_nothing_come_back_of_a_line_that_was_not_sold(self):
        assert standing().count(brought("1", line=2))[0].over
        assert standing().count(brought("1", line=None))[0].over

    def test_lets_nothing_come_back_of_a_voided_sale(self):
        sale = standing()
        sale.voided = True
        assert sale.count(brought("1")) == [Counted(1, 1, Decimal(0), 0, 0, over=True)]

    def test_makes_up_to_the_floor_after_a_void_that_was_not_of_the_last_return(self):
        sale = standing(quantity="3", points=1, spent=0)
        first, _, third = (sale.count(brought("1")) for _ in range(3))
        assert (first[0].points, third[0].points) == (0, 1)
        sale.forget(first)
        # One point is taken although two of three pieces make none: the next return takes nothing more.
        assert sale.count(brought("1"))[0].points == 0
        assert sale.remaining() == ({}, 0)

    def test_counts_weights_without_rounding(self):
        sale = standing(quantity="0.754", points=754)
        assert sale.count(brought("0.253"))[0].points == 253
        assert sale.count(brought("0.501"))[0].points == 501

    @given(
        st.integers(1, 5000),
        st.integers(0, 1000),
        st.integers(0, 1000),
        st.lists(st.tuples(st.integers(1, 3000), st.booleans()), max_size=12),
    )
    def test_never_takes_more_than_the_share_and_all_of_it_in_the_end(self, sold, points, spent, story):
        sale = Standing({1: SoldLine(Decimal(sold) / 1000, points, spent)})
        stands: list[list[Counted]] = []
        for thousandths, voided in story:
            counted = sale.count([BroughtBack(1, 1, Decimal(thousandths) / 1000)])
            stands.append(counted)
            if voided:
                sale.forget(stands.pop(len(stands) // 2))
            assert sum(line.quantity for found in stands for line in found) <= Decimal(sold) / 1000
            assert sum(line.points for found in stands for line in found) <= points
            assert all(line.points >= 0 and line.points_spent >= 0 for line in counted)
        sale.count([BroughtBack(1, 1, Decimal(sold) / 1000)])
        assert sale.remaining() == ({}, 0)

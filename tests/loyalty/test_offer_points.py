from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from loyalty.earning import earned_shares
from loyalty.offer_points import OfferPoints, factor, multiplied, read_offer_points
from loyalty.programme.rules import DEFAULT, Programme
from sales.receipts import PostedLine

TWICE, ONCE = Decimal(2), Decimal(1)


def lines(*totals: int) -> tuple[PostedLine, ...]:
    return tuple(
        PostedLine(number, Decimal(1), total, total, sku=str(number))
        for number, total in enumerate(totals, 1)
    )


def earned(*totals: int, by_points: int = 0, programme: Programme = DEFAULT, **added) -> dict[int, int]:
    offers = OfferPoints(**added)
    return dict(earned_shares(lines(*totals), by_points, "CZK", programme, offers=offers))


class TestEarnedShares:
    def test_are_rounded_down_once_for_the_whole_receipt(self):
        # 150 hellers twice and 150 once are 450: 4 points, though no line alone makes more than 3.
        assert sum(earned(150, 150, parts={1: ((150, TWICE),)}).values()) == 4

    def test_count_every_part_of_a_line_as_many_times_as_it_earns(self):
        # Of two pieces at 59.90 one is claimed: 59.90 twice and 59.90 once.
        assert earned(11980, parts={1: ((5990, ONCE), (5990, TWICE))}) == {1: 179}

    def test_give_nothing_for_what_earns_no_times(self):
        assert earned(10000, 5000, parts={1: ((10000, Decimal(0)),)}) == {1: 0, 2: 50}

    def test_share_points_spent_before_they_multiply(self):
        # 30.00 of 100.00 are paid with points: 70.00 earn twice.
        assert earned(10000, by_points=3000, parts={1: ((10000, TWICE),)}) == {1: 140}

    def test_share_bonus_points_over_the_lines_as_points_are(self):
        assert earned(10000, 5000, bonus=31) == {1: 121, 2: 60}

    def test_follow_what_was_paid_where_it_is_not_what_was_quoted(self):
        # Quoted were 100.00, paid are 50.00: half of each part.
        assert earned(5000, parts={1: ((5000, ONCE), (5000, TWICE))}) == {1: 75}

    @given(
        totals=st.lists(st.integers(-5000, 50000), min_size=1, max_size=6),
        by_points=st.integers(0, 3000),
        bonus=st.integers(0, 100),
        times=st.lists(st.decimals(0, 5, places=1), min_size=6, max_size=6),
    )
    def test_are_those_without_offers_where_everything_earns_once(self, totals, by_points, bonus, times):
        plain = earned_shares(lines(*totals), by_points, "CZK")
        once = {number: ((total, ONCE),) for number, total in enumerate(totals, 1)}
        # As if there were parts, though they change nothing.
        assert sum(earned(*totals, by_points=by_points, parts=once).values()) == sum(plain.values())
        parts = {number: ((total, times[number - 1]),) for number, total in enumerate(totals, 1)}
        shares = earned(*totals, by_points=by_points, bonus=bonus, parts=parts)
        assert sum(shares.values()) >= bonus
        assert all(share >= 0 for share in shares.values())


class TestMultiplied:
    def test_takes_what_does_not_earn_from_all_parts_alike(self):
        parts = ((100, ONCE), (100, TWICE))
        assert multiplied(100, of=200, parts=parts) == Fraction(150)

    def test_leaves_deposits_as_they_are(self):
        assert multiplied(-300, of=-300, parts=((-300, TWICE),)) == -300
        assert factor(((-300, TWICE),)) == 1


class TestOfferPoints:
    def test_are_read_as_they_were_written(self):
        added = OfferPoints(30, {2: ((100, ONCE), (200, Decimal("2.5")))})
        assert read_offer_points(added.document()) == added

    def test_are_nothing_to_tell_where_offers_add_nothing(self):
        assert OfferPoints(0, {}).document() is None
        assert not read_offer_points(None)

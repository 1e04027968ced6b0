"""Coupons for whole departments, in a chain of two of them and a hundred oddments."""

import numpy as np
import pytest
from scipy import sparse

from basket_analysis.offers import coupon_breadth
from basket_analysis.offers.coupon_books import Campaign, CouponBook, Redemptions
from basket_analysis.offers.coupon_breadth import RIDGE, broad_coupons, leanings, weight_of_leanings
from basket_analysis.offers.coupon_features import Moment, Purchases
from basket_analysis.offers.coupon_relevance import CouponRanker

HOUSEHOLDS, ODDMENTS = 60, 110
MEAT, FRUIT, FIRST_ODDMENT = 0, 1, 20
"""Places of the two broad coupons; ten articles each, then an oddment for every other coupon."""
FIRST, SECOND, TODAY = 100, 140, 180
STRANGER = HOUSEHOLDS + 5


def campaign(code, starts, coupons=2 + ODDMENTS):
    """Return a pool of a coupon for meat, one for fruit, and one for each of many oddments."""
    good_for = [list(range(10)), list(range(10, 20)), *([FIRST_ODDMENT + odd] for odd in range(ODDMENTS))]
    cells = [(place, article) for place, articles in enumerate(good_for[:coupons]) for article in articles]
    rows, columns = np.array(cells).T
    articles = sparse.csr_matrix(
        (np.ones(len(cells)), (rows, columns)), shape=(coupons, FIRST_ODDMENT + ODDMENTS)
    )
    return Campaign(code, starts, starts + 30, tuple(f"{place:03}" for place in range(coupons)), articles)


def likes_meat(household):
    return household % 2 == 0


def bought(*more):
    """Return a weekly basket of each household, three parts of what it likes to one of the other, and `more` lines."""
    lines = list(more)
    for household in range(HOUSEHOLDS):
        for week in range(20):
            day = 60 + 7 * week
            meat, fruit = (300, 100) if likes_meat(household) else (100, 300)
            lines.append((household, day, week % 10, meat))
            lines.append((household, day, 10 + week % 10, fruit))
            lines.append((household, day, FIRST_ODDMENT + (household + week) % ODDMENTS, 10))
    household, day, article, value = np.array(sorted(lines)).T
    kinds = np.zeros(FIRST_ODDMENT + ODDMENTS, np.int32)
    return Purchases(
        offsets=np.searchsorted(household, np.arange(HOUSEHOLDS + 1)),
        basket=(household * 1000 + day).astype(np.int32),
        article=article.astype(np.int32),
        day=day.astype(np.int32),
        value=value.astype(np.float64),
        type_of=kinds,
        category_of=kinds,
    )


def redeemed(number, starts, *, fits=True):
    """Return what all households redeemed of a campaign: the coupon for what they like, or for the other."""
    households = np.arange(HOUSEHOLDS)
    coupons = np.array([MEAT if likes_meat(one) is fits else FRUIT for one in range(HOUSEHOLDS)])
    return Redemptions(households, np.full(HOUSEHOLDS, number), coupons, np.full(HOUSEHOLDS, starts + 3))


def book(redemptions=None):
    campaigns = (campaign("first", FIRST), campaign("second", SECOND), campaign("now", TODAY))
    return CouponBook(campaigns, redemptions or redeemed(0, FIRST))


def moment(purchases=None, day=TODAY):
    return Moment(purchases or bought(), book(), day)


class TestBroadCoupons:
    def test_are_those_for_a_good_share_of_what_is_sold(self):
        assert broad_coupons(moment(), campaign("now", TODAY)).tolist() == [MEAT, FRUIT]

    def test_are_told_from_what_was_sold_before_the_day(self):
        later = [(0, TODAY, FIRST_ODDMENT, 10_000_000)]
        assert broad_coupons(moment(bought(*later)), campaign("now", TODAY)).tolist() == [MEAT, FRUIT]
        tomorrow = moment(bought(*later), TODAY + 1)
        assert broad_coupons(tomorrow, campaign("now", TODAY)).tolist() == []

    def test_are_none_in_small_pools(self):
        assert broad_coupons(moment(), campaign("now", TODAY, coupons=99)).tolist() == []

    def test_are_none_where_nothing_was_sold(self):
        assert broad_coupons(moment(day=1), campaign("now", TODAY)).tolist() == []


class TestLeanings:
    def test_go_to_what_a_household_spends_more_on_than_others(self):
        lean = leanings(moment(), campaign("now", TODAY), np.array([MEAT, FRUIT]), np.arange(4))
        assert (lean[::2, 0] > 0.3).all()
        assert (lean[1::2, 1] > 0.3).all()
        assert lean.sum(axis=1) == pytest.approx(0)

    def test_compare_shares_and_not_sums(self):
        """What all buy most of leans nobody to it, nor does a large household lean more than a small one."""
        double = [(0, 61, 0, 6_000), (0, 61, 10, 2_000)]
        lean = leanings(
            moment(bought(*double)), campaign("now", TODAY), np.array([MEAT, FRUIT]), np.arange(3)
        )
        assert lean[0] == pytest.approx(lean[2], abs=0.01)

    def test_of_who_bought_nothing_are_none(self):
        lean = leanings(moment(), campaign("now", TODAY), np.array([MEAT, FRUIT]), np.array([STRANGER]))
        assert lean == pytest.approx(0)

    def test_look_at_nothing_of_the_day_or_later(self):
        later = [(0, TODAY, 10, 1_000_000), (1, TODAY + 5, 0, 1_000_000)]
        found = [
            leanings(moment(sales), campaign("now", TODAY), np.array([MEAT, FRUIT]), np.arange(HOUSEHOLDS))
            for sales in (bought(), bought(*later))
        ]
        assert (found[0] == found[1]).all()


class TestWeightOfLeanings:
    def choices(self, follow=0.8):
        """Two hundred households of which a share `follow` their leaning."""
        lean = np.tile([[0.5, -0.5], [-0.5, 0.5]], (100, 1))
        redeemed = lean > 0
        against = np.arange(200) >= round(200 * follow)
        redeemed[against] = ~redeemed[against]
        return lean, redeemed

    def test_makes_what_was_redeemed_likeliest(self):
        lean, redeemed = self.choices()
        weight = weight_of_leanings([(lean, redeemed)])

        def likely(weight):
            chance = np.exp(weight * lean) / np.exp(weight * lean).sum(axis=1, keepdims=True)
            return np.log(chance[redeemed]).sum() - RIDGE * weight**2

        assert weight > 0.3
        assert likely(weight) > max(likely(weight - 0.01), likely(weight + 0.01))

    def test_is_negative_where_leanings_mislead(self):
        assert weight_of_leanings([self.choices(follow=0.2)]) == pytest.approx(
            -weight_of_leanings([self.choices()])
        )

    def test_is_near_nothing_for_few_choices(self):
        lean, redeemed = self.choices()
        assert 0 < weight_of_leanings([(lean[:6], redeemed[:6])]) < 0.1

    def test_does_not_count_who_redeemed_none_of_them(self):
        lean, redeemed = self.choices()
        more = np.vstack([lean, lean]), np.vstack([redeemed, np.zeros_like(redeemed)])
        assert weight_of_leanings([more]) == weight_of_leanings([(lean, redeemed)])
        assert weight_of_leanings([]) == weight_of_leanings([(lean, np.zeros_like(redeemed))]) == 0


class TestInTheRanking:
    def scores(self, redemptions=None):
        return CouponRanker(day=TODAY).fit(bought(), book(redemptions)).score(2, np.arange(HOUSEHOLDS))

    def test_leanings_come_on_top_of_what_trees_say(self, monkeypatch):
        with_them = self.scores()
        monkeypatch.setattr(coupon_breadth, "RIDGE", 1e12)
        gained = with_them - self.scores()
        meat = np.array([likes_meat(household) for household in range(HOUSEHOLDS)])
        assert (gained[meat, MEAT] > 0.1).all()
        assert (gained[~meat, FRUIT] > 0.1).all()
        assert gained[:, :2].sum(axis=1) == pytest.approx(0, abs=1e-6)
        assert (gained[:, 2:] == 0).all()

    def test_are_learnt_from_campaigns_before_the_day_only(self):
        early = redeemed(0, FIRST)
        late = redeemed(1, TODAY, fits=False)
        both = Redemptions(
            *(
                np.concatenate([getattr(early, name), getattr(late, name)])
                for name in ("household", "campaign", "coupon", "day")
            )
        )
        assert (self.scores(both) == self.scores(early)).all()

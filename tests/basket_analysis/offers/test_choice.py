"""From a ranking to what may be offered, with reasons."""

from math import log

import pytest

from basket_analysis.mining.basket_rules import BasketRules, PairRule
from basket_analysis.offers.choice import Audience, Chooser, GroupTaste, Habit
from basket_analysis.offers.popularity import Popularity
from basket_analysis.offers.reasons import Reason

CATEGORIES = {1: "TEA", 2: "HONEY", 3: "WINE", 4: "BREAD", 5: "SOAP", 6: "CHEESE"}
TASTE = GroupTaste({6: 9}, {6: 2.0}, ("WINE", "BREAD"))
POPULAR = Popularity(dict.fromkeys(CATEGORIES, 10), members=100, category_of=CATEGORIES)
RANKING = [(number, -float(number)) for number in CATEGORIES]


def audience(**more):
    habits = {1: Habit(5, 9.0, 7.0, 2.0), 4: Habit(2, 3.0, 10.0, 1.0), 3: Habit(8, 1.0, 5.0, 4.0)}
    return Audience(**{"habits": habits, "own_categories": {"TEA", "BREAD", "WINE"}, "taste": TASTE} | more)


@pytest.fixture
def chooser():
    rules = BasketRules(articles=[PairRule(1, 2, 3.0), PairRule(3, 5, 4.0)])
    return Chooser(rules, CATEGORIES, sensitive={3})


class TestChooser:
    def test_gives_each_article_its_reason(self, chooser):
        chosen = chooser.choose(RANKING, audience(), count=9)
        assert dict(zip(chosen.article_ids, chosen.reasons, strict=True)) == {
            1: Reason("overdue"),
            2: Reason("goes_with", 1, "TEA"),
            4: Reason("popular"),
            5: Reason("popular"),
            6: Reason("group", None, "BREAD"),
        }

    def test_says_often_where_it_is_not_time_yet_or_long_over(self, chooser):
        for since in (3.0, 70.0):
            habits = {1: Habit(5, since, 7.0, 2.0)}
            assert chooser.choose([(1, 0.0)], audience(habits=habits), count=1).reasons == [Reason("often")]

    def test_leaves_out_what_is_closed_by_article_or_category(self, chooser):
        chosen = chooser.choose(RANKING, audience(closed={2}, closed_categories={"BREAD"}), count=9)
        assert chosen.article_ids == [1, 5, 6]

    def test_never_names_a_refused_article_as_a_reason(self, chooser):
        chosen = chooser.choose([(2, 0.0)], audience(closed={1}), count=1)
        assert chosen.reasons == [Reason("popular")]

    def test_never_names_a_refused_category_as_what_a_group_is_about(self, chooser):
        chosen = chooser.choose([(6, 0.0)], audience(closed_categories={"BREAD"}), count=1)
        assert chosen.reasons == [Reason("group")]

    def test_halves_the_odds_of_what_was_shown_in_vain(self, chooser):
        chosen = chooser.choose(RANKING, audience(ignored={1: 2}), count=9)
        assert chosen.article_ids == [2, 1, 4, 5, 6]
        assert chosen.scores[1] == pytest.approx(-2.386, abs=0.001)

    def test_ranks_by_group_and_rules_where_there_are_no_habits(self, chooser):
        few = audience(habits={1: Habit(1, 3.0, None, 1.0)})
        everything = chooser.rank_by_rules(few, POPULAR, new=False, count=9)
        assert [article for article, _ in everything] == [1, 2, 6, 4, 5]
        new = chooser.rank_by_rules(few, POPULAR, new=True, count=9)
        assert [article for article, _ in new] == [2, 6, 4, 5]

    def test_ranks_by_rules_what_each_article_says_for_itself(self, chooser):
        few = audience(habits={1: Habit(1, 3.0, None, 1.0)})
        found = dict(chooser.rank_by_rules(few, POPULAR, new=False, count=9))
        assert found == pytest.approx(
            {
                1: log(0.1) + log(21),  # bought
                2: log(0.1) + log(3.0),  # goes with what was bought
                6: log(0.1 * 2.0),  # what the group buys
                4: log(0.1),
                5: log(0.1),
            }
        )

    def test_ranks_by_rules_nothing_that_may_not_be_offered(self, chooser):
        few = audience(habits={}, closed={2}, closed_categories={"BREAD"})
        found = chooser.rank_by_rules(few, POPULAR, new=True, count=9)
        assert [article for article, _ in found] == [6, 1, 5]

    @pytest.mark.parametrize("count", [1, 2, 4])
    def test_ranks_by_rules_no_fewer_than_are_chosen_of_all(self, chooser, count):
        few = audience(habits={}, ignored={6: 3, 1: 1})
        everything = chooser.rank_by_rules(few, POPULAR, new=False, count=99)
        some = chooser.rank_by_rules(few, POPULAR, new=False, count=count)
        assert chooser.choose(some, few, count=count) == chooser.choose(everything, few, count=count)

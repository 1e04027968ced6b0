"""Which articles are chosen, in which order, and how likely that was."""

from collections import Counter
from dataclasses import replace
from math import isclose

import pytest

from campaigns.choosing import POOL, Article, Candidate, Cheaper, Situation, choose, count_told
from campaigns.decision_ids import day_of, decision_id
from contacts.reactions import Refusals
from core.clock import now
from core.ids import uuid7


def candidates(count: int) -> list[Candidate]:
    return [
        Candidate(Article(n, f"a{n}", None, f"A{n}", f"C{n % 3}"), "new", n - 1) for n in range(1, count + 1)
    ]


def chosen(situation: Situation, count: int = 3) -> list[int]:
    return [one.candidate.article.article_id for one in choose(situation, count=count)]


class TestChoose:
    def test_takes_the_best_places_first(self):
        assert chosen(Situation(candidates(5), "x")) == [1, 2, 3]

    def test_counts_an_article_of_two_lists_once_at_its_better_place(self):
        twice = [*candidates(3), Candidate(candidates(3)[2].article, "all", 0)]
        assert chosen(Situation(twice, "x"), 9) == [1, 3, 2]

    def test_leaves_out_what_is_in_the_basket_refused_or_faulty(self):
        refusals = Refusals(articles=frozenset({2}), categories=frozenset({"C0"}))
        situation = Situation(
            candidates(9), "x", in_basket=frozenset({1}), refusals=refusals, faulty=frozenset({4})
        )
        assert chosen(situation, 9) == [5, 7, 8]

    def test_leaves_out_what_is_called_just_as_what_was_refused(self):
        one, other, third = candidates(3)
        twin = other._replace(article=replace(other.article, name=one.article.name))
        refusals = Refusals(articles=frozenset({one.article.article_id})).called([one.article.name])
        assert chosen(Situation([one, twin, third], "x", refusals=refusals)) == [third.article.article_id]

    def test_adds_ties_and_lower_prices_to_places(self):
        situation = Situation(candidates(6), "x", ties={5: (3.0, 9)}, cheaper={4: Cheaper("C", 0.9, "c")})
        assert chosen(situation, 3) == [5, 4, 1]

    def test_tells_less_of_what_was_told_in_vain(self):
        assert chosen(Situation(candidates(4), "x", told={1: 4}), 4) == [2, 3, 4, 1]

    def test_repeats_what_was_told_today_and_nothing_more_when_no_more_may_be(self):
        assert chosen(Situation(candidates(6), "x", told_today=frozenset({4}), left=0)) == [4]
        assert chosen(Situation(candidates(6), "x", told_today=frozenset({4}), left=1)) == [1, 4]

    def test_says_the_same_again_for_the_same_seed(self):
        situation = Situation(candidates(30), "seed", exploration=0.5)
        assert choose(situation, count=3) == choose(situation, count=3)

    def test_leaves_to_chance_the_share_that_it_should_and_says_how_likely_that_was(self):
        share, found, explored = 0.2, Counter(), 0
        for seed in range(4000):
            [one] = choose(Situation(candidates(30), str(seed), exploration=share), count=1)
            article_id = one.candidate.article.article_id
            found[article_id] += 1
            explored += one.explored
            likely = share / POOL + (1 - share if article_id == 1 else 0)
            assert isclose(one.propensity, likely)
        assert explored / 4000 == pytest.approx(share, abs=0.03)
        assert found[1] / 4000 == pytest.approx(1 - share + share / POOL, abs=0.03)
        assert set(found) == set(range(1, POOL + 1))


class TestCountTold:
    def test_counts_days_of_an_article_and_what_is_left_in_the_channel(self):
        rows = [(1, "till", 0), (2, "till", 1), (2, "desk", 1), (2, "till", 3), (3, "desk", 0)]
        assert count_told(rows, channel="till", per_day=3, per_week=9) == ({2: 2}, frozenset({1}), 2)


class TestDecisionId:
    def test_tells_its_day_and_is_the_same_for_the_same(self):
        day = now().date()
        one = decision_id(day, "member", "till", 1, 2)
        assert day_of(one) == day
        assert one == decision_id(day, "member", "till", 1, 2) != decision_id(day, "member", "till", 1, 3)

    def test_is_none_that_others_have(self):
        assert day_of(uuid7()) is None

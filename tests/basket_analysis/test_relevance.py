"""Ranking on made-up purchases: whole, repeatable, and blind to what comes later."""

from dataclasses import replace

import numpy as np
import pytest

from basket_analysis.offers import relevance_lessons
from basket_analysis.offers.relevance_blocks import Plan, blocks_of, moment_of
from basket_analysis.offers.relevance_features import Origin
from basket_analysis.offers.relevance_purchases import Purchases
from basket_analysis.relevance import RelevanceRanker

MEMBERS, ARTICLES, DAYS = 50, 120, 160
SEED = 5
PLANS = {
    "all": Plan(14, 2, 14, 20, 100, {"ease": 10, "alike": 10}, own=20),
    "new": Plan(28, 2, 14, 20, 100, {"ease_new": 70, "alike": 40}),
}


def made(as_of=DAYS, *, days=DAYS + 60, seed=SEED) -> Purchases:
    """Return purchases before `as_of` of a town in which each member buys of eight articles about every week."""
    chance = np.random.default_rng(seed)
    rows = []
    basket = 0
    for day in range(days):
        for member in range(MEMBERS):
            if (day + member) % 7:
                continue
            usual = (member * 5 + np.arange(8) * 3) % ARTICLES
            bought = {*chance.choice(usual, 4, replace=False).tolist(), int(chance.integers(ARTICLES))}
            rows += [(member, basket, day, member % 3, article) for article in sorted(bought)]
            basket += 1
    lines = np.array([row for row in rows if row[2] < as_of], np.int32)
    price = (100 + lines[:, 4]).astype(np.float32)
    return Purchases(
        member=lines[:, 0], basket=lines[:, 1], day=lines[:, 2], store=lines[:, 3], article=lines[:, 4],
        quantity=np.ones(len(lines), np.float32), value=price, reduction=np.zeros(len(lines), np.float32),
        known_member=lines[:, 0], known_article=lines[:, 4], members=MEMBERS, articles=ARTICLES, types=ARTICLES // 2,
        as_of=as_of, type_of=(np.arange(ARTICLES) // 2).astype(np.int32),
        category_of=(np.arange(ARTICLES) // 4).astype(np.int32), department_of=np.zeros(ARTICLES, np.int32),
        make_of=(np.arange(ARTICLES) // 2).astype(np.int32),
    )  # fmt: skip


def ranked(purchases: Purchases, *, buyers=None, level="article", count=30):
    bought = purchases.at(level)
    if buyers is None:
        buyers = np.full(bought.items, 9)
    ranker = RelevanceRanker(PLANS).fit(bought, buyers)
    return ranker, ranker.rank(bought, own=np.arange(MEMBERS, dtype=np.int32), count=count)


@pytest.fixture(scope="module")
def lists():
    return ranked(made())


class TestRelevanceRanker:
    def test_learns_from_the_past(self, lists):
        assert lists[0].learnt_

    def test_fills_every_list_with_different_items(self, lists):
        items = lists[1]["all"].items
        assert items.shape == (MEMBERS, 30)
        assert all(len(set(row)) == 30 and min(row) >= 0 for row in items.tolist())

    def test_lists_as_new_what_was_never_bought_and_all_of_it(self, lists):
        known = set(made().at("article").known.tolist())
        for member, row in enumerate(lists[1]["new"].items.tolist()):
            listed = [item for item in row if item >= 0]
            assert not {member * ARTICLES + item for item in listed} & known
            bought = sum(key // ARTICLES == member for key in known)
            assert len(set(listed)) == len(listed) == min(30, ARTICLES - bought)

    def test_scores_fall_along_a_list(self, lists):
        for one in lists[1].values():
            for items, scores in zip(one.items, one.scores, strict=True):
                assert (np.diff(scores[items >= 0]) <= 0).all()

    def test_puts_first_what_a_member_usually_buys(self, lists):
        usual = [set(((member * 5 + np.arange(8) * 3) % ARTICLES).tolist()) for member in range(MEMBERS)]
        hits = [
            len(usual[member] & set(row[:8])) for member, row in enumerate(lists[1]["all"].items.tolist())
        ]
        assert np.mean(hits) > 6

    def test_ranks_the_same_purchases_the_same_to_the_bit(self, lists):
        again = ranked(made())[1]
        for kind, one in lists[1].items():
            assert one.items.tobytes() == again[kind].items.tobytes()
            assert one.scores.tobytes() == again[kind].scores.tobytes()

    def test_never_ranks_what_fewer_than_five_members_bought(self):
        buyers = np.full(ARTICLES, 9)
        buyers[[3, 17]] = 4
        for one in ranked(made(), buyers=buyers)[1].values():
            assert not np.isin(one.items, [3, 17]).any()

    def test_ranks_members_that_it_did_not_learn_from(self, lists):
        bought = made().at("article")
        found = lists[0].rank(bought, own=np.full(MEMBERS, -1, np.int32), count=10)
        assert (found["all"].items >= 0).all()

    def test_ranks_without_a_past_to_learn_from(self):
        ranker, found = ranked(made(as_of=10))
        assert not ranker.learnt_
        assert (found["all"].items >= 0).all()

    def test_ranks_types_as_well(self):
        found = ranked(made(), level="type", count=12)[1]
        assert found["all"].items.max() < ARTICLES // 2
        assert (found["all"].items >= 0).all()


class TestTrees:
    def test_rank_on_a_later_day_as_on_their_own(self, lists):
        bought = made().at("article")
        later = RelevanceRanker(PLANS)
        assert later.take(lists[0].trees_, bought)
        later.look(bought, np.full(bought.items, 9))
        again = later.rank(bought, own=np.arange(MEMBERS, dtype=np.int32), count=30)
        for kind, one in lists[1].items():
            assert one.items.tobytes() == again[kind].items.tobytes()
            assert one.scores.tobytes() == again[kind].scores.tobytes()

    def test_that_were_grown_otherwise_are_not_taken(self, lists):
        bought = made().at("article")
        other = {kind: replace(plan, rounds=plan.rounds + 1) for kind, plan in PLANS.items()}
        assert not RelevanceRanker(other).take(lists[0].trees_, bought)

    def test_of_other_columns_are_not_taken(self, lists):
        types = made().at("type")
        assert not RelevanceRanker(PLANS).take(lists[0].trees_, types)

    def test_are_not_taken_where_nobody_is_left(self, lists):
        assert not RelevanceRanker(PLANS).take(lists[0].trees_, made().at("article").of_first(0))

    @pytest.mark.parametrize("name", ["EASES", "FACTORS", "version"])
    def test_of_another_release_or_with_other_tastes_are_told_apart(self, monkeypatch, name):
        before = relevance_lessons.settings_of(PLANS["all"], ("since",))
        monkeypatch.setattr(
            relevance_lessons, name, {"EASES": {}, "FACTORS": 3, "version": lambda _of: "0"}[name]
        )
        assert relevance_lessons.settings_of(PLANS["all"], ("since",)) != before

    def test_of_one_kind_are_not_enough(self, lists):
        bought = made().at("article")
        assert not RelevanceRanker(PLANS).take({"all": lists[0].trees_["all"]}, bought)


class TestOrigin:
    def test_sees_nothing_of_its_own_day_and_later(self):
        before, after = made(as_of=150).at("article"), made(as_of=DAYS).at("article")
        early, late = Origin(before, 150), Origin(after, 150)
        assert early.key.tolist() == late.key.tolist()
        for name in ("pairs", "of_member", "of_item"):
            for column, values in getattr(early, name).items():
                np.testing.assert_array_equal(values, getattr(late, name)[column], err_msg=column)

    def test_counts_purchases_pauses_and_baskets(self):
        bought = made().at("article")
        origin = Origin(bought, DAYS)
        pair = int(np.argmax(origin.pairs["baskets"]))
        member, item = origin.pair_member[pair], origin.pair_item[pair]
        days = np.sort(bought.day[(bought.member == member) & (bought.item == item)])
        assert origin.pairs["baskets"][pair] == len(days)
        assert origin.pairs["since"][pair] == DAYS - days[-1]
        assert origin.pairs["gap"][pair] == pytest.approx(np.diff(days).mean())
        assert origin.pairs["last_gap"][pair] == days[-1] - days[-2]
        assert origin.pairs["longest_gap"][pair] == np.diff(days).max()

    def test_tells_what_a_unit_of_a_group_usually_cost_a_member_lately(self):
        bought = made().at("article")
        group, keys, columns = Origin(bought, DAYS).of_group["type"]
        key = int(keys[len(keys) // 2])
        count = int(group.max()) + 1
        rows = (bought.member == key // count) & (group[bought.item] == key % count)
        weights = 0.5 ** ((DAYS - bought.day[rows]) / 120)
        usual = np.average(np.log(bought.value[rows]), weights=weights)
        assert columns["level"][len(keys) // 2] == pytest.approx(usual, rel=1e-5)


class TestBlock:
    def test_tells_of_what_is_new_how_dear_and_how_like_it_is_to_what_a_member_has(self):
        bought = made().at("article")
        moment = moment_of(bought, DAYS, ("new",))
        everybody = np.arange(MEMBERS, dtype=np.int32)
        (asked,) = blocks_of(moment, moment.sample, everybody, everybody, ("new",))
        keys = asked.candidates(PLANS["new"], np.ones(ARTICLES, np.bool_))
        names, features = asked.features(keys)
        told = dict(zip(names, features.T, strict=True))
        group, known, columns = moment.sample.of_group["type"]
        member, item = keys // ARTICLES, keys % ARTICLES
        wanted = member * (int(group.max()) + 1) + group[item]
        bought_of_type = np.isin(wanted, known)
        level = columns["level"][np.searchsorted(known, wanted[bought_of_type])]
        price = np.log(100 + item[bought_of_type])
        assert 0 < bought_of_type.sum() < len(keys)
        np.testing.assert_allclose(told["type_dearer"][bought_of_type], price - level, atol=1e-4)
        assert np.isnan(told["type_dearer"][~bought_of_type]).all()
        assert (told["closest"][~bought_of_type] == 0).all()
        assert told["closest"][bought_of_type].max() > 0


class TestOfFirst:
    def test_keeps_what_the_first_members_bought_and_nothing_else(self):
        bought = made().at("article")
        few = bought.of_first(7)
        assert few.members == 7
        assert few.item.tolist() == bought.item[bought.member < 7].tolist()
        assert few.known.tolist() == bought.known[bought.known < 7 * ARTICLES].tolist()

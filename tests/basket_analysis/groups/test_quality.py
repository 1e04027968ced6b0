from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from basket_analysis.baskets import tabulate
from basket_analysis.groups.grouping import ThemeFinder
from basket_analysis.groups.quality import (
    LIMITS,
    Circumstances,
    Figures,
    Reason,
    RuleFirings,
    Window,
    agreement,
    explained_by_size,
    figures_document,
    figures_of,
    judge,
    measure,
)
from basket_analysis.groups.scoring import HouseholdScorer
from basket_analysis.groups.themes import TOO_LITTLE
from tests.basket_analysis.baskets_made import shoppers

SEED = 20_261_122

FINE = Figures(
    eligible=1000, themes=5, coverage=0.8, agreement=0.98, churn=0.001, compared=1000, rule_lift=1.9, null_lift=1.0,
    lift_firings=2000, confirmed=0.6, profile_match=0.9, explained_by_size=0.08,
)  # fmt: skip
NIGHTLY = Circumstances(
    days_since_served=1, refitted=False, edited=False, same_version=True, served_coverage=0.8, served_themes=5
)


def codes(reasons):
    return [reason.code for reason in reasons]


class TestAgreement:
    @pytest.mark.parametrize("groups", [1, 2, 7])
    def test_is_what_an_independent_implementation_says(self, groups):
        generator = np.random.default_rng(SEED)
        one = generator.integers(groups, size=400).astype(str)
        for changed in (0.0, 0.3, 1.0):
            other = np.where(generator.random(400) < changed, generator.permutation(one), one)
            assert agreement(one, other) == pytest.approx(adjusted_rand_score(one, other))

    def test_is_undefined_of_nobody(self):
        assert np.isnan(agreement(np.array([], str), np.array([], str)))


class TestJudge:
    def test_lets_a_good_night_through(self):
        assert judge(FINE, NIGHTLY) == ("good", ())

    def test_lets_the_first_run_through(self):
        first = replace(FINE, agreement=None, churn=None, compared=0)
        assert judge(first, Circumstances(None, refitted=True, edited=False, same_version=False)) == (
            "good",
            (),
        )

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"agreement": 0.5}, "agreement"),
            ({"churn": 0.2}, "churn"),
            ({"coverage": 0.3}, "coverage"),
            ({"themes": 0, "rule_lift": None}, "no_themes"),
            ({"rule_lift": 1.01}, "rule_lift"),
            ({"confirmed": 0.01}, "confirmed"),
            ({"explained_by_size": 0.5}, "explained_by_size"),
        ],
    )
    def test_refuses_what_falls_below_a_limit_and_says_which(self, change, code):
        verdict, reasons = judge(replace(FINE, **change), NIGHTLY)
        assert (verdict, codes(reasons)) == ("refused", [code])

    @pytest.mark.parametrize("change", [{"agreement": 0.0, "churn": 0.9}, {"coverage": 0.1}])
    @pytest.mark.parametrize(
        "how",
        [
            {"edited": True},
            {"same_version": False},
            {"days_since_served": LIMITS.longest_gap + 1},
            {"days_since_served": None},
        ],
    )
    def test_holds_a_run_to_the_served_one_only_where_they_are_of_a_kind(self, change, how):
        assert judge(replace(FINE, **change), replace(NIGHTLY, **how))[0] == "good"

    def test_gives_themes_found_anew_more_room(self):
        moved = replace(FINE, agreement=0.6, churn=0.3)
        assert judge(moved, NIGHTLY)[0] == "refused"
        assert judge(moved, replace(NIGHTLY, refitted=True))[0] == "good"

    def test_blocks_no_small_shop_by_figures_that_chance_makes(self):
        small = Figures(
            eligible=60, themes=2, coverage=0.1, agreement=0.1, churn=0.5, compared=60, rule_lift=0.7, null_lift=1.0,
            lift_firings=30, confirmed=0.0, profile_match=0.2, explained_by_size=0.9,
        )  # fmt: skip
        assert judge(small, replace(NIGHTLY, at_fit=FINE)) == ("good", ())

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"rule_lift": 1.4}, "drift_lift"),
            ({"coverage": 0.6}, "drift_coverage"),
            ({"profile_match": 0.7}, "drift_profile"),
        ],
    )
    def test_raises_the_alarm_when_themes_fit_worse_than_when_they_were_found(self, change, code):
        verdict, reasons = judge(replace(FINE, **change), replace(NIGHTLY, at_fit=FINE))
        assert (verdict, codes(reasons)) == ("drifting", [code])
        assert judge(replace(FINE, **change), NIGHTLY) == ("good", ())

    def test_says_value_and_limit(self):
        _, reasons = judge(replace(FINE, churn=0.2), NIGHTLY)
        assert reasons == (Reason("churn", 0.2, LIMITS.most_churn),)


@pytest.fixture(scope="module")
def fitted():
    """Baskets of households that follow four planted themes, in two parts of time, with the themes found in all."""
    baskets, buyers, _ = shoppers(np.random.default_rng(SEED), households=280, baskets=40)
    names = sorted({item for basket in baskets for item in basket})
    households = sorted(set(buyers))

    def table(chosen):
        rows = [(number, item) for number, at in enumerate(chosen) for item in baskets[at]]
        return tabulate(
            baskets=np.array([row[0] for row in rows], np.int32),
            items=np.array([names.index(row[1]) for row in rows], np.int32),
            names=names,
            basket_count=len(chosen),
            owners=np.array([households.index(buyers[chosen[row[0]]]) for row in rows], np.int32),
            households=households,
        )

    everything = range(len(baskets))
    window = Window(
        table(list(everything)),
        table([at for at in everything if at % 40 < 32]),
        table([at for at in everything if at % 40 >= 32]),
    )
    themes = ThemeFinder().fit(window.whole).themes_
    labels = np.array([place.group for place in HouseholdScorer(themes).fit(window.whole).places_])
    return themes, window, labels


class TestMeasure:
    def test_finds_good_labels_good(self, fitted):
        themes, window, labels = fitted
        found = measure(themes, window, labels, labels)
        assert (found.agreement, found.churn, found.compared) == (1.0, 0.0, 280)
        assert found.rule_lift > 1.3
        assert 0.9 < found.null_lift < 1.1
        assert min(found.confirmed, found.profile_match, found.coverage) > 0.8
        assert judge(found, NIGHTLY)[0] == "good"

    def test_sees_through_shuffled_labels_even_in_a_first_run(self, fitted, publish):
        themes, window, labels = fitted
        publish(f"labels shuffled with seed {SEED}")
        shuffled = np.random.default_rng(SEED).permutation(labels)
        verdict, reasons = judge(
            measure(themes, window, shuffled, None),
            Circumstances(None, refitted=True, edited=False, same_version=True),
        )
        assert (verdict, codes(reasons)) == ("refused", ["confirmed"])
        verdict, reasons = judge(measure(themes, window, shuffled, labels), NIGHTLY)
        assert (verdict, codes(reasons)) == ("refused", ["agreement", "churn", "confirmed"])

    def test_is_the_same_every_time(self, fitted):
        assert measure(*fitted, None) == measure(*fitted, None)

    def test_says_nothing_where_nobody_can_be_told(self, fitted):
        themes, window, labels = fitted
        found = measure(themes, window, np.full(len(labels), TOO_LITTLE), labels)
        assert (found.eligible, found.coverage, found.agreement, found.rule_lift) == (0, None, None, None)

    def test_counts_firings_against_baskets_of_the_same_size(self, fitted):
        themes, window, _ = fitted
        firings = RuleFirings(themes, window.later)
        everybody = np.full(280, themes.themes[0].id)
        lift, expected = firings.lift(everybody)
        assert lift == pytest.approx(1.0)
        assert expected == pytest.approx(firings.fired[0].sum())

    def test_comes_back_from_how_it_is_kept(self, fitted):
        found = measure(*fitted, None)
        kept = figures_of({**figures_document(found), "sizes": {}, "refitted": True})
        assert (kept.eligible, kept.themes, kept.agreement) == (found.eligible, found.themes, None)
        assert kept.rule_lift == pytest.approx(found.rule_lift, abs=1e-4)


class TestExplainedBySize:
    def test_is_all_where_groups_are_sizes_and_nothing_where_they_are_alike(self):
        table = tabulate(
            baskets=np.array([0, 1, 1, 2, 3, 3], np.int32),
            items=np.array([0, 0, 1, 0, 0, 1], np.int32),
            names=["a", "b"],
            basket_count=4,
            owners=np.array([0, 1, 1, 2, 3, 3], np.int32),
            households=["a", "b", "c", "d"],
        )
        everybody = np.ones(4, bool)
        assert explained_by_size(np.array(["x", "y", "x", "y"]), table, everybody) == pytest.approx(1.0)
        assert explained_by_size(np.array(["x", "x", "y", "y"]), table, everybody) == pytest.approx(0.0)

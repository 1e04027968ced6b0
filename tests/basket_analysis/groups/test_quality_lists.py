"""What is told of a run's quality: nothing from which fewer than ten people could be counted."""

import pytest

from basket_analysis.groups.answer_commands import SHOWN, _in_words
from basket_analysis.groups.quality_lists import reason_told, told

FIGURES = {
    "eligible": 2157,
    "compared": 2100,
    "churn": 0.05,
    "coverage": 0.8387,
    "agreement": 0.9312,
    "themes": 7,
    "smallest": 184,
    "refitted": False,
    "sizes": {"theme-1": 390, "new": 3},
}


class TestTold:
    def test_leaves_what_many_people_stand_behind_to_a_tenth_of_a_per_cent(self):
        figures, bounds = told(FIGURES)
        assert bounds == {}
        assert figures == {
            "eligible": 2157,
            "compared": 2100,
            "churn": 0.05,
            "coverage": 0.839,
            "agreement": 0.931,
            "themes": 7,
            "smallest": 180,
            "refitted": False,
        }

    @pytest.mark.parametrize("moved", range(1, 10))
    def test_says_the_same_of_one_to_nine_who_moved(self, moved):
        figures, bounds = told({**FIGURES, "churn": round(moved / 2100, 4)})
        assert (figures["churn"], bounds) == (0.005, {"churn": "<"})

    @pytest.mark.parametrize("moved", [0, 10, 11])
    def test_says_nobody_and_ten_or_more(self, moved):
        figures, bounds = told({**FIGURES, "churn": moved / 2100})
        assert figures["churn"] == round(moved / 2100, 3)
        assert bounds == {}

    @pytest.mark.parametrize("left", range(1, 10))
    def test_says_the_same_of_one_to_nine_without_a_theme(self, left):
        figures, bounds = told({**FIGURES, "coverage": 1 - left / 2157})
        assert (figures["coverage"], bounds) == (0.995, {"coverage": ">"})

    @pytest.mark.parametrize(("compared", "said"), [(2157, 2157), (2156, None), (2148, None), (2147, 2147)])
    def test_does_not_tell_how_few_could_not_be_compared(self, compared, said):
        assert told({**FIGURES, "compared": compared})[0]["compared"] == said

    def test_does_not_tell_the_size_of_a_group_of_few(self):
        assert told({**FIGURES, "smallest": 9})[0]["smallest"] is None

    def test_tells_of_two_nights_no_group_that_few_came_to_or_left(self):
        assert {told({**FIGURES, "smallest": size})[0]["smallest"] for size in range(180, 190)} == {180}

    @pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
    def test_tells_no_share_of_fewer_than_ten(self, share):
        figures, bounds = told({"eligible": 9, "compared": 9, "churn": share, "coverage": share})
        assert (figures["churn"], figures["coverage"], bounds) == (None, None, {})

    @pytest.mark.parametrize("people", [10, 11, 19])
    def test_says_only_what_is_true_of_a_few_more(self, people):
        for counted in range(people + 1):
            share = counted / people
            figures, bounds = told(
                {"eligible": people, "compared": people, "churn": share, "coverage": share}
            )
            for key in ("churn", "coverage"):
                holds = {
                    "<": share < figures[key],
                    ">": share > figures[key],
                    None: counted in {0, people},
                }
                assert holds[bounds.get(key)]

    def test_bears_what_was_not_measured(self):
        figures, bounds = told({"eligible": 0, "themes": 0, "churn": None, "coverage": None, "compared": 0})
        assert (figures["churn"], figures["coverage"], bounds) == (None, None, {})

    def test_writes_a_bound_as_what_it_is(self):
        forms = {key: form for key, _title, form in SHOWN}
        figures, bounds = told({**FIGURES, "coverage": 1 - 3 / 2157})
        assert bounds["coverage"] + forms["coverage"].format(figures["coverage"]) == ">99.5%"


class TestReasonTold:
    def reason(self, code: str, value: float, **changes):
        figures, bounds = told({**FIGURES, "churn": 137 / 2100, **changes})
        return reason_told({"code": code, "value": value, "limit": 0.05123}, figures, bounds)

    def test_tells_no_more_of_its_figure_than_the_figure_does(self):
        assert self.reason("churn", 0.0652) == {"code": "churn", "value": 0.065, "limit": 0.051}

    def test_tells_the_bound_that_the_figure_tells(self):
        reason = self.reason("drift_coverage", 2151 / 2157, coverage=2151 / 2157)
        assert reason == {"code": "drift_coverage", "value": 0.995, "bound": ">", "limit": 0.051}

    def test_tells_nothing_where_fewer_than_ten_people_stand_behind_it(self):
        reason = self.reason("churn", 0.5, eligible=6, compared=6)
        assert reason["value"] is None
        assert _in_words(reason["value"]) == "-"

    def test_tells_a_figure_of_its_own_to_a_tenth_of_a_per_cent(self):
        assert self.reason("drift_profile", 0.76543)["value"] == 0.765

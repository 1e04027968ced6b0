import json

import numpy as np
import pytest

from basket_analysis.basket_files import read_baskets
from basket_analysis.dated_baskets import dated_baskets
from basket_analysis.groups.evaluation import OURS, Method
from basket_analysis.groups.quality import agreement, placed
from basket_analysis.groups.reference import fit_reference, label_by_rules
from tests.basket_analysis.baskets_made import shoppers, write_csv
from tests.basket_analysis.test_commands import regulars

__all__ = ["regulars"]

COLUMNS = ("basket_id", "item", "household_id", "time")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Twelve weeks of baskets of households that follow four planted themes."""
    made, buyers, _ = shoppers(np.random.default_rng(12), households=280, baskets=40)
    start = np.datetime64("2026-01-01T10:00:00")
    rows = []
    for number, (basket, buyer) in enumerate(zip(made, buyers, strict=True)):
        moment = start + np.timedelta64(number % 40 * 12 * 7 * 24 // 40, "h")
        rows += [(f"b{number}", item, buyer, f"{moment}Z") for item in basket]
    return write_csv(tmp_path_factory.mktemp("evaluation") / "b.csv", rows, columns=COLUMNS)


def by_hand(dated, start, weeks, method):
    """Return what two runs a week apart have in common: cold, frozen, moved and coverage."""
    one, other = (dated.table(first=first, end=first + weeks) for first in (start, start + 1))
    first, second = method.fit(one), method.fit(other)
    labels, again = method.label(first, one, None), method.label(second, other, None)
    frozen, kept = method.label(first, other, None), method.label(first, other, labels)
    often, still = (
        np.bincount(table.owners[table.owners >= 0], minlength=len(table.households)) >= 10
        for table in (one, other)
    )
    both = often & still
    return (
        agreement(labels[both], again[both]),
        agreement(labels[both], frozen[both]),
        (kept[both] != labels[both]).mean(),
        placed(labels[often]).mean(),
    )


class TestEvaluateGroups:
    def test_finds_groups_that_last_where_there_are_some(self, regulars, file):
        code, out, _ = regulars("evaluate", "groups", "--baskets", file, "--learn-weeks", 8, "--json")
        found = json.loads(out)
        assert (code, found["groups"], found["households"]) == (0, 4, 280)
        assert min(found["cold"], found["frozen"], found["halves"], found["coverage"]) > 0.8
        assert found["held_out"]["rule_lift"] > 1.3 > found["null"]["rule_lift"]
        assert found["held_out"]["bits"] > 0.1 > found["null"]["bits"]
        assert found["explained_by_size"] < 0.3
        reference = found["reference"]
        assert (reference["groups"], reference["households"]) == (4, 280)
        assert min(reference["frozen"], reference["coverage"]) > 0.6
        assert reference["held_out"]["rule_lift"] > 1.3 > reference["null"]["rule_lift"]

    def test_learns_on_another_half_where_it_is_asked_to(self, regulars, file):
        asked = ("evaluate", "groups", "--baskets", file, "--learn-weeks", 8, "--json")
        usual, said, other = (
            json.loads(regulars(*asked, *more)[1]) for more in ((), ("--seed", 5), ("--seed", 6))
        )
        assert usual == said
        assert other["held_out"] != usual["held_out"]
        assert other["held_out"]["rule_lift"] > 1.3 > other["null"]["rule_lift"]
        # Windows and even and odd baskets are everybody's.
        assert [other[key] for key in ("cold", "frozen", "halves")] == [
            usual[key] for key in ("cold", "frozen", "halves")
        ]

    def test_compares_runs_a_week_apart_over_the_windows_of_the_protocol_and_over_every_start(
        self, regulars, file
    ):
        code, out, _ = regulars("evaluate", "groups", "--baskets", file, "--learn-weeks", 7, "--json")
        found = json.loads(out)
        assert (code, found["windows"], found["all_starts"]["windows"]) == (0, 2, 5)
        assert found["reference"]["all_starts"]["windows"] == 5
        dated = dated_baskets(read_baskets(file, wanted=("household_id", "time")))
        methods = {"ours": OURS, "reference": Method(fit_reference, label_by_rules)}
        for name, method in methods.items():
            said = found if name == "ours" else found["reference"]
            runs = [by_hand(dated, start, 7, method) for start in range(5)]
            for place, key in enumerate(("cold", "frozen", "moved", "coverage")):
                assert said["all_starts"][key] == pytest.approx(np.mean([run[place] for run in runs]))
                assert said[key] == pytest.approx((runs[0][place] + runs[4][place]) / 2)

    def test_says_of_figures_without_anything_to_measure_that_there_are_none(self, regulars, tmp_path):
        path = tmp_path / "alike.csv"
        rows = ["basket_id,item,household_id,time"]
        # Everybody buys the same on every day: no rule, no theme, nothing held out.
        rows += [
            f"{buyer}-{day},{item},h{buyer},{np.datetime64('2026-01-01') + day}"
            for buyer in range(30)
            for day in range(0, 84, 7)
            for item in ("bread", "milk")
        ]
        path.write_text("\n".join(rows))
        asked = ("evaluate", "groups", "--baskets", path, "--learn-weeks", 8)
        code, out, _ = regulars(*asked, "--json")
        found = json.loads(out, parse_constant=pytest.fail)  # NaN is no JSON
        assert (code, found["groups"], found["held_out"]["rule_lift"]) == (0, 0, None)
        code, out, _ = regulars(*asked)
        (row,) = (line for line in out.splitlines() if line.startswith("held-out lift"))
        assert (code, row[66:].split()) == (0, ["-"] * 4)
        assert "nan" not in out
        assert "-0.000" not in out

    def test_prints_the_shuffled_labels_the_reference_and_every_start_beside(self, regulars, file):
        code, out, _ = regulars("evaluate", "groups", "--baskets", file, "--learn-weeks", 8)
        assert (code, out.count("shuffled"), "reference" in out) == (0, 2, True)
        (row,) = (line for line in out.splitlines() if line.startswith("over every start, 4 of them"))
        ours, reference = (float(cell) for cell in row[66:].split())
        assert 0.8 < ours <= 1
        assert 0 < reference <= 1

    def test_refuses_to_measure_without_later_weeks(self, regulars, file):
        code, _, said = regulars("evaluate", "groups", "--baskets", file, "--learn-weeks", 12)
        assert (code, "12 to learn on" in said) == (2, True)

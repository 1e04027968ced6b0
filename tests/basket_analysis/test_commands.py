import json
from itertools import combinations

import numpy as np
import pytest

import cli
from tests.basket_analysis.baskets_made import read_csv, shoppers, write_csv


@pytest.fixture
def regulars(capsys):
    """Call the command line; returns exit code, stdout and stderr."""

    def call(*arguments):
        with pytest.raises(SystemExit) as end:
            cli.main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return end.value.code, printed.out, printed.err

    return call


@pytest.fixture
def baskets(tmp_path):
    """A small file with a refused and a repeated row, and an item that needs escaping."""
    rows = [(1, "a|b"), (1, "c"), (2, "a|b"), (2, "c"), (3, "c"), (3, "c"), (4, "d"), ("", "x"), (5, "")]
    return write_csv(tmp_path / "baskets.csv", rows)


class TestMine:
    def test_writes_itemsets_and_rules(self, regulars, baskets, tmp_path):
        code, out, _ = regulars(
            "mine", "--baskets", baskets, "--min-support", "0.5", "--out", tmp_path / "o.csv",
            "--rules", tmp_path / "r.csv", "--min-confidence", "0.7", "--json",
        )  # fmt: skip
        record = json.loads(out)
        assert code == 0
        assert [tuple(row.values()) for row in read_csv(tmp_path / "o.csv")] == [
            (r"a\|b", "2"), ("c", "3"), (r"a\|b|c", "2"),
        ]  # fmt: skip
        (rule,) = read_csv(tmp_path / "r.csv")
        assert (rule["antecedent"], rule["consequent"], rule["confidence"]) == (r"a\|b", "c", "1")
        assert {key: record[key] for key in ("baskets", "items", "rows_read", "rows_refused", "duplicates")} == {
            "baskets": 4, "items": 3, "rows_read": 9, "rows_refused": 2, "duplicates": 1,
        }  # fmt: skip
        assert (record["min_count"], record["itemsets"], record["rules"]) == (2, 3, 1)
        assert (record["backend"], record["cap"]) == ("fast", None)
        assert len(read_csv(tmp_path / "o.csv.refused.csv")) == 2

    @pytest.mark.parametrize("backend", ["fast", "mlxtend"])
    def test_writes_headers_when_there_is_nothing_to_find(self, regulars, tmp_path, backend):
        for number, text in enumerate(["", "basket_id,item\n", "basket_id,item\n1,a\n2,b\n"]):
            path = tmp_path / f"{number}.csv"
            path.write_text(text)
            code, _, _ = regulars(
                "mine", "--baskets", path, "--min-support", "0.9", "--out", tmp_path / "o.csv",
                "--rules", tmp_path / "r.csv", "--min-confidence", "0", "--backend", backend,
            )  # fmt: skip
            assert code == 0
            assert (tmp_path / "o.csv").read_text() == "items,count\n"
            assert (
                (tmp_path / "r.csv").read_text().startswith("antecedent,consequent,count,support,confidence,")
            )
            assert read_csv(tmp_path / "r.csv") == []

    def test_gives_the_same_bytes_for_any_order_of_rows(self, regulars, tmp_path):
        generator = np.random.default_rng(8)
        rows = [(basket, f"i{item}") for basket in range(300) for item in generator.zipf(1.5, 6) % 30]
        for name in ("one", "other"):
            write_csv(tmp_path / f"{name}.csv", rows)
            generator.shuffle(rows)
            code, _, _ = regulars(
                "mine", "--baskets", tmp_path / f"{name}.csv", "--min-support", "0.02", "--out",
                tmp_path / f"{name}-o.csv", "--rules", tmp_path / f"{name}-r.csv", "--min-confidence", "0.1",
            )  # fmt: skip
            assert code == 0
        assert (tmp_path / "one-o.csv").read_bytes() == (tmp_path / "other-o.csv").read_bytes()
        assert (tmp_path / "one-r.csv").read_bytes() == (tmp_path / "other-r.csv").read_bytes()

    def test_gives_the_same_bytes_by_either_backend(self, regulars, tmp_path):
        generator = np.random.default_rng(9)
        rows = [(basket, f"i{item}") for basket in range(400) for item in generator.zipf(1.4, 8) % 25]
        path = write_csv(tmp_path / "b.csv", rows)
        for backend in ("fast", "mlxtend"):
            regulars(
                "mine", "--baskets", path, "--min-support", "0.03", "--out", tmp_path / f"{backend}-o.csv",
                "--rules", tmp_path / f"{backend}-r.csv", "--min-confidence", "0.25", "--backend", backend,
            )  # fmt: skip
        for kind in ("o", "r"):
            fast, reference = ((tmp_path / f"{name}-{kind}.csv").read_bytes() for name in ("fast", "mlxtend"))
            assert fast == reference
            assert fast.count(b"\n") > 100

    def test_stands_a_basket_of_ten_thousand_items(self, regulars, tmp_path):
        path = write_csv(tmp_path / "b.csv", [(1, f"i{number}") for number in range(10_000)])
        code, _, err = regulars(
            "mine", "--baskets", path, "--min-support", "0.1", "--out", tmp_path / "o.csv"
        )
        assert code == 2
        assert err.startswith("regulars: more than 20,000,000 itemsets")
        assert err.count("\n") == 1
        assert list(tmp_path.iterdir()) == [path]

    def test_cuts_long_baskets_only_when_asked_to(self, regulars, tmp_path):
        rows = [(1, f"i{number}") for number in range(500)] + [(2, "i1"), (2, "i2")]
        path = write_csv(tmp_path / "b.csv", rows)
        code, out, _ = regulars(
            "mine",
            "--baskets",
            path,
            "--min-support",
            "0.1",
            "--out",
            tmp_path / "o.csv",
            "--max-basket",
            5,
            "--json",
        )
        assert code == 0
        record = json.loads(out)
        assert (record["cap"], record["baskets_cut"], record["pairs_dropped"]) == (5, 1, 495)
        assert record["itemsets"] == 2**5 - 1

    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            (["--min-support", "much"], "'much' is not a number from 0 to 1"),
            (["--min-support", "1.5"], "'1.5' is not a number from 0 to 1"),
            (["--min-support", "NaN"], "'NaN' is not a number from 0 to 1"),
            (["--min-confidence", "0.5"], "--rules and --min-confidence go together"),
            (["--baskets", "/nowhere.csv"], "/nowhere.csv"),
            (["--max-length", "0"], "0"),
        ],
    )
    def test_refuses_what_it_does_not_understand_in_one_line(
        self, regulars, baskets, tmp_path, wrong, reason
    ):
        code, out, err = regulars(
            "mine", "--baskets", baskets, "--min-support", "0.5", "--out", tmp_path / "o.csv", *wrong
        )
        assert (code, out) == (2, "")
        assert reason in err
        assert err.count("\n") == 1
        assert not (tmp_path / "o.csv").exists()

    def test_names_wrong_columns(self, regulars, tmp_path):
        path = write_csv(tmp_path / "b.csv", [], columns=("basket_id", "article"))
        code, _, err = regulars(
            "mine", "--baskets", path, "--min-support", "0.5", "--out", tmp_path / "o.csv"
        )
        assert code == 2
        assert "unknown: article; missing: item" in err


@pytest.fixture
def shopping(tmp_path):
    """A file of shoppers who each follow one of four themes, and each one's theme."""
    made, buyers, truth = shoppers(np.random.default_rng(4), households=200)
    rows = [
        (number, item, buyer)
        for number, (basket, buyer) in enumerate(zip(made, buyers, strict=True))
        for item in basket
    ]
    rows += [("alone", "theme0-1", ""), ("alone", "theme0-2", ""), ("seldom", "theme0-1", "z-seldom")]
    path = write_csv(tmp_path / "shopping.csv", rows, columns=("basket_id", "item", "household_id"))
    return path, truth


class TestGroups:
    def fit(self, regulars, path, folder, *more):
        return regulars(
            "groups",
            "fit",
            "--baskets",
            path,
            "--themes",
            folder / "t.json",
            "--out",
            folder / "o.csv",
            *more,
        )

    def test_fit_finds_the_themes_and_who_follows_them(self, regulars, shopping, tmp_path):
        path, truth = shopping
        code, _, _ = self.fit(regulars, path, tmp_path)
        assert code == 0
        themes = json.loads((tmp_path / "t.json").read_text())
        assert {frozenset(theme["items"]) for theme in themes["themes"]} == {
            frozenset(f"theme{theme}-{number}" for number in range(5)) for theme in range(4)
        }
        theme_of = {theme["id"]: int(theme["items"][0][5]) for theme in themes["themes"]}
        rows = {row["household_id"]: row for row in read_csv(tmp_path / "o.csv")}
        assert list(rows) == [*sorted(truth), "z-seldom"]
        assert (rows["z-seldom"]["group"], rows["z-seldom"]["strength"]) == ("new", "")
        right = [theme_of.get(rows[household]["group"]) == theme for household, theme in truth.items()]
        assert np.mean(right) > 0.95
        assert themes["baskets"] == 200 * 40 + 2
        assert themes["households"] == 201

    def test_fit_and_score_give_the_same_bytes_for_any_order_of_dated_rows(self, regulars, tmp_path):
        chance = np.random.default_rng(5)
        made, buyers, _ = shoppers(chance, households=60)
        days = np.datetime64("2026-01-01") + chance.integers(0, 250, len(made))
        rows = [
            (number, item, buyer, f"{day}T10:00:00Z")
            for number, (basket, buyer, day) in enumerate(zip(made, buyers, days, strict=True))
            for item in basket
        ]
        columns = ("basket_id", "item", "household_id", "time")
        found = set()
        for order in (np.arange(len(rows)), chance.permutation(len(rows)), chance.permutation(len(rows))):
            path = write_csv(tmp_path / "dated.csv", [rows[row] for row in order], columns=columns)
            assert self.fit(regulars, path, tmp_path)[0] == 0
            scored = tmp_path / "s.csv"
            regulars("groups", "score", "--baskets", path, "--themes", tmp_path / "t.json", "--out", scored)
            found.add(tuple((tmp_path / name).read_bytes() for name in ("t.json", "o.csv", "s.csv")))
        assert len(found) == 1

    @pytest.mark.parametrize("time", ["", "week 3"])
    def test_fit_weighs_all_baskets_the_same_where_a_time_is_no_moment(
        self, regulars, shopping, tmp_path, time
    ):
        self.fit(regulars, shopping[0], tmp_path)
        before = [(tmp_path / name).read_bytes() for name in ("t.json", "o.csv")]
        rows = [(*row.values(), "2026-01-01T00:00:00Z") for row in read_csv(shopping[0])]
        rows[0] = (*rows[0][:-1], time)
        columns = ("basket_id", "item", "household_id", "time")
        assert self.fit(regulars, write_csv(tmp_path / "timed.csv", rows, columns=columns), tmp_path)[0] == 0
        assert [(tmp_path / name).read_bytes() for name in ("t.json", "o.csv")] == before

    def test_fit_describes_each_rule_with_its_evidence(self, regulars, shopping, tmp_path):
        self.fit(regulars, shopping[0], tmp_path)
        theme = json.loads((tmp_path / "t.json").read_text())["themes"][0]
        assert set(theme) == {"id", "name", "items", "rules"}
        pairs = {frozenset(rule["antecedent"] + rule["consequent"]) for rule in theme["rules"]}
        assert {frozenset(pair) for pair in combinations(theme["items"], 2)} <= pairs
        for rule in theme["rules"]:
            assert set(rule) == {"antecedent", "consequent", "count", "adjusted_lift", "z", "q", "households"}
            assert rule["adjusted_lift"] >= 1.2
            assert rule["q"] <= 0.01
            assert rule["households"] >= 20

    def test_score_gives_the_households_of_the_fit_their_places_again(self, regulars, shopping, tmp_path):
        self.fit(regulars, shopping[0], tmp_path)
        code, _, _ = regulars(
            "groups",
            "score",
            "--baskets",
            shopping[0],
            "--themes",
            tmp_path / "t.json",
            "--out",
            tmp_path / "s.csv",
        )
        assert code == 0
        assert (tmp_path / "s.csv").read_bytes() == (tmp_path / "o.csv").read_bytes()

    def test_score_keeps_the_number_of_baskets_that_the_fit_asked_for(self, regulars, shopping, tmp_path):
        self.fit(regulars, shopping[0], tmp_path, "--min-baskets", 41)
        regulars(
            "groups",
            "score",
            "--baskets",
            shopping[0],
            "--themes",
            tmp_path / "t.json",
            "--out",
            tmp_path / "s.csv",
        )
        assert {row["group"] for row in read_csv(tmp_path / "s.csv")} == {"new"}

    def test_fit_carries_identities_over(self, regulars, shopping, tmp_path):
        self.fit(regulars, shopping[0], tmp_path)
        first = json.loads((tmp_path / "t.json").read_text())
        names = iter(["tea", "pets", "garden", "baby"])
        for theme in first["themes"]:
            theme["id"] = next(names)
        (tmp_path / "before.json").write_text(json.dumps(first))
        self.fit(regulars, shopping[0], tmp_path, "--previous", tmp_path / "before.json")
        again = json.loads((tmp_path / "t.json").read_text())
        assert {theme["id"]: set(theme["items"]) for theme in again["themes"]} == {
            theme["id"]: set(theme["items"]) for theme in first["themes"]
        }

    def test_fit_without_households_writes_themes_and_no_rows(self, regulars, shopping, tmp_path):
        rows = [(row["basket_id"], row["item"]) for row in read_csv(shopping[0])]
        path = write_csv(tmp_path / "b.csv", rows)
        code, _, _ = self.fit(regulars, path, tmp_path)
        assert code == 0
        assert read_csv(tmp_path / "o.csv") == []
        assert len(json.loads((tmp_path / "t.json").read_text())["themes"]) == 4

    @pytest.mark.parametrize("text", ["", "basket_id,item,household_id\n"])
    def test_fit_is_quiet_on_quiet_nights(self, regulars, tmp_path, text):
        path = tmp_path / "b.csv"
        path.write_text(text)
        code, _, _ = self.fit(regulars, path, tmp_path)
        assert code == 0
        assert json.loads((tmp_path / "t.json").read_text())["themes"] == []
        assert (
            tmp_path / "o.csv"
        ).read_text() == "household_id,group,strength,second_group,second_strength\n"
        code, _, _ = regulars(
            "groups", "score", "--baskets", path, "--themes", tmp_path / "t.json", "--out", tmp_path / "s.csv"
        )
        assert code == 0

    @pytest.mark.parametrize("text", ["", "{}", '{"format": 2}', "[]", "no json"])
    def test_score_refuses_what_are_no_themes(self, regulars, shopping, tmp_path, text):
        (tmp_path / "t.json").write_text(text)
        code, _, err = regulars(
            "groups",
            "score",
            "--baskets",
            shopping[0],
            "--themes",
            tmp_path / "t.json",
            "--out",
            tmp_path / "s.csv",
        )
        assert code == 2
        assert err.count("\n") == 1
        assert not (tmp_path / "s.csv").exists()


class TestPlaces:
    @pytest.mark.parametrize(
        "command",
        [
            ("mine", "--min-support", "0", "--out", "b.csv"),
            ("mine", "--min-support", "0", "--out", "o.csv", "--rules", "o.csv", "--min-confidence", "0"),
            ("groups", "fit", "--themes", "t.json", "--out", "t.json"),
            ("groups", "fit", "--themes", "b.csv", "--out", "o.csv"),
            ("groups", "score", "--themes", "b.csv", "--out", "b.csv"),
            ("assortment", "rank", "--out", "b.csv"),
        ],
    )
    def test_no_result_is_written_over_what_is_read_or_over_another(
        self, regulars, tmp_path, monkeypatch, command
    ):
        monkeypatch.chdir(tmp_path)
        write_csv(tmp_path / "b.csv", [(1, "a"), (1, "b")])
        before = (tmp_path / "b.csv").read_bytes()
        code, _, err = regulars(*command, "--baskets", "b.csv")
        assert code == 2
        assert "named twice" in err
        assert err.count("\n") == 1
        assert [path.name for path in tmp_path.iterdir()] == ["b.csv"]
        assert (tmp_path / "b.csv").read_bytes() == before

    def test_a_moment_that_is_none_is_refused_in_one_line(self, regulars, tmp_path):
        path = tmp_path / "b.csv"
        path.write_text("basket_id,item,store,time\n1,a,s,yesterday\n")
        code, _, err = regulars("assortment", "rank", "--baskets", path, "--out", tmp_path / "o.csv")
        assert (code, err.count("\n")) == (2, 1)
        assert "holds what is no moment: " in err
        assert "yesterday" in err
        assert "format" not in err.partition("yesterday")[2].replace("not ISO8601 format", "")

import gzip
import json

import numpy as np
import pytest

from basket_analysis.groups.scoring import Place
from basket_analysis.groups.theme_files import (
    BadPlacesFile,
    BadThemesFile,
    read_document,
    read_groups,
    read_themes,
    themes_document,
    write_places,
    write_themes,
)
from basket_analysis.groups.theme_profiles import Profiles
from basket_analysis.groups.themes import Theme, ThemeRule, Themes
from basket_analysis.mining.strata import STRATA

PACKED = gzip.compress(b"household_id,group\n7,t2\n" * 99)
RULE = ThemeRule(("a|b", "c"), ("č",), 31, 2.25, 8.125, 1e-12, 25)
THEMES = Themes(
    (Theme("t2", "Tea & honey", ("a|b", "c", "č"), (RULE,)), Theme("t5", "Pets", ("x", "y", "z"), ())),
    Profiles(
        ("c", "d", "x"),
        np.array([[0.6, 0.8, 0.0], [-0.25, 0.0, 0.125]]),
        np.linspace(0, 1, 3 * STRATA).reshape(3, STRATA),
    ),
    100,
    10,
    7,
    6,
    {"seed": 3},
)
PLACES = (
    Place("007", "t2", 3.25, "t5", -0.125, 40),
    Place("7", "none", 1.5, None, None, 12),
    Place('x,"y"', "new", None, None, None, 2),
)


class TestThemesFile:
    def test_gives_back_what_was_written(self, tmp_path):
        write_themes(tmp_path / "t.json", THEMES)
        again = read_themes(tmp_path / "t.json")
        assert again.themes == THEMES.themes
        assert again.profiles.items == THEMES.profiles.items
        assert again.profiles.weights.tolist() == THEMES.profiles.weights.tolist()
        assert again.profiles.rates.tolist() == THEMES.profiles.rates.tolist()
        assert (again.baskets, again.households, again.min_baskets, again.next_number) == (100, 10, 7, 6)
        assert again.settings == {"seed": 3}

    def test_has_the_keys_that_are_agreed(self):
        document = json.loads(json.dumps(themes_document(THEMES)))
        assert set(document) == {"format", "baskets", "households", "settings", "themes", "scoring"}
        assert set(document["themes"][0]) == {"id", "name", "items", "rules"}

    @pytest.mark.parametrize(
        "change",
        [
            {"format": 2},
            {"themes": [{"id": "t2"}]},
            {
                "scoring": {
                    "min_baskets": 7,
                    "next_number": 6,
                    "profiles": {"t2": {"x": 1.0}, "t5": {}},
                    "item_rates": {},
                }
            },
            {"scoring": {"min_baskets": 7, "next_number": 6, "profiles": {"t2": {}, "t5": {}}}},
            {"scoring": {"min_baskets": 7, "next_number": 6, "item_rates": {"x": [0.5]}}},
            {"baskets": "many"},
        ],
    )
    def test_refuses_what_was_changed_by_hand(self, change):
        with pytest.raises(BadThemesFile):
            read_document({**themes_document(THEMES), **change})

    def test_of_the_first_release_keeps_identities_but_cannot_score(self, tmp_path):
        old = themes_document(THEMES) | {"scoring": {"min_baskets": 7, "next_number": 6, "rates": {}}}
        again = read_document(old)
        assert ([theme.id for theme in again.themes], again.next_number, again.can_score) == (
            ["t2", "t5"],
            6,
            False,
        )
        (tmp_path / "t.json").write_text(json.dumps(old))
        with pytest.raises(BadThemesFile, match="earlier version"):
            read_themes(tmp_path / "t.json")

    def test_refuses_what_is_nested_without_end(self, tmp_path):
        (tmp_path / "t.json").write_text("[" * 100_000)
        with pytest.raises(BadThemesFile, match="cannot be read"):
            read_themes(tmp_path / "t.json")


class TestPlacesFile:
    @pytest.mark.parametrize("name", ["o.csv", "o.csv.gz", "o.parquet"])
    def test_gives_back_the_groups_that_were_written(self, tmp_path, name):
        assert write_places(tmp_path / name, PLACES) == 3
        assert read_groups(tmp_path / name) == {"007": "t2", "7": "none", 'x,"y"': "new"}

    def test_leaves_empty_what_is_not_known(self, tmp_path):
        write_places(tmp_path / "o.csv", PLACES)
        assert (tmp_path / "o.csv").read_text().splitlines() == [
            "household_id,group,strength,second_group,second_strength",
            '"007","t2",3.25,"t5",-0.125',
            '"7","none",1.5,,',
            '"x,""y""","new",,,',
        ]

    def test_refuses_other_files(self, tmp_path):
        (tmp_path / "o.csv").write_text("a,b\n1,2\n")
        (tmp_path / "o.parquet").write_text("a,b\n1,2\n")
        for name in ("o.csv", "o.parquet"):
            with pytest.raises(BadPlacesFile):
                read_groups(tmp_path / name)

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("o.csv", b""),
            ("o.csv", b"a,b\n"),
            ("o.csv", b"household_id,group\n7\n"),
            ("o.csv", b"household_id,group\n" + b"x" * 140_000 + b",t2\n"),
            ("o.csv.gz", PACKED[:20]),
            ("o.csv.gz", PACKED[:12] + b"\xff" * 10 + PACKED[22:]),
        ],
        ids=["empty", "columns", "short row", "long field", "cut off", "garbage"],
    )
    def test_refuses_what_cannot_be_read_to_the_end(self, tmp_path, name, content):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadPlacesFile):
            read_groups(tmp_path / name)

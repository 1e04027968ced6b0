"""What a run is to be, who is held out, and what changed between two proofs."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from catalogs.runs.run import BadRun, Change, Recipe, changes_between, check_recipe, held_out

RECIPE = Recipe("Advent", "trh", "A4", ("print", "email"), date(2026, 11, 23), date(2026, 12, 7), ("t1",))


def content(**run):
    page = {"layout": "hero", "headline": {"en": "Tea"}, "articles": [1, 2], "pinned": []}
    edition = {
        "name": "Tea",
        "content": {"pages": [page], "ranking": [1, 2], "categories": ["Tea"], "colour": 0},
    }
    return {"run": {**RECIPE.document(), **run}, "editions": {"t1": edition}}


class TestCheckRecipe:
    def test_takes_a_usual_one(self):
        check_recipe(RECIPE)

    @pytest.mark.parametrize(
        ("field", "change"),
        [
            ("name", {"name": " "}),
            ("name", {"name": "x" * 121}),
            ("size", {"size": "A3"}),
            ("channels", {"channels": ()}),
            ("channels", {"channels": ("print", "pigeon")}),
            ("valid_to", {"valid_to": date(2026, 11, 23)}),
            ("valid_to", {"valid_to": date(2027, 11, 23)}),
            ("hold_out", {"hold_out": Decimal("0.51")}),
            ("hold_out", {"hold_out": Decimal("0.1234")}),
            ("countries", {"countries": ("CZ", "CZ")}),
            ("voucher_batches", {"voucher_batches": ("A", "A")}),
            ("first_part", {"first_part": 0}),
            ("first_part", {"first_part": 2**31}),
        ],
    )
    def test_names_the_part_that_is_wrong(self, field, change):
        parts = {name: getattr(RECIPE, name) for name in RECIPE.__slots__} | change
        with pytest.raises(BadRun) as refused:
            check_recipe(Recipe(**parts))
        assert refused.value.field == field


class TestDocument:
    def test_names_countries_only_where_some_were_chosen(self):
        # A proof from before there was a choice stays the proof of its run.
        assert "countries" not in RECIPE.document()
        assert replace(RECIPE, countries=("CZ", "PL")).document()["countries"] == ["CZ", "PL"]


class TestHeldOut:
    def test_is_the_same_for_ever_and_near_the_share(self):
        run = UUID(int=1)
        members = [UUID(int=number) for number in range(20_000)]
        out = [held_out(run, member, Decimal("0.1")) for member in members]
        assert out == [held_out(run, member, Decimal("0.1")) for member in members]
        assert 0.09 < sum(out) / len(out) < 0.11

    def test_draws_anew_for_another_run(self):
        members = [UUID(int=number) for number in range(2_000)]
        one, other = (
            {member for member in members if held_out(UUID(int=run), member, Decimal("0.5"))}
            for run in (1, 2)
        )
        assert 400 < len(one & other) < 600

    def test_holds_nobody_out_of_nothing(self):
        assert not any(held_out(UUID(int=1), UUID(int=number), Decimal(0)) for number in range(1_000))


class TestChangesBetween:
    def test_finds_nothing_where_nothing_changed(self):
        assert changes_between(content(), content()) == ()

    def test_names_settings_pages_and_editions(self):
        after = content(hold_out="0.2")
        after["editions"]["t1"]["content"]["pages"][0]["articles"] = [2, 1]
        after["editions"]["t1"]["content"]["pages"].append({"layout": "six"})
        after["editions"]["t2"] = {"name": "Bread", "content": {}}
        assert changes_between(content(), after) == (
            Change("", "hold_out", "0.1", "0.2"),
            Change("t1", "page 2: articles", [1, 2], [2, 1]),
            Change("t1", "page 3", None, "six"),
            Change("t2", "edition", None, "Bread"),
        )

    def test_says_which_edition_was_taken_out(self):
        after = content()
        del after["editions"]["t1"]
        assert changes_between(content(), after) == (Change("t1", "edition", "Tea", None),)

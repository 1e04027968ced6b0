from datetime import date

import pytest

from core.i18n import LANGUAGES
from loyalty.programme.example import example
from loyalty.programme.rules import DEFAULT, CurrencyRule, Excluded, Programme
from loyalty.programme.words import MOST_NAMED, changes, sentences

OTHER = Programme(
    currencies={"CZK": CurrencyRule(2, 1000, 20)},
    net_of_tax=True,
    earn_on_points=True,
    excluded=Excluded(categories=frozenset({"Tobacco"}), departments=frozenset({"Bottles"})),
    pending_days=1,
    ending="year_end",
    ending_months=12,
    points_as="tender",
    minimum=100,
    step=50,
    share_percent=50,
    hold_minutes=1,
    unregistered_spend=True,
)


def words(programme, key, language="en"):
    return next(one.words for one in sentences(programme, ["CZK"], language) if one.key == key)


class TestSentences:
    def test_say_the_contracts_own_programme(self):
        assert words(DEFAULT, "earning.CZK") == "1 point for every CZK\N{NO-BREAK SPACE}1.00"
        assert words(DEFAULT, "pending") == "14 days after the purchase"
        assert words(DEFAULT, "limits") == "at least 1 point, in steps of 1, up to the whole bill"

    def test_speak_of_every_currency(self):
        said = {one.key for one in sentences(OTHER, ["EUR"], "en")}
        assert {"earning.CZK", "earning.EUR", "value.CZK", "value.EUR"} <= said

    def test_count_what_is_too_much_to_name(self):
        many = frozenset(f"c{number:03}" for number in range(MOST_NAMED + 5))
        said = words(Programme(excluded=Excluded(articles=many)), "excluded")
        assert said.endswith("c011 and 5 more")

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize(
        "programme", [DEFAULT, OTHER, Programme(ending="never"), Programme(ending="day")]
    )
    def test_say_everything_in_every_language(self, programme, language):
        said = sentences(programme, ["CZK", "PLN"], language)
        assert all(one.title and one.words and "%(" not in one.words for one in said)
        if language != "en":
            english = {one.key: one.words for one in sentences(programme, ["CZK", "PLN"], "en")}
            assert all(one.words != english[one.key] for one in said)


class TestChanges:
    def test_are_none_between_equals(self):
        assert changes(DEFAULT, Programme(version=7), ["CZK"], "en") == []

    def test_name_both_sides(self):
        (change,) = changes(DEFAULT, Programme(pending_days=0), ["CZK"], "en")
        assert (change.title, change.before, change.after) == (
            "Can be spent from",
            "14 days after the purchase",
            "on the day of the purchase",
        )

    def test_name_all_that_differs(self):
        assert len(changes(DEFAULT, OTHER, ["CZK"], "en")) == len(sentences(OTHER, ["CZK"], "en"))


class TestExample:
    def test_adds_up_under_the_contracts_own_programme(self):
        shown = example(DEFAULT, "CZK", date(2026, 11, 21))
        assert (shown.bill, shown.by_points, shown.spent, shown.paid) == (77_790, 5000, 500, 72_790)
        assert (shown.base, shown.earned) == (72_790, 727)
        assert sum(line.points for line in shown.lines) == shown.earned
        assert sum(line.by_points for line in shown.lines) == shown.by_points
        assert (shown.spendable_from, shown.last_day) == (date(2026, 12, 5), date(2028, 11, 30))

    def test_shows_what_a_version_leaves_out_and_that_points_are_a_tender(self):
        shown = example(OTHER, "CZK", date(2026, 11, 21))
        assert [line.excluded for line in shown.lines] == [False, False, True]
        assert shown.lines[-1].points == 0
        # As a tender the points lower no tax: 42.85 at 12 % of 399.90, 22.39 and 43.21 at 21 %.
        assert [line.tax for line in shown.lines] == [4285, 2239, 4321]
        assert shown.spent == 500

    def test_is_worked_out_in_currencies_without_minor_units(self):
        assert example(DEFAULT, "JPY", date(2026, 11, 21)).bill == 399 + 129 + 249

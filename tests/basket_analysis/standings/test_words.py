from dataclasses import replace
from datetime import date

import pytest

from basket_analysis.standings.words import phase_name, phase_reason, value_name, value_reason
from customers.models import LANGUAGES, PHASES, VALUE_CLASSES
from customers.standings import StandingView

REGULAR = StandingView(
    phase="peak", phase_since=date(2026, 3, 1), value_class="steady", value_since=date(2026, 3, 1),
    financial=100_000, currency="CZK", margin=False, financial_rank=0.62, informational=20, told_profile=20,
    told_consents=0, told_answers=0, told_redemptions=0, reference_value=0, brought=0, household=0, visits=40,
    last_visit=date(2026, 11, 14), silence=1, usual_gap=7.1, long_gap=20, lost_gap=42, recent_gap=7, earlier_gap=7,
)  # fmt: skip


class TestPhaseReason:
    @pytest.mark.parametrize(
        ("phase", "values", "words"),
        [
            ("peak", {}, "Comes about every 7 days, as is their habit. Last came on Nov 14, 2026."),
            (
                "growing",
                {"recent_gap": 1.6, "earlier_gap": 2.3},
                "Comes 4.4 times a week now, and came 3.0 times a week before.",
            ),
            (
                "fading",
                {"recent_gap": 30, "earlier_gap": 14},
                "Comes about every 30 days now, and came about every 14 days before.",
            ),
            (
                "fading",
                {"silence": 25},
                "Used to come about every 7 days. Last came on Nov 14, 2026; a pause of more than 20 days is long for them.",
            ),
            (
                "fading",
                {},
                "Came again on Nov 14, 2026 after a long pause; the old rhythm is not back yet.",
            ),
            (
                "lost",
                {"silence": 60},
                "Used to come about every 7 days. Last came on Nov 14, 2026; after 42 days of silence they are lost.",
            ),
            (
                "won_back",
                {},
                "Had been away so long that they were lost, and came again on Mar 1, 2026.",
            ),
            (
                "new",
                {"visits": 2},
                "First came on Mar 1, 2026, and on 2 days so far: too little for a rhythm of their own.",
            ),
            ("new", {"visits": 0, "last_visit": None}, "Joined, and has not bought anything yet."),
        ],
    )
    def test_says_what_the_phase_rests_on(self, phase: str, values: dict[str, object], words: str):
        assert phase_reason(replace(REGULAR, phase=phase, **values), "en") == words


class TestValueReason:
    @pytest.mark.parametrize(
        ("value_class", "values", "words"),
        [
            ("steady", {}, "Is expected to bring more than 62% of members do."),
            ("vip", {"financial_rank": 0.9996}, "Is expected to bring more than 99% of members do."),
            ("low", {"financial_rank": 0.0001}, "99% of members are expected to bring more."),
            ("vip", {"financial_rank": 0.93}, "Is expected to bring more than 93% of members do."),
            (
                "vip",
                {"financial_rank": 0.85, "reference_value": 3},
                "Is expected to bring more than 85% of members do, and reaches 3 people.",
            ),
            (
                "potential",
                {"phase": "growing", "informational": 75, "reference_value": 1},
                "Is expected to bring more than 62% of members do, and could bring more: comes ever more often, reaches 1 person, tells us much.",
            ),
            ("low", {"financial_rank": 0.1}, "90% of members are expected to bring more."),
            ("low", {"phase": "lost"}, "Has probably left, whatever they used to bring."),
        ],
    )
    def test_says_what_the_class_rests_on(self, value_class: str, values: dict[str, object], words: str):
        assert value_reason(replace(REGULAR, value_class=value_class, **values), "en") == words


class TestNames:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_are_there_for_all_in_every_language(self, language: str):
        for names in (
            [phase_name(phase, language) for phase in PHASES],
            [value_name(value, language) for value in VALUE_CLASSES],
        ):
            assert len(set(names)) == len(names)
            assert not {"won_back", "vip"} & set(names)

from typing import get_args

import pytest

from basket_analysis.offers.reasons import KINDS, Reason, ReasonKind, kept_reason
from basket_analysis.offers.words import reason_sentence
from customers.models import LANGUAGES


class TestReason:
    @pytest.mark.parametrize(
        "reason",
        [
            Reason("often"),
            Reason("goes_with", 12),
            Reason("goes_with", None, "TEA"),
            Reason("group", None, "TEA"),
            Reason("popular"),
        ],
    )
    def test_is_read_as_it_was_kept(self, reason: Reason):
        assert kept_reason(reason.as_kept()) == reason

    def test_is_kept_by_the_place_of_its_kind(self):
        """Kinds stand in the database as numbers: new ones go to the end."""
        assert KINDS == get_args(ReasonKind) == ("often", "overdue", "goes_with", "group", "popular")


class TestReasonSentence:
    @pytest.mark.parametrize(
        ("reason", "words"),
        [
            (Reason("often"), "You buy it often."),
            (Reason("goes_with", 7), "Often bought together with Green tea."),
            (Reason("goes_with", 8, "COFFEE"), "Often bought together with coffee."),
            (Reason("goes_with", 8), "Often bought together with what you buy."),
            (Reason("group", None, "CHEESE"), "Liked by members who, like you, buy cheese."),
            (Reason("popular"), "Many of our members buy it."),
        ],
    )
    def test_says_what_the_reason_points_to(self, reason: Reason, words: str):
        assert reason_sentence(reason, "en", names={7: "Green tea"}) == words

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("kind", KINDS)
    def test_has_words_for_every_kind(self, language: str, kind: ReasonKind):
        sentence = reason_sentence(Reason(kind, 7), language, names={7: "Green tea"})
        assert sentence.endswith(".")
        assert "%(" not in sentence

import pytest

from catalogs.motifs import motifs
from catalogs.occasions import OCCASIONS, PARTS, occasion_of, occasion_words, part_of
from core.i18n import LANGUAGES


class TestOccasionOf:
    def test_is_what_most_things_are_for(self):
        occasion = occasion_of(["pasta", "cheese", "pasta-sauce", "tomatoes", "laundry"])
        assert occasion.key == "pasta"

    @pytest.mark.parametrize(
        "kinds",
        [[], ["pasta"], ["pasta", "pasta", "pasta"], ["laundry", "tea", "pork", "dog"]],
        ids=["nothing", "one", "one kind", "all sorts"],
    )
    def test_is_not_claimed_of_what_says_none(self, kinds):
        assert occasion_of(kinds) is None

    def test_is_another_one_when_it_was_told(self):
        kinds = ["bread", "rolls", "cheese", "yogurt"]
        first = occasion_of(kinds)
        assert occasion_of(kinds, used={first.key}) != first


class TestPartOf:
    def test_is_where_things_come_from_that_are_for_nothing_in_particular(self):
        kinds = ["tomatoes", "bananas", "potatoes", "onions", "apples", "tea"]
        assert occasion_of(kinds) is None
        assert part_of(kinds).key == "market"

    def test_is_not_claimed_of_all_sorts_of_things(self):
        assert part_of(["foil", "bananas", "milk", "cheese"]) is None


class TestOccasions:
    def test_know_only_kinds_that_there_are(self):
        assert {kind for occasion in (*OCCASIONS, *PARTS) for kind in occasion.kinds} <= set(motifs())

    def test_tell_nothing_private(self):
        private = {
            "medicine",
            "intimate",
            "beer",
            "wine",
            "spirits",
            "tobacco",
            "diapers",
            "baby-food",
            "vitamins",
        }
        assert not private & {kind for occasion in (*OCCASIONS, *PARTS) for kind in occasion.kinds}

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_have_words_of_their_own_in_every_language(self, language):
        words = [occasion_words(occasion.key, language) for occasion in (*OCCASIONS, *PARTS)]
        assert len(set(words)) == len(words)
        assert all(words)

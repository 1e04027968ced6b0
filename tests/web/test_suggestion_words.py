"""Why an article is to be kept or delisted: what most of its money is made of is said first."""

from types import SimpleNamespace

import pytest

from web.groups.shown import GroupsShown
from web.stores.suggestion_words import reasons, short_reason


def kept(**evidence):
    return SimpleNamespace(
        kind="keep", currency="USD", households=77, baskets=120, group_id=None, other=None, article="Bananas",
        evidence={"revenue_per_week": 933, "transfer": 0.0} | evidence,
    )  # fmt: skip


@pytest.fixture
def nobody():
    return SimpleNamespace(words=lambda _group: None)


class TestShortReason:
    def test_says_what_the_rest_of_the_baskets_is_worth_where_it_is_most(self, nobody: GroupsShown):
        assert (
            short_reason(kept(halo_per_week=4300), nobody)
            == "Takes $9.33 a week here · $43 a week of the rest of its baskets hangs on it"
        )

    def test_says_first_what_would_catch_it_where_the_rest_is_less(self, nobody: GroupsShown):
        row = kept(halo_per_week=100)
        assert (
            short_reason(row, nobody)
            == "Takes $9.33 a week here · Hardly anything of its kind would catch it"
        )
        assert "$1.00 a week of the rest of its baskets hangs on it" in reasons(row, nobody)

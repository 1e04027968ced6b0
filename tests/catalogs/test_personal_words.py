"""The sentences beside a member's picks."""

from dataclasses import replace

import pytest

from basket_analysis.offers.reasons import Reason
from catalogs.booklets import make_booklet
from catalogs.issues import Pick, Reader
from catalogs.layouts import load_theme
from catalogs.pages import PersonalPage
from catalogs.personal_words import LONGEST_REASON
from catalogs.previews import preview_parts
from core.i18n import LANGUAGES

THEME = load_theme("trh")


def said(language: str, *told: tuple[Reason | None, str]) -> list[str]:
    """Return what stands beside news that the night ranked for these reasons."""
    issue, picks, news = preview_parts(THEME, language)
    offers = [pick.offer for pick in (*news, *picks)]
    ranked = tuple(
        Pick(offer, "new", reason=reason, other=other)
        for offer, (reason, other) in zip(offers, told, strict=False)
    )
    page = make_booklet(
        THEME, issue, Reader("Jana", language, None, None), picks=picks[:1], news=ranked
    ).pages[-1]
    assert isinstance(page, PersonalPage)
    return [item.reason.replace("\N{NO-BREAK SPACE}", " ") for item in page.news]


class TestReasons:
    def test_name_the_members_own_article_that_a_rule_ties_a_pick_to(self):
        tied = Reason("goes_with", 1, "Čaj")
        assert said("en", (tied, "Earl Grey")) == ["Often bought with your Earl Grey"]
        assert said("cs", (tied, "Earl Grey")) == ["Často spolu v košíku: Earl Grey"]

    def test_speak_of_the_kind_where_there_is_no_name_or_too_long_a_one(self):
        tied = Reason("goes_with", 1, "Čaj")
        assert said("en", (tied, ""), (tied, "Earl Grey of the finest leaves, hand-picked")) == [
            "Often bought with your tea",
            "Often bought with your tea",
        ]

    def test_name_nothing_sensitive(self):
        tied = Reason("goes_with", 1, "BEERS/ALES")
        liked = Reason("group", None, "Pleny")
        assert said("en", (tied, ""), (liked, "")) == [
            "Goes with what you buy",
            "Much bought by shoppers like you",
        ]

    def test_tell_what_the_group_and_what_all_buy(self):
        assert said("en", (Reason("group", None, "Sýry"), ""), (Reason("popular"), "")) == [
            "Liked by others who buy cheese",
            "Many of our members buy it",
        ]

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_stand_on_one_line_in_every_language(self, language: str):
        for kind in ("goes_with", "group", "popular"):
            for sentence in said(
                language,
                (Reason(kind, 1, "Sýry"), "Olivový olej"),
                (Reason(kind), ""),
                (Reason(kind, None, "Čaj"), ""),
            ):
                assert 0 < len(sentence) <= LONGEST_REASON

    def test_keep_the_members_own_habits_first(self):
        issue, picks, news = preview_parts(THEME, "en")
        own = replace(picks[0], why="often")
        page = make_booklet(THEME, issue, Reader("Jana", "en", None, None), picks=(own,), news=news).pages[-1]
        assert isinstance(page, PersonalPage)
        assert page.picks[0].reason.startswith("Because you often buy")

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from contacts.reactions import PAUSE, Answered, Refusals, standing_refusals

NOON = datetime(2026, 11, 21, 11, tzinfo=UTC)


def answered(reaction: str, *, article: int | None = 1, category: str | None = None, scope="item", **ago):
    return Answered(reaction, scope, article, category, NOON - timedelta(**ago))


def standing(*answers: Answered) -> Refusals:
    return standing_refusals(answers, now=NOON)


class TestStandingRefusals:
    def test_never_and_wrong_product_refuse_the_article(self):
        for reaction in ("never", "wrong_product"):
            refused = standing(answered(reaction, days=900))
            assert refused == Refusals(articles=frozenset({1}))
            assert refused.cover(1, "Tea")
            assert not refused.cover(2, "Tea")

    def test_what_is_called_just_as_what_was_refused_is_refused_with_it(self):
        no = replace(answered("never", days=2), name="Tea 40 g")
        refused = standing(no)
        assert refused.cover(2, None, "Tea 40 g")
        assert not refused.cover(2, None, "Tea 80 g")
        assert not standing(no, answered("accepted", days=1)).cover(2, None, "Tea 40 g")
        kind = standing(replace(no, scope="category", category="Tea"))
        assert not kind.cover(2, "Sweets", "Tea 40 g")

    def test_an_open_case_quiets_what_is_called_alike(self):
        assert standing(replace(answered("open_case", days=2), name="Tea 40 g")).cover(2, None, "Tea 40 g")

    def test_names_may_be_told_later(self):
        assert standing(answered("never", days=2)).called(["Tea 40 g"]).cover(2, None, "Tea 40 g")

    def test_not_now_passes_after_thirty_days(self):
        assert standing(answered("not_now", days=29)).articles == {1}
        assert standing(answered("not_now", days=PAUSE.days)) == Refusals()

    def test_accepting_refuses_nothing(self):
        assert standing(answered("accepted", days=1)) == Refusals()

    def test_a_category_is_refused_with_all_that_is_in_it(self):
        refused = standing(answered("never", category="Tea", scope="category", days=1))
        assert refused.cover(2, "Tea")
        assert not refused.cover(1, "Honey")

    def test_a_category_of_an_article_without_one_is_the_article(self):
        assert standing(answered("never", scope="category", days=1)).articles == {1}

    def test_all_covers_everything(self):
        refused = standing(answered("never", article=None, scope="all", days=1))
        assert refused.everything
        assert refused.cover(99, None)

    def test_the_newest_answer_about_the_same_holds(self):
        no = answered("never", days=2)
        assert standing(no, answered("accepted", days=1)) == Refusals()
        assert standing(answered("accepted", days=3), no).articles == {1}

    def test_what_was_refused_more_widely_stays_when_less_is_accepted(self):
        refused = standing(
            answered("never", category="Tea", scope="category", days=2), answered("accepted", days=1)
        )
        assert refused.cover(1, "Tea")

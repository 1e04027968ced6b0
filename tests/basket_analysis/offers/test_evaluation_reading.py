"""The protocol of offers on a database: a town whose people go on the same trip every week."""

from datetime import timedelta

import pytest

from basket_analysis.offers.evaluation import NULL, OURS, popularity
from basket_analysis.offers.evaluation_reading import evaluate_level, six_weeks_before_the_end, split_at
from tests.basket_analysis.town_made import DAY, build_town

AS_OF = DAY - timedelta(days=41)


@pytest.fixture
def town(sessions):
    with sessions.begin() as session:
        build_town(session, households=60)
        yield session


class TestSixWeeksBeforeTheEnd:
    def test_leaves_six_weeks_up_to_the_newest_sale(self, town):
        assert six_weeks_before_the_end(town) == AS_OF

    def test_is_unknown_without_sales(self, sessions):
        with sessions() as session:
            assert six_weeks_before_the_end(session) is None


class TestEvaluateLevel:
    def test_tells_our_lists_from_those_of_others(self, town):
        found = evaluate_level(split_at(town, AS_OF), "type", {"popularity": popularity})
        assert (found.members, found.items) == (60, 17)
        rows = {row.method: row.means for row in found.rows}
        assert rows[OURS][1] > rows[NULL][1]
        assert rows[OURS][1] > rows["popularity"][1]

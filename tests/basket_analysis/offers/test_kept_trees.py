"""What was learnt serves for a week, and never for a day before it was learnt."""

from datetime import UTC, date, datetime, timedelta

import pytest

from basket_analysis.offers.kept_trees import keep_trees, kept_trees
from basket_analysis.offers.relevance_lessons import Trees
from basket_analysis.offers.relevance_reading import EPOCH

DAY = date(2026, 11, 16)
NOW = datetime(2026, 11, 16, 3, tzinfo=UTC)
TREES = {
    kind: Trees((DAY - EPOCH).days, f"settings of {kind}", f"trees of {kind}") for kind in ("all", "new")
}


@pytest.fixture
def session(sessions):
    with sessions() as session:
        yield session


class TestKeptTrees:
    @pytest.mark.parametrize(("days", "serve"), [(-1, False), (0, True), (6, True), (7, False)])
    def test_serve_from_their_day_on_for_a_week(self, session, days, serve):
        keep_trees(session, TREES, as_of=DAY, now=NOW)
        assert kept_trees(session, as_of=DAY + timedelta(days=days)) == (TREES if serve else {})

    def test_take_the_place_of_older_ones(self, session):
        keep_trees(session, TREES, as_of=DAY, now=NOW)
        later = DAY + timedelta(days=7)
        newer = {"all": Trees((later - EPOCH).days, "other", "newer")}
        keep_trees(session, newer, as_of=later, now=NOW)
        assert kept_trees(session, as_of=later) == newer

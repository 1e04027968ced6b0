"""What is too private for personal offers."""

from datetime import UTC, datetime

import pytest

from basket_analysis.models import SensitiveWord
from basket_analysis.sensitive import SensitiveWords, read_sensitive


class TestSensitiveWords:
    @pytest.mark.parametrize(
        ("department", "category", "kind", "topic"),
        [
            ("SPIRITS", "DOMESTIC WINE", "TABLE WINE", "alcohol"),
            ("DRUG GM", "DIAPERS & DISPOSABLES", "BABY DIAPERS", "baby"),
            ("DRUG GM", "ANALGESICS", "ADULT ANALGESICS", "health"),
            ("DRUG GM", "FEMININE HYGIENE", "TAMPONS", "intimate"),
            ("GROCERY", "CIGARETTES", "CIGARETTES", "tobacco"),
            (None, "Pleny a ubrousky", None, "baby"),
            (None, "Víno", None, "alcohol"),
            (None, "Apteka", None, "health"),
            (None, "Papierosy", None, "tobacco"),
            ("PRODUCE", "CARROTS", "CARROTS BABY", None),
            ("GROCERY", "SOFT DRINKS", "ROOT BEER", None),
            ("GROCERY", "CONDIMENTS", "WINE VINEGAR", None),
            ("GROCERY", "COLD CEREAL", "KIDS CEREAL", None),
            ("GROCERY", "FLUID MILK PRODUCTS", "FLUID MILK WHITE ONLY", None),
            (None, None, None, None),
        ],
    )
    def test_knows_the_topic_of_an_article(self, department, category, kind, topic):
        assert SensitiveWords().topic_of(department, category, kind) == topic

    def test_follow_what_the_chain_says(self):
        words = SensitiveWords([("knives", "danger"), ("wine*", None)])
        assert words.covers("HOUSEHOLD", "KNIVES", None)
        assert not words.covers("CELLAR", "DOMESTIC WINE", "TABLE WINE")
        assert words.covers(None, "BEERS/ALES", None)


class TestReadSensitive:
    def test_reads_the_words_of_the_chain(self, sessions):
        now = datetime(2026, 11, 22, tzinfo=UTC)
        with sessions.begin() as session:
            session.add(SensitiveWord(word="chess*", topic="games", sensitive=True, set_by="jo", set_at=now))
            session.flush()
            assert read_sensitive(session).topic_of(None, "Chessboards", None) == "games"

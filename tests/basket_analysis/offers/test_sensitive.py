"""What is too private for personal offers."""

from datetime import UTC, datetime

import pytest

from basket_analysis.models import SensitiveWord
from basket_analysis.offers.sensitive import SensitiveWords
from basket_analysis.offers.sensitive_lists import read_sensitive
from basket_analysis.offers.sensitive_operations import NotAWord, forget_sensitive_word, set_sensitive_word


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


class TestSetSensitiveWord:
    NOW = datetime(2026, 11, 22, tzinfo=UTC)

    def test_adds_lifts_and_takes_back(self, sessions):
        def change(word, topic="games", **more):
            with sessions.begin() as session:
                return set_sensitive_word(session, word=word, topic=topic, actor="jo", now=self.NOW, **more)

        assert change("Šachy*", sensitive=True) == "sachy*"
        change("wine*", sensitive=False)
        with sessions.begin() as session:
            words = read_sensitive(session)
            assert words.covers(None, "ŠACHYTABULE", None)
            assert not words.covers(None, "WINE", None)
            assert forget_sensitive_word(session, word="Wine*", actor="jo", now=self.NOW)
            assert not forget_sensitive_word(session, word="wine*", actor="jo", now=self.NOW)
            assert read_sensitive(session).covers(None, "WINE", None)

    def test_refuses_what_is_no_word(self, sessions):
        with sessions.begin() as session, pytest.raises(NotAWord):
            set_sensitive_word(session, word=" – ", topic="x", sensitive=True, actor="jo", now=self.NOW)

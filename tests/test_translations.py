"""Every word that a person reads exists in every language, and its placeholders survived the translation."""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from core.i18n import LANGUAGES
from devtools import translations


class TestEveryPackage:
    def test_is_translated_into_all_languages_but_the_source(self):
        assert ("en", *translations.LANGUAGES) == LANGUAGES

    @pytest.mark.parametrize("language", translations.LANGUAGES)
    @pytest.mark.parametrize("package", translations.packages())
    def test_has_a_sound_translation_of_all_it_says(self, package: str, language: str):
        assert list(translations.faults(package, language)) == []


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A house of one package, where faults can be built in."""
    monkeypatch.setattr(translations, "ROOT", tmp_path)
    package = tmp_path / "shop"
    package.mkdir()
    (package / "words.py").write_text('a = _("Tea")\nb = ngettext("%(num)s cup", "%(num)s cups", 3)\n')
    (package / "page.html").write_text(
        "<p>{{ _('Hello %(name)s', name=name) }}{% trans %}Bye{% endtrans %}</p>"
    )
    return package


class TestSaid:
    def test_finds_what_python_and_templates_say(self, house: Path):
        found = {message.id for message in translations.said("shop") if message.id}
        assert found == {"Tea", ("%(num)s cup", "%(num)s cups"), "Hello %(name)s", "Bye"}


class TestFaults:
    def words(self, house: Path, **changed: object) -> list[str]:
        """Return the faults of sound Czech words with some of them changed."""
        catalog = Catalog(locale="cs")
        sound = {
            "Tea": "Čaj",
            "Bye": "Na shledanou",
            "Hello %(name)s": "Dobrý den, %(name)s",
            ("%(num)s cup", "%(num)s cups"): ("%(num)s šálek", "%(num)s šálky", "%(num)s šálků"),
        }
        for message, words in (sound | changed.get("words", {})).items():
            if words:
                catalog.add(message, words, flags=changed.get("flags", ()))
        (house / "locale").mkdir()
        with (house / "locale" / "cs.po").open("wb") as file:
            translations.write_po(file, catalog)
        return list(translations.faults("shop", "cs"))

    def test_are_none_in_sound_words(self, house: Path):
        assert self.words(house) == []

    def test_are_found_where_a_word_is_missing(self, house: Path):
        assert self.words(house, words={"Tea": ""}) == ["'Tea' is not translated"]

    def test_are_found_where_one_plural_form_is_missing(self, house: Path):
        cups = ("%(num)s cup", "%(num)s cups")
        assert len(self.words(house, words={cups: ("%(num)s šálek", "%(num)s šálky", "")})) == 1

    def test_are_found_where_a_placeholder_is_lost(self, house: Path):
        assert len(self.words(house, words={"Hello %(name)s": "Dobrý den, %(jmeno)s"})) == 1

    def test_are_found_where_words_are_fuzzy(self, house: Path):
        assert len(self.words(house, flags=["fuzzy"])) == 4

    def test_are_found_where_nobody_says_it_any_more(self, house: Path):
        assert self.words(house, words={"Coffee": "Káva"}) == ["nobody says 'Coffee' any more"]

    def test_are_gone_after_a_renewal_but_for_what_waits_for_people(self, house: Path):
        assert translations.renew("shop", "pl") == 4
        assert len(list(translations.faults("shop", "pl"))) == 4

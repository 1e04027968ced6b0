import hashlib
import json

import pytest

from catalogs.motif_words import motif_word
from catalogs.motifs import ILLUSTRATIONS, NEUTRAL, Use, find_motif, motifs
from core.i18n import LANGUAGES


class TestFindMotif:
    @pytest.mark.parametrize(
        ("words", "key"),
        [
            ({"category": "FLUID MILK PRODUCTS", "type": "FLUID MILK WHITE ONLY"}, "milk"),
            ({"category": "PNT BTR/JELLY/JAMS", "type": "PEANUT BUTTER"}, "jam"),
            ({"category": "TOMATOES", "type": "TOMATOES CHERRY"}, "tomatoes"),
            ({"category": "BAKED BREAD/BUNS/ROLLS", "type": "MAINSTREAM WHITE BREAD"}, "bread"),
            ({"category": "BAKED BREAD/BUNS/ROLLS", "type": "HAMBURGER BUNS"}, "rolls"),
            ({"category": "ICE CREAM/MILK/SHERBTS", "type": "PREMIUM"}, "ice-cream"),
            ({"category": "Sýry"}, "cheese"),
            ({"category": "Těstoviny"}, "pasta"),
            ({"category": "Rajčatový protlak"}, "pasta-sauce"),
            ({"category": "Prací prostředky"}, "laundry"),
            ({"category": "Zubné pasty"}, "toothpaste"),
            ({"category": "Jogurty"}, "yogurt"),
            ({"category": "Środki czystości"}, "cleaning"),
            ({"category": "Świeże zioła"}, "herbs"),
            ({"category": "Wędliny"}, "ham"),
            ({"category": "SQUASH", "type": "YELLOW SUMMER SQUASH"}, "squash"),
            ({"category": "SQUASH", "type": "SQUASH ZUCCHINI"}, "courgettes"),
            ({"category": "CANDY - PACKAGED", "type": "CANDY BAGS-NON CHOCOLATE"}, "sweets"),
            ({"category": "CANDY - PACKAGED", "type": "SEASONAL MISCELLANEOUS"}, "sweets"),
            ({"category": "TOMATOES", "type": "TOMATOES HOT HOUSE BULK"}, "tomatoes"),
            ({"category": "COOKIES/CONES", "type": "SANDWICH COOKIES"}, "cookies"),
            ({"category": "CHICKEN/POULTRY", "type": "CHIX: FRD 8PC/CUT UP (HOT)"}, "poultry"),
            ({"category": "AIR CARE", "type": "AIR CARE - DISINFECTANT SPRAYS"}, "cleaning"),
            ({"category": "SNACK NUTS", "type": "VAC PAC NUTS(CANS)"}, "nuts"),
            ({"category": "RICE", "type": "RICE SIDE DISH MIXES DRY"}, "rice"),
            ({"name": "Mléko polotučné 1 l"}, "milk"),
        ],
    )
    def test_understands_what_chains_call_their_goods(self, words, key):
        assert find_motif(**words).key == key

    def test_lets_the_type_say_more_than_the_category(self):
        assert find_motif(type="APPLES GALA", category="ORGANICS FRUIT & VEGETABLES").key == "apples"

    def test_asks_the_category_where_the_type_says_nothing(self):
        assert find_motif(type="XYZZY", category="Čaje").key == "tea"

    def test_has_something_neutral_for_what_nobody_knows(self):
        assert find_motif(category="Qwrtz").key == NEUTRAL
        assert find_motif().key == NEUTRAL

    @pytest.mark.parametrize("category", ["CIGARETTES", "INFANT FORMULA", "COUPON/MISC ITEMS", "FUEL"])
    def test_knows_what_must_not_be_advertised(self, category):
        assert find_motif(category=category, type="MILK").use is Use.NEVER

    def test_keeps_health_and_alcohol_from_personal_pages(self):
        assert {find_motif(category=word).use for word in ("ANALGESICS", "BEERS/ALES", "Wina")} == {Use.GROUP}

    @pytest.mark.parametrize(
        ("text", "motif"),
        [
            ("HOT DOG BUNS", "rolls"),
            ("ROLLS: HOT DOG", "rolls"),
            ("HOT DOGS-BEEF", "hot-dogs"),
            ("DOG FOOD", "dog"),
        ],
    )
    def test_takes_a_word_only_where_it_is_no_part_of_a_longer_one(self, text, motif):
        assert find_motif(type=text).key == motif


class TestMotifs:
    def test_each_have_a_drawing_and_a_word_in_every_language(self):
        for key, motif in motifs().items():
            assert motif.path.is_file(), key
            for language in LANGUAGES:
                assert motif_word(key, language)

    def test_say_their_own_words_in_czech_slovak_and_polish(self):
        said = [motif_word("eggs", language) for language in LANGUAGES]
        assert said == ["eggs", "vejce", "vajcia", "jajka"]

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_are_one_thing_each_since_headlines_join_them_with_and(self, language):
        joined = {
            word
            for key in motifs()
            if {"a", "i", "and", "&"} & set((word := motif_word(key, language)).split())
        }
        assert not joined


class TestVendoredDrawings:
    def test_are_what_their_list_says(self):
        folder = ILLUSTRATIONS / "fluent"
        listed = json.loads((folder / "VENDOR.json").read_text())["files"]
        assert listed == {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.svg")
        }

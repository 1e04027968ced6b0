import pytest

from catalogs.names import bind, bind_headline, print_name, quiet


class TestPrintName:
    @pytest.mark.parametrize(
        ("name", "printed", "detail"),
        [
            ("Máslo čerstvé 250 g", "Máslo čerstvé", "250\xa0g"),
            ("FLUID MILK WHITE ONLY 1 GA", "Fluid milk white only", "1\xa0gal"),
            ("Eggs - large 1 dz", "Eggs - large", "1\xa0dozen"),
            ("Sok jabłkowy 6 x 0,2 l", "Sok jabłkowy 6\xa0x", "0,2\xa0l"),
            ("Bananas", "Bananas", ""),
            ("250 g", "250\xa0g", ""),
        ],
    )
    def test_sets_the_size_apart(self, name, printed, detail):
        label = print_name(name)
        assert (label.name, label.detail) == (printed, detail)

    def test_does_not_shout(self):
        assert print_name("FRZN MEAT/MEAT DINNERS").name == "Frozen meat, meat dinners"

    def test_leaves_a_written_name_as_it_is(self):
        assert print_name("BIO jogurt Řecký").name == "BIO jogurt Řecký"

    def test_says_a_brand_once_and_only_a_real_one(self):
        assert print_name("Jogurt", brand="Madeta").detail == "Madeta"
        assert print_name("Madeta jogurt", brand="Madeta").detail == ""
        assert print_name("Jogurt", brand="National").detail == ""


class TestQuiet:
    def test_drops_brackets_even_broken_ones(self):
        assert quiet("CANDY BARS (SINGLES)(INCLUDING") == "Candy bars"

    def test_never_comes_back_empty(self):
        assert quiet("(ALL)") == "(ALL)"


class TestBind:
    def test_binds_short_words_of_all_languages_to_the_next(self):
        assert bind("Těstoviny a sýry v akci") == "Těstoviny a\xa0sýry v\xa0akci"
        assert bind("Makaron z sosem i serem") == "Makaron z\xa0sosem i\xa0serem"

    def test_binds_numbers_to_their_units(self):
        assert bind("Eidam 30 % plátky") == "Eidam 30\xa0% plátky"


class TestBindHeadline:
    def test_leaves_no_short_word_alone_on_the_last_line(self):
        assert bind_headline("Your card, on paper too") == "Your card, on paper\xa0too"

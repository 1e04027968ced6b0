import pytest

from catalogs.names import bind, bind_headline, print_name, quiet


class TestPrintName:
    @pytest.mark.parametrize(
        ("name", "printed", "detail"),
        [
            ("Máslo čerstvé 250 g", "Máslo čerstvé", "250\xa0g"),
            ("FLUID MILK WHITE ONLY 1 GA", "Fluid milk white only", "1\xa0gal"),
            ("Eggs - large 1 dz", "Eggs - large", "1\xa0dozen"),
            ("Sok jabłkowy 6 x 0,2 l", "Sok jabłkowy", "6\xa0×\xa00.2\xa0l"),
            ("Woda 6x1.5 l", "Woda", "6\xa0×\xa01.5\xa0l"),
            ("Mouka 1.000 g", "Mouka", "1.000\xa0g"),
            ("Bananas", "Bananas", ""),
            ("Muffin mix 8 1/2 oz", "Muffin mix", "8\xa01/2\xa0oz"),
            ("SOFT DRINK POWDER POUCHES . 16 OZ", "Soft drink powder pouches", "16\xa0oz"),
            ("Čaj zelený &", "Čaj zelený", ""),
            ("-", "-", ""),
            ("Sugar 16 ozs", "Sugar", "16\xa0oz"),
            ("Toilet tissue 83.5 sq", "Toilet tissue", "83.5\xa0sq\xa0ft"),
            ("250 g", "250\xa0g", ""),
        ],
    )
    def test_sets_the_size_apart(self, name, printed, detail):
        label = print_name(name)
        assert (label.name, label.detail) == (printed, detail)

    @pytest.mark.parametrize(
        ("language", "detail"),
        [("cs", "18\xa0ks"), ("sk", "18\xa0ks"), ("pl", "18\xa0szt."), ("en", "18\xa0pcs")],
    )
    def test_counts_in_the_language_of_the_reader(self, language, detail):
        assert print_name("Eggs - large 18 ct", language=language).detail == detail

    @pytest.mark.parametrize(
        ("language", "detail"), [("cs", "10,9\xa0oz"), ("pl", "10,9\xa0oz"), ("en", "10.9\xa0oz")]
    )
    def test_writes_decimals_as_the_language_of_the_reader_does(self, language, detail):
        assert print_name("Instant oatmeal 10.9 oz", language=language).detail == detail
        assert print_name("Instant oatmeal 10,9 oz", language=language).detail == detail

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

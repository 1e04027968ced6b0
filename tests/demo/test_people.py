import unicodedata
from datetime import date

from customers.cardnumbers import is_card_number
from customers.member_rows import parse_member
from demo.people import CONSENTS, LANGUAGES, NAMES, card_number, made_up_person


class TestMadeUpPerson:
    def test_is_the_same_every_time(self):
        assert made_up_person(7) == made_up_person(7)

    def test_speaks_each_language_about_equally_often(self):
        spoken = [made_up_person(household).language for household in range(1, 2501)]
        assert all(0.2 < spoken.count(language) / 2500 < 0.3 for language in LANGUAGES)

    def test_agrees_to_nothing_one_time_in_ten(self):
        given = [made_up_person(household).consents for household in range(1, 2501)]
        assert given.count("") == 250
        assert set(given) == set(CONSENTS)

    def test_has_an_address_of_plain_letters(self):
        for household in range(1, 2501):
            mailbox, _, domain = made_up_person(household).email.partition("@")
            assert mailbox.isascii()
            assert mailbox.count(".") == 2
            assert domain == "example.com"

    def test_bears_names_that_a_members_file_takes(self):
        person = made_up_person(1)
        cells = dict.fromkeys(
            ("phone", "birth_date", "home_store_code", "company_name", "company_id", "vat_id", "joined_on")
        )
        row = {
            "member_code": "1",
            "given_name": person.given_name,
            "family_name": person.family_name,
            "email": person.email,
            "language": person.language,
            "card_number": card_number(1),
            "household_code": "1",
            "consents": person.consents,
        }
        assert parse_member({**cells, **row}, today=date(2026, 11, 21)).given_name == person.given_name


class TestNames:
    def test_are_composed_characters(self):
        words = " ".join(" ".join(lists) for lists in NAMES.values())
        assert unicodedata.normalize("NFC", words) == words

    def test_have_a_form_for_women_for_each_for_men(self):
        for _, _, his, hers in NAMES.values():
            assert not hers or len(his.split()) == len(hers.split())


class TestCardNumber:
    def test_is_an_in_house_number_with_its_check_digit(self):
        numbers = {card_number(household) for household in range(1, 2501)}
        assert len(numbers) == 2500
        assert all(number.startswith("29") and is_card_number(number) for number in numbers)

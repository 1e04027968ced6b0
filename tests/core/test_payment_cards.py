"""Payment-card numbers are found however they are written, and what is none stays."""

import pytest
from stdnum import luhn

from core.payment_cards import is_payment_card_number, mask_payment_cards, payment_card_numbers

# Test numbers that the schemes publish; no account has them.
PUBLISHED = [
    "4111111111111111",
    "4222222222222",
    "4000056655665556",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "371449635398431",
    "6011111111111117",
    "30569309025904",
    "38520000023237",
    "36227206271667",
    "3530111333300000",
    "6200000000000005",
    "6304000000000000",
    "6759649826438453",
    "2200000000000004",
]


class TestPaymentCardNumbers:
    @pytest.mark.parametrize("number", PUBLISHED)
    def test_are_found_in_a_sentence(self, number):
        assert payment_card_numbers(f"paid with {number}, thanks") == (number,)

    @pytest.mark.parametrize("separator", [" ", "-", ".", "\u00a0", "\u2013"])
    def test_are_found_in_groups(self, separator):
        assert payment_card_numbers(separator.join(["4111"] * 1 + ["1111"] * 3)) == ("4111111111111111",)

    def test_are_found_beside_other_digits(self):
        text = "2 ks 4111 1111 1111 1111 12/27 123, 5555555555554444 10"
        assert payment_card_numbers(text) == ("4111111111111111", "5555555555554444")

    def test_are_found_in_other_scripts(self):
        arabic = "4111111111111111".translate({48 + digit: 0x660 + digit for digit in range(10)})
        assert payment_card_numbers(arabic) == ("4111111111111111",)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "Čaj 40 g",
            "2990000000019",  # a card of ours
            "8594001021512",  # an article
            "4111111111111112",  # wrong check digit
            "41111111111111110000",  # part of a longer number
            "2026-11-21 10:15:00 +420 601 123 456",
            "411111111111",  # too short
        ],
    )
    def test_are_not_seen_where_there_are_none(self, text):
        assert payment_card_numbers(text) == ()

    def test_need_the_beginning_of_a_scheme(self):
        for beginning in ("1", "7", "8", "90"):
            number = beginning + "0" * (14 - len(beginning)) + "0"
            number += luhn.calc_check_digit(number)
            assert not is_payment_card_number(number)


class TestMaskPaymentCards:
    def test_leaves_the_last_four_digits_and_the_rest_of_the_text(self):
        masked = mask_payment_cards("karta 4111 1111 1111 1111 a 378282246310005.")
        assert masked == "karta **** **** **** 1111 a ***********0005."

    def test_leaves_numbers_of_our_own_cards(self):
        text = "4111111111111111 5555555555554444"
        assert mask_payment_cards(text, own={"4111111111111111"}) == "4111111111111111 ************4444"

    def test_leaves_nothing_to_mask_twice(self):
        once = mask_payment_cards(" ".join(PUBLISHED))
        assert payment_card_numbers(once) == ()
        assert mask_payment_cards(once) == once

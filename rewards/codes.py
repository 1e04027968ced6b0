"""Codes that nobody guesses and that mistyping does not turn into one another. Pure, but for chance."""

import secrets
from typing import Final

from stdnum import ean
from stdnum.iso7064 import mod_37_36

SIGNS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits and letters that are not taken for one another: no I, L, O and U."""
RANDOM_SIGNS: Final = 15
PICKUP_SIGNS: Final = 6
IN_HOUSE_DIGITS: Final = 10


def new_code() -> str:
    """
    Return sixteen signs: fifteen by chance, which is 75 bits, and the check character of ISO/IEC 7064 mod 37,36.

    It finds every wrong sign and nearly every exchange of neighbours.
    """
    while True:
        signs = "".join(secrets.choice(SIGNS) for _ in range(RANDOM_SIGNS))
        check: str = mod_37_36.calc_check_digit(signs)
        if check in SIGNS:
            return signs + check


def new_ean(prefix: str) -> str:
    """Return an in-house EAN-13: a prefix of two digits, ten by chance, which is 33 bits, and its check digit."""
    digits = prefix + "".join(secrets.choice("0123456789") for _ in range(IN_HOUSE_DIGITS))
    return f"{digits}{ean.calc_check_digit(digits)}"


def new_pickup_code() -> str:
    """Return six signs for somebody to say at a counter."""
    return "".join(secrets.choice(SIGNS) for _ in range(PICKUP_SIGNS))


def new_gift_card_number() -> str:
    """Return a G, fourteen signs by chance, which is 70 bits, and the check character of `new_code`."""
    while True:
        signs = "G" + "".join(secrets.choice(SIGNS) for _ in range(RANDOM_SIGNS - 1))
        check: str = mod_37_36.calc_check_digit(signs)
        if check in SIGNS:
            return signs + check


def typed(text: str) -> str:
    """Return what a person meant who typed a code in: capitals, without the spaces in which it is printed."""
    return "".join(text.split()).upper()


def has_its_check(code: str) -> bool:
    """Return whether `code` is one of ours by its check character or digit; codes from elsewhere have none."""
    if len(code) == RANDOM_SIGNS + 1:
        return bool(mod_37_36.is_valid(code))
    return len(code) == 13 and bool(ean.is_valid(code))

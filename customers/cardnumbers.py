"""Card numbers: ISO/IEC 7812 with Luhn's check digit, or an in-house EAN-13 that begins with 2."""

from stdnum import ean, luhn
from stdnum.exceptions import ValidationError

from core.errors import Refused

SHORTEST, LONGEST = 8, 19


class BadCardNumber(Refused):
    """The text cannot be the number of a card."""


class LooksLikePaymentCard(BadCardNumber):
    """
    The number can be that of a payment card, and is none that the chain put into stock.

    A chain may have had such numbers printed: it takes them in as a range or by a file, and then they are its own.
    """

    def __init__(self) -> None:
        super().__init__("The number can be that of a payment card; own ones are put into stock first")


def normalise_card_number(text: str) -> str:
    """Return the digits of `text`, spaces and hyphens left out; raises `BadCardNumber`."""
    number = text.strip().replace(" ", "").replace("-", "")
    if not is_card_number(number):
        raise BadCardNumber(f"{text!r} is no card number: its length or its check digit is wrong")
    return number


def is_card_number(number: str) -> bool:
    """
    Return whether `number`, digits only, could be a card of ours.

    Thirteen digits that begin with 2 are an in-house EAN-13 and nothing else,
    so that a mistyped one cannot pass as a Luhn number by chance.
    """
    if not (number.isascii() and number.isdigit()):
        return False
    try:
        if len(number) == 13 and number.startswith("2"):
            ean.validate(number)
        elif SHORTEST <= len(number) <= LONGEST:
            luhn.validate(number)
        else:
            return False
    except ValidationError:
        return False
    return True

"""Article codes: GTIN-8, -12, -13 and -14, kept as fourteen digits."""

from functools import lru_cache

from stdnum import ean
from stdnum.exceptions import ValidationError

from core.errors import Refused

LENGTHS = (8, 12, 13, 14)


class BadGtin(Refused):
    """The text is no GTIN: its length or its check digit is wrong."""


def normalise_gtin(text: str) -> str:
    """Return the GTIN `text` as fourteen digits, the form in which articles keep it; raises `BadGtin`."""
    gtin = find_gtin(text)
    if gtin is None:
        raise BadGtin(f"{text!r} is no GTIN: its length or its check digit is wrong")
    return gtin


def find_gtin(text: str) -> str | None:
    """Return the GTIN `text` as fourteen digits, None when its length or its check digit is wrong."""
    digits = text.strip()
    # What people search for and tills call things, however long, must not push codes out of what is remembered.
    if len(digits) not in LENGTHS or not (digits.isascii() and digits.isdigit()):
        return None
    return _checked(digits)


@lru_cache(maxsize=100_000)
def _checked(digits: str) -> str | None:
    try:
        ean.validate(digits)
    except ValidationError:
        return None
    return digits.zfill(14)

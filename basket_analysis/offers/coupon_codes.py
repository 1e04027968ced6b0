"""
What the code of a maker's coupon says of its terms: how many units must be bought, and what is saved.

GS1 US coupons in UPC-A begin with 5: the company prefix (five digits), the family of articles (three), the value code (two) and a
check digit, which files often leave out. Only value codes that the published list says plainly are here.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from stdnum import ean

from basket_analysis.offers.coupon_books import Floats

MAKERS = "5"
"""The first digit of a maker's coupon in UPC-A."""

_DIGITS = (11, 12)


class Terms(NamedTuple):
    """So many units are to be bought, of which `saving` comes off: hundredths of a dollar, or a share of a unit's price."""

    units: int
    saving: float
    of_unit: bool = False


def _off(units: int, savings: dict[str, int]) -> dict[str, Terms]:
    return {code: Terms(units, saving) for code, saving in savings.items()}


_CENTS = ("10", "12", "15", "20", "25", "29", "30", "35", "39", "40", "45", "49", "50", "55", "59", "60", "65", "69", "70", "75",
          "79", "80", "85", "89", "90", "95", "99")  # fmt: skip
"""Codes that say the cents that one unit is reduced by."""

VALUES: Final = {
    **_off(1, {code: int(code) for code in _CENTS}),
    **_off(1, {"03": 110, "04": 135, "05": 140, "06": 160, "18": 260, "26": 285, "61": 1_000, "62": 950, "63": 900}),
    **_off(1, {"64": 850, "66": 800, "67": 750, "68": 700, "71": 650, "72": 600, "73": 550, "74": 500, "76": 100}),
    **_off(1, {"77": 125, "78": 150, "81": 175, "82": 200, "83": 225, "84": 250, "86": 275, "87": 300, "88": 325}),
    **_off(1, {"91": 350, "92": 375, "93": 400, "96": 450}),
    **_off(2, {"08": 300, "21": 35, "22": 40, "23": 45, "24": 50, "28": 55, "31": 60, "32": 75, "33": 100, "34": 125}),
    **_off(2, {"36": 150, "43": 110, "44": 135, "46": 160, "47": 175, "48": 185, "51": 200, "53": 10, "54": 15}),
    **_off(2, {"56": 20, "57": 25, "58": 30, "98": 65}),
    **_off(3, {"07": 150, "09": 200, "37": 25, "38": 30, "41": 50, "42": 100, "52": 55}),
    **_off(4, {"13": 100}),
    "01": Terms(1, 1.0, of_unit=True),
    "14": Terms(2, 1.0, of_unit=True),
    "16": Terms(3, 1.0, of_unit=True),
    "19": Terms(4, 1.0, of_unit=True),
    "02": Terms(5, 1.0, of_unit=True),
}  # fmt: skip
"""Terms by value code; of free ones, the units that are taken home."""


def terms_of(code: str) -> Terms | None:
    """Return what a coupon's code says; None where it is no maker's coupon, or has a value that is not listed."""
    if not is_makers(code):
        return None
    return VALUES.get(code[9:11])


def is_makers(code: str) -> bool:
    """Whether a code is a maker's coupon, without its check digit or with the right one."""
    if not (len(code) in _DIGITS and code.isascii() and code.isdecimal() and code[0] == MAKERS):
        return False
    return len(code) == min(_DIGITS) or ean.is_valid(code)


def told_by_codes(codes: Sequence[str], prices: Floats) -> dict[str, Floats]:
    """
    Return by coupon whether its maker issued it, how many units it asks for, and the share of their price that it saves.

    `prices` are what a line of each coupon's articles usually comes to, in minor units, which stands for the price of a
    unit; NaN where nothing is known.
    """
    terms = [terms_of(code) for code in codes]
    units = np.array([np.nan if one is None else one.units for one in terms])
    savings = np.array(
        [
            np.nan if one is None else one.saving * price if one.of_unit else one.saving
            for one, price in zip(terms, prices.tolist(), strict=True)
        ]
    )
    return {
        "makers": np.array([float(is_makers(code)) for code in codes]),
        "units": units,
        "saving": savings / np.maximum(units * prices, 1.0),
    }

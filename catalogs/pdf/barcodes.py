"""Barcodes as bars: widths in modules, to be drawn as vectors."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import segno
from barcode.codex import Code128
from barcode.ean import EuropeanArticleNumber13
from barcode.errors import BarcodeError
from stdnum import ean

from core.errors import Refused

QR_MASK = 2
SHORT = 40
"""Texts up to so many signs, which codes of vouchers and copies are, take a short way to their QR code."""
DARK = re.compile("[^0]+")


NINES = 99


class NotEncodable(Refused):
    """The number has signs that no barcode in use here can carry."""


class _Code128(Code128):  # type: ignore[misc]
    """Code 128 with a leading 99: python-barcode 0.16.1 takes that pair for a change of code set, and leaves it out."""

    def _try_to_optimize(self, encoded: list[int]) -> list[int]:
        # It starts in set C, where 99 is a pair of digits, and only in other sets the change to set C.
        return encoded if encoded[1] == NINES else list(super()._try_to_optimize(encoded))


def in_fours(code: str) -> str:
    """Return a code in groups of four signs, for people to read out; one that brings its own groups keeps them."""
    if "-" in code:
        return code
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


MOST_MODULES = 183
"""With their quiet zones so many bars come to 0.264 mm each, what scanners at tills ask for, on the smallest voucher."""


@dataclass(frozen=True, slots=True)
class Barcode:
    """
    A code as bars, or as a `square`; `modules` is its whole width without quiet zones.

    `bars` are (start, width) in modules.
    """

    symbology: str
    text: str
    modules: int
    bars: tuple[tuple[int, int], ...]
    square: bytes = b""
    """Row by row from the top, a bit a module, each row filled up to whole bytes; empty for codes of bars."""

    @property
    def rows(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Return the dark runs of each row of a square as (start, width), from top to bottom."""
        return tuple(
            tuple(
                (run.start(), len(run.group()))
                for run in re.finditer("1+", "".join(f"{byte:08b}" for byte in self.square[at : at + wide]))
            )
            for wide in (bytes_across(self.modules),)
            for at in range(0, len(self.square), wide)
        )

    @property
    def spaced(self) -> str:
        """Return the number in groups that a person can read out."""
        if self.symbology == "EAN-13":
            return f"{self.text[0]} {self.text[1:7]} {self.text[7:]}"
        return in_fours(self.text)

    @property
    def path(self) -> str:
        """Return what is dark as one SVG path, one module per unit; rows of a square, else bars, are one unit high."""
        if self.square:
            return "".join(
                f"M{start} {row}h{width}v1h-{width}z"
                for row, bars in enumerate(self.rows)
                for start, width in bars
            )
        return "".join(f"M{start} 0h{width}v1h-{width}z" for start, width in self.bars)


def card_barcode(number: str) -> Barcode:
    """
    Return the barcode of a card: EAN-13 for thirteen digits with a right check digit, else Code 128.

    Raises `NotEncodable` when the number has other signs than letters, digits and punctuation of ASCII.
    """
    if _is_ean13(number):
        return _bars("EAN-13", number, EuropeanArticleNumber13(number).build()[0])
    try:
        return _bars("Code 128", number, _Code128(number).build()[0])
    except (BarcodeError, KeyError, ValueError) as error:
        raise NotEncodable(f"{number!r} cannot be written as a barcode") from error


def _is_ean13(number: str) -> bool:
    """Whether a number is thirteen digits with a right check digit; stdnum alone reads over what groups them."""
    return len(number) == 13 and number.isascii() and number.isdigit() and ean.is_valid(number)


def voucher_barcode(code: str, symbology: str) -> Barcode:
    """
    Return the code of a voucher as its batch wants it: "ean13", "code128" or "qr".

    Bars that would be too fine where vouchers are smallest are given up for a square.

    Raises `NotEncodable` when it has signs that the symbology cannot carry, or a wrong check digit.
    """
    match symbology:
        case "qr":
            return qr_barcode(code)
        case "ean13" if not _is_ean13(code):
            raise NotEncodable(f"{code!r} is no number of thirteen digits with a right check digit")
        case _:
            bars = card_barcode(code)
            return bars if bars.modules <= MOST_MODULES else qr_barcode(code)


@lru_cache(maxsize=64)
def qr_barcode(text: str) -> Barcode:
    """Return `text` as a QR code that stands a sixth of it being dirty; raises `NotEncodable` when it is too long."""
    if 0 < len(text) <= SHORT and text.isascii():
        return _short_qr(text)
    if not text:
        raise NotEncodable("a code has to say something")
    try:
        # Any mask can be read; looking for the best of eight would take five times as long.
        made = segno.make(text, error="m", micro=False, boost_error=False, mask=QR_MASK)
    except (segno.DataOverflowError, ValueError) as error:
        raise NotEncodable(f"{len(text)} signs make no QR code") from error
    return Barcode("QR", text, len(made.matrix), (), _packed(made.matrix))


def bytes_across(modules: int) -> int:
    """Return how many bytes a row of a square takes."""
    return -(-modules // 8)


def _packed(matrix: Sequence[bytearray]) -> bytes:
    """Return the modules of a square, which are 0 or 1, as bits."""
    side = len(matrix)
    wide = bytes_across(side)
    return b"".join(
        (int("".join(map(str, row)), 2) << 8 * wide - side).to_bytes(wide, "big") for row in matrix
    )


def _short_qr(text: str) -> Barcode:
    """
    Return a short text as a QR code, thirty times as fast as making it from nothing.

    Among texts of one length each bit turns the same modules, whatever the others are: codes are sums.
    """
    side, none, turned = _modules_of(len(text))
    modules = none
    for at, sign in enumerate(text):
        modules ^= turned[at][ord(sign)]
    return Barcode("QR", text, side, (), modules.to_bytes(side * bytes_across(side), "big"))


@lru_cache(maxsize=SHORT)
def _modules_of(length: int) -> tuple[int, int, tuple[tuple[int, ...], ...]]:
    """
    Return the width of codes for texts of a length, the code of zeros, and what each sign at each place turns.

    A code is a number with a bit a module, as `Barcode.square` has them.
    """

    def made(signs: bytes) -> tuple[int, int]:
        code = segno.make(
            signs.decode("ascii"), error="m", micro=False, boost_error=False, mask=QR_MASK, mode="byte"
        )
        return len(code.matrix), int.from_bytes(_packed(code.matrix), "big")

    side, none = made(bytes(length))
    turned: list[tuple[int, ...]] = []
    for at in range(length):
        bits = [made(bytes(at) + bytes((1 << bit,)) + bytes(length - at - 1))[1] ^ none for bit in range(7)]
        signs = [0]
        for bit in bits:
            signs += [modules ^ bit for modules in signs]
        turned.append(tuple(signs))
    return side, none, tuple(turned)


def _bars(symbology: str, text: str, modules: str) -> Barcode:
    """Return the barcode of a row of modules, where everything but "0" is ink."""
    runs = [run.span() for run in DARK.finditer(modules)]
    return Barcode(symbology, text, len(modules), tuple([(start, end - start) for start, end in runs]))

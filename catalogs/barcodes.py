"""Barcodes as bars: widths in modules, to be drawn as vectors."""

import re
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
DARK = re.compile(b"\x01+")


class NotEncodable(Refused):
    """The number has signs that no barcode in use here can carry."""


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
    A code as bars, or as a square of `rows` of them; `modules` is its whole width without quiet zones.

    `bars` are (start, width) in modules.
    """

    symbology: str
    text: str
    modules: int
    bars: tuple[tuple[int, int], ...]
    rows: tuple[tuple[tuple[int, int], ...], ...] = ()
    """From top to bottom; empty for codes of bars."""

    @property
    def spaced(self) -> str:
        """Return the number in groups that a person can read out."""
        if self.symbology == "EAN-13":
            return f"{self.text[0]} {self.text[1:7]} {self.text[7:]}"
        return in_fours(self.text)

    @property
    def path(self) -> str:
        """Return what is dark as one SVG path, one module per unit; rows of a square, else bars, are one unit high."""
        if self.rows:
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
    if len(number) == 13 and ean.is_valid(number):
        return _bars("EAN-13", number, EuropeanArticleNumber13(number).build()[0])
    try:
        return _bars("Code 128", number, Code128(number).build()[0])
    except (BarcodeError, KeyError, ValueError) as error:
        raise NotEncodable(f"{number!r} cannot be written as a barcode") from error


def voucher_barcode(code: str, symbology: str) -> Barcode:
    """
    Return the code of a voucher as its batch wants it: "ean13", "code128" or "qr".

    Bars that would be too fine where vouchers are smallest are given up for a square.

    Raises `NotEncodable` when it has signs that the symbology cannot carry, or a wrong check digit.
    """
    match symbology:
        case "qr":
            return qr_barcode(code)
        case "ean13" if not (len(code) == 13 and ean.is_valid(code)):
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
    rows = tuple(_row(bytes(cells)) for cells in made.matrix)
    return Barcode("QR", text, len(rows), (), rows)


def _short_qr(text: str) -> Barcode:
    """
    Return a short text as a QR code, thirty times as fast as making it from nothing.

    Among texts of one length each bit turns the same modules, whatever the others are: codes are sums.
    """
    side, none, turned = _modules_of(len(text))
    modules = none
    for at, sign in enumerate(text):
        modules ^= turned[at][ord(sign)]
    rows: list[list[tuple[int, int]]] = [[] for _row in range(side)]
    for run in DARK.finditer(modules.to_bytes(side * (side + 1), "big")):
        row, start = divmod(run.start(), side + 1)
        rows[row].append((start, run.end() - run.start()))
    return Barcode("QR", text, side, (), tuple(map(tuple, rows)))


@lru_cache(maxsize=SHORT)
def _modules_of(length: int) -> tuple[int, int, tuple[tuple[int, ...], ...]]:
    """
    Return the width of codes for texts of a length, the code of zeros, and what each sign at each place turns.

    A code is a number with a byte a module, row by row, each row followed by one that is light.
    """

    def made(signs: bytes) -> tuple[int, int]:
        code = segno.make(
            signs.decode("ascii"), error="m", micro=False, boost_error=False, mask=QR_MASK, mode="byte"
        )
        cells = b"".join(bytes(row) + b"\0" for row in code.matrix)
        return len(code.matrix), int.from_bytes(cells, "big")

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
    dark = bytes(module != "0" for module in modules)
    return Barcode(symbology, text, len(modules), _row(dark))


def _row(modules: bytes) -> tuple[tuple[int, int], ...]:
    """Return the runs of dark modules, which are 1, as (start, width)."""
    return tuple((run.start(), run.end() - run.start()) for run in DARK.finditer(modules))

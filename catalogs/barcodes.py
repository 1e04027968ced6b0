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
DARK = re.compile(b"\x01+")


class NotEncodable(Refused):
    """The number has signs that no barcode in use here can carry."""


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
        return " ".join(self.text[start : start + 4] for start in range(0, len(self.text), 4))

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
    Return the code of a voucher as its batch wants it: "ean-13", "code-128" or "qr".

    Raises `NotEncodable` when it has signs that the symbology cannot carry, or a wrong check digit.
    """
    match symbology:
        case "qr":
            return qr_barcode(code)
        case "ean-13" if not (len(code) == 13 and ean.is_valid(code)):
            raise NotEncodable(f"{code!r} is no number of thirteen digits with a right check digit")
        case _:
            return card_barcode(code)


@lru_cache(maxsize=64)
def qr_barcode(text: str) -> Barcode:
    """Return `text` as a QR code that stands a sixth of it being dirty; raises `NotEncodable` when it is too long."""
    try:
        # Any mask can be read; looking for the best of eight would take five times as long.
        made = segno.make(text, error="m", micro=False, boost_error=False, mask=QR_MASK)
    except segno.DataOverflowError as error:
        raise NotEncodable(f"{len(text)} signs are too many for a QR code") from error
    rows = tuple(_row(bytes(cells)) for cells in made.matrix)
    return Barcode("QR", text, len(rows), (), rows)


def _bars(symbology: str, text: str, modules: str) -> Barcode:
    """Return the barcode of a row of modules, where everything but "0" is ink."""
    dark = bytes(module != "0" for module in modules)
    return Barcode(symbology, text, len(modules), _row(dark))


def _row(modules: bytes) -> tuple[tuple[int, int], ...]:
    """Return the runs of dark modules, which are 1, as (start, width)."""
    return tuple((run.start(), run.end() - run.start()) for run in DARK.finditer(modules))

"""Barcodes as bars: widths in modules, to be drawn as vectors."""

from dataclasses import dataclass

from barcode.codex import Code128
from barcode.ean import EuropeanArticleNumber13
from barcode.errors import BarcodeError
from stdnum import ean

from core.errors import Refused


class NotEncodable(Refused):
    """The number has signs that no barcode in use here can carry."""


@dataclass(frozen=True, slots=True)
class Barcode:
    """A number as bars; `bars` are (start, width) in modules, `modules` is the whole width without quiet zones."""

    symbology: str
    text: str
    modules: int
    bars: tuple[tuple[int, int], ...]

    @property
    def spaced(self) -> str:
        """Return the number in groups that a person can read out."""
        if self.symbology == "EAN-13":
            return f"{self.text[0]} {self.text[1:7]} {self.text[7:]}"
        return " ".join(self.text[start : start + 4] for start in range(0, len(self.text), 4))

    @property
    def path(self) -> str:
        """Return the bars as one SVG path, one module wide per unit and one unit high."""
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


def _bars(symbology: str, text: str, modules: str) -> Barcode:
    """Return the barcode of a row of modules, where everything but "0" is ink."""
    bars: list[tuple[int, int]] = []
    for position, module in enumerate(modules):
        if module == "0":
            continue
        if bars and sum(bars[-1]) == position:
            bars[-1] = (bars[-1][0], bars[-1][1] + 1)
        else:
            bars.append((position, 1))
    return Barcode(symbology, text, len(modules), tuple(bars))

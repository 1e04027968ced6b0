"""Codes on a screen: bars and squares as one path of an SVG, black on white in the dark too, for a scanner's sake."""

from dataclasses import dataclass

import segno

from catalogs.pdf.barcodes import NotEncodable, card_barcode


@dataclass(frozen=True, slots=True)
class ShownCode:
    """A code to be drawn: `modules` wide without the quiet zone, and as high if it is a `square`, else one high."""

    text: str
    spaced: str
    modules: int
    path: str
    square: bool = False


def bars_of(number: str) -> ShownCode | None:
    """Return a number as bars; None when it cannot be written so."""
    try:
        bars = card_barcode(number)
    except NotEncodable:
        return None
    return ShownCode(number, bars.spaced, bars.modules, bars.path)


def square_of(text: str) -> ShownCode:
    """Return a text as a QR code that is read even with a quarter of it covered by a finger."""
    rows = segno.make(text, error="q", micro=False).matrix
    path = "".join(
        f"M{across} {down}h1v1h-1z"
        for down, row in enumerate(rows)
        for across, dark in enumerate(row)
        if dark
    )
    spaced = " ".join(text[start : start + 4] for start in range(0, len(text), 4))
    return ShownCode(text, spaced, len(rows), path, square=True)


def voucher_code(code: str, symbology: str) -> ShownCode:
    """Return a voucher's code as its batch prints it; what cannot be written as bars is a square."""
    return (None if symbology == "qr" else bars_of(code)) or square_of(code)

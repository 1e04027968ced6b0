"""What lies on a page as operators of PDF: drawings placed, words shown, codes drawn as bars and squares."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import groupby
from math import cos, radians, sin
from types import SimpleNamespace
from typing import Any

from catalogs.layouts import Placement, Words
from catalogs.pages import Price
from catalogs.pdf.barcodes import Barcode, bytes_across
from catalogs.pdf.lettering import MM_PER_POINT, Run
from catalogs.pdf.parts import text_string
from catalogs.pdf.typefaces import Glyphs, load_typeface
from catalogs.styles import Letterer

POINTS_PER_MM = 1 / MM_PER_POINT
WIDEST_MODULE = 0.5
"""Millimetres: half as large again as a shop's own label, so that paper bends and still scans."""
QUIET_BARS, QUIET_SQUARE = 22, 8
"""Modules that stay white beside a code, both sides together."""
REMEMBERED = 2_000
"""So many paragraphs of a colour scheme and language: stores next to each other show mostly the same articles."""
OUTLINES_REMEMBERED = 6_000
"""So many paragraphs of a language whatever their colour: the groups of a store are shown many of the same articles."""
OPEN = "@"
"""Stands on both sides of the name of a colour that is left open."""
HARD = "\N{NO-BREAK SPACE}"
_HEX = tuple(f"{number:04x}" for number in range(2**16))


@dataclass(frozen=True, slots=True)
class Shown:
    """One paragraph of a box as operators; `of` names the part of the content that it says, empty for all of it."""

    of: str
    operators: str
    said: str
    """How it reads, as a string of PDF, where that is not just what is seen; else empty."""
    fonts: tuple[int, ...] = ()
    """Numbers of the pen's faces that show it."""


class Outlines:
    """
    Draws the words of one theme in one language, their colours left open; what it drew once it remembers.

    The face number n of `faces` is called /Fn.
    """

    def __init__(self, letters: Letterer, faces: tuple[str, ...]) -> None:
        self.faces = faces
        self._letters = letters
        self._fonts = {file: number for number, file in enumerate(faces)}
        self.names = cache(letters.names)
        self.drawn = lru_cache(maxsize=OUTLINES_REMEMBERED)(self._draw)

    def _draw(
        self, style: str, said: Price | tuple[str, ...], width: float, height: float
    ) -> tuple[Shown, ...]:
        names = self.names(style)
        content: Any = said
        if not isinstance(said, Price):
            content = SimpleNamespace(**dict(zip(names, said, strict=True))) if any(names) else said[0]
        runs = self._letters.runs(Words(content, style, 0.0, 0.0, width, height))
        shown: list[Shown] = []
        for number, group in groupby(runs, key=lambda run: run.paragraph):
            lines = list(group)
            of = names[number] if number < len(names) else ""
            actual = _said(content, of, lines)
            # Lines are words apart for who reads aloud, too.
            between = "" if isinstance(content, Price) else " "
            ends = [between] * (len(lines) - 1) + [""]
            used: set[int] = set()
            text = "".join(
                [
                    f"BT {' '.join(self._pieces(run, end, height, used))} ET{_stroke(run, height)} "
                    for run, end in zip(lines, ends, strict=True)
                ]
            )
            told = text_string(actual).decode("ascii") if actual else ""
            shown.append(Shown(of, text, told, tuple(used)))
        return tuple(shown)

    def _pieces(self, run: Run, end: str, height: float, used: set[int]) -> Iterator[str]:
        """Yield the operators that show a run and what ends it, one face after the other; note the faces in `used`."""
        x, y = run.x * POINTS_PER_MM, (height - run.y) * POINTS_PER_MM
        yield f"{OPEN}{run.colour}{OPEN} 1 0 0 1 {x:.3f} {y:.3f} Tm"
        for glyphs in load_typeface(run.face).pieces(run.text + end):
            number = self._fonts[glyphs.face]
            used.add(number)
            yield f"/F{number} {run.size:.2f} Tf {_show(glyphs, run.size)}"


class Pen:
    """Draws words by `outlines` in the colours that `colours` gives by their names; what it drew once it remembers."""

    def __init__(self, outlines: Outlines, colours: Mapping[str, str]) -> None:
        self._outlines = outlines
        self._fills = {name: fill_colour(colour) for name, colour in colours.items()}
        self._drawn = lru_cache(maxsize=REMEMBERED)(self._draw)

    def words(self, words: Words) -> tuple[Shown, ...]:
        """Return the paragraphs of `words`, drawn from the lower left corner of their box."""
        content = words.content
        if not isinstance(content, Price):
            names = self._outlines.names(words.style)
            # What is said counts, not what says it: vouchers with other codes read alike.
            content = tuple(str(getattr(content, of) if of else content) for of in names)
        return self._drawn(words.style, content, words.width, words.height)

    def _draw(
        self, style: str, said: Price | tuple[str, ...], width: float, height: float
    ) -> tuple[Shown, ...]:
        shown = self._outlines.drawn(style, said, width, height)
        return tuple(replace(one, operators=self._filled(one.operators)) for one in shown)

    def _filled(self, operators: str) -> str:
        parts = operators.split(OPEN)
        parts[1::2] = [self._fills[name] for name in parts[1::2]]
        return "".join(parts)


def _said(content: object, of: str, lines: list[Run]) -> str:
    """Return how a paragraph reads where that is not just what is seen; empty where it is."""
    if isinstance(content, Price):
        return readable(content.spoken)
    text = readable(str(getattr(content, of) if of else content))
    shown = " ".join(run.text for run in lines)
    own = all(_is_plain(load_typeface(run.face).pieces(run.text), run.text) for run in lines)
    return "" if own and shown == text else text


def _is_plain(pieces: tuple[Glyphs, ...], text: str) -> bool:
    """Return whether every sign is shown by a glyph of its own."""
    stacked = any(up for piece in pieces for _right, up in piece.shifts)
    return not stacked and sum(len(piece.ids) for piece in pieces) == len(text)


@lru_cache(maxsize=4_000)
def readable(text: str) -> str:
    """Return text without signs that control machines, which no screen reader should meet."""
    if text.isprintable():
        return text
    return " ".join("".join(sign if sign.isprintable() or sign == HARD else " " for sign in text).split(" "))


def _stroke(run: Run, height: float) -> str:
    """Return the line through a run that is struck out."""
    if not getattr(run, "struck", False):
        return ""
    x, y = run.x * POINTS_PER_MM, (height - run.y) * POINTS_PER_MM + 0.3 * run.size
    width = load_typeface(run.face).width(run.text, run.size)
    return f" {OPEN}{run.colour}{OPEN} {x:.3f} {y:.3f} {width:.3f} {run.size * 0.07:.3f} re f"


def _show(glyphs: Glyphs, size: float) -> str:
    """Return the operators that show glyphs, one by one where some stand beside their places."""
    if not glyphs.shifts:
        return f"{glyph_array(glyphs)} TJ"
    each = (
        f"{up * size / 1000:.3f} Ts [{-right} <{number:04x}> {right - kern}] TJ"
        for number, kern, (right, up) in zip(glyphs.ids, glyphs.kerns, glyphs.shifts, strict=True)
    )
    return f"{' '.join(each)} 0 Ts"


def glyph_array(glyphs: Glyphs) -> str:
    """Return the array that shows glyphs, with the kerning between them."""
    if not any(glyphs.kerns):
        return f"[<{''.join([_HEX[number] for number in glyphs.ids])}>]" if glyphs.ids else "[]"
    parts: list[str] = []
    pending: list[str] = []
    for number, kern in zip(glyphs.ids, glyphs.kerns, strict=True):
        pending.append(_HEX[number])
        if kern:
            parts.append(f"<{''.join(pending)}> {-kern}")
            pending = []
    if pending:
        parts.append(f"<{''.join(pending)}>")
    return f"[{' '.join(parts)}]"


def barcode(code: Barcode, width: float, height: float) -> str:
    """
    Return the operators that draw a code in the middle of a box in millimetres, from its lower left corner.

    Quiet zones are inside the box: ten modules on each side of bars, four around a square.
    """
    module, tall, left, least = code_place(code, width, height)
    matrix = " ".join(
        f"{number * POINTS_PER_MM:.4f}".rstrip("0").rstrip(".")
        for number in (module, 0, 0, tall, left, least)
    )
    return f"0 g q {matrix} cm {_modules(code)} f Q"


def code_place(code: Barcode, width: float, height: float) -> tuple[float, float, float, float]:
    """Return how wide and tall a module is in a box, and how far the code stands from its left and lower edge."""
    if code.square:
        side = min(width, height) / (code.modules + QUIET_SQUARE)
        return side, side, (width - side * code.modules) / 2, (height - side * code.modules) / 2
    module = min(WIDEST_MODULE, width / (code.modules + QUIET_BARS))
    return module, height, (width - module * code.modules) / 2, 0.0


@lru_cache(maxsize=64)
def _modules(code: Barcode) -> str:
    """Return the dark modules as rectangles, one unit wide; a row of bars is one unit high."""
    if not code.square:
        return " ".join([f"{at} 0 {width} 1 re" for at, width in code.bars])
    side = code.modules
    return " ".join([_dark(side, at, byte) for at, byte in enumerate(code.square) if byte])


@cache
def _dark(side: int, at: int, byte: int) -> str:
    """Return the dark modules of a byte of a square: all codes are made of the same few thousand."""
    row, across = divmod(at, bytes_across(side))
    return " ".join(
        f"{8 * across + run.start()} {side - 1 - row} {len(run.group())} 1 re"
        for run in re.finditer("1+", f"{byte:08b}")
    )


@cache
def fill_colour(colour: str) -> str:
    """Return the operator that fills with a colour such as "#d2412a"."""
    return " ".join(f"{int(colour[start : start + 2], 16) / 255:.3f}" for start in (1, 3, 5)) + " rg"


def box_matrix(words: Words, page_height: float) -> str:
    """Return the operator that moves to the lower left corner of the box of `words`, turned about its middle."""
    left, bottom = words.x * POINTS_PER_MM, (page_height - words.y - words.height) * POINTS_PER_MM
    if not words.turn:
        return f"1 0 0 1 {left:.3f} {bottom:.3f} cm"
    across, down = cos(radians(-words.turn)), sin(radians(-words.turn))
    half_x, half_y = words.width / 2 * POINTS_PER_MM, words.height / 2 * POINTS_PER_MM
    return (
        f"{across:.5f} {down:.5f} {-down:.5f} {across:.5f} "
        f"{left + half_x - across * half_x + down * half_y:.3f} "
        f"{bottom + half_y - down * half_x - across * half_y:.3f} cm"
    )


def drawing_matrix(placement: Placement, page_height: float) -> str:
    """Return the operator that puts a drawing, whose origin is its lower left corner, where it lies."""
    scale, angle = placement.scale, radians(-placement.turn)
    wide, tall = placement.fragment.width * POINTS_PER_MM, placement.fragment.height * POINTS_PER_MM
    across, down = scale * cos(angle), scale * sin(angle)
    middle_x = placement.x * POINTS_PER_MM + scale * wide / 2
    middle_y = (page_height - placement.y) * POINTS_PER_MM - scale * tall / 2
    left = middle_x - (across * wide - down * tall) / 2
    bottom = middle_y - (down * wide + across * tall) / 2
    return f"{across:.4f} {down:.4f} {-down:.4f} {across:.4f} {left:.3f} {bottom:.3f} cm"

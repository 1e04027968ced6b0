"""
Words and prices set into their boxes: which size fits, where lines break, where each piece stands.

What differs from copy to copy is set here, in microseconds; what a theme draws is set by WeasyPrint once.
Sizes are points, places are millimetres from the upper left corner of the page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pyphen import LANGUAGES as HYPHENATED
from pyphen import Pyphen

from catalogs.pages import Price
from catalogs.pdf.typefaces import load_typeface

MM_PER_POINT = 25.4 / 72
RAISED = 0.5
"""How large the decimals are beside the figure, unless that were too small to read."""
SYMBOL = 0.3
"""How large the sign of the currency is, with the same exception."""
SMALLEST = 7.0
"""Points; smaller letters nobody reads on paper."""
DOTS = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text on one line; `x`, `y` is where its baseline begins, `paragraph` the number of its paragraph."""

    face: str
    size: float
    colour: str
    x: float
    y: float
    text: str
    paragraph: int = 0
    struck: float = 0.0
    """How long a line is drawn through it, in millimetres: what no longer holds."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where words go."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Paragraph:
    """How one paragraph is set: the first of `sizes` at which it fits into `lines` lines is taken."""

    face: str
    sizes: tuple[float, ...]
    colour: str
    leading: float = 1.15
    lines: int = 1
    gap: float = 0.0
    hyphenate: bool = False
    balance: bool = False
    """Lines are made about as long as each other, so that no word stands alone on the last."""
    strike: bool = False
    """A line is drawn through it."""


def set_block(
    texts: Sequence[tuple[Paragraph, str]],
    box: Box,
    *,
    language: str,
    align: str = "left",
    stand: str = "top",
    inline: bool = False,
) -> list[Run]:
    """
    Return paragraphs set below each other in `box`, standing at its "top", "middle" or "bottom".

    What does not fit even at the smallest size ends in three dots; where the paragraphs together are
    higher than the box, all are set smaller, and then the last are left out. `inline` paragraphs, one line
    each, follow each other on the baseline of the first.
    """
    if inline:
        return _set_line(texts, box, language)
    placed, height = _set_within(texts, box, language)
    shift = {"top": 0.0, "middle": (box.height - height) / 2, "bottom": box.height - height}[stand]
    runs: list[Run] = []
    for number, size, line, middle in placed:
        paragraph = texts[number][0]
        face = load_typeface(paragraph.face)
        baseline = box.y + shift + middle + face.cap_height * size * MM_PER_POINT / 2
        width = face.width(line, size) * MM_PER_POINT
        start = _start(box, width, align)
        struck = width if paragraph.strike else 0.0
        runs.append(Run(paragraph.face, size, paragraph.colour, start, baseline, line, number, struck))
    return runs


Placed = list[tuple[int, float, str, float]]
"""Lines: the number of the paragraph, the size, the text, and how far down its middle is."""


def _set_within(texts: Sequence[tuple[Paragraph, str]], box: Box, language: str) -> tuple[Placed, float]:
    """Return the lines of paragraphs no higher together than `box`, and how high they are."""
    said = [(number, paragraph, text) for number, (paragraph, text) in enumerate(texts) if text]
    most = max((len(paragraph.sizes) for _, paragraph, _ in said), default=1)
    placed, height = _stack(said, box.width, language, 0)
    for smaller in range(1, most):
        if height <= box.height:
            break
        placed, height = _stack(said, box.width, language, smaller)
    while height > box.height and len(said) > 1:
        said = said[:-1]
        placed, height = _stack(said, box.width, language, most)
    return placed, height


def _stack(
    said: Sequence[tuple[int, Paragraph, str]], width: float, language: str, smaller: int
) -> tuple[Placed, float]:
    """Return the lines of paragraphs below each other, each without the largest `smaller` of its sizes."""
    placed: Placed = []
    y = 0.0
    for number, paragraph, text in said:
        sizes = paragraph.sizes[smaller:] or paragraph.sizes[-1:]
        size, lines = _fit(replace(paragraph, sizes=sizes) if smaller else paragraph, text, width, language)
        y += paragraph.gap if placed else 0.0
        for line in lines:
            step = size * paragraph.leading * MM_PER_POINT
            placed.append((number, size, line, y + step / 2))
            y += step
    return placed, y


def _set_line(texts: Sequence[tuple[Paragraph, str]], box: Box, language: str) -> list[Run]:
    """Return paragraphs one after the other on the bottom of `box`, as long as there is room."""
    runs: list[Run] = []
    x = box.x
    for number, (paragraph, text) in enumerate(texts):
        x += paragraph.gap if runs else 0.0
        size, lines = _fit(paragraph, text, max(0.0, box.x + box.width - x), language)
        face = load_typeface(paragraph.face)
        baseline = box.y + box.height - 2.2
        runs.append(Run(paragraph.face, size, paragraph.colour, x, baseline, lines[0], number))
        x += face.width(lines[0], size) * MM_PER_POINT
    return runs


SETTLED = 4
"""After so many rounds a figure and the sign beside it, which make room for each other, no longer change to the eye."""


@dataclass(frozen=True, slots=True)
class PriceStyle:
    """How a price is set: as large as the box allows, up to `largest`."""

    face: str
    small_face: str
    largest: float
    colour: str
    small_colour: str
    unit_face: str
    unit_size: float
    align: str = "right"


def set_price_runs(price: Price, box: Box, style: PriceStyle) -> list[Run]:
    """
    Return a price on the bottom of `box`: figure, small raised decimals with the symbol under them, price per unit.

    It never breaks: a figure that is wider than the box is set smaller.
    """
    face = load_typeface(style.face)
    unit_room = style.unit_size * 1.45 * MM_PER_POINT if price.unit else 0.0
    tallest = (box.height - unit_room) / (face.cap_height * 1.06 * MM_PER_POINT)
    least = 0.0
    for _ in range(SETTLED):
        pieces, width = _figure(price, style, least)
        size = min(style.largest, tallest, box.width / (width * MM_PER_POINT))
        least = SMALLEST / size
    em = size * MM_PER_POINT
    x = _start(box, width * em, style.align)
    y = box.y + box.height - unit_room - 0.03 * em
    runs = [
        Run(
            style.small_face if piece.small else style.face,
            size * piece.scale,
            style.small_colour if piece.small else style.colour,
            x + piece.x * em,
            y - piece.rise * em,
            piece.text,
        )
        for piece in pieces
    ]
    return [*runs, _unit_run(price.unit, box, style)] if price.unit else runs


def _unit_run(unit: str, box: Box, style: PriceStyle) -> Run:
    """Return the price per unit at the foot of `box`: in fewer signs ("24,90 Kč/l") where it would get too small."""
    face = load_typeface(style.unit_face)
    of, equals, price = unit.partition("\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
    size, said = SMALLEST, unit
    for said in (unit, f"{price}/{of.removeprefix('1').strip()}") if equals else (unit,):
        size = min(style.unit_size, box.width / (face.width(said, 1) * MM_PER_POINT))
        if size >= SMALLEST:
            break
    size = max(size, SMALLEST)
    start = _start(box, face.width(said, size) * MM_PER_POINT, style.align)
    below = box.y + box.height - style.unit_size * 0.25 * MM_PER_POINT
    return Run(style.unit_face, size, style.small_colour, start, below, said)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a figure, in ems of the large figure."""

    text: str
    scale: float
    x: float
    rise: float
    small: bool


def _figure(price: Price, style: PriceStyle, least: float) -> tuple[list[_Piece], float]:
    """Return the parts of a price side by side, none smaller than `least`, and how wide they are together."""
    decimals, symbol = max(RAISED, least), max(SYMBOL, least)
    face, small = load_typeface(style.face), load_typeface(style.small_face)
    pieces: list[_Piece] = []
    x = 0.0
    if price.symbol_first:
        pieces.append(
            _Piece(price.symbol, symbol, 0, face.cap_height - small.cap_height * symbol, small=True)
        )
        x = small.width(price.symbol, symbol) + 0.05
    pieces.append(_Piece(price.whole, 1, x, 0, small=False))
    x += face.width(price.whole, 1)
    raised = f"{price.separator}{price.decimals}{price.mark}"
    if raised:
        pieces.append(_Piece(raised, decimals, x + 0.01, face.cap_height * (1 - decimals), small=False))
    ends = [x + 0.01 + face.width(raised, decimals)]
    if not price.symbol_first:
        gap = face.width(price.separator, decimals) + 0.03 if price.decimals else 0.12
        pieces.append(_Piece(price.symbol, symbol, x + gap, 0, small=True))
        ends.append(x + gap + small.width(price.symbol, symbol))
    return pieces, max(ends)


def _start(box: Box, width: float, align: str) -> float:
    """Return where something of `width` begins in `box`."""
    return {"left": box.x, "center": box.x + (box.width - width) / 2, "right": box.x + box.width - width}[
        align
    ]


def _fit(paragraph: Paragraph, text: str, width: float, language: str) -> tuple[float, list[str]]:
    """Return the size and the lines of a paragraph: rather smaller than with a hyphen, rather that than cut."""
    plain = replace(paragraph, hyphenate=False) if paragraph.hyphenate else paragraph
    for allowed in (plain, paragraph) if paragraph.hyphenate else (plain,):
        for size in paragraph.sizes:
            lines = break_lines(allowed, text, size, width, language)
            if len(lines) <= paragraph.lines and _narrow(paragraph, lines, size, width):
                return size, _balanced(allowed, text, size, lines, language) if paragraph.balance else lines
    size = paragraph.sizes[-1]
    lines = break_lines(paragraph, text, size, width, language)
    if len(lines) > paragraph.lines:
        lines = [*lines[: paragraph.lines - 1], f"{lines[paragraph.lines - 1]}{DOTS}"]
    return size, [_cut_to(paragraph, line, size, width) for line in lines]


def _balanced(paragraph: Paragraph, text: str, size: float, lines: list[str], language: str) -> list[str]:
    """Return as many lines as `lines`, broken as narrow as that can be, and none within a word."""
    if len(lines) < 2:
        return lines
    plain = replace(paragraph, hyphenate=False)
    face = load_typeface(paragraph.face)
    widest = max(face.width(line, size) for line in lines) * MM_PER_POINT
    best = lines
    for share in range(95, 45, -5):
        tried = break_lines(plain, text, size, widest * share / 100, language)
        if len(tried) > len(lines) or not _narrow(paragraph, tried, size, widest):
            break
        best = tried
    return best


def _narrow(paragraph: Paragraph, lines: list[str], size: float, width: float) -> bool:
    face = load_typeface(paragraph.face)
    return all(face.width(line, size) * MM_PER_POINT <= width for line in lines)


def _cut_to(paragraph: Paragraph, line: str, size: float, width: float) -> str:
    """Return `line`, or as much of it as fits with three dots."""
    face = load_typeface(paragraph.face)
    if face.width(line, size) * MM_PER_POINT <= width:
        return line
    stem = line.rstrip(DOTS)
    while stem and face.width(stem + DOTS, size) * MM_PER_POINT > width:
        stem = stem[:-1]
    return stem.rstrip() + DOTS


def break_lines(paragraph: Paragraph, text: str, size: float, width: float, language: str) -> list[str]:
    """
    Return `text` in lines no wider than `width`, broken at spaces.

    A word wider than a line is hyphenated by the rules of its language where the paragraph allows;
    without a place to break it keeps its width.
    """
    face = load_typeface(paragraph.face)
    if face.width(text, size) * MM_PER_POINT <= width:
        return [text]
    lines: list[str] = []
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and face.width(joined, size) * MM_PER_POINT <= width:
            lines[-1] = joined
            continue
        rest = word
        while paragraph.hyphenate and face.width(rest, size) * MM_PER_POINT > width:
            pair = _hyphenated(rest, language, lambda head: face.width(head, size) * MM_PER_POINT <= width)
            if pair is None:
                break
            lines.append(pair[0])
            rest = pair[1]
        lines.append(rest)
    return lines


def _hyphenated(word: str, language: str, fits: Callable[[str], bool]) -> tuple[str, str] | None:
    """Return the longest beginning of `word` that fits with its hyphen, and the rest."""
    for head, tail in _hyphens(language).iterate(word):
        if fits(f"{head}-"):
            return f"{head}-", tail
    return None


@lru_cache(maxsize=8)
def _hyphens(language: str) -> Pyphen:
    names = {"en": "en_GB", "cs": "cs_CZ", "sk": "sk_SK", "pl": "pl_PL"}
    name = names.get(language, language)
    return Pyphen(lang=name if name in HYPHENATED else "en_GB", left=3, right=3)

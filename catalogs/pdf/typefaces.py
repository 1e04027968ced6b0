"""Faces of a theme: measured by HarfBuzz, embedded in copies as one subset per weight."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pikepdf
import uharfbuzz
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from pikepdf import Array, Dictionary, Name, Pdf, String

from catalogs.pdf.parts import Part, part_of

FONTS = Path(__file__).resolve().parents[1] / "fonts"

LETTERS = (
    *range(0x20, 0x7F),
    *range(0xA0, 0x250),
    *range(0x1E80, 0x1EFA),
    *(0x2013, 0x2014, 0x2018, 0x2019, 0x201A, 0x201C, 0x201D, 0x201E, 0x2022, 0x2026, 0x20AC, 0x2212),
)
"""What is kept of a face: Latin with all its diacritics, and the signs of prices and sentences."""

FALLBACKS = ("NotoSans_700Bold.ttf", "NotoSansHebrew_700Bold.ttf", "NotoSansArabic_700Bold.ttf")
"""Faces for the signs that a theme's own do not have, in whose name so ever they stand; only then embedded."""
FOREIGN = (*LETTERS, *range(0x370, 0x530), *range(0x591, 0x700))
"""What is kept of those: Greek, Cyrillic, Hebrew and Arabic as well."""

REMEMBERED = 4_000
"""So many pieces of text are remembered by each face."""
JOINER = "\N{ZERO WIDTH JOINER}"
"""Stands for what shows something but says nothing."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """A piece of text as glyphs of `face`; `kerns` are what to add to each advance, all in thousandths of the size."""

    ids: tuple[int, ...]
    kerns: tuple[int, ...]
    width: float
    face: str
    shifts: tuple[tuple[int, int], ...] = ()
    """How far each stands right and up of where it would, where any does: the dots of Arabic letters."""


class Typeface:
    """One weight of a family: its glyphs, their widths, and the font object that PDFs carry."""

    def __init__(self, file: str) -> None:
        path = FONTS / file
        self.file = file
        self.name = path.stem.replace("_", "-")
        data = path.read_bytes()
        self._shaper = uharfbuzz.Font(uharfbuzz.Face(data))
        self._units = self._shaper.face.upem
        self._font = TTFont(BytesIO(data))
        self._cmap: dict[int, str] = self._font.getBestCmap()
        self.cap_height = self._font["OS/2"].sCapHeight / self._units
        hhea = self._font["hhea"]
        self.baseline = 0.5 + (hhea.ascent + hhea.descent) / 2 / self._units
        """How far below the top of a line of the height of its type the letters stand, in ems."""
        self._foreign = file in FALLBACKS
        self.letters = frozenset(self._cmap) & frozenset(FOREIGN if self._foreign else LETTERS)
        """The signs it shows, which are those that are embedded."""
        self._signs = frozenset(map(chr, self.letters))
        self._advances: dict[int, int] = {}
        substitutions = self._font["GSUB"].table.FeatureList.FeatureRecord if "GSUB" in self._font else ()
        self._plainly = {} if self._foreign else {record.FeatureTag: False for record in substitutions}
        self._shaped = lru_cache(maxsize=REMEMBERED)(self._shape)
        self._split = lru_cache(maxsize=REMEMBERED)(self._pieces)
        self._wide = lru_cache(maxsize=REMEMBERED)(self._width)

    def glyphs(self, text: str) -> Glyphs:
        """Return `text` as glyphs, kerned; signs that the face does not have become a hyphen or are left out."""
        return self._shaped(text)

    def pieces(self, text: str) -> tuple[Glyphs, ...]:
        """Return `text` as glyphs from left to right, where another face steps in for signs this one lacks."""
        return self._split(text)

    def width(self, text: str, size: float) -> float:
        """Return how wide `text` is in the unit of `size`."""
        return self._wide(text) * size

    def _width(self, text: str) -> float:
        return sum(piece.width for piece in self.pieces(text))

    def _pieces(self, text: str) -> tuple[Glyphs, ...]:
        if self._signs.issuperset(text):
            return (self._shaped(text),)
        pieces: list[tuple[str, str]] = []
        for sign in text:
            file = self.file
            if ord(sign) not in self.letters and not sign.isspace():
                file = next((name for name in FALLBACKS if ord(sign) in load_typeface(name).letters), file)
            if pieces and pieces[-1][0] == file:
                pieces[-1] = (file, pieces[-1][1] + sign)
            elif len(pieces) > 1 and pieces[-2][0] == file and pieces[-1][1].isspace():
                # Words of one script stay together, so that those from right to left stand in their order.
                pieces[-2:] = [(file, "".join(words for _name, words in pieces[-2:]) + sign)]
            else:
                pieces.append((file, sign))
        return tuple(load_typeface(file).glyphs(words) for file, words in pieces)

    def _shape(self, text: str) -> Glyphs:
        buffer = uharfbuzz.Buffer()
        known = text if self._signs.issuperset(text) else "".join(self._known(text))
        if not known:
            return Glyphs((), (), 0.0, self.file)
        buffer.add_str(known)
        buffer.guess_segment_properties()
        # One glyph per sign, so that what is copied out of the PDF is exactly what was put in.
        uharfbuzz.shape(self._shaper, buffer, self._plainly)
        ids = tuple([info.codepoint for info in buffer.glyph_infos])
        kerns: list[int] = []
        shifts: list[tuple[int, int]] = []
        width, shifted, units = 0, False, self._units
        places = [at.position for at in buffer.glyph_positions]
        for glyph, (right, up, advance, _down) in zip(ids, places, strict=True):
            plain = self._advances.get(glyph)
            if plain is None:
                plain = self._advances[glyph] = self._shaper.get_glyph_h_advance(glyph)
            width += advance
            kerns.append(0 if advance == plain else round((advance - plain) * 1000 / units))
            shift = (round(right * 1000 / units), round(up * 1000 / units)) if right or up else (0, 0)
            shifted = shifted or shift != (0, 0)
            shifts.append(shift)
        return Glyphs(ids, tuple(kerns), width / units, self.file, tuple(shifts) if shifted else ())

    def _known(self, text: str) -> Iterable[str]:
        for sign in text:
            if ord(sign) in self.letters:
                yield sign
            elif sign.isspace():
                yield " "
            elif sign in "\u2010\u2011":
                yield "-"

    @property
    def part(self) -> Part:
        """Return the font as objects to be laid into files."""
        return _font_part(self.file)

    def embed(self, pdf: Pdf) -> pikepdf.Object:
        """Return the font as a new object of `pdf`, ready for text in glyph numbers."""
        kept, data = self._subset()
        order = self._font.getGlyphOrder()
        widths = self._font["hmtx"]
        signs = {name: chr(code) for code, name in sorted(self._cmap.items(), reverse=True) if code in kept}
        if self._foreign:
            signs = self._forms(signs)
        by_number = sorted((self._font.getGlyphID(name), name) for name in signs)
        name = Name(f"/{_tag(data)}+{self.name}")
        head, os2, hhea = self._font["head"], self._font["OS/2"], self._font["hhea"]
        scale = 1000 / self._units
        descriptor = Dictionary(
            Type=Name.FontDescriptor,
            FontName=name,
            Flags=4,
            FontBBox=[round(value * scale) for value in (head.xMin, head.yMin, head.xMax, head.yMax)],
            ItalicAngle=0,
            Ascent=round(hhea.ascent * scale),
            Descent=round(hhea.descent * scale),
            CapHeight=round(os2.sCapHeight * scale),
            StemV=80,
            FontFile2=_packed(pdf, data, Length1=len(data)),
        )
        return pdf.make_indirect(
            Dictionary(
                Type=Name.Font,
                Subtype=Name.Type0,
                BaseFont=name,
                Encoding=Name("/Identity-H"),
                ToUnicode=_packed(pdf, _to_unicode((number, signs[name]) for number, name in by_number)),
                DescendantFonts=[
                    pdf.make_indirect(
                        Dictionary(
                            Type=Name.Font,
                            Subtype=Name.CIDFontType2,
                            BaseFont=name,
                            CIDSystemInfo=Dictionary(
                                Registry=String("Adobe"), Ordering=String("Identity"), Supplement=0
                            ),
                            FontDescriptor=pdf.make_indirect(descriptor),
                            CIDToGIDMap=Name.Identity,
                            DW=round(widths[order[0]][0] * scale),
                            W=_widths(
                                [(number, round(widths[name][0] * scale)) for number, name in by_number]
                            ),
                        )
                    )
                ],
            )
        )

    def _forms(self, signs: dict[str, str]) -> dict[str, str]:
        """Return `signs` with the shapes that letters take beside others, as the letters that they stand for."""
        known = dict(signs)
        # Again and again, since shapes are made of shapes.
        for lookup in (*self._font["GSUB"].table.LookupList.Lookup,) * 3:
            for table in lookup.SubTable:
                inner = getattr(table, "ExtSubTable", table)
                for name, shape in getattr(inner, "mapping", {}).items():
                    # A letter may be taken apart into its body and its dots, which say nothing alone.
                    parts = [shape] if isinstance(shape, str) else shape
                    for text, part in zip(
                        (known.get(name, JOINER), *JOINER * len(parts)), parts, strict=False
                    ):
                        known.setdefault(part, text)
                for name, ligatures in getattr(inner, "ligatures", {}).items():
                    for ligature in ligatures:
                        if all(part in known for part in (name, *ligature.Component)):
                            text = "".join(known[part] for part in (name, *ligature.Component))
                            known.setdefault(ligature.LigGlyph, text)
        return known

    @lru_cache(maxsize=1)  # noqa: B019 - faces live as long as their process
    def _subset(self) -> tuple[frozenset[int], bytes]:
        font = TTFont(FONTS / self.file)
        options = Options(
            retain_gids=True,
            hinting=False,
            layout_features=["*"] if self._foreign else [],
            notdef_outline=True,
            name_IDs=[],
            glyph_names=False,
        )
        subsetter = Subsetter(options)
        kept = self.letters
        subsetter.populate(unicodes=kept)
        subsetter.subset(font)
        for table in ("GSUB", "GPOS", "GDEF"):
            if table in font:
                del font[table]
        # The file would otherwise carry the moment at which it was made.
        font.recalcTimestamp = False
        out = BytesIO()
        font.save(out)
        return kept, out.getvalue()


@lru_cache(maxsize=32)
def load_typeface(file: str) -> Typeface:
    """Return the face in `file` of the packaged fonts."""
    return Typeface(file)


@lru_cache(maxsize=32)
def _font_part(file: str) -> Part:
    with Pdf.new() as pdf:
        return part_of(load_typeface(file).embed(pdf))


def _tag(data: bytes) -> str:
    """Return the six letters that mark a subset, always the same for the same one."""
    return "".join(chr(65 + byte % 26) for byte in sha256(data).digest()[:6])


def _packed(pdf: Pdf, data: bytes, **entries: int) -> pikepdf.Object:
    """Return a stream that is compressed already, so that it is not done again for every copy."""
    return pdf.make_stream(zlib.compress(data, 9), Filter=Name.FlateDecode, **entries)


def _widths(numbered: list[tuple[int, int]]) -> Array:
    """Return widths as PDF wants them: runs of neighbours."""
    runs: list[tuple[int, list[int]]] = []
    for number, width in numbered:
        if runs and runs[-1][0] + len(runs[-1][1]) == number:
            runs[-1][1].append(width)
        else:
            runs.append((number, [width]))
    return Array([part for first, widths in runs for part in (first, Array(widths))])


def _to_unicode(numbered: Iterable[tuple[int, str]]) -> bytes:
    lines = [f"<{number:04x}> <{sign.encode('utf-16-be').hex()}>" for number, sign in numbered]
    blocks = [lines[start : start + 100] for start in range(0, len(lines), 100)]
    mapped = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n"
        f"{mapped}\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
    ).encode("ascii")

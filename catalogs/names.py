"""Names as they may be printed: no shouting, no lonely short words."""

import re
from functools import lru_cache

from babel.numbers import get_decimal_symbol

from basket_analysis.groups.naming import SHORTHAND
from catalogs.pages import Label
from catalogs.prices import HARD
from core.i18n import translations

_SIZE_UNITS = {
    "oz": "oz", "lb": "lb", "lbs": "lb", "ga": "gal", "gal": "gal", "l": "l", "ml": "ml", "g": "g", "kg": "kg",
    "ct": "pcs", "dz": "dozen", "doz": "dozen", "pt": "pt", "qt": "qt", "cl": "cl", "in": "in", "ft": "ft", "pk": "pack",
    "sq": "sq ft", "sq ft": "sq ft", "ozs": "oz", "ld": "loads", "loads": "loads",
}  # fmt: skip
_NO_BRANDS = {"national", "private"}
_SIZE_AT_END = re.compile(
    r"[\s,·-]*\(?\b(?:(\d{1,2})\s?[x\u00d7]\s?)?((?:\d+ \d/\d)|\d+(?:[.,/-]\d+)*)\s?"
    r"(ozs?|lbs?|gal?|l|ml|g|kg|ct|doz|dz|pt|qt|cl|in|sq ft|sq|ft|pk|ld|loads)\.?\)?\s*$",
    re.IGNORECASE,
)
# Short words that must not end a line: prepositions and conjunctions of the four languages.
_LEANING = re.compile(
    r"\b(a|i|k|o|s|u|v|z|w|na|do|ke|ku|se|so|ve|vo|ze|zo|we|the|an|of|and|to|for|in|or)\s+", re.IGNORECASE
)


_HANGING = re.compile(r"\s+[-.,:;&/·]+$")
"""What is left of a name that another system cut off: a sign by itself at its end."""
_COUNTED = re.compile(r"(\d) (%|[^\W\d_]{1,3}\b)")


@lru_cache(maxsize=20_000)
def print_name(name: str, *, brand: str | None = None, language: str = "en") -> Label:
    """
    Return how an article called `name` is printed: its size set apart, and no shouting.

    Sizes are written as in `language`, with its decimals and words; the name stays as the chain wrote it.
    The brand is said beside the size unless the name says it, or it only tells that it is one.
    """
    text = " ".join(name.split())
    size = ""
    found = _SIZE_AT_END.search(text)
    if found and found.start():
        packs = f"{found[1]}{HARD}\N{MULTIPLICATION SIGN}{HARD}" if found[1] else ""
        size = f"{packs}{_figure(found[2], language)}{HARD}{_unit(found[3].lower(), language)}"
        text = text[: found.start()].rstrip(" ,-·(")
    text = _HANGING.sub("", text) or text
    if shouts(text):
        text = quiet(text)
    said = not brand or brand.lower() in _NO_BRANDS or brand.lower() in text.lower()
    detail = " · ".join(part for part in ("" if said else brand or "", size) if part)
    return Label(bind(text), detail)


_DECIMAL = re.compile(r"\d+([.,])\d{1,2}")


def _figure(written: str, language: str) -> str:
    """Return the figure of a size with the sign of decimals of `language`; what may be in thousands stays as it is."""
    if found := _DECIMAL.fullmatch(written):
        written = written.replace(found[1], get_decimal_symbol(language))
    return written.replace(" ", HARD)


def _unit(written: str, language: str) -> str:
    pgettext = translations(language).pgettext
    words = {
        "pcs": pgettext("size", "pcs"),
        "dozen": pgettext("size", "dozen"),
        "pack": pgettext("size", "pack"),
        "loads": pgettext("size", "loads"),
    }
    unit = _SIZE_UNITS[written]
    return words.get(unit, unit.replace(" ", HARD))


def shouts(text: str) -> bool:
    """Return whether `text` is written in capitals throughout."""
    letters = [sign for sign in text if sign.isalpha()]
    return len(letters) > 2 and all(sign.isupper() for sign in letters)


def quiet(text: str) -> str:
    """Return a name in capitals as a person would write it: small letters, shorthand written out, no brackets."""
    bare = re.sub(r"\([^)]*(\)|$)", " ", text)
    words = (SHORTHAND.get(word, word) for word in re.findall(r"[^\s/]+|/", bare.lower()))
    spoken = re.sub(r"\s*/\s*", ", ", " ".join(words)).strip(" ,-:&")
    return (spoken[:1].upper() + spoken[1:]) or text


def bind(text: str) -> str:
    """Return `text` with short words bound to the next one, and numbers to their units, so that no line parts them."""
    bound = _LEANING.sub(lambda found: f"{found[1]}{HARD}", text)
    return _COUNTED.sub(lambda found: f"{found[1]}{HARD}{found[2]}", bound)


def bind_headline(text: str) -> str:
    """Return `text` with a short last word bound to the one before, so that it never stands alone."""
    text = bind(text)
    head, space, last = text.rpartition(" ")
    return f"{head}{HARD}{last}" if space and len(last) <= 3 else text

"""Names as they may be printed: no shouting, no till abbreviations, no lonely short words."""

import re

from catalogs.pages import Label
from catalogs.prices import HARD

# Abbreviations that master data is full of; opened only in names that shout, since those come from tills.
_OPENED = {
    "frzn": "frozen", "frz": "frozen", "sft": "soft", "drnk": "drink", "drnks": "drinks", "btl": "bottle",
    "mlt": "multi", "pk": "pack", "sngl": "single", "srv": "serve", "prep": "prepared", "prepreck": "prepacked",
    "prepack": "prepacked", "preportnd": "portioned", "chix": "chicken", "fd": "food", "choc": "chocolate",
    "cnd": "canned", "ss": "single-serve", "dnrs": "dinners", "dnr": "dinner", "refrig": "chilled",
    "refrigerated": "chilled", "refrgratd": "chilled", "jce": "juice", "flvrd": "flavoured", "flvr": "flavour",
    "veg": "vegetable", "wht": "white", "wt": "weight", "grnd": "ground", "pnt": "peanut", "btr": "butter",
    "dsh": "dish", "misc": "other", "catfd": "cat food", "dogfd": "dog food", "sw": "sweet", "gds": "goods",
    "sal": "salad", "dps": "dips", "tiss": "tissue", "crbntd": "carbonated", "carb": "carbonated",
    "drnking": "drinking", "mnerl": "mineral", "br": "bread", "hygn": "hygiene", "pwdr": "powder",
    "specilaty": "speciality", "chococlate": "chocolate", "iws": "wrapped",
    "brkfst": "breakfast", "tot": "total", "conc": "concentrated", "sgl": "single", "bge": "bag",
    "mxs": "mixes", "mw": "microwave", "fre": "fresh", "rw": "raw", "brd": "breaded", "cond": "condensed",
    "saus": "sausage", "rts": "ready-to-serve", "fs": "", "whl": "whole", "pkg": "packed", "bagged": "bagged",
    "cnc": "concentrate", "stk": "stick", "vit": "vitamin", "aut": "auto", "sv": "serve", "tort": "tortilla",
    "exct": "exact", "mlk": "milk", "crmd": "creamed", "sndwch": "sandwich", "sprd": "spread", "sald": "salad",
    "drsng": "dressing", "bn": "beans", "mult": "multi", "portn": "portion", "ea": "", "bw": "", "oj": "orange juice",
}  # fmt: skip
_KEPT = {
    "bbq": "BBQ",
    "tv": "TV",
    "dvd": "DVD",
    "led": "LED",
    "usb": "USB",
    "uht": "UHT",
    "bio": "BIO",
    "iqf": "",
}
_SIZE_UNITS = {
    "oz": "oz", "lb": "lb", "lbs": "lb", "ga": "gal", "gal": "gal", "l": "l", "ml": "ml", "g": "g", "kg": "kg",
    "ct": "pcs", "dz": "dozen", "pt": "pt", "qt": "qt", "cl": "cl", "in": "in", "ft": "ft", "pk": "pack",
}  # fmt: skip
_SIZE_AT_END = re.compile(
    r"[\s,·-]*\(?\b(\d+(?:[.,/]\d+)?)\s?(oz|lbs?|gal?|l|ml|g|kg|ct|dz|pt|qt|cl|in|ft|pk)\.?\)?\s*$",
    re.IGNORECASE,
)
_GENERIC = {
    "premium", "economy", "lean", "primal", "enhanced", "traditional", "mainstream", "value", "other", "all",
    "regular", "blends", "kits", "choice", "select", "standard", "basic", "fresh", "dry", "natural", "ham",
    "poultry", "entrees", "patties", "ribs", "red", "better for you", "miscellaneous", "pails", "pre-cooked",
    "smoked/cooked", "flavored/other", "pre cooked", "garden plus", "super premium pints", "premium pints", "cones",
    "premium meat", "premium beef", "economy meat", "premium - meat", "economy - meat", "premium - beef", "angus",
    "sugar free", "quarts", "packaged", "organic", "cubed meats", "blend",
}  # fmt: skip
# Short words that must not end a line: prepositions and conjunctions of the four languages.
_LEANING = re.compile(
    r"\b(a|i|k|o|s|u|v|z|w|na|do|ke|ku|se|so|ve|vo|ze|zo|we|the|an|of|and|to|for|in|or)\s+", re.IGNORECASE
)


_COUNTED = re.compile(r"(\d) (%|[^\W\d_]{1,3}\b)")


def print_name(name: str, *, category: str | None = None, brand: str | None = None) -> Label:
    """
    Return how an article called `name` is printed, its size set apart.

    A name in small letters is left as it is. A name that shouts is opened, cut of what stands in
    brackets, and set as a sentence; one that says nothing by itself ("PREMIUM") gets its category.
    """
    text = " ".join(name.split())
    size = ""
    found = _SIZE_AT_END.search(text)
    if found and found.start():
        unit = _SIZE_UNITS[found[2].lower()]
        size = f"{found[1]}{HARD}{unit}"
        text = text[: found.start()].rstrip(" ,-·(")
    if shouts(text):
        spoken = quiet(text)
        if category and (text.lower() in _GENERIC or not spoken):
            first = quiet(category)
            spoken = f"{first}, {spoken.lower()}" if spoken else first
        text = spoken or text.capitalize()
    own_brand = brand if brand and brand.lower() not in {"national", "private", text.lower()} else ""
    detail = " · ".join(part for part in (own_brand, size) if part)
    return Label(bind(text), detail)


def shouts(text: str) -> bool:
    """Return whether `text` is written in capitals throughout."""
    letters = [sign for sign in text if sign.isalpha()]
    return len(letters) > 2 and all(sign.isupper() for sign in letters)


def quiet(text: str) -> str:
    """Return the till name `text` as a person would write it: "FRZN BAGGED VEGETABLES - PLAIN" loses its shouting."""
    text = re.sub(r"\([^)]*(\)|$)", " ", text)
    head, _, tail = text.partition(":")
    if tail.strip() and len(head.split()) == 1 and head.strip().lower() not in tail.lower():
        kind = head.strip().lower()
        prefix = {
            "sw gds": "",
            "chix": "chicken",
            "prep fd": "",
            "sal": "salad",
            "meat": "",
            "saus": "sausage",
        }.get(kind, kind)
        text = f"{tail} {prefix}" if prefix.endswith("s") else f"{prefix} {tail}"
    elif tail.strip():
        text = tail
    text = re.sub(r"\s-\s.*$", lambda cut: f", {cut[0][3:]}" if len(cut[0]) < 22 else "", text)
    words: list[str] = []
    for word in re.findall(r"[\w'%.+]+|[&,/-]", text.replace("W/", " with ")):
        if word == "-":
            continue
        small = word.lower()
        opened = _KEPT.get(small, _OPENED.get(small, small))
        if opened and opened not in words[-1:]:
            words.append(opened)
    spoken = " ".join(words).replace(" ,", ",").replace(" / ", " / ")
    spoken = re.sub(r"(?:^[\s,&/]+|[\s,&/]+$)", "", re.sub(r"\s/\s", ", ", spoken))
    spoken = re.sub(r"(?:,?\s+\w)+$", "", spoken)
    spoken = re.sub(r"\s+(with|and|or|in|of|ex|incl|et|no|n|t)$", "", spoken)
    spoken = re.sub(r"(,\s*)+", ", ", spoken)
    return spoken[:1].upper() + spoken[1:]


def bind(text: str) -> str:
    """Return `text` with short words bound to the next one, and numbers to their units, so that no line parts them."""
    bound = _LEANING.sub(lambda found: f"{found[1]}{HARD}", text)
    return _COUNTED.sub(lambda found: f"{found[1]}{HARD}{found[2]}", bound)


def bind_headline(text: str) -> str:
    """Return `text` with a short last word bound to the one before, so that it never stands alone."""
    text = bind(text)
    head, space, last = text.rpartition(" ")
    return f"{head}{HARD}{last}" if space and len(last) <= 3 else text

"""Article names that can be shown: the source has only types in shouted shorthand, and sizes."""

import re

WORDS = {
    "ACCS": "accessories",
    "ACCESS": "accessories",
    "ACCESSIORES": "accessories",
    "BEERALEMALT": "beer, ale and malt",
    "BGS": "bags",
    "BR": "breakfast",
    "BRD": "breaded",
    "BRKFST": "breakfast",
    "BSKTS": "baskets",
    "BTL": "bottle",
    "BTR": "butter",
    "CAR": "carton",
    "CARB": "carbonated",
    "CATFD": "cat food",
    "CHIX": "chicken",
    "CHOCOL": "chocolate",
    "CHOCOCLATE": "chocolate",
    "CKYS": "cookies",
    "CLEANG": "cleaning",
    "CNDY": "candy",
    "CNTRL": "control",
    "COMBIN": "combination",
    "CONC": "concentrate",
    "CRBNTD": "carbonated",
    "CRKR": "crackers",
    "CRMD": "creamed",
    "DEOD": "deodorant",
    "DIPILATORIES": "depilatories",
    "DNRS": "dinners",
    "DOGFD": "dog food",
    "DPS": "dips",
    "DRNK": "drink",
    "DRNKING": "drinking",
    "DRNKS": "drinks",
    "DRP": "drops",
    "DSH": "dishes",
    "EX": "except",
    "EXCP": "except",
    "EXA": "exact",
    "FD": "food",
    "FEM": "feminine",
    "FLVR": "flavor",
    "FLVRD": "flavored",
    "FRE": "fresh",
    "FRZ": "frozen",
    "FRZN": "frozen",
    "GDS": "goods",
    "HYGN": "hygiene",
    "INCL": "including",
    "JCE": "juice",
    "JHOOK": "hook",
    "LOZNG": "lozenges",
    "MARINAD": "marinades",
    "MISC": "miscellaneous",
    "MLT": "multi",
    "MNERAL": "mineral",
    "MX": "mix",
    "OCCAS": "occasion",
    "OTHE": "other",
    "PHYSICANS": "physician's",
    "PK": "pack",
    "PKG": "package",
    "PKGD": "packaged",
    "PLSTC": "plastic",
    "PNT": "peanut",
    "PNUT": "peanut",
    "PRCK": "prepacked",
    "PREM": "premium",
    "PREP": "preparation",
    "PREPORTND": "preportioned",
    "PROTIEN": "protein",
    "PRPCK": "prepacked",
    "PWDR": "powder",
    "REFRGRATD": "refrigerated",
    "REFRIG": "refrigerated",
    "RTS": "ready to serve",
    "SAL": "salads",
    "SAUCESSALSAPICANTEE": "sauces, salsa, picante",
    "SFT": "soft",
    "SGL": "single",
    "SNGL": "single",
    "SNKS": "snacks",
    "SRV": "serve",
    "STK": "stick",
    "SUPPLEMEN": "supplements",
    "SW": "sweet",
    "SYRP": "syrup",
    "TRAD": "traditional",
    "UNSWE": "unsweetened",
    "VEG": "vegetable",
    "W": "with",
    "WATE": "water",
    "WHLSM": "wholesome",
    "WORCHESTER": "Worcester",
    "WT": "weight",
    "WTR": "water",
    "XMAS": "Christmas",
    "XPCTRNT": "expectorant",
}
"""Shorthand of the source, written out."""

PROPER = {
    word.upper(): word
    for word in [
        "American",
        "Asian",
        "Australian",
        "British",
        "BBQ",
        "Christmas",
        "Covergirl",
        "Easter",
        "French",
        "German",
        "Halloween",
        "Hansen",
        "Hawaiian",
        "Hispanic",
        "Irish",
        "Italian",
        "Japanese",
        "Kosher",
        "Loreal",
        "Maybelline",
        "Mexican",
        "Oriental",
        "Revlon",
        "Russian",
        "Sally",
        "Spanish",
        "Swiss",
        "Thanksgiving",
        "Turkish",
        "Valentine",
        "DVD",
        "DVDs",
        "DXM",
        "II",
        "III",
        "IQF",
        "NZ",
        "OJ",
        "PM",
        "SPF",
        "TV",
        "USA",
    ]
}

UNITS = {"FL OZ": "fl oz", "L": "l", "ML": "ml", "CC": "cc"}

VAGUE = frozenset(
    [
        "ALL",
        "BASIC",
        "BULK",
        "CHOICE",
        "DRY",
        "ECONOMY",
        "FRESH",
        "FROZEN",
        "FRZN",
        "GOURMET",
        "LIQUID",
        "MAINSTREAM",
        "MARINATED",
        "MEDIUM",
        "MISCELLANEOUS",
        "MIXED",
        "MULTI",
        "OTHER",
        "PACKAGED",
        "PANTRY",
        "POPULAR",
        "PREMIUM",
        "PROMO",
        "REGULAR",
        "RIB",
        "SEASONAL",
        "SINGLES",
        "SPECIALTY",
        "SUPER",
        "TRADITIONAL",
        "VALUE",
        "VARIETY",
    ]
)
"""Types that say nothing without their category."""

_WORD = re.compile(r"[A-Z]+")
_SIZE = re.compile(r"(?<![\w.])(\d[\d.,/ ]*?|\.\d+)\s*(FL OZ|[A-Z]+)\b")


def article_name(kind: str | None, category: str | None, department: str, size: str | None) -> str:
    """Return a presentable name made of an article's type (or what comes nearest to one) and size."""
    if kind and category and set(_WORD.findall(kind)) <= VAGUE:
        kind = f"{category}: {kind}"
    words = _presentable(kind or category or f"{department} article")
    if not size or (department == "PRODUCE" and not size.endswith("OZ")):
        # Fruit and vegetables have the size of the case that they came in, not of what is bought.
        return words
    return f"{words} {shown}" if (shown := _shown_size(size)) else words


def _presentable(text: str) -> str:
    """Return shouted shorthand as a phrase: written out, in small letters, its broken-off end removed."""
    if text.count("(") > text.count(")"):
        text = text[: text.rindex("(")]
    text = re.sub(r"\s*:\s*", ": ", text)
    text = re.sub(r"\s*([&+])\s*", r" \1 ", text)
    text = re.sub(r"(?<=[A-Z])\.(?=\s|$)|(?<=[A-Z])\.(?=[A-Z])", " ", text)
    text = _WORD.sub(lambda match: _word(match[0]), text)
    text = re.sub(r"\s+", " ", text).strip(" -/:,&.")
    return text[:1].upper() + text[1:]


def _word(shouted: str) -> str:
    return PROPER.get(shouted) or WORDS.get(shouted) or shouted.lower()


def _shown_size(size: str) -> str | None:
    """Return the amounts in `size` in small letters, None where there is none."""
    found = [(number.strip(), unit) for number, unit in _SIZE.findall(size) if number.strip(" ./,")]
    return " ".join(f"{number} {UNITS.get(unit, unit.lower())}" for number, unit in found) or None

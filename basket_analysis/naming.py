"""A theme's name in words, made from its best-tied items."""

import re
from collections.abc import Sequence

NAMED_ITEMS = 2

SHORTHAND = {
    "bev": "beverages",
    "bkd": "baked",
    "brkfst": "breakfast",
    "btr": "butter",
    "choc": "chocolate",
    "cleang": "cleaning",
    "condmnts": "condiments",
    "crystl": "crystal",
    "dnr": "dinner",
    "drnk": "drink",
    "drsng": "dressing",
    "fd": "food",
    "flvrd": "flavoured",
    "frsh": "fresh",
    "frzn": "frozen",
    "grn": "green",
    "mxs": "mixes",
    "nds": "needs",
    "pkg": "packaged",
    "pkld": "pickled",
    "pnt": "peanut",
    "prod": "products",
    "pwdr": "powder",
    "refrgratd": "refrigerated",
    "sald": "salad",
    "sherbts": "sherbets",
    "sndwch": "sandwich",
    "sprd": "spread",
    "sweetners": "sweeteners",
    "tiss": "tissues",
    "veg": "vegetables",
    "whlsm": "wholesome",
    "wtr": "water",
}
"""What article masters squeeze into too few letters, written out."""


def name_theme(items: Sequence[str]) -> str:
    """
    Return a name such as "Cheeses & deli meats" for a theme whose items go from the best tied down.

    Items that say no more than an earlier one are passed over. The words are the chain's own and
    only made presentable, so a name reads the same in every language of the screens.
    """
    chosen: list[str] = []
    for item in items:
        words = tidy(item)
        if words and not any(_says(words, said) for said in chosen):
            chosen.append(words)
        if len(chosen) == NAMED_ITEMS:
            break
    name = (", " if any("&" in words for words in chosen) else " & ").join(chosen)
    return name[:1].upper() + name[1:]


def tidy(item: str) -> str:
    """
    Return an item's words as a person says them: "FRZN MEAT/MEAT DINNERS" becomes "frozen meat".

    Capitals are lowered unless the item mixes cases itself, shorthand is written out, and what
    follows a slash, a dash between spaces, a colon, a comma or a bracket is a refinement that a
    name does without.
    """
    stem = re.split(r"/|\s[-\u2013]\s|[:(\[,;]", item.strip(), maxsplit=1)[0]
    words = (stem.lower() if stem.isupper() else stem).split()
    return " ".join(SHORTHAND.get(word, word) for word in words)


def _says(words: str, said: str) -> bool:
    """Return whether `words` has no word that `said` has not."""
    return set(re.findall(r"\w+", words.lower())) <= set(re.findall(r"\w+", said.lower()))

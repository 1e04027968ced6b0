"""A theme's name in words, made from its best-tied items."""

import re
from collections.abc import Sequence

from core.i18n import LANGUAGES, translations

NAMED_ITEMS = 2
MOST_ITEMS = 4
"""So many items name a theme at most, where fewer would leave two themes with one name."""
MOST_WORDS = 4
"""Of one item."""
LOOKED_AT = 8

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

JOINING = frozenset(
    {
        "&",
        "+",
        "-",
        "and",
        "with",
        "of",
        "for",
        "a",
        "i",
        "s",
        "se",
        "so",
        "z",
        "ze",
        "pro",
        "pre",
        "na",
        "do",
        "dla",
        "oraz",
    }
)
"""Words that a cut name must not end with."""


def choose_names(
    themes: Sequence[Sequence[str]], kept: Sequence[Sequence[str]] = ()
) -> list[tuple[str, ...]]:
    """
    Return for each theme, whose items go from the best tied down, the few items that it is named after.

    A theme goes on being named after the items in `kept` (empty where there are none) as long as all of them are in
    it. No two themes are named alike while their items allow it; those first in order have the first choice.
    """
    chosen: list[tuple[str, ...]] = [()] * len(themes)
    taken: set[frozenset[str]] = set()
    known = {
        number: tuple(items)
        for number, items in enumerate(kept)
        if items and set(items) <= set(themes[number])
    }
    for number in sorted(range(len(themes)), key=lambda number: (number not in known, number)):
        items = known.get(number, ())
        if not items or _said_by(items) in taken:
            items = _name(themes[number], taken)
        chosen[number] = items
        taken.add(_said_by(items))
    return chosen


def _name(items: Sequence[str], taken: set[frozenset[str]]) -> tuple[str, ...]:
    """Return the best-tied items that say something each; others, then more of them, where a name is taken."""
    telling: list[str] = []
    for item in items:
        words = tidy(item)
        if words and not any(_says(words, tidy(said)) for said in telling):
            telling.append(item)
        if len(telling) == LOOKED_AT:
            break
    wishes = [telling[:NAMED_ITEMS]]
    wishes += [[telling[0], other] for other in telling[NAMED_ITEMS:]]
    wishes += [telling[:length] for length in range(NAMED_ITEMS + 1, MOST_ITEMS + 1)]
    return tuple(next((wish for wish in wishes if _said_by(wish) not in taken), wishes[0]))


def _said_by(items: Sequence[str]) -> frozenset[str]:
    return frozenset(tidy(item).lower() for item in items)


def name_theme(items: Sequence[str], language: str = "en") -> str:
    """
    Return a name such as "Cheeses & deli meats" for a theme that is named after `items`, in `language`.

    The words of the items are the chain's own and only made presentable; what joins them is the language's.
    """
    words = [tidy(item) for item in items]
    words = [word for word in words if word]
    if not words:
        return ""
    name = _joined(words, language)
    return name[:1].upper() + name[1:]


def _joined(words: Sequence[str], language: str) -> str:
    if len(words) == 1:
        return words[0]
    if any("&" in word for word in words):
        return ", ".join(words)
    pattern = translations(language).pgettext("name of a shopper group", "%(first)s & %(last)s")
    return pattern % {"first": ", ".join(words[:-1]), "last": words[-1]}


def names_of(items: Sequence[str]) -> dict[str, str]:
    """Return the name of a theme that is named after `items` in each language."""
    return {language: name_theme(items, language) for language in LANGUAGES}


def tidy(item: str) -> str:
    """
    Return an item's words as a person says them: "FRZN MEAT/MEAT DINNERS" becomes "frozen meat".

    Capitals are lowered unless the item mixes cases itself, shorthand is written out, and what
    follows a slash, a dash between spaces, a colon, a comma or a bracket is a refinement that a
    name does without.
    """
    stem = re.split(r"/|\s[-\u2013]\s|[:(\[,;]", item.strip(), maxsplit=1)[0]
    words = [SHORTHAND.get(word, word) for word in (stem.lower() if stem.isupper() else stem).split()]
    words = words[:MOST_WORDS]
    while words and words[-1].lower() in JOINING:
        words.pop()
    return " ".join(words)


def _says(words: str, said: str) -> bool:
    """Return whether `words` has no word that `said` has not."""
    return set(re.findall(r"\w+", words.lower())) <= set(re.findall(r"\w+", said.lower()))

"""What pages can be about: occasions to shop for, each with the kinds of things that belong to it."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from core.i18n import translations

FEWEST_KINDS = 2
"""An occasion is told by so many different kinds of things at least; one kind alone says its own name."""
BELONGING = 0.65
"""Of what stands on a page, so much belongs to the occasion in its headline at least."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something to shop for; `kinds` are keys of motifs, the most telling first."""

    key: str
    kinds: tuple[str, ...]
    ranks: Mapping[str, int] = field(init=False, repr=False, compare=False)
    """How telling each kind is, 0 the most: pages ask for it thousands of times."""

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "ranks", {kind: rank for rank, kind in reversed(list(enumerate(self.kinds)))}
        )


OCCASIONS: tuple[Occasion, ...] = (
    Occasion("baking", ("flour", "sugar", "eggs", "butter", "margarine", "dough", "nuts", "cocoa", "pies", "jam")),
    Occasion(
        "breakfast",
        ("cereal", "oatmeal", "pancakes", "bagels", "rolls", "bread", "jam", "honey", "butter", "yogurt", "milk",
         "eggs", "bacon", "juice", "margarine", "coffee"),
    ),
    Occasion("pasta", ("pasta", "pasta-sauce", "cheese", "tomatoes", "garlic", "herbs", "oil", "olives", "pasta-dishes")),
    Occasion(
        "salad",
        ("salads", "cucumbers", "peppers", "tomatoes", "courgettes", "cabbage", "onions", "avocado", "olives", "broccoli", "carrots",
         "mushrooms", "corn", "herbs", "sauces", "oil"),
    ),
    Occasion(
        "fruit",
        ("apples", "pears", "oranges", "lemons", "bananas", "berries", "blueberries", "grapes", "melons", "peaches",
         "cherries", "pineapple", "mango", "kiwi", "fruit", "coconut"),
    ),
    Occasion(
        "lunch",
        ("beef", "pork", "poultry", "potatoes", "gravy", "frozen-vegetables", "canned-vegetables", "carrots", "sauces",
         "sweet-potatoes", "beans", "corn", "pickles", "rice"),
    ),
    Occasion("grill", ("grill", "burgers", "hot-dogs", "sausages", "beef", "pork", "rolls", "sauces", "corn")),
    Occasion("film", ("crisps", "popcorn", "nuts", "soft-drinks", "crackers", "sweets", "sour-cream", "chocolate")),
    Occasion("coffee", ("coffee", "tea", "cookies", "cakes", "doughnuts", "pies", "chocolate", "cocoa", "coffee-shop")),
    Occasion("box", ("sandwiches", "ham", "cheese", "bread", "crackers", "rolls", "yogurt", "bagels", "fruit", "apples")),
    Occasion("soup", ("soup", "carrots", "onions", "beans", "canned-vegetables", "rice", "garlic", "potatoes", "squash", "herbs")),
    Occasion("quick", ("pizza", "ready-meals", "pasta-dishes", "fries", "frozen-vegetables", "burgers", "prepared", "sandwiches")),
    Occasion("mexican", ("tacos", "chillies", "avocado", "beans", "corn", "peppers", "sour-cream")),
    Occasion("asian", ("oriental", "rice", "sushi", "shrimp", "mushrooms")),
    Occasion("sweet", ("ice-cream", "desserts", "ice-lollies", "chocolate", "sweets", "cakes", "cookies", "pies", "frozen-fruit", "tinned-fruit")),
    Occasion("fish", ("fish", "shrimp", "tinned-fish", "sushi", "lemons", "rice")),
    Occasion("thirst", ("juice", "water", "soft-drinks", "sports-drinks", "energy-drinks", "chocolate-milk", "tea")),
    Occasion(
        "clean",
        ("laundry", "cleaning", "dishwashing", "brooms", "paper-towels", "toilet-paper", "tissues", "air-care", "foil"),
    ),
    Occasion("bath", ("soap", "hair", "toothpaste", "toothbrush", "deodorant", "shaving", "skin-care", "make-up", "nails")),
    Occasion("paws", ("dog", "cat", "cat-litter", "pets")),
    Occasion("garden", ("flowers", "roses", "plants", "garden")),
    Occasion("household", ("kitchen", "tableware", "home", "batteries", "lighting", "tools", "foil", "stationery", "appliances")),
)  # fmt: skip
PARTS: tuple[Occasion, ...] = (
    Occasion(
        "market",
        ("apples", "pears", "oranges", "lemons", "bananas", "berries", "blueberries", "grapes", "melons", "peaches",
         "cherries", "pineapple", "mango", "kiwi", "fruit", "coconut", "avocado", "tomatoes", "potatoes", "sweet-potatoes",
         "carrots", "corn", "peppers", "chillies", "cucumbers", "broccoli", "cabbage", "courgettes", "squash", "onions", "garlic", "mushrooms",
         "beans", "herbs", "salads"),
    ),
    Occasion(
        "dairy",
        ("milk", "cheese", "yogurt", "butter", "eggs", "sour-cream", "margarine", "chocolate-milk", "desserts"),
    ),
    Occasion("butcher", ("beef", "pork", "poultry", "sausages", "bacon", "ham", "burgers", "hot-dogs")),
    Occasion("bakery", ("bread", "rolls", "bagels", "dough", "doughnuts", "cakes", "pies", "birthday", "cookies")),
    Occasion("deli", ("prepared", "ham", "cheese", "salads", "sandwiches", "sushi", "olives", "poultry", "rolls")),
    Occasion(
        "freezer",
        ("ready-meals", "pizza", "frozen-vegetables", "fries", "ice-cream", "ice-lollies", "frozen-fruit", "ice", "burgers"),
    ),
    Occasion(
        "treats",
        ("chocolate", "sweets", "cookies", "crisps", "popcorn", "nuts", "crackers", "cakes", "gum", "doughnuts", "desserts",
         "soft-drinks", "ice-cream", "ice-lollies"),
    ),
    Occasion(
        "pantry",
        ("flour", "sugar", "rice", "pasta", "pasta-sauce", "pasta-dishes", "sauces", "oil", "spices", "salt", "gravy", "soup",
         "canned-vegetables", "tinned-fruit", "tinned-fish", "pickles", "olives", "jam", "honey", "cereal", "oatmeal",
         "tacos", "oriental", "cocoa", "coffee", "tea", "nuts", "crackers", "cookies", "pancakes"),
    ),
    Occasion(
        "home",
        ("laundry", "cleaning", "dishwashing", "brooms", "paper-towels", "toilet-paper", "tissues", "air-care", "foil",
         "tableware", "kitchen", "home", "batteries", "lighting", "tools", "stationery", "appliances", "dog", "cat",
         "cat-litter", "pets", "soap"),
    ),
)  # fmt: skip
"""The parts of a shop: what a page is from where it is for nothing in particular."""


def occasion_of(kinds: Sequence[str], *, used: Collection[str] = ()) -> Occasion | None:
    """
    Return the occasion that things of `kinds` (one per thing) are for; None when there is none.

    Enough of them must belong to it, and to different kinds; of several, the one that more belong to,
    then the one that they tell more of. Occasions whose keys are `used` are left out.
    """
    return _told_by(kinds, OCCASIONS, used)


def part_of(kinds: Sequence[str], *, used: Collection[str] = ()) -> Occasion | None:
    """Return the part of a shop that things of `kinds` come from, by the rules of `occasion_of`."""
    return _told_by(kinds, PARTS, used)


def _told_by(kinds: Sequence[str], among: Sequence[Occasion], used: Collection[str]) -> Occasion | None:
    best: tuple[tuple[int, int, int], Occasion] | None = None
    counted = Counter(kinds)
    least = BELONGING * len(kinds)
    for occasion in among:
        if occasion.key in used:
            continue
        told = counted.keys() & occasion.ranks.keys()
        if len(told) < FEWEST_KINDS:
            continue
        belonging = sum(counted[kind] for kind in told)
        if belonging < least:
            continue
        rank = (belonging, len(told), -sum(occasion.ranks[kind] for kind in told))
        if best is None or rank > best[0]:
            best = rank, occasion
    return best[1] if best else None


def occasion_words(key: str, language: str) -> str:
    """Return the headline of an occasion or a part of the shop; raises KeyError when there is none of this key."""
    return _words(language)[key]


@lru_cache(maxsize=8)
def _words(language: str) -> dict[str, str]:
    pgettext = translations(language).pgettext
    return {
        "baking": pgettext("occasion", "Everything for Sunday baking"),
        "breakfast": pgettext("occasion", "A good breakfast for all"),
        "pasta": pgettext("occasion", "Everything for pasta night"),
        "salad": pgettext("occasion", "Crisp and fresh from the garden"),
        "fruit": pgettext("occasion", "Fruit for every day"),
        "lunch": pgettext("occasion", "Sunday lunch at home"),
        "grill": pgettext("occasion", "Hot off the grill"),
        "film": pgettext("occasion", "Tonight is film night"),
        "coffee": pgettext("occasion", "Coffee and something sweet"),
        "box": pgettext("occasion", "Good things for the lunch box"),
        "soup": pgettext("occasion", "Everything for a good soup"),
        "quick": pgettext("occasion", "Dinner in ten minutes"),
        "mexican": pgettext("occasion", "A Mexican evening"),
        "asian": pgettext("occasion", "From the Asian kitchen"),
        "sweet": pgettext("occasion", "Something sweet to finish"),
        "fish": pgettext("occasion", "Fish on the table"),
        "thirst": pgettext("occasion", "Something good to drink"),
        "clean": pgettext("occasion", "Everything for a clean home"),
        "bath": pgettext("occasion", "Well cared for"),
        "paws": pgettext("occasion", "For our four-legged friends"),
        "garden": pgettext("occasion", "Flowers for the home"),
        "household": pgettext("occasion", "Useful things for the home"),
        "market": pgettext("occasion", "Fresh from the market"),
        "dairy": pgettext("occasion", "Straight from the dairy"),
        "butcher": pgettext("occasion", "From the butcher"),
        "bakery": pgettext("occasion", "From the baker"),
        "deli": pgettext("occasion", "From the deli counter"),
        "freezer": pgettext("occasion", "Straight from the freezer"),
        "treats": pgettext("occasion", "A little treat"),
        "pantry": pgettext("occasion", "For a full pantry"),
        "home": pgettext("occasion", "For the whole household"),
    }

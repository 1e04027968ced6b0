"""Which past baskets an offer can touch at all, told by the articles in them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rewards.offers import AllOf, AnyOf, Condition, Each, Items, Offer, Select, Value
from rewards.selections import Matcher
from sales.past_baskets import Goods


@dataclass(frozen=True, slots=True)
class Touch:
    """
    Baskets that hold one of `articles`, or, if `unknown`, a line whose article nobody knew.

    With `articles` None every basket may be touched.
    """

    articles: frozenset[int] | None
    unknown: bool


def touch_of(offers: Iterable[Offer], goods: Mapping[int, Goods]) -> Touch:
    """Return which baskets at least one of `offers` can give something on; some of them it will not."""
    selects: list[Select] = []
    for offer in offers:
        needed = _needed(offer)
        if needed is None:
            return Touch(None, unknown=True)
        selects += needed
    matchers = [Matcher(select) for select in dict.fromkeys(selects)]
    return Touch(
        frozenset(
            key for key, one in goods.items() if any(matcher.matches(_values(one)) for matcher in matchers)
        ),
        unknown=any(_unknown_may_match(select) for select in selects),
    )


def _values(article: Goods) -> tuple[str | None, ...]:
    """Return what selections ask of an article, in the order of `KEYS`."""
    return article.sku, article.gtin, article.brand, article.type, article.category, article.department


def _needed(offer: Offer) -> tuple[Select, ...] | None:
    """Return selections of which a basket must match one, None where any basket will do."""
    by_condition = _of_condition(offer.condition)
    if by_condition is None and offer.benefit.select is not None:
        return (offer.benefit.select,)
    return by_condition


def _of_condition(condition: Condition) -> tuple[Select, ...] | None:
    match condition:
        case Items(select=select):
            return (select,)
        case Value(select=select, amount=amount) if amount > 0:
            return (select,)
        case Each(of=parts):
            return (parts[0].select,)
        case AllOf(of=of):
            return next((found for part in of if (found := _of_condition(part)) is not None), None)
        case AnyOf(of=of):
            return _of_any(of)
    return None


def _of_any(of: Iterable[Condition]) -> tuple[Select, ...] | None:
    together: tuple[Select, ...] = ()
    for part in of:
        of_part = _of_condition(part)
        if of_part is None:
            return None
        together += of_part
    return together


def _unknown_may_match(select: Select) -> bool:
    return not (select.categories or select.types or select.departments or select.brands)

"""Selections at work: which articles one matches, and by which of its keys it is found. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from rewards.offers import AllOf, AnyOf, Condition, Each, Items, Offer, Select, Value

KEYS = ("skus", "gtins", "brands", "types", "categories", "departments")
"""The keys of a selection, the one that sorts out most first."""

Article = tuple[str | None, str | None, str | None, str | None, str | None, str | None, bool]
"""What of a line offers look at: sku, gtin, category, type, department, brand, known."""


def main_key(select: Select) -> str | None:
    """Return the key by which a selection is found, None when it may match anything."""
    return next((key for key in KEYS if getattr(select, key)), None)


def _gtin(digits: str) -> str:
    """Return a GTIN as fourteen digits: the same article, however many zeros were written."""
    return digits.zfill(14)


def indexed(key: str, value: str) -> str:
    """Return a value of a key as articles have it."""
    return _gtin(value) if key == "gtins" else value


def used_keys(selects: Iterable[Select]) -> list[tuple[int, frozenset[str]]]:
    """Return the places among `KEYS` of the keys that any of `selects` has values of, with these values as articles have them."""
    asked: dict[str, set[str]] = {key: set() for key in KEYS}
    for select in selects:
        inner: Select | None = select
        while inner is not None:
            for key, values in asked.items():
                values.update(indexed(key, value) for value in getattr(inner, key))
            inner = inner.excluded
    return [(place, frozenset(asked[key])) for place, key in enumerate(KEYS) if asked[key]]


class Matcher:
    """A selection made ready: for each key with values its place among `KEYS` and the values as a set."""

    __slots__ = ("excluded", "wanted")

    def __init__(self, select: Select) -> None:
        self.wanted = [
            (place, frozenset(map(_gtin, values)) if key == "gtins" else frozenset(values))
            for place, key in enumerate(KEYS)
            if (values := getattr(select, key))
        ]
        self.excluded = None if select.excluded is None else Matcher(select.excluded)

    def matches(self, values: Sequence[str | None]) -> bool:
        """Return whether an article, its values in the order of `KEYS`, is among what is meant."""
        return all(values[place] in wanted for place, wanted in self.wanted) and not (
            self.excluded is not None and self.excluded.matches(values)
        )


def values_of(article: Article) -> tuple[str | None, ...]:
    """Return what matchers look at, in the order of `KEYS`; of an unknown article that is sku and gtin."""
    sku, gtin, category, kind, department, brand, known = article
    return (
        sku,
        _gtin(gtin) if gtin else None,
        brand if known else None,
        kind if known else None,
        category if known else None,
        department if known else None,
    )


def selections_in(offer: Offer) -> Iterator[Select]:
    """Yield the selections whose articles an offer speaks of; not those that must not be there."""
    yield from _selections(offer.condition)
    if offer.benefit.select is not None:
        yield offer.benefit.select


def _selections(condition: Condition) -> Iterator[Select]:
    match condition:
        case Items() | Value():
            yield condition.select
        case Each():
            yield from (part.select for part in condition.of)
        case AllOf() | AnyOf():
            for part in condition.of:
                yield from _selections(part)

"""Columns in which much repeats: a place among distinct values for each row, so that each value is looked at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, eq=False)
class Coded(Generic[T]):
    """A column; `places` are of rows, and -1 where there is no value."""

    distinct: Sequence[T]
    places: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.places)

    def of_each(self, look: Callable[[T], U]) -> "Coded[U]":
        """Return the column of what `look` says of each distinct value."""
        return Coded([look(value) for value in self.distinct], self.places)

    def mapped(self, look: Callable[[T], U | None]) -> "Coded[U]":
        """Return the same, in which what `look` says of several values is one, and None is no value."""
        looked = coded([look(value) for value in self.distinct])
        return Coded(looked.distinct, np.append(looked.places, -1)[self.places])

    def where(self, kept: NDArray[Any]) -> "Coded[T]":
        """Return the rows for which `kept` is true, or whose numbers it holds."""
        return Coded(self.distinct, self.places[kept])

    def unless(self, none: NDArray[np.bool_]) -> "Coded[T]":
        """Return the column without the values of the rows for which `none` is true."""
        return Coded(self.distinct, np.where(none, -1, self.places))

    def used(self) -> list[T]:
        """Return the distinct values that any row has."""
        return [self.distinct[place] for place in np.unique(self.places[self.places >= 0]).tolist()]

    def values(self) -> list[T | None]:
        """Return the value of each row; equal ones are one object."""
        # The last one stands for none, which the place -1 finds.
        every = np.empty(len(self.distinct) + 1, object)
        every[:-1] = _as_objects(self.distinct)
        every[-1] = None
        found: list[T | None] = every[self.places].tolist()
        return found

    def numbers(self, kind: Any = np.int64) -> NDArray[Any]:
        """Return the value of each row of a column of numbers in which no row is without."""
        return np.array(self.distinct, kind)[self.places] if len(self.distinct) else np.zeros(0, kind)

    def as_arrow(self, kind: pa.DataType | None = None) -> pa.Array:
        """Return the column as arrow's, null where there is no value."""
        distinct = pa.array(self.distinct, kind)
        return distinct.take(pa.array(self.places, mask=self.places < 0))


def coded(values: Sequence[T | None]) -> Coded[T]:
    """Return the column of `values`, None being no value."""
    known: dict[T, int] = {}
    places = [-1 if value is None else known.setdefault(value, len(known)) for value in values]
    return Coded(list(known), np.array(places, np.int64))


def coded_texts(column: pa.Array) -> Coded[str]:
    """Return a column of arrow's texts; an empty text is none."""
    encoded = column.dictionary_encode()
    distinct: list[str] = encoded.dictionary.to_pylist()
    places = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    if "" in distinct:
        places = np.where(places == distinct.index(""), -1, places)
    return Coded(distinct, places)


def _as_objects(values: Sequence[Any]) -> NDArray[Any]:
    objects = np.empty(len(values), object)
    for place, value in enumerate(values):
        objects[place] = value
    return objects

"""Records that never change, made as often as a till's basket has lines."""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """
    Return `cls` as a dataclass with slots, equal and hashed by its fields, that nothing may assign to.

    That is for the type checker to hold, as for every other promise that types make: a dataclass that holds it
    itself (`frozen=True`) sets each field by a call of its own, and takes three times as long to make.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)

"""The few hot loops of basket analysis, compiled to machine code at their first call and not before."""

from collections.abc import Callable
from functools import cached_property, update_wrapper
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


class compiled(Generic[P, R]):  # noqa: N801 - a decorator reads as one
    """
    A function that numba compiles when it is first called: without the interpreter lock, cached on disk.

    numba takes a second to import, which only those who mine should pay. Kernels may call
    other kernels of their own module.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self.function = cast("FunctionType", function)
        update_wrapper(self, function)

    @cached_property
    def kernel(self) -> Callable[P, R]:
        """The function in machine code."""
        import numba  # noqa: PLC0415 - the lazy import is the purpose of this module

        clone = FunctionType(
            self.function.__code__, self._names(), self.function.__name__, self.function.__defaults__
        )
        clone.__module__ = self.function.__module__
        clone.__qualname__ = self.function.__qualname__
        try:
            return cast("Callable[P, R]", numba.njit(nogil=True, cache=True)(clone))
        except RuntimeError:  # nowhere to keep a cache: a read-only installation without a home folder
            return cast("Callable[P, R]", numba.njit(nogil=True)(clone))

    def _names(self) -> dict[str, Any]:
        """Return the module's names with the kernels that this one calls in machine code."""
        names = dict(self.function.__globals__)
        for name in self.function.__code__.co_names:
            if isinstance(names.get(name), compiled) and names[name] is not self:
                names[name] = names[name].kernel
        return names

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the compiled function."""
        return self.kernel(*args, **kwargs)

"""`@gen.function`: a Python function whose body is read, never executed.

In: a function. Out: a `Function`, which `gen.source`, `gen.load`, `gen.module` and
`gen.write` take in place of a name and an expression, and which other such functions may
call. Calling it evaluates what is emitted of it for numpy.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar, cast

from gen.errors import GenError
from gen.frontend.written import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FunctionType

    from gen.verify.gradcheck import DifferentiableFunction


P = ParamSpec("P")
R = TypeVar("R")


class Function(Written, Generic[P, R]):
    """A decorated function."""

    def __init__(self, function: FunctionType, options: Mapping[str, object]) -> None:
        super().__init__(function, options)
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The value, from the emitted module for numpy."""
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        bound.apply_defaults()
        return cast("R", self.loaded.apply(*bound.args))

    @functools.cached_property
    def loaded(self) -> type[DifferentiableFunction]:
        """The class that is emitted for numpy."""
        import gen

        return gen.load(self)

    def __repr__(self) -> str:
        return f"<gen.function {self.label}>"


def decorated(function: Callable[P, R], options: Mapping[str, object]) -> Function[P, R]:
    """The decorated function."""
    if not inspect.isfunction(function) or function.__name__ == "<lambda>":
        raise GenError(f"gen.function decorates a function written with def, given {function!r}")
    return Function(function, options)

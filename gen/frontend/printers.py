"""SymPy functions of the user's own: a `Function` subclass becomes a `Primitive`.

In: classes with the paths that backends call, as in {MyFunction: {"numpy": "mylib.f"}}.
Out: primitives whose derivatives are the classes' own `fdiff`, asked once for each
argument and written in the language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from gen.errors import GenError
from gen.frontend.conversion import Conversion
from gen.frontend.library import LANGUAGE_FUNCTIONS
from gen.frontend.primitives import primitives
from gen.graph.graph import Builder
from gen.graph.language import express

if TYPE_CHECKING:
    import sympy

    from gen.model import Primitive

    # What the user's classes are called in text.
    Own: TypeAlias = Mapping[type[sympy.Basic], str]

# The characters of a derivative, which is one expression.
_LONGEST = 10_000


def own_names(printers: object) -> Own:
    """What the user's classes are called: as they are, no two alike."""
    import sympy

    if not isinstance(printers, Mapping):
        raise GenError(
            "printers takes paths by class, as in {MyFunction: {'numpy': 'mylib.ops.f'}}, "
            f"given {printers!r}"
        )
    names: dict[type[sympy.Basic], str] = {}
    for one in printers:
        if not isinstance(one, type) or not issubclass(one, sympy.Function):
            raise GenError(f"printers takes subclasses of sympy.Function, given {one!r}")
        name = one.__name__
        while name in LANGUAGE_FUNCTIONS or name in names.values():
            name += "_"
        names[one] = name
    return names


def of_classes(
    printers: Mapping[type[sympy.Basic], Mapping[str, str]], names: Own, met: Mapping[str, int]
) -> tuple[Primitive, ...]:
    """The primitives of the classes that were met, and of those in their derivatives.

    Args:
        printers: the paths of each class, by backend.
        names: what the classes are called.
        met: the classes that an expression contains, with the number of their arguments.
    """
    tables: dict[str, object] = {}
    classes = {name: one for one, name in names.items()}
    pending = dict(met)
    while pending:
        name, count = pending.popitem()
        one = classes[name]
        args = ["x"] if count == 1 else [f"x{place + 1}" for place in range(count)]
        conversion = Conversion(Builder(), own=names)
        derivatives = [_derivative(one, args, place, conversion) for place in range(count)]
        tables[name] = {"args": args, "derivatives": derivatives, **_paths(printers[one], name)}
        pending |= {new: number for new, number in conversion.met.items() if new not in tables}
    return primitives(tables)


def _paths(paths: object, name: str) -> Mapping[str, str]:
    if not isinstance(paths, Mapping):
        raise GenError(f"printers of {name} are paths by backend, given {paths!r}")
    return paths


def _derivative(
    one: type[sympy.Basic], args: list[str], place: int, conversion: Conversion
) -> str | None:
    """The derivative in one argument; None where the class knows none."""
    import sympy
    from sympy.core.function import ArgumentIndexError

    function = one(*map(sympy.Symbol, args), evaluate=False)
    try:
        found = sympy.Integer(0) + function.fdiff(place + 1)  # a plain number becomes SymPy's
    except (ArgumentIndexError, NotImplementedError):
        return None
    if found.has(sympy.Derivative, sympy.Subs):
        return None
    term = conversion.convert(found)
    text = express(conversion.builder.freeze(), term.id, _LONGEST)
    if text is None:
        raise GenError(f"the derivative of {one.__name__} has more than {_LONGEST} characters")
    return text

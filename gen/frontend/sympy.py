"""SymPy and the graph: expressions from there, and derivatives that it knows.

In: a `sympy.Expr`, or a function of the table whose derivative is not written by hand.
Out: the expression in the language, or a partial derivative as a term. The conversion
uses a stack of its own, visits a shared subexpression once, and asks SymPy for nothing
that walks a tree: neither depth nor size makes it fail, and time grows with the size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from gen.errors import GenError
from gen.frontend.conversion import Conversion
from gen.frontend.options import request as make_request
from gen.graph.graph import CONSTANT, Builder
from gen.graph.language import express_shortest
from gen.graph.operations import OPERATIONS
from gen.model import MAX_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    import sympy

    from gen.graph.algebra import Term
    from gen.model import Request


def request(name: str, expr: sympy.Expr, options: Mapping[str, object]) -> Request:
    """The request of a function given as a `sympy.Expr`."""
    from gen.frontend.printers import of_classes, own_names

    options = dict(options)
    printers = options.pop("printers", {})
    own = own_names(printers)
    # Names that options declare are inputs too; no statement may define one.
    declared = re.findall(r"\w+", str(list(options.values())))
    conversion = Conversion(Builder(), own=own)
    written, names = _written(expr, declared, conversion)
    if {"pi", "E"}.intersection(names) and not options.get("args"):
        # In text these two are constants, unless they are declared.
        places = {
            word: place for place, word in reversed([*enumerate(re.findall(r"\w+", written))])
        }
        options = {**options, "args": sorted(names, key=lambda one: places.get(one, 0))}
    made = make_request(name, written, options)
    if not conversion.met:
        return made
    assert isinstance(printers, Mapping)
    return replace(made, primitives=of_classes(printers, own, conversion.met))


def to_text(expr: sympy.Expr) -> str:
    """The expression of a `sympy.Expr` in the language.

    One expression where that is short; else statements that name what is shared.

    Raises:
        GenError: where it contains something that the language does not have.
    """
    return _written(expr, (), Conversion(Builder()))[0]


def _written(
    expr: sympy.Expr, declared: Iterable[str], conversion: Conversion
) -> tuple[str, tuple[str, ...]]:
    """The text of an expression, and the names of its inputs."""
    import sympy

    if not isinstance(expr, sympy.Expr):
        raise GenError(f"SymPy's {type(expr).__name__} is no expression of one value")
    builder = conversion.builder
    term = conversion.convert(expr)
    names = tuple(conversion.inputs)
    for node in builder.nodes:
        if node.op == CONSTANT and node.payload in names:
            raise GenError(
                f"the symbol {node.payload!r} is an input, and the number of that name is in the "
                "expression too; rename the symbol"
            )
    written = express_shortest(builder.freeze(), term.id, {*names, *declared})
    if len(written) > MAX_CHARACTERS:
        raise GenError(f"the expression has more than {MAX_CHARACTERS} characters written out")
    return written, names


def partial(op: str, args: tuple[Term, ...], index: int) -> Term:
    """The partial derivative of a function in one argument, from SymPy's `fdiff`."""
    import sympy
    from sympy.core.function import ArgumentIndexError

    row = OPERATIONS[op]
    dummies = sympy.symbols(f"a:{len(args)}", cls=sympy.Dummy)
    function = getattr(sympy, row.sympy)(*dummies)
    try:
        derivative = function.fdiff(index + 1)
    except (ArgumentIndexError, NotImplementedError):
        derivative = None
    if derivative is None or derivative.has(sympy.Derivative, sympy.Subs):
        raise GenError(f"the derivative of {op} in its argument {index + 1} is not known")
    known = dict(zip(dummies, args, strict=True))
    return Conversion(args[0].builder).convert(derivative, known)

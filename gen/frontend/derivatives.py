"""Derivatives that the table of operations does not write by hand.

In: an operation, its operands and the place of one. Out: the partial derivative, from SymPy's
`fdiff`, or from what the user says of a function of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.errors import DefinitionError, ExpressionError, GenError
from gen.frontend.library import Library
from gen.frontend.reader import Reader
from gen.frontend.source import Source
from gen.frontend.sympy import partial
from gen.frontend.syntax import parse
from gen.frontend.views import Space, View
from gen.graph.graph import CUSTOM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gen.graph.algebra import Term
    from gen.model import Primitive


def rules(known: Iterable[Primitive]) -> Callable[[str, tuple[Term, ...], int], Term]:
    """How an operation without a rule in the table is differentiated in one operand."""
    by_name = {f"{CUSTOM} {one.name}": one for one in known}

    def derive(op: str, args: tuple[Term, ...], index: int) -> Term:
        if op in by_name:
            return _own(by_name[op], args, index, {one.name: one for one in by_name.values()})
        return partial(op, args, index)

    return derive


def _own(
    primitive: Primitive, args: tuple[Term, ...], index: int, known: dict[str, Primitive]
) -> Term:
    """The derivative of a function of the user's own, its expression read."""
    text, parameter = primitive.derivatives[index], primitive.parameters[index]
    if text is None:
        raise GenError(
            f"{primitive.name} has no derivative in {parameter}; "
            "what stands there must be a constant, as declared by --const"
        )
    source = Source(text)
    variables = {name: View(arg) for name, arg in zip(primitive.parameters, args, strict=True)}
    reader = Reader(Space(args[0].builder), source, Library({}, known), variables)
    try:
        reader.run(parse(source))
    except ExpressionError as fault:
        raise DefinitionError(f"the derivative of {primitive.name} in {parameter}", fault) from None
    return reader.values[0].term

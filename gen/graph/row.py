"""What the table of operations says about each.

A row gives its derivative as partials in terms of the operands and of the output `y`,
whichever is cheaper; a row without partials takes them from the `fdiff` of the SymPy
function of that name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from gen.graph.algebra import Term

# Called with the operands and then the output; one partial for each operand, None where
# no rule is known.
Partials: TypeAlias = Callable[..., tuple[Term | None, ...]]
# Called with the output's cotangent, the operands and the output; one cotangent for each
# operand, None where the operand has no derivative.
Pullback: TypeAlias = Callable[..., tuple[Term | None, ...]]

# Costs in additions, as measured for large arrays.
ADD, DIVIDE, ROOT, FUNCTION, SPECIAL, MATRIX = 1, 5, 6, 20, 80, 200


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table."""

    name: str
    arity: int
    cost: int
    partials: Partials | None = None  # the derivative of an elementwise operation
    pullback: Pullback | None = None  # instead of partials: the whole rule at once
    spellings: tuple[str, ...] = ()  # names in an expression; none: written with operators
    mpmath: str = ""  # its name in mpmath, where that is not `name`
    sympy: str = ""  # its class in SymPy, for expressions from there and for fdiff

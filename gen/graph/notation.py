"""Terms as mathematics writes them: exp(x), sqrt(pi), one half.

In: terms. Out: the term of an operation on them. Derivatives and definitions are written so.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from gen.graph.algebra import Term, call, constant
from gen.graph.conditions import compare, select

if TYPE_CHECKING:
    from collections.abc import Callable

HALF = Fraction(1, 2)


def named(name: str) -> Callable[..., Term]:
    return lambda *args: call(name, *args)


exp, log, sqrt, floor, sign = map(named, ("exp", "log", "sqrt", "floor", "sign"))
sin, cos, sinh, cosh, tanh = map(named, ("sin", "cos", "sinh", "cosh", "tanh"))
asin, acos, atan, asinh, acosh, atanh = map(
    named, ("asin", "acos", "atan", "asinh", "acosh", "atanh")
)
sigmoid, softplus, digamma, polygamma = map(named, ("sigmoid", "softplus", "digamma", "polygamma"))
erf, maximum, minimum, clamp = map(named, ("erf", "maximum", "minimum", "clamp"))


def pi(like: Term) -> Term:
    return constant(like.builder, "pi")


def nonzero(x: Term) -> Term:
    """x, with 1 in place of 0: a divisor for quotients whose numerator is 0 there."""
    return select(compare("eq", x, x.like(0)), x.like(1), x)

"""What an expression may call: operations by their spellings, and definitions.

In: the table of operations. Out: `FUNCTIONS`, by name. `DEFINITIONS` are functions that
stand for an expression in operations; they are expanded where they are called.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from gen.graph.algebra import Term, call
from gen.graph.conditions import both, compare, either, negated, select
from gen.graph.harmonics import HARMONICS
from gen.graph.notation import (
    HALF,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    clamp,
    cos,
    erf,
    floor,
    log,
    maximum,
    named,
    nonzero,
    pi,
    polygamma,
    sigmoid,
    sin,
    softplus,
    sqrt,
    tanh,
)
from gen.graph.operations import OPERATIONS
from gen.graph.polynomials import POLYNOMIALS
from gen.graph.products import div, mul

if TYPE_CHECKING:
    from collections.abc import Callable

MANY = 1_000_000


@dataclass(frozen=True, slots=True)
class Function:
    """What an expression may call: how many arguments, and the term it stands for."""

    fewest: int
    most: int
    build: Callable[..., Term]
    orders: int = 0  # how many of the first arguments are whole numbers, written out


def _fold(name: str) -> Callable[..., Term]:
    """A function of any number of arguments from an operation on two."""

    def build(first: Term, *rest: Term) -> Term:
        for term in rest:
            first = call(name, first, term)
        return first

    return build


def _all(*conditions: Term) -> Term:
    first, *rest = conditions
    for condition in rest:
        first = both(first, condition)
    return first


def _any(*conditions: Term) -> Term:
    first, *rest = conditions
    for condition in rest:
        first = either(first, condition)
    return first


def _comparison(op: str) -> Function:
    return Function(2, 2, lambda a, b: compare(op, a, b))


def _log(x: Term, base: Term | None = None) -> Term:
    return log(x) if base is None else log(x) / log(base)


def _heaviside(x: Term, at_zero: Term | None = None) -> Term:
    return call("heaviside", x, x.like(HALF) if at_zero is None else at_zero)


def _sinc(x: Term) -> Term:
    """sin(x)/x, SymPy's convention; 1 at 0."""
    return select(compare("eq", x, x.like(0)), x.like(1), sin(nonzero(x)) / nonzero(x))


def _elu(x: Term, alpha: Term | None = None) -> Term:
    # expm1 is evaluated at 0 where x is taken, so that it cannot overflow there.
    tail = call("expm1", select(x > 0, x.like(0), x))
    return select(x > 0, x, tail if alpha is None else alpha * tail)


def _leaky_relu(x: Term, slope: Term | None = None) -> Term:
    return select(x > 0, x, (x.like(Fraction(1, 100)) if slope is None else slope) * x)


def _hard_sigmoid(x: Term) -> Term:
    return clamp(x + 3, x.like(0), x.like(6)) / 6


# Functions that stand for an expression: spellings, arguments, the expression.
DEFINITIONS: tuple[tuple[tuple[str, ...], Function], ...] = (
    (("log", "ln"), Function(1, 2, _log)),
    (("pow", "Pow", "power"), Function(2, 2, lambda x, y: x**y)),
    (("square",), Function(1, 1, lambda x: x**2)),
    (("reciprocal",), Function(1, 1, lambda x: 1 / x)),
    (("rsqrt",), Function(1, 1, lambda x: 1 / sqrt(x))),
    (("root",), Function(2, 2, lambda x, n: x ** (1 / n))),
    (("multiply",), Function(2, 2, mul)),
    (("divide",), Function(2, 2, div)),
    (("Max", "max", "maximum", "fmax"), Function(1, MANY, _fold("maximum"))),
    (("Min", "min", "minimum", "fmin"), Function(1, MANY, _fold("minimum"))),
    (("Heaviside", "heaviside"), Function(1, 2, _heaviside)),
    (("where", "ITE", "select"), Function(3, 3, select)),
    (("And", "logical_and"), Function(1, MANY, _all)),
    (("Or", "logical_or"), Function(1, MANY, _any)),
    (("Not", "logical_not"), Function(1, 1, negated)),
    (("Eq", "equal"), _comparison("eq")),
    (("Ne", "not_equal"), _comparison("ne")),
    (("Lt", "less"), _comparison("lt")),
    (("Le", "less_equal"), _comparison("le")),
    (("Gt", "greater"), _comparison("gt")),
    (("Ge", "greater_equal"), _comparison("ge")),
    (("cot",), Function(1, 1, lambda x: 1 / call("tan", x))),
    (("sec",), Function(1, 1, lambda x: 1 / cos(x))),
    (("csc",), Function(1, 1, lambda x: 1 / sin(x))),
    (("acot", "arccot"), Function(1, 1, lambda x: atan(1 / x))),
    (("asec", "arcsec"), Function(1, 1, lambda x: acos(1 / x))),
    (("acsc", "arccsc"), Function(1, 1, lambda x: asin(1 / x))),
    (("coth",), Function(1, 1, lambda x: 1 / tanh(x))),
    (("acoth", "arccoth"), Function(1, 1, lambda x: atanh(1 / x))),
    (("asech", "arcsech"), Function(1, 1, lambda x: acosh(1 / x))),
    (("acsch", "arccsch"), Function(1, 1, lambda x: asinh(1 / x))),
    (("sinc",), Function(1, 1, _sinc)),
    (("radians", "deg2rad"), Function(1, 1, lambda x: pi(x) / 180 * x)),
    (("degrees", "rad2deg"), Function(1, 1, lambda x: 180 / pi(x) * x)),
    (("frac",), Function(1, 1, lambda x: x - floor(x))),
    (("trigamma",), Function(1, 1, lambda x: polygamma(x.like(1), x))),
    (("factorial",), Function(1, 1, lambda x: call("gamma", x + 1))),
    (("logit",), Function(1, 1, lambda x: log(x / (1 - x)))),
    (("relu", "ReLU"), Function(1, 1, lambda x: maximum(x, x.like(0)))),
    (("relu6",), Function(1, 1, lambda x: clamp(x, x.like(0), x.like(6)))),
    (("leaky_relu",), Function(1, 2, _leaky_relu)),
    (("elu",), Function(1, 2, _elu)),
    (("silu", "swish"), Function(1, 1, lambda x: x * sigmoid(x))),
    (("mish",), Function(1, 1, lambda x: x * tanh(softplus(x)))),
    (("gelu",), Function(1, 1, lambda x: x * HALF * (1 + erf(x / sqrt(x.like(2)))))),
    (("softsign",), Function(1, 1, lambda x: x / (1 + call("abs", x)))),
    (("tanhshrink",), Function(1, 1, lambda x: x - tanh(x))),
    (("hardtanh",), Function(1, 1, lambda x: clamp(x, x.like(-1), x.like(1)))),
    (("hardsigmoid",), Function(1, 1, _hard_sigmoid)),
    (("hardswish",), Function(1, 1, lambda x: x * _hard_sigmoid(x))),
    *(
        (names, Function(count, count, build, orders))
        for names, count, orders, build in (*POLYNOMIALS, *HARMONICS)
    ),
)


def _functions() -> dict[str, Function]:
    rows = {
        spelling: Function(row.arity, row.arity, named(row.name))
        for row in OPERATIONS.values()
        for spelling in row.spellings
    }
    rows.update((name, function) for names, function in DEFINITIONS for name in names)
    return rows


FUNCTIONS: dict[str, Function] = _functions()

"""What SymPy's classes stand for, by their names, where the table has no row for them.

In: terms for the arguments. Out: a term. Inputs of the language are real numbers, so that
`re(x)` is x and `conjugate(x)` is x; of anything else these two are refused.
"""

from __future__ import annotations

from math import factorial
from typing import TYPE_CHECKING

from gen.errors import GenError
from gen.graph.algebra import Term, call
from gen.graph.conditions import both, compare, either, negated
from gen.graph.functions import FUNCTIONS, MANY, Function
from gen.graph.graph import BOOLEANS, INPUT
from gen.graph.harmonics import real_harmonic
from gen.graph.notation import HALF, digamma, erf, log, maximum, minimum, pi, polygamma, sqrt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# A product of more factors than these is written with gamma functions.
_MOST_FACTORS = 100


def folded(build: Callable[[Term, Term], Term]) -> Function:
    """A function of any number of arguments from one of two."""

    def all_of(first: Term, *rest: Term) -> Term:
        for term in rest:
            first = build(first, term)
        return first

    return Function(1, MANY, all_of)


# ---- conditions


def _ite(condition: Term, yes: Term, no: Term) -> Term:
    return either(both(condition, yes), both(negated(condition), no))


def _xor(a: Term, b: Term) -> Term:
    return either(both(a, negated(b)), both(negated(a), b))


def _equivalent(first: Term, *rest: Term) -> Term:
    """All true or all false."""
    holds = folded(both).build(first, *rest)
    fails = folded(both).build(*map(negated, (first, *rest)))
    return either(holds, fails)


CONDITIONS: dict[str, Function] = {
    "And": folded(both),
    "Or": folded(either),
    "Xor": folded(_xor),
    "Not": Function(1, 1, negated),
    "Implies": Function(2, 2, lambda a, b: either(negated(a), b)),
    "Equivalent": Function(1, MANY, _equivalent),
    "ITE": Function(3, 3, _ite),
}


def _comparison(op: str) -> Function:
    return Function(2, 2, lambda a, b: compare(op, a, b))


# ---- factorials


def _whole(term: Term) -> int | None:
    value = term.number
    return value.numerator if value is not None and value.denominator == 1 else None


def _factorial(n: Term) -> Term:
    whole = _whole(n)
    if whole is not None and 0 <= whole <= _MOST_FACTORS:
        return n.like(factorial(whole))
    return call("gamma", n + 1)


def _rising(x: Term, k: Term) -> Term:
    """The product x (x + 1) ... (x + k - 1)."""
    count = _whole(k)
    if count is None or not 0 <= count <= _MOST_FACTORS:
        return call("gamma", x + k) / call("gamma", x)
    return _product(x, range(count))


def _falling(x: Term, k: Term) -> Term:
    """The product x (x - 1) ... (x - k + 1)."""
    count = _whole(k)
    if count is None or not 0 <= count <= _MOST_FACTORS:
        return call("gamma", x + 1) / call("gamma", x - k + 1)
    return _product(x, range(0, -count, -1))


def _product(x: Term, shifts: Sequence[int]) -> Term:
    result = x.like(1)
    for shift in shifts:
        result = result * (x + shift)
    return result


def _binomial(n: Term, k: Term) -> Term:
    count = _whole(k)
    if count is not None and count < 0:
        return n.like(0)
    if count is not None and count <= _MOST_FACTORS:
        return _falling(n, k) / factorial(count)
    return _factorial(n) / (_factorial(k) * _factorial(n - k))


# ---- special functions


def _spherical(bessel: str) -> Function:
    """A spherical Bessel function, from the cylindrical one."""
    return Function(2, 2, lambda n, x: sqrt(pi(x) / (2 * x)) * call(bessel, n + HALF, x))


def _polygamma(n: Term, x: Term) -> Term:
    return digamma(x) if n.number == 0 else polygamma(n, x)


def _zonal_harmonic(n: Term, m: Term, theta: Term, phi: Term) -> Term:
    if m.number != 0:
        raise GenError(
            "SymPy's Ynm is complex; the real harmonic is Znm(n, m, theta, phi, evaluate=False)"
        )
    return real_harmonic(n, m, theta, phi)


def _of_real(name: str, build: Callable[[Term], Term]) -> Function:
    def checked(x: Term) -> Term:
        if x.op != INPUT and x.number is None:
            raise GenError(f"SymPy's {name} is read of a plain input alone, which is real")
        return build(x)

    return Function(1, 1, checked)


HEADS: dict[str, Function] = {
    **CONDITIONS,
    "StrictLessThan": _comparison("lt"),
    "LessThan": _comparison("le"),
    "StrictGreaterThan": _comparison("gt"),
    "GreaterThan": _comparison("ge"),
    "Equality": _comparison("eq"),
    "Unequality": _comparison("ne"),
    "Max": folded(maximum),
    "Min": folded(minimum),
    "Add": folded(lambda a, b: a + b),
    "Mul": folded(lambda a, b: a * b),
    "Pow": Function(2, 2, lambda a, b: a**b),
    "UnevaluatedExpr": Function(1, 1, lambda x: x),
    "Sqrt": Function(1, 1, sqrt),
    "Cbrt": Function(1, 1, lambda x: call("cbrt", x)),
    "fma": Function(3, 3, lambda a, b, c: a * b + c),
    "re": _of_real("re", lambda x: x),
    "im": _of_real("im", lambda x: x.like(0)),
    "conjugate": _of_real("conjugate", lambda x: x),
    "factorial": Function(1, 1, _factorial),
    "RisingFactorial": Function(2, 2, _rising),
    "FallingFactorial": Function(2, 2, _falling),
    "binomial": Function(2, 2, _binomial),
    "polygamma": Function(2, 2, _polygamma),
    "erf2": Function(2, 2, lambda a, b: erf(b) - erf(a)),
    "li": Function(1, 1, lambda x: call("Ei", log(x))),
    "jn": _spherical("besselj"),
    "yn": _spherical("bessely"),
    "Ynm": Function(4, 4, _zonal_harmonic),
}

_REAL = "inputs and values are real numbers"
_EVALUATED = "evaluate it first, with .doit()"

# Why some classes are refused, or what to write instead.
HINTS = {
    **dict.fromkeys(("Integral", "Derivative", "Subs", "Limit"), _EVALUATED),
    **dict.fromkeys(("ImaginaryUnit", "arg", "hankel1", "hankel2", "hn1", "hn2"), _REAL),
    **dict.fromkeys(("Infinity", "NegativeInfinity", "NaN"), "numbers are finite"),
    "ComplexInfinity": "numbers are finite",
    "Contains": "write comparisons, such as And(x >= 0, x <= 1)",
    "MatrixElement": "an input is a Symbol",
    "Indexed": "an input is a Symbol",
}


def head(name: str) -> Function | None:
    """What a class of SymPy of this name stands for."""
    return HEADS.get(name) or FUNCTIONS.get(name)


def apply(name: str, operands: Sequence[Term]) -> Term:
    """A class of SymPy, applied to arguments whose number and kind it takes."""
    function = head(name)
    assert function is not None
    if not function.fewest <= len(operands) <= function.most:
        raise GenError(f"SymPy's {name} of {len(operands)} arguments is not part of the language")
    for operand in operands:
        if (operand.op in BOOLEANS) != (name in CONDITIONS):
            what = "a number" if name in CONDITIONS else "a condition"
            raise GenError(f"SymPy's {name} of {what} is not part of the language")
    return function.build(*operands)

"""SymPy's expressions and derivatives."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import sympy
from scipy import special

import gen
from gen.graph.operations import OPERATIONS

x, y = sympy.symbols("x y")

EXPRESSIONS = [
    sympy.Rational(1, 2) * (5 * x**3 - 3 * x),
    sympy.legendre(5, x),
    x * sympy.exp(-y) / (1 + x**2),
    sympy.sqrt(x) + x ** sympy.Rational(-3, 2),
    sympy.Piecewise((x**2, x > 1), (sympy.sin(x), True)),
    sympy.Max(x, y, 1) * sympy.Abs(x - y),
    sympy.atan2(y, x) + sympy.pi * sympy.E,
    sympy.erf(x) + sympy.loggamma(x) + sympy.besselj(2, x),
    sympy.Float(0.1) * x + sympy.GoldenRatio,
    sympy.Heaviside(x - 1) + sympy.sign(y),
    sympy.log(1 + sympy.exp(x * y)),
    sympy.Mod(x, 3) + sympy.floor(y),
    sympy.Piecewise((1, sympy.And(x > 0, sympy.Or(y < 1, sympy.Ne(x, y)))), (y, True)) * x,
]


@pytest.mark.parametrize("expr", EXPRESSIONS, ids=str)
def test_an_expression_from_sympy(expr: sympy.Expr) -> None:
    at = {"x": 1.7, "y": 0.6}
    names = sorted(str(one) for one in expr.free_symbols)
    cls = gen.load("Case", expr, args=names)
    with np.errstate(all="ignore"):
        output, pullback = cls.vjp(*(at[name] for name in names))
        gradients = pullback(1.0)
    exact = {name: sympy.Float(value, 30) for name, value in at.items()}
    expected = float(expr.subs(exact).evalf(30))
    assert float(np.asarray(output)) == pytest.approx(expected, rel=1e-12)
    for name, gradient in zip(names, gradients, strict=True):
        wanted = mpmath.diff(
            lambda value, name=name: mpmath.mpf(expr.subs({**exact, name: value}).evalf(30)),
            at[name],
        )
        assert float(np.asarray(gradient)) == pytest.approx(float(wanted), rel=1e-6, abs=1e-9)


def test_text_and_expr_give_the_same_file() -> None:
    text = gen.source("P3", "x*(2.5*x**2 - 1.5)")
    assert gen.source("P3", x * (sympy.Float(2.5) * x**2 - sympy.Float(1.5))) != ""
    assert gen.source("Sine", sympy.sin(x) + y) == gen.source("Sine", "y + sin(x)")
    assert "2.5 * x**2" in text


@pytest.mark.parametrize(
    "expr",
    [
        sympy.Function("f")(x),
        sympy.Derivative(sympy.Function("f")(x), x),
        sympy.Integral(x, x),
        sympy.I * x,
        sympy.DiracDelta(x),
        sympy.Symbol("not a name"),
        sympy.oo * x,
        sympy.Piecewise((x, x > 0)),
    ],
    ids=str,
)
def test_what_the_language_does_not_have_is_refused(expr: sympy.Expr) -> None:
    with pytest.raises(gen.GenError):
        gen.source("Case", expr)


_FROM_SYMPY = sorted(
    name for name, row in OPERATIONS.items() if row.sympy and not row.partials and row.spellings
)


@pytest.mark.parametrize("name", _FROM_SYMPY)
def test_derivatives_from_fdiff(name: str) -> None:
    spelling = OPERATIONS[name].spellings[0]
    expr = f"{spelling}(2, x)" if OPERATIONS[name].arity == 2 else f"{spelling}(x)"
    assert gen.gradcheck(gen.load("Case", expr), np.array([0.31, 0.52, 0.87]))


def test_the_order_of_a_bessel_function_has_no_derivative() -> None:
    with pytest.raises(gen.GenError, match="the derivative of besselj in its argument 1"):
        gen.source("Case", "besselj(nu, x)")


def test_a_bessel_function_of_a_constant_order() -> None:
    cls = gen.load("Case", "besselj(nu, x)", const="nu")
    value, pullback = cls.vjp(2, 1.5)
    assert value == special.jv(2, 1.5)
    assert np.asarray(pullback(1.0)[1]) == pytest.approx(special.jvp(2, 1.5))


def test_a_deep_expression_needs_no_recursion() -> None:
    expr = x
    for _ in range(150):
        expr = sympy.sin(expr)
    assert math.isfinite(float(np.asarray(gen.load("Deep", expr).apply(0.5))))


def test_a_symbol_that_is_called_as_a_number() -> None:
    pi = sympy.Symbol("pi")
    assert gen.load("Case", 2 * pi + x).apply(3, 4) == 10
    with pytest.raises(gen.GenError, match="the symbol 'pi' is an input, and the number of that"):
        gen.source("Case", pi + sympy.pi)

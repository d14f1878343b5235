"""Every kind of SymPy expression: values against SymPy's own, sizes, and what is refused."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import mpmath
import pytest
import sympy
from sympy import And, Float, Integer, Interval, Ne, Not, Piecewise, Product, Rational, Sum, Xor
from sympy.codegen import cfunctions

from gen.errors import GenError
from gen.frontend import conversion
from gen.frontend.conversion import MAX_NESTED, Conversion
from gen.frontend.sympy import to_text
from gen.graph.evaluate import evaluate
from gen.graph.graph import Builder

if TYPE_CHECKING:
    from collections.abc import Callable

x, y = sympy.symbols("x y")
j, k = sympy.symbols("j k", integer=True)

_AT = {"x": Rational(17, 10), "y": Rational(3, 5)}

ARITHMETIC = [
    x - y / 3,
    x**y,
    sympy.E ** (x * y),
    sympy.exp(-(x**2)),
    sympy.log(x, 10),
    sympy.sqrt(x**2 + y**2),
    sympy.cbrt(x),
    sympy.real_root(x, 3),
    sympy.real_root(y - x, 5),
    sympy.pi * x + sympy.E * y + sympy.EulerGamma + sympy.Catalan + sympy.GoldenRatio,
    Float("0.1", 40) * x,
    Rational(10**30, 7) * x,
    sympy.Pow(x, -y),
    1 / (1 + 1 / (1 + 1 / x)),
    sympy.UnevaluatedExpr(x) * 2,
    sympy.Mul(x, sympy.Add(x, x, evaluate=False), evaluate=False),
]
STEPS = [
    sympy.Abs(y - x),
    sympy.sign(y - x),
    sympy.Heaviside(x),
    sympy.Heaviside(x - y, 1),
    sympy.Mod(x, y),
    sympy.floor(3 * x) + sympy.ceiling(y) + sympy.frac(7 * x),
    sympy.Max(x, y, 1) - sympy.Min(x, y, -1),
    Piecewise((x, sympy.ITE(x > 1, y > 1, y < 1)), (1, True)),
    Piecewise((1, Xor(x > 1, y > 1, x > y)), (2, sympy.Implies(x < 0, y > 3)), (3, True)),
    Piecewise((x, Xor(x > 1, y < 1)), (2, sympy.Implies(x > 0, y > 3)), (3, True)),
    Piecewise((x, sympy.Equivalent(x > 1, y > 1, x < 5)), (3, True)),
    Piecewise((x, Not(And(x > 0, y > 0))), (y, True)),
    Piecewise((x, sympy.Nor(x > 3, y > 3)), (y, True)),
    Piecewise((x, Interval(0, 2).contains(x)), (y, True)),
    Piecewise((x, Ne(x, y)), (y, True)),
]
ELEMENTARY = [
    sympy.tan(x) * sympy.cot(y),
    sympy.sec(x) + sympy.csc(y),
    sympy.asin(y) + sympy.acos(y) * sympy.atan(x),
    sympy.acot(x) + sympy.asec(x) + sympy.acsc(x),
    sympy.atan2(y, x),
    sympy.sinh(x) * sympy.cosh(y) - sympy.tanh(x),
    sympy.coth(x) + sympy.sech(y) + sympy.csch(x),
    sympy.asinh(x) + sympy.acosh(x) + sympy.atanh(y),
    sympy.acoth(x) + sympy.asech(y) + sympy.acsch(x),
    sympy.sinc(x),
    cfunctions.log1p(x) + cfunctions.expm1(y) + cfunctions.log2(x),
    cfunctions.log10(y) + cfunctions.exp2(x) + cfunctions.hypot(x, y),
]
SPECIAL = [
    sympy.gamma(x) + sympy.loggamma(x),
    sympy.digamma(x) + sympy.polygamma(2, x),
    sympy.beta(x, y),
    sympy.factorial(x),
    sympy.binomial(x, 3),
    sympy.binomial(x, y),
    sympy.rf(x, y) + sympy.ff(x, y),
    sympy.RisingFactorial(x, 4, evaluate=False) - sympy.FallingFactorial(x, 3, evaluate=False),
    sympy.erf(x) + sympy.erfc(x) + sympy.erfi(y) + sympy.erfinv(y),
    sympy.Ei(x) + sympy.li(x),
    sympy.Si(x) + sympy.Ci(x) + sympy.Shi(x) + sympy.Chi(x),
    sympy.fresnels(x) + sympy.fresnelc(y),
    sympy.airyai(x) + sympy.airybiprime(y),
    sympy.besselj(0, x) + sympy.bessely(1, x),
    sympy.besseli(2, y) + sympy.besselk(Rational(1, 3), x),
    sympy.jn(2, x) + sympy.yn(1, x),
    sympy.LambertW(x),
    sympy.elliptic_k(y) + sympy.elliptic_e(y),
]
WRITTEN_OUT = [
    Sum(x**k / sympy.factorial(k), (k, 0, 8)),
    Product(x + k, (k, 1, 5)),
    Sum(x * k * j, (j, 1, k), (k, 1, 4)),
    Sum(Sum(y**j, (j, 0, k)) * x, (k, 1, 3)),
    Sum(x**k, (k, 5, 1)),
    Product(x + k, (k, 5, 1)),
    Sum(x, (k, 1, 0)) + y,
    x * Product(y, (k, 1, 0)),
    Sum(sympy.binomial(4, k) * x**k, (k, 0, 4)),
    Sum(Piecewise((x, k < 2), (y, True)), (k, 0, 3)),
    Sum(sympy.legendre(k, x), (k, 0, 6)),
    Sum(sympy.cos(k * x) / k**2, (k, 1, 20)),
]
POLYNOMIALS = [
    sympy.legendre(5, x),
    sympy.legendre(12, x),
    sympy.legendre(7, x, evaluate=False),
    sympy.legendre(10, x) + sympy.sin(x) + y,
    3 * sympy.legendre(11, x - y) + 7 * sympy.exp(x),
    sympy.legendre(8, sympy.cos(x)) + sympy.cos(x) + 5,
    sympy.legendre(9, sympy.cos(x)) + 1 / x + x * y,
    sympy.legendre(8, x) * sympy.chebyshevt(8, y),
    sympy.chebyshevt(9, x),
    sympy.chebyshevu(10, x),
    sympy.gegenbauer(8, Rational(3, 2), x),
    sympy.hermite(8, x),
    sympy.hermite_prob(9, x),
    sympy.laguerre(9, x),
    sympy.assoc_laguerre(8, Rational(1, 2), x),
    sympy.assoc_legendre(4, 2, y),
    sympy.assoc_legendre(5, 3, y),
    sympy.jacobi(4, 1, Rational(1, 2), x),
    sympy.Ynm(3, 0, x, y),
]
EXPRESSIONS = [*ARITHMETIC, *STEPS, *ELEMENTARY, *SPECIAL, *WRITTEN_OUT, *POLYNOMIALS]


def _value(expr: sympy.Expr) -> mpmath.mpf:
    builder = Builder()
    term = Conversion(builder).convert(expr)
    with mpmath.workdps(60):
        at = {name: mpmath.mpf(one.p) / one.q for name, one in _AT.items()}
    (value,) = evaluate(builder.nodes, [term.id], at, 50)
    return value


def _sympys(expr: sympy.Expr) -> mpmath.mpf:
    value = expr.subs({x: _AT["x"], y: _AT["y"]}).doit().evalf(30)
    return mpmath.mpf(sympy.re(value))


@pytest.mark.parametrize("expr", EXPRESSIONS, ids=str)
def test_values_are_sympys(expr: sympy.Expr) -> None:
    expected = _sympys(expr)
    assert abs(_value(expr) - expected) < 1e-15 * max(1, abs(expected))


@pytest.mark.parametrize(
    ("expr", "same"),
    [
        (sympy.erf2(x, y), sympy.erf(y) - sympy.erf(x)),
        (sympy.erfcinv(y), sympy.erfinv(1 - y)),
        (cfunctions.Cbrt(x), sympy.cbrt(x)),
        (cfunctions.fma(x, y, 2), x * y + 2),
        (sympy.Znm(3, -2, x, y, evaluate=False), sympy.Znm(3, -2, x, y).expand(func=True)),
        (sympy.conjugate(x) + sympy.re(x) + sympy.im(y), 2 * x),
    ],
    ids=str,
)
def test_what_sympy_does_not_evaluate_itself(expr: sympy.Expr, same: sympy.Expr) -> None:
    assert _value(expr) == pytest.approx(_sympys(same), abs=1e-15)


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        (
            sympy.Integral(sympy.sin(x), x),
            "SymPy's Integral is not part of the language; evaluate it first, with .doit()",
        ),
        (
            x + sympy.Limit(x, x, 0),
            "SymPy's Limit is not part of the language; evaluate it first, with .doit()",
        ),
        (sympy.DiracDelta(x), "SymPy's DiracDelta is not part of the language"),
        (
            sympy.I * x,
            "SymPy's ImaginaryUnit is not part of the language; inputs and values are real numbers",
        ),
        (sympy.re(sympy.gamma(x)), "SymPy's re is read of a plain input alone, which is real"),
        (sympy.oo * x, "SymPy's Infinity is not part of the language; numbers are finite"),
        (
            sympy.MatrixSymbol("A", 2, 2)[0, 1],
            "SymPy's MatrixElement is not part of the language; an input is a Symbol",
        ),
        (
            sympy.IndexedBase("a")[1],
            "SymPy's Indexed is not part of the language; an input is a Symbol",
        ),
        (
            sympy.Ynm(2, 1, x, y),
            "SymPy's Ynm is complex; the real harmonic is Znm(n, m, theta, phi, evaluate=False)",
        ),
        (
            Piecewise((x, sympy.Contains(x, Interval(0, 1))), (1, True)),
            "SymPy's Contains is not part of the language; "
            "write comparisons, such as And(x >= 0, x <= 1)",
        ),
        (
            Piecewise((x, sympy.Symbol("b")), (1, True)),
            "a condition of a Piecewise compares nothing; write one such as x > 0",
        ),
        (
            Piecewise((x, And(sympy.Symbol("b"), x > 0)), (1, True)),
            "SymPy's And of a number is not part of the language",
        ),
        (
            Sum(x**k, (k, 0, y)),
            "SymPy's Sum over k needs whole numbers as bounds",
        ),
        (
            Product(x + k, (k, 0, Rational(1, 2))),
            "SymPy's Product over k needs whole numbers as bounds",
        ),
        (
            Sum(x**k, (k, 0, sympy.oo)),
            "SymPy's Infinity is not part of the language; numbers are finite",
        ),
        (
            Sum(x**k, (k, 1, 10**9)),
            "SymPy's Sum of 1000000000 terms; at most 10000 are read",
        ),
        (sympy.Symbol("A", commutative=False) * 2, "'A' does not commute"),
        (x + sympy.Symbol("x", positive=True), "different symbols are called 'x'"),
        (sympy.legendre(k, x), "legendre takes a whole number from 0 to 1000 as its degree"),
        (sympy.Function("f")(x), "SymPy's undefined function f is not part of the language"),
    ],
    ids=str,
)
def test_what_is_refused(expr: sympy.Expr, message: str) -> None:
    with pytest.raises(GenError) as caught:
        to_text(expr)
    assert message in str(caught.value)


def test_sums_inside_each_other_have_an_end() -> None:
    expr = x
    for depth in range(MAX_NESTED):
        expr = (Sum, Product)[depth % 2](expr, (sympy.Symbol(f"k{depth}"), 1, 1))
    assert to_text(expr) == "x"
    message = "sums and products inside each other; at most 20 are read"
    with pytest.raises(GenError, match=message):
        to_text(Sum(expr, (k, 1, 1)))
    limits = [(sympy.Symbol(f"k{depth}"), 1, 1) for depth in range(MAX_NESTED + 1)]
    with pytest.raises(GenError, match=message):
        to_text(Sum(x, *limits))


def test_what_is_written_out_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "MAX_WRITTEN_OUT", 1000)
    message = "the sums and products have more than 1000 operations written out"
    with pytest.raises(GenError, match=message):
        to_text(Sum(x * j * k, (j, 1, 90), (k, 1, 90)))


# ---- size


def _deep(count: int) -> sympy.Expr:
    """A polynomial in Horner's form of `count` operations inside each other."""
    expr = x
    for _ in range(count // 2):
        expr = sympy.Add(sympy.Mul(expr, y, evaluate=False), Integer(1), evaluate=False)
    return expr


def _wide(count: int) -> sympy.Expr:
    """A sum of powers of a thousand inputs."""
    inputs = sympy.symbols("a:1000")
    terms = [
        sympy.Mul(inputs[i % 1000], sympy.Pow(inputs[-(i % 999)], i // 1000 + 2), evaluate=False)
        for i in range(count // 3)
    ]
    return sympy.Add(*terms, evaluate=False)


def _seconds(expr: sympy.Expr) -> float:
    start = time.process_time()
    to_text(expr)
    return time.process_time() - start


@pytest.mark.slow
@pytest.mark.parametrize("build", [_deep, _wide])
def test_time_grows_with_the_size_alone(build: Callable[[int], sympy.Expr]) -> None:
    small, large = _seconds(build(10_000)), _seconds(build(100_000))
    assert large < 30 * small


def test_what_is_shared_is_visited_once() -> None:
    expr = x
    for _ in range(300):
        both = sympy.Add(expr, sympy.Mul(expr, y, evaluate=False), evaluate=False)
        expr = sympy.sin(both, evaluate=False)
    assert len(to_text(expr)) < 40 * 300

"""What SymPy expands is recognised; what is near to it is not."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import mpmath
import pytest
import sympy

from gen.frontend.conversion import Conversion
from gen.frontend.recognise import SMALLEST, recognise
from gen.frontend.sympy import to_text
from gen.graph.evaluate import evaluate
from gen.graph.graph import Builder

if TYPE_CHECKING:
    from collections.abc import Callable

x, y = sympy.symbols("x y")
HALF = sympy.Rational(1, 2)

FAMILIES: list[tuple[str, tuple[Fraction, ...], Callable[[int], sympy.Expr]]] = [
    ("legendre", (), lambda n: sympy.legendre(n, x)),
    ("chebyshevt", (), lambda n: sympy.chebyshevt(n, x)),
    ("chebyshevu", (), lambda n: sympy.chebyshevu(n, x)),
    ("gegenbauer", (Fraction(5, 2),), lambda n: sympy.gegenbauer(n, 5 * HALF, x)),
    ("hermite", (), lambda n: sympy.hermite(n, x)),
    ("hermite_prob", (), lambda n: sympy.hermite_prob(n, x)),
    ("assoc_laguerre", (Fraction(0),), lambda n: sympy.laguerre(n, x)),
    ("assoc_laguerre", (Fraction(1, 2),), lambda n: sympy.assoc_laguerre(n, HALF, x)),
]


def _coefficients(expr: sympy.Expr) -> dict[int, Fraction]:
    terms = sympy.Poly(expr, x).terms()
    return {exponent: Fraction(int(one.p), int(one.q)) for (exponent,), one in terms if exponent}


def _named(value: object) -> str:
    return "" if callable(value) else str(value)


@pytest.mark.parametrize("n", [SMALLEST, SMALLEST + 1, 40])
@pytest.mark.parametrize(("name", "parameters", "build"), FAMILIES, ids=_named)
def test_a_family(
    name: str, parameters: tuple[Fraction, ...], build: Callable[[int], sympy.Expr], n: int
) -> None:
    found = recognise(_coefficients(sympy.Rational(3, 7) * build(n)))
    assert found is not None
    assert (found.name, found.degree, found.parameters) == (name, n, parameters)
    assert found.scale == Fraction(3, 7)
    assert found.constant == Fraction(str(3 * build(n).subs(x, 0) / 7))


@pytest.mark.parametrize("k", [1, 2, 8, 10])
@pytest.mark.parametrize(("name", "parameters", "build"), FAMILIES, ids=_named)
def test_one_coefficient_off(
    name: str, parameters: tuple[Fraction, ...], build: Callable[[int], sympy.Expr], k: int
) -> None:
    assert recognise(_coefficients(build(10) + x**k / 1000)) is None


@pytest.mark.parametrize(
    "expr",
    [
        sympy.legendre(7, x),
        (x + 1) ** 9,
        x**10,
        x**10 + 1,
        x**10 - x**8,
        sum(x**k for k in range(9)),
    ],
    ids=str,
)
def test_other_polynomials(expr: sympy.Expr) -> None:
    assert recognise(_coefficients(sympy.expand(expr))) is None


def test_nothing() -> None:
    assert recognise({}) is None


def _converted(expr: sympy.Expr) -> Conversion:
    conversion = Conversion(Builder())
    conversion.convert(expr)
    return conversion


def test_an_expanded_polynomial_runs_by_recurrence() -> None:
    expr = sympy.legendre(200, x)
    assert len(_converted(expr).builder.nodes) < 1500
    builder = Builder()
    term = Conversion(builder).convert(expr)
    (value,) = evaluate(builder.nodes, [term.id], {"x": mpmath.mpf(1) / 3}, 30)
    assert abs(value - mpmath.legendre(200, mpmath.mpf(1) / 3)) < 1e-15


def test_several_polynomials_and_more_in_one_sum() -> None:
    expr = sympy.legendre(20, x) + sympy.chebyshevt(10, y) / 3 + sympy.cos(x) + x * y + 2 + sympy.pi
    powers = [node.payload for node in _converted(expr).builder.nodes if node.op == "pow"]
    assert set(powers) == {2}
    builder = Builder()
    term = Conversion(builder).convert(expr)
    (value,) = evaluate(builder.nodes, [term.id], {"x": mpmath.mpf(0.25), "y": mpmath.mpf(0.5)})
    assert value == pytest.approx(mpmath.mpf(expr.subs({x: 0.25, y: 0.5}).evalf(30)), abs=1e-15)


def test_what_is_written_keeps_its_digits() -> None:
    *definitions, last = to_text(sympy.legendre(60, x)).split("; ")
    near = 1 - 2.0**-12
    known: dict[str, object] = {
        "x": near,
        "where": lambda condition, yes, no: yes if condition else no,
    }
    for definition in definitions:
        name, _, expression = definition.partition(" = ")
        known[name] = eval(expression, known)
    assert eval(last, known) == pytest.approx(float(mpmath.legendre(60, near)), rel=5e-15)

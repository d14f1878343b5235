"""Orthogonal polynomials: values and gradients against mpmath, SciPy and SymPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mpmath
import numpy as np
import pytest
import sympy
import torch
from scipy import special

import gen
from gen import pipeline
from gen.frontend import text
from gen.graph.polynomials import MAX_ORDER
from tests.graphs import joint_operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# None of them a zero of any, where mpmath asks its series for digits that there are not.
_POINTS = (-1.0, -0.83, -0.4, 1e-8, 1e-3, 0.31, 0.77, 0.999)

# Names with their parameters, and mpmath's function of x.
FAMILIES: list[tuple[str, Callable[[int, mpmath.mpf], mpmath.mpf]]] = [
    ("legendre({n}, x)", lambda n, x: mpmath.legendre(n, x)),
    ("eval_legendre({n}, x)", lambda n, x: mpmath.legendre(n, x)),
    ("chebyshevt({n}, x)", lambda n, x: mpmath.chebyt(n, x)),
    ("eval_chebyt({n}, x)", lambda n, x: mpmath.chebyt(n, x)),
    ("chebyshevu({n}, x)", lambda n, x: mpmath.chebyu(n, x)),
    ("eval_chebyu({n}, x)", lambda n, x: mpmath.chebyu(n, x)),
    ("gegenbauer({n}, 0.7, x)", lambda n, x: mpmath.gegenbauer(n, mpmath.mpf("0.7"), x)),
    ("gegenbauer({n}, 2, x)", lambda n, x: mpmath.gegenbauer(n, 2, x)),
    ("gegenbauer({n}, -0.3, x)", lambda n, x: mpmath.gegenbauer(n, mpmath.mpf("-0.3"), x)),
    ("eval_jacobi({n}, 1/4, 2, x)", lambda n, x: mpmath.jacobi(n, mpmath.mpf("0.25"), 2, x)),
    ("jacobi({n}, 0, 0, x)", lambda n, x: mpmath.legendre(n, x)),
    ("jacobi({n}, -1/2, -1/2, x)", lambda n, x: mpmath.jacobi(n, -0.5, -0.5, x)),
    ("laguerre({n}, x)", lambda n, x: mpmath.laguerre(n, 0, x)),
    ("assoc_laguerre({n}, 1.5, x)", lambda n, x: mpmath.laguerre(n, mpmath.mpf("1.5"), x)),
    ("eval_genlaguerre({n}, 2, x)", lambda n, x: mpmath.laguerre(n, 2, x)),
    ("hermite({n}, x)", lambda n, x: mpmath.hermite(n, x)),
    (
        "hermite_prob({n}, x)",
        lambda n, x: mpmath.hermite(n, x / mpmath.sqrt(2)) / mpmath.mpf(2) ** (mpmath.mpf(n) / 2),
    ),
]


def _vjp(
    expr: str, *inputs: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    value, pullback = gen.load("Case", expr).vjp(*inputs)
    found = np.broadcast_to(np.asarray(value), inputs[0].shape)
    gradients = pullback(np.ones_like(inputs[0]))
    return found, [np.broadcast_to(np.asarray(one), inputs[0].shape) for one in gradients]


def _check(found: NDArray[np.float64], wanted: list[mpmath.mpf], tolerance: float) -> None:
    """Compare, relative to the largest value wanted."""
    scale = max(1, *map(abs, wanted))
    errors = [
        abs(mpmath.mpf(float(one)) - exact) / scale
        for one, exact in zip(found, wanted, strict=True)
    ]
    assert max(errors) < tolerance


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 7, 12, 31])
@pytest.mark.parametrize(("expr", "exact"), FAMILIES, ids=[expr for expr, _ in FAMILIES])
def test_values_and_gradients(
    expr: str, exact: Callable[[int, mpmath.mpf], mpmath.mpf], n: int
) -> None:
    values, (gradients,) = _vjp(f"x - x + {expr.format(n=n)}", np.array(_POINTS))
    with mpmath.workdps(50):
        at = [mpmath.mpf(point) for point in _POINTS]
        _check(values, [exact(n, point) for point in at], 2e-14)
        slopes = [mpmath.diff(lambda point: exact(n, point), point) for point in at]
        _check(gradients, slopes, 5e-14)


def _legendre(n: int, x: mpmath.mpf) -> tuple[mpmath.mpf, mpmath.mpf]:
    """The polynomial and its derivative by Bonnet's recurrence, in mpmath's precision."""
    last, before, slope, slope_before = x, mpmath.mpf(1), mpmath.mpf(1), mpmath.mpf(0)
    for k in range(2, n + 1):
        following = ((2 * k - 1) * x * last - (k - 1) * before) / k
        slope, slope_before = slope_before + (2 * k - 1) * last, slope
        last, before = following, last
    return last, slope


def test_degree_200_against_50_digits() -> None:
    near = 10.0 ** np.linspace(-16, -1, 80)
    centre = np.linspace(-0.02, 0.02, 201)
    points = np.concatenate([np.linspace(-1, 1, 201), 1 - near, near - 1, centre])
    values, (gradients,) = _vjp("legendre(200, x)", points)
    with mpmath.workdps(50):
        wanted = [_legendre(200, mpmath.mpf(float(point))) for point in points]
        _check(values, [value for value, _ in wanted], 1e-13)
        _check(gradients, [slope for _, slope in wanted], 5e-15)


@pytest.mark.parametrize("n", [39, 40, 200])
def test_chebyshev_polynomials_of_high_degree(n: int) -> None:
    points = np.concatenate([np.linspace(-1, 1, 101), np.linspace(-0.02, 0.02, 101)])
    values, (gradients,) = _vjp(f"chebyshevt({n}, x)", points)
    with mpmath.workdps(50):
        angles = [mpmath.acos(mpmath.mpf(float(point))) for point in points]
        _check(values, [mpmath.cos(n * angle) for angle in angles], 2e-14)
        inner = points[1:100]
        slopes = [n * mpmath.sin(n * angle) / mpmath.sin(angle) for angle in angles[1:100]]
        _check(gradients[1 : len(inner) + 1], slopes, 2e-14)


def test_the_ends_are_exact() -> None:
    ends = np.array([-1.0, 1.0])
    for n in (199, 200, MAX_ORDER):
        values, (gradients,) = _vjp(f"legendre({n}, x)", ends)
        assert values.tolist() == [(-1.0) ** n, 1.0]
        slope = n * (n + 1) / 2
        assert gradients == pytest.approx([-slope * (-1) ** n, slope], rel=1e-14)


@pytest.mark.parametrize(
    ("expr", "most"),
    [("legendre(200, x)", 1300), ("chebyshevt(200, x)", 1610), ("hermite(50, x)", 400)],
)
def test_operations_grow_with_the_degree(expr: str, most: int) -> None:
    formula = text.read(pipeline.request("Case", expr, {}))
    assert joint_operations(pipeline.program(formula)) <= most


def test_degrees_of_one_family_share_their_recurrence() -> None:
    series = " + ".join(f"legendre({n}, x)/{n + 1}" for n in range(51))
    formula = text.read(pipeline.request("Case", series, {}))
    assert joint_operations(pipeline.program(formula)) < 26 * 51


@pytest.mark.parametrize("degree", range(5))
def test_associated_legendre_functions_are_sympys(degree: int) -> None:
    x = sympy.Symbol("x")
    points = np.array([-0.83, -0.4, 0.0, 0.31, 0.77])
    for m in range(-degree, degree + 1):
        exact = sympy.assoc_legendre(degree, m, x)
        values, (gradients,) = _vjp(f"0*x + assoc_legendre({degree}, {m}, x)", points)
        for found, wanted in ((values, exact), (gradients, sympy.diff(exact, x))):
            at = [mpmath.mpf(wanted.subs(x, sympy.Float(one, 40)).evalf(30)) for one in points]
            _check(found, at, 1e-14)


def test_associated_legendre_functions_of_high_degree() -> None:
    points = np.linspace(-0.99, 0.99, 41)
    values, _ = _vjp("assoc_legendre(60, 7, x)", points)
    wanted = special.assoc_legendre_p(60, 7, points)[0]
    assert np.max(np.abs(values - wanted)) < 1e-12 * np.max(np.abs(wanted))


@pytest.mark.parametrize(
    ("expr", "sympys"),
    [
        ("gegenbauer(5, a, x)", sympy.gegenbauer),
        ("assoc_laguerre(4, a, x)", sympy.assoc_laguerre),
        ("jacobi(3, a, 0.5, x)", lambda n, a, x: sympy.jacobi(n, a, sympy.Rational(1, 2), x)),
    ],
)
def test_parameters_may_be_inputs(expr: str, sympys: Callable[..., sympy.Expr]) -> None:
    a, x = sympy.symbols("a x")
    exact = sympys(int(expr.split("(")[1][0]), a, x)
    at = {a: 1.3, x: 0.4}
    value, gradients = _vjp(expr, np.array([1.3]), np.array([0.4]))
    assert value[0] == pytest.approx(float(exact.subs(at)), rel=1e-13)
    for one, symbol in zip(gradients, (a, x), strict=True):
        assert one[0] == pytest.approx(float(sympy.diff(exact, symbol).subs(at)), rel=1e-12)


@pytest.mark.parametrize("expr", ["legendre(45, x)", "laguerre(6, x)", "chebyshevu(9, x)"])
def test_both_backends_differentiate(expr: str) -> None:
    at = np.array([-0.7, 0.2, 0.9])
    assert gen.gradcheck(gen.load("Case", expr), at)
    tensor = torch.tensor(at, requires_grad=True)
    case = gen.module("Case", expr, backend="torch").case
    assert torch.autograd.gradcheck(case, tensor)
    assert torch.autograd.gradgradcheck(case, tensor)


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        (
            "legendre(n, x)",
            "legendre takes a whole number from 0 to 1000 as its degree, given an expression",
        ),
        (
            "hermite(1/2, x)",
            "hermite takes a whole number from 0 to 1000 as its degree, given 1/2",
        ),
        (
            "laguerre(-1, x)",
            "laguerre takes a whole number from 0 to 1000 as its degree, given -1",
        ),
        (
            "chebyshevt(1001, x)",
            "chebyshevt takes a whole number from 0 to 1000 as its degree, given 1001",
        ),
        (
            "assoc_legendre(2, 3, x)",
            "assoc_legendre of degree 2 takes a whole number from -2 to 2 as its order, given 3",
        ),
    ],
)
def test_orders_that_are_refused(expr: str, message: str) -> None:
    with pytest.raises(gen.GenError) as caught:
        gen.source("Case", expr)
    assert str(caught.value).startswith(f"{message} (column 1)")


def test_an_order_may_be_computed() -> None:
    assert "6 * x**2" not in gen.source("Case", "legendre(2 + 2/2, x)")
    values, _ = _vjp("legendre(2*2 - 1, x)", np.array([0.5]))
    assert values[0] == pytest.approx(-0.4375)

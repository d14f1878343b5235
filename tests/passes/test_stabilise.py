"""Branches that are not taken do no harm: to values, gradients and second derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pytest
import torch
from mpmath import mpf

import gen
from gen.frontend.options import request
from gen.frontend.text import read
from gen.graph.evaluate import evaluate
from gen.graph.language import express
from gen.passes.stabilise import stabilise

if TYPE_CHECKING:
    from gen.model import Formula

Plain: TypeAlias = Callable[[float], tuple[float, float, float]]


def _read(expr: str) -> Formula:
    return read(request("Case", expr, {}))


def _written(formula: Formula) -> str | None:
    return express(formula.graph, formula.roots[0], 1000)


@pytest.mark.parametrize(
    ("expr", "stable"),
    [
        ("where(x > 0, sqrt(x), 0)", "where(x > 0, sqrt(where(x > 0, x, 1)), 0)"),
        ("where(x > 0, 0, sqrt(-x))", "where(x > 0, 0, sqrt(where(x > 0, 1, -x)))"),
        ("where(x > 1, acosh(x), 0)", "where(x > 1, acosh(where(x > 1, x, 2)), 0)"),
        ("where(x > 0, log(x), x)", "where(x > 0, log(where(x > 0, x, 1)), x)"),
        ("where(x > y, sqrt(x - y), 0)", "where(x > y, sqrt(where(x > y, x - y, 1)), 0)"),
    ],
)
def test_a_hazard_is_evaluated_where_it_is_finite(expr: str, stable: str) -> None:
    assert _written(stabilise(_read(expr))) == stable


@pytest.mark.parametrize(
    "expr",
    [
        "sqrt(x)",
        "where(x > 0, 2 * x, 1)",
        "where(x > 0, sin(x) * tanh(x), 1)",
        "where(sqrt(x) > 1, x, 0)",
        "where(x > 0, sqrt(x), 0) + sqrt(x)",
        "where(x > 0, sqrt(2) * x, 0)",
    ],
)
def test_what_does_no_harm_stays(expr: str) -> None:
    assert _written(stabilise(_read(expr))) == expr


# Python's own conditional expressions skip what is not taken.
LAZY: tuple[tuple[str, Callable[[float], float]], ...] = (
    ("where(x > 0, sqrt(x), 0)", lambda x: math.sqrt(x) if x > 0 else 0),
    ("where(x > 0, x**x, 1 + x)", lambda x: x**x if x > 0 else 1 + x),
    ("where(x != 0, sin(x)/x, 1)", lambda x: math.sin(x) / x if x else 1),
    (
        "where(x > 0, where(x > 1, log(x - 1), 2*x), 1/(x - 1))",
        lambda x: (math.log(x - 1) if x > 1 else 2 * x) if x > 0 else 1 / (x - 1),
    ),
    (
        "where(x > 0, sqrt(x), 0) + where(x > 0, 0, sqrt(-x))",
        lambda x: math.sqrt(abs(x)),
    ),
    (
        "where(x > 1, acosh(x), where(x > -1, acos(x), exp(x)/x))",
        lambda x: math.acosh(x) if x > 1 else math.acos(x) if x > -1 else math.exp(x) / x,
    ),
)


@pytest.mark.parametrize("x", ["-2.5", "-0.5", "0", "0.5", "1.5", "3"])
@pytest.mark.parametrize(("expr", "plain"), LAZY, ids=[expr for expr, _ in LAZY])
def test_values_stay_the_same(expr: str, plain: Callable[[float], float], x: str) -> None:
    stable = stabilise(_read(expr))
    (found,) = evaluate(stable.graph.nodes, [stable.roots[0]], {"x": mpf(x)}, 30)
    assert isinstance(found, mpf)
    assert float(found) == pytest.approx(plain(float(x)), rel=1e-13)


# Value, derivative and second derivative, by hand.
def _root(x: float) -> tuple[float, float, float]:
    return (math.sqrt(x), 0.5 / math.sqrt(x), -0.25 * x**-1.5) if x > 0 else (0, 0, 0)


def _log(x: float) -> tuple[float, float, float]:
    return (math.log(x), 1 / x, -1 / x**2) if x > 0 else (x, 1, 0)


def _self_power(x: float) -> tuple[float, float, float]:
    if x <= 0:
        return 1, 0, 0
    log = math.log(x)
    return x**x, x**x * (log + 1), x**x * ((log + 1) ** 2 + 1 / x)


def _sinc(x: float) -> tuple[float, float, float]:
    if x == 0:
        return 1, 0, 0
    sin, cos = math.sin(x), math.cos(x)
    return sin / x, cos / x - sin / x**2, -sin / x - 2 * cos / x**2 + 2 * sin / x**3


def _inverse(x: float) -> tuple[float, float, float]:
    return (1 / x, -1 / x**2, 2 / x**3) if abs(x) > 0.25 else (x, 1, 0)


def _gaussian(x: float) -> tuple[float, float, float]:
    e = math.exp(-1 / x) if x > 0 else 0
    return (e, e / x**2, e / x**4 - 2 * e / x**3) if x > 0 else (0, 0, 0)


def _larger_root(x: float) -> tuple[float, float, float]:
    below = (math.sqrt(-x), -0.5 / math.sqrt(-x), -0.25 * (-x) ** -1.5) if x < 0 else (0, 0, 0)
    return _root(x) if x > 0 else below


def _exponential(x: float) -> tuple[float, float, float]:
    return (x, 1, 0) if x > 0 else (math.exp(x), math.exp(x), math.exp(x))


POINTS = (-1000.0, -2.0, -1.0, 0.0, 0.5, 1.0, 2.5, 1000.0)


@pytest.mark.parametrize(
    ("expr", "plain", "points"),
    [
        ("where(x > 0, sqrt(x), 0)", _root, POINTS),
        ("where(x <= 0, 0, sqrt(x))", _root, POINTS),
        ("sqrt(x) if x > 0 else 0", _root, POINTS),
        ("where(x > 0, log(x), x)", _log, POINTS),
        ("where(x > 0, x**x, 1)", _self_power, (-2.0, 0.0, 0.5, 1.0, 2.5)),
        ("where(x != 0, sin(x)/x, 1)", _sinc, POINTS),
        ("where(abs(x) > 0.25, 1/x, x)", _inverse, POINTS),
        ("where(x > 0, exp(-1/x), 0)", _gaussian, POINTS),
        ("where(x > 0, sqrt(x), where(x < 0, sqrt(-x), 0))", _larger_root, POINTS),
        ("where(x > 0, x, exp(x))", _exponential, POINTS),
        ("Piecewise((0, x <= 0), (sqrt(x), True))", _root, POINTS),
    ],
)
def test_value_and_two_derivatives_are_right_everywhere(
    expr: str, plain: Plain, points: tuple[float, ...]
) -> None:
    x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    value = torch.as_tensor(gen.load("Case", expr, backend="torch").apply(x))
    (first,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    found = torch.stack([value, first, second]).detach().numpy().T
    np.testing.assert_allclose(found, [plain(one) for one in points], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "expr",
    [
        "where(x > y, sqrt(x - y), 0)",
        "where(y < x, sqrt(x - y), 0)",
        "where(x <= y, 0, sqrt(x - y))",
    ],
)
def test_a_hazard_between_two_inputs(expr: str) -> None:
    x = torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64, requires_grad=True)
    y = torch.full((3,), 2.0, dtype=torch.float64, requires_grad=True)
    value = torch.as_tensor(gen.load("Case", expr, backend="torch", args="x,y").apply(x, y))
    first = torch.autograd.grad(value.sum(), (x, y), create_graph=True)
    second = torch.autograd.grad(first[0].sum(), (x, y))
    found = [value.tolist(), *(one.tolist() for one in (*first, *second))]
    root, slope, bend = [0, 0, 2], 0.25, -1 / 32
    assert found == [root, [0, 0, slope], [0, 0, -slope], [0, 0, bend], [0, 0, -bend]]


@pytest.mark.parametrize(
    "expr",
    ["where(x > 0, sqrt(x), 0)", "where(x > 0, log(x), x)", "where(abs(x) > 0.25, 1/x, x)"],
)
def test_numpy_warns_of_nothing_that_nobody_asked_for(expr: str) -> None:
    cls: Any = gen.load("Case", expr)
    output, pullback = cls.vjp(np.array([-2.0, -0.0, 0.0, 3.0]))
    assert np.all(np.isfinite(output))
    assert np.all(np.isfinite(np.asarray(pullback(np.ones(4))[0])))


@pytest.mark.parametrize(
    ("expr", "at"),
    [
        # needed in two branches through a product that both share
        (
            "where(x < -1, where(y > 0, acosh(x)*y, 0), where(x < 1, acosh(x)*y + 1, x))",
            (-3.3, -1.0),
        ),
        # a value of 0 where the branch is not taken is no place for a root
        ("where(y >= 1, sqrt(atanh(x)*log(y)), x)", (2.0, -1.0)),
    ],
)
def test_shared_hazards_are_guarded(expr: str, at: tuple[float, float]) -> None:
    with np.errstate(all="raise", under="ignore"):
        _, pullback = gen.load("Case", expr, args="x,y").vjp(*at)
        assert np.all(np.isfinite(np.array(pullback(1.0), dtype=np.float64)))

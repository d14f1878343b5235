"""Integer powers become squares, products and quotients; other powers stay."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
from mpmath import mpf

from gen.frontend.options import request
from gen.frontend.text import read
from gen.graph.chains import chain
from gen.graph.evaluate import evaluate
from gen.graph.graph import Graph, operations
from gen.graph.language import express
from gen.graph.powers import lower_powers


def _lowered(expr: str) -> tuple[Graph, int]:
    formula = read(request("Case", expr, {}))
    graph, (root,) = lower_powers(formula.graph, [formula.roots[0]])
    return graph, root


def _count(expr: str) -> int:
    graph, root = _lowered(expr)
    return sum(1 for _ in operations(graph, [root]))


@pytest.mark.parametrize(
    ("expr", "lowered"),
    [
        ("x**2", "x**2"),
        ("x**3", "x**2 * x"),
        ("x**-1", "1 / x"),
        ("x**-2", "1 / x**2"),
        ("x**-3", "1 / (x**2 * x)"),
        ("y*x**-2", "y / x**2"),
        ("x**-2*y", "y / x**2"),
        ("3*x**-2", "3 / x**2"),
        ("x**0.5", "sqrt(x)"),
        ("sin(x)**3", "sin(x) ** 2 * sin(x)"),
        ("2**x", "2**x"),
        ("x**(1/3)", "x ** (1/3)"),
        ("x**y", "x**y"),
        ("x**1.5", "x**1.5"),
        ("x**-0.5", "x**-0.5"),
    ],
)
def test_powers_as_products(expr: str, lowered: str) -> None:
    graph, root = _lowered(expr)
    assert express(graph, root, 1000) == lowered


@pytest.mark.parametrize("exponent", [*range(2, 33), 63, 100, 1023, 4096])
def test_a_power_is_as_many_products_as_its_chain_has_steps(exponent: int) -> None:
    assert _count(f"x**{exponent}") == len(chain([exponent]))


@pytest.mark.parametrize("exponent", [*range(2, 33), 63, 100, 1023])
def test_only_squares_are_left(exponent: int) -> None:
    graph, _ = _lowered(f"x**{exponent} + x**-{exponent}")
    powers = {node.payload for node in graph.nodes if node.op == "pow"}
    assert powers <= {2}


@pytest.mark.parametrize(
    "exponent", ["2", "3", "-2", "-3", "7", "23", "100", "0.5", "1.5", "-0.5", "-7.5", "7.5"]
)
def test_values_stay_the_same(exponent: str) -> None:
    graph, root = _lowered(f"x**{exponent}")
    power = Fraction(exponent) * 2
    assert power.denominator == 1
    with mpmath.workdps(120):
        (found,) = evaluate(graph.nodes, [root], {"x": mpf(9)}, 120)
        assert found == pytest.approx(mpf(3) ** power.numerator, rel=1e-100)


@pytest.mark.parametrize(
    ("expr", "count"),
    [
        ("x**6 + x**12", 5),  # x2 x3 x6 x12 and the sum
        ("x**2 + x**4 + x**8", 5),  # x2 x4 x8 and two sums
        ("x**3 + x**-3", 4),  # x2 x3, its reciprocal, the sum
        ("x**3 + y**3", 5),
    ],
)
def test_powers_of_one_base_share_their_steps(expr: str, count: int) -> None:
    assert _count(expr) == count


def test_what_is_not_reached_is_left_out() -> None:
    formula = read(request("Case", "sin(x**3)", {}))
    (cube,) = formula.graph[formula.roots[0]].args
    graph, _ = lower_powers(formula.graph, [cube])
    assert [node.op for node in graph.nodes] == ["input", "pow", "mul"]

"""Signs: fewer negations, the same values to the last bit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from gen.frontend.options import request
from gen.frontend.text import read
from gen.graph.graph import Builder, Graph
from gen.graph.language import express
from gen.passes.signs import move_signs
from tests.graphs import exact, webs


def _moved(expr: str) -> str | None:
    formula = read(request("Case", expr, {}))
    graph, (root,) = move_signs(formula.graph, [formula.roots[0]])
    return express(graph, root, 1000)


@pytest.mark.parametrize(
    ("expr", "moved"),
    [
        ("(-sin(x))*y + z", "z - sin(x) * y"),
        ("z - (-2)*x", "z + 2 * x"),
        ("sin(-x) + (-x)/y", "sin(-x) - x / y"),
        ("exp(a - b)*(b - a)", "-exp(a - b) * (a - b)"),
        ("(-sin(x))**3 + (-sin(x))**2", "sin(x) ** 2 - sin(x) ** 3"),
        ("-(x + y)", "-(x + y)"),
        ("tanh(-x)", "tanh(-x)"),
    ],
)
def test_where_signs_go(expr: str, moved: str) -> None:
    assert _moved(expr) == moved


def test_a_difference_and_its_opposite_become_one() -> None:
    builder = Builder()
    x, y, z = (builder.node("input", (), name) for name in "xyz")
    one, other = builder.node("sub", (x, y)), builder.node("sub", (y, x))
    root = builder.node(
        "add",
        (builder.node("mul", (one, z)), builder.node("mul", (other, builder.node("exp", (z,))))),
    )
    graph, (found,) = move_signs(builder.freeze(), [root])
    assert express(graph, found, 100) == "(x - y) * z - (x - y) * exp(z)"


@settings(max_examples=400, deadline=None, derandomize=True)
@given(webs())
def test_any_graph_keeps_its_values(web: tuple[Graph, tuple[int, ...]]) -> None:
    assert exact(*move_signs(*web)) == exact(*web)

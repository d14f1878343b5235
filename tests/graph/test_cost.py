"""What the code of a graph costs."""

from __future__ import annotations

import pytest

from gen.frontend.options import request
from gen.frontend.text import read
from gen.graph.cost import cost


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("x", (0, 0)),
        ("sqrt(2)*pi + x", (1, 1)),
        ("x + y*z", (2, 2)),
        ("x/y", (5, 1)),
        ("exp(x)", (20, 1)),
        ("x**2", (2, 1)),
        ("x**12 + x**6", (6, 5)),
        ("1/x**3", (8, 3)),
        ("y*x**-2", (7, 2)),
    ],
)
def test_operations_by_weight_and_number(expr: str, expected: tuple[int, int]) -> None:
    formula = read(request("Case", expr, {}))
    assert cost(formula.graph, [formula.roots[0]]) == expected

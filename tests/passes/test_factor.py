"""Factoring: the same values for fewer operations."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gen.frontend.options import request
from gen.frontend.text import read
from gen.graph.graph import Builder
from gen.graph.language import express
from gen.passes.factor import factor, factor_opened
from tests.graphs import exact, operation_count, terms


def _factored(expr: str) -> str | None:
    formula = read(request("Case", expr, {}))
    graph, (root,) = factor(formula.graph, [formula.roots[0]])
    return express(graph, root, 1000)


@pytest.mark.parametrize(
    ("expr", "factored"),
    [
        ("0.5*(5*x**3-3*x)", "x * (2.5 * x**2 - 1.5)"),
        ("3*(2*x + 5)", "6 * x + 15"),
        ("x*a + x*b", "x * (a + b)"),
        ("x*a - x*b", "x * (a - b)"),
        ("sin(x)*a + sin(x)*b", "sin(x) * (a + b)"),
        ("x**2*y + x*y**2", "x * y * (x + y)"),
        ("x**6*a + x**5*b", "x**5 * (x * a + b)"),
        ("a*x**2 + b*x + c", "x * (a * x + b) + c"),
        ("2*(3*x + 1)*y", "y * (6 * x + 2)"),
        ("x*(a + y*b) + x*c", "x * (a + y * b + c)"),
        ("0.3*a + 0.3*b - c", "0.3 * (a + b) - c"),
        ("x*(a - b) + x*c", "x * (a - b + c)"),
    ],
)
def test_what_saves_an_operation(expr: str, factored: str) -> None:
    assert _factored(expr) == factored


@pytest.mark.parametrize(
    "expr",
    ["x * a + y * b", "3 * (x + y)", "x * (a + b)", "a * x + x", "x**3 + x**2", "-2 * (x - 3)"],
)
def test_what_saves_nothing_stays(expr: str) -> None:
    assert _factored(expr) == expr


@pytest.mark.parametrize(
    "expr", ["a - b + (c - d)", "exp(a - b - (c - d))", "a + (b + c)", "1 - x + (y - 1)"]
)
def test_sums_keep_the_order_that_they_were_written_in(expr: str) -> None:
    assert _factored(expr) == expr


def test_a_difference_of_inputs_is_not_taken_apart() -> None:
    assert _factored("x*p + (a - b) + x*q") == "x * (p + q) + (a - b)"
    assert _factored("x*p + (a - sin(b)) + x*q") == "x * (p + q) + a - sin(b)"


def test_products_that_several_use_are_written_out_on_demand() -> None:
    formula = read(request("Case", "(a*c)*x + (a*s)*y + sin(a*c) + cos(a*s)", {}))
    graph, (root,) = factor_opened(formula.graph, [formula.roots[0]])
    assert express(graph, root, 1000) == "a * (c * x + s * y) + sin(a * c) + cos(a * s)"


def test_what_others_use_is_not_computed_again() -> None:
    assert _factored("sin(x*a + x*b) + cos(3*(x*a + x*b))") == (
        "sin(x * (a + b)) + cos(3 * x * (a + b))"
    )


def test_a_sum_that_two_need_is_kept_whole() -> None:
    formula = read(request("Case", "(x + y)*a + sin(x + y)", {}))
    graph, (root,) = factor(formula.graph, [formula.roots[0]])
    assert sum(1 for node in graph.nodes if node.op == "add") == 2
    assert operation_count(graph, [root]) == operation_count(formula.graph, [formula.roots[0]]) == 4


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_any_polynomial_keeps_its_value_and_costs_no_more(data: st.DataObject) -> None:
    builder = Builder()
    root = data.draw(terms(builder)).id
    before = builder.freeze()
    graph, (found,) = factor(before, [root])
    assert exact(graph, [found]) == exact(before, [root])
    assert operation_count(graph, [found]) <= operation_count(before, [root])
    opened, (again,) = factor_opened(before, [root])
    assert exact(opened, [again]) == exact(before, [root])
    assert all(node.op != "div" for node in (*graph.nodes, *opened.nodes))


def test_a_long_sum_takes_no_time() -> None:
    expr = "+".join(f"a{number}*x" for number in range(1000))
    formula = read(request("Case", expr, {}))
    graph, (root,) = factor(formula.graph, [formula.roots[0]])
    assert operation_count(graph, [root]) < 1100

"""Shared pairs: what sums or products have in common is computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from gen.frontend.options import request
from gen.frontend.text import read
from gen.graph.language import express
from gen.passes.pairs import share_products, share_products_opened, share_sums
from tests.graphs import exact, operation_count, webs

if TYPE_CHECKING:
    from gen.graph.graph import Graph


def _count(expr: str) -> tuple[int, int]:
    """The operations before and after."""
    formula = read(request("Case", expr, {}))
    graph, roots = share_products(formula.graph, [formula.roots[0]])
    return operation_count(formula.graph, [formula.roots[0]]), operation_count(
        *share_sums(graph, roots)
    )


@pytest.mark.parametrize(
    ("expr", "saved"),
    [
        ("sin(x + y + z) + cos(x + w + z)", 1),
        ("sin(x*y*z) + cos(x*w*z)", 1),
        ("sin(x**2*y) + cos(x*y)", 1),
        ("sin(x + y - exp(z)) + cos(y - exp(z))", 1),
        ("sin(exp(z) - y - x) + cos(y - exp(z))", 0),
        ("sin(exp(z) - y) + cos(y - exp(z) + x)", 1),
        ("sin(y - exp(z)) + cos(exp(z) - y + x)", 1),
        ("sin(exp(a) - exp(b)) + cos(exp(b) - exp(a)) + exp(a)", 0),
        ("sin(a*b*c*d) + cos(d*c*b) + exp(c*b*e)", 3),
        ("sin(a + b) + cos(a + c) + exp(b + c)", 0),
        ("sin(2*x*y) + cos(2*x*z)", 1),
        ("sin(x**8*y) + cos(x*y)", 0),
    ],
)
def test_what_is_saved(expr: str, saved: int) -> None:
    before, after = _count(expr)
    assert before - after == saved


def test_a_difference_of_inputs_is_not_taken_apart() -> None:
    # (a - b) + c is exact where a and b are close; (a + c) - b would not be.
    before, after = _count("sin((a - b) + c) + cos(a + c)")
    assert before == after


def test_a_chain_without_a_pair_stays_as_written() -> None:
    expr = "sin(exp(a) - (exp(b) - exp(c))) * (x * (y * z))"
    formula = read(request("Case", expr, {}))
    graph, (root,) = share_sums(*share_products(formula.graph, [formula.roots[0]]))
    assert express(graph, root, 1000) == express(formula.graph, formula.roots[0], 1000)


def test_factors_that_occur_together_meet_where_shared_products_are_written_out() -> None:
    formula = read(request("Case", "sin(a*b*x) + cos(a*b*y) + exp(x*a*y*b)*(a*b)", {}))
    before = operation_count(formula.graph, [formula.roots[0]])
    graph, roots = share_products_opened(formula.graph, [formula.roots[0]])
    # a*b*x*y is (a*b*x)*y, which the order of the factors hides.
    assert before - operation_count(graph, roots) == 2


def test_wide_chains_are_left_alone_and_take_no_time() -> None:
    wide = "+".join(f"exp(a{place})" for place in range(1000))
    before, after = _count(f"sin({wide}) + cos({wide} + x)")
    assert before == after


def test_many_chains_take_no_time() -> None:
    expr = "+".join(f"sin(a{place} + x + y + z + b{place})" for place in range(1000))
    before, after = _count(expr)
    assert before - after == 2 * 999


@settings(max_examples=400, deadline=None, derandomize=True)
@given(webs())
def test_any_graph_keeps_its_values_and_costs_no_more(web: tuple[Graph, tuple[int, ...]]) -> None:
    for share in (share_sums, share_products):
        graph, roots = share(*web)
        assert exact(graph, roots) == exact(*web)
        assert operation_count(graph, roots) <= operation_count(*web)
    assert exact(*share_products_opened(*web)) == exact(*web)

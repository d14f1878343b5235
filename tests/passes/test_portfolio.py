"""The portfolio: the cheapest recipe wins, and no recipe changes a value."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from mpmath import mpf

from gen.frontend.options import request
from gen.frontend.sympy import partial
from gen.frontend.text import read
from gen.graph.cost import cost
from gen.graph.evaluate import evaluate
from gen.graph.graph import Builder
from gen.passes.portfolio import cheapest, cheapest_nodes
from gen.passes.vjp import differentiate
from gen.pipeline import RECIPES
from tests.formulas import CASES, Case, parametrize
from tests.graphs import exact, webs

if TYPE_CHECKING:
    from gen.graph.graph import Graph
    from gen.model import Program


def _programs(case: Case) -> tuple[Program, ...]:
    return differentiate(read(request("Case", case.expr, case.options)), partial)


def _roots(program: Program) -> list[int]:
    return program.roots


@parametrize()
def test_no_formula_gets_dearer(case: Case) -> None:
    programs = _programs(case)
    found = cheapest(programs, RECIPES)
    least = min(cost(one.graph, _roots(one)) for one in programs)
    assert cost(found.graph, _roots(found)) <= least


SCALARS = [case for case in CASES if "shape" not in case.options]


@pytest.mark.parametrize("case", SCALARS, ids=[case.id for case in SCALARS])
@pytest.mark.parametrize("recipe", range(len(RECIPES)))
def test_values_stay_the_same(case: Case, recipe: int) -> None:
    places = (mpf("0.31"), mpf("0.72"), mpf("0.14"), mpf("0.58"), mpf("0.83")) * 2
    domains = (*case.domains, *((one, one) for one in case.constants))
    for program in _programs(case):
        names = [one.name for one in program.formula.inputs]
        numbers = [
            mpf(low) + (mpf(high) - mpf(low)) * place
            for (low, high), place in zip(domains, places, strict=False)
        ]
        at = {**dict(zip(names, numbers, strict=True)), "grad_output": mpf("1.7")}
        graph, roots = cheapest_nodes(program.graph, _roots(program), [RECIPES[recipe]])
        assert evaluate(graph.nodes, roots, at, 30) == pytest.approx(
            evaluate(program.graph.nodes, _roots(program), at, 30), rel=1e-24, abs=1e-26
        )


@settings(max_examples=300, deadline=None, derandomize=True)
@given(webs())
def test_any_graph_keeps_its_values_and_gets_no_dearer(web: tuple[Graph, tuple[int, ...]]) -> None:
    for recipe in RECIPES:
        assert exact(*cheapest_nodes(*web, [recipe])) == exact(*web)
    found = cheapest_nodes(*web, [(), *RECIPES])
    assert exact(*found) == exact(*web)
    assert cost(*found) <= cost(*web)


@pytest.mark.parametrize("op", ["add", "mul"])
def test_a_deep_graph_needs_no_recursion(op: str) -> None:
    builder = Builder()
    x, y, z = (builder.node("input", (), name) for name in "xyz")
    node = x
    for _ in range(3000):
        node = builder.node(op, (builder.node("sub", (node, y)), z))
        node = builder.node("mul", (node, builder.node("hypot", (node, x))))
    graph = builder.freeze()
    for recipe in RECIPES:
        found = cheapest_nodes(graph, [node], [recipe])
        assert cost(*found) <= cost(graph, [node])


_SHARED = "sin(a*b*c + x*y)*(a*b + c*d - x) + cos(b*c - x - y)*(x*y*a - b)/(a + b*d)"


def test_what_is_found_does_not_depend_on_the_hash_seed() -> None:
    code = f"import gen; print(gen.source('Case', {_SHARED!r}))"
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1

"""Factoring: the same values for fewer operations."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf

from gen.frontend.options import request
from gen.frontend.sympy import partial
from gen.frontend.text import read
from gen.graph.algebra import Term, number, symbol
from gen.graph.evaluate import evaluate
from gen.graph.graph import Builder, Graph, operations, reachable
from gen.graph.language import express
from gen.graph.powers import lower_powers
from gen.passes.factor import factor, factor_nodes
from gen.passes.plan import joint_operations
from gen.passes.vjp import differentiate
from tests.formulas import CASES, Case, parametrize

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen.model import Program


def _factored(expr: str) -> str | None:
    formula = read(request("Case", expr, {}))
    graph, (root,) = factor_nodes(formula.graph, [formula.roots[0]])
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


def test_what_others_use_is_not_computed_again() -> None:
    assert _factored("sin(x*a + x*b) + cos(3*(x*a + x*b))") == (
        "sin(x * (a + b)) + cos(3 * x * (a + b))"
    )


def test_a_sum_that_two_need_is_kept_whole() -> None:
    formula = read(request("Case", "(x + y)*a + sin(x + y)", {}))
    graph, (root,) = factor_nodes(formula.graph, [formula.roots[0]])
    assert sum(1 for node in graph.nodes if node.op == "add") == 2
    assert _count(graph, root) == _count(formula.graph, formula.roots[0]) == 4


def _count(graph: Graph, root: int) -> int:
    lowered, roots = lower_powers(graph, [root])
    return sum(1 for _ in operations(lowered, roots))


# ---- values and costs over the table


def _programs(case: Case) -> tuple[Program, ...]:
    return differentiate(read(request("Case", case.expr, case.options)), partial)


@parametrize()
def test_operations_never_become_more(case: Case) -> None:
    for program in _programs(case):
        assert joint_operations(factor(program)) <= joint_operations(program)


SCALARS = [case for case in CASES if "shape" not in case.options]


@pytest.mark.parametrize("case", SCALARS, ids=[case.id for case in SCALARS])
def test_values_stay_the_same(case: Case) -> None:
    places = (mpf("0.31"), mpf("0.72"), mpf("0.14"), mpf("0.58"), mpf("0.83")) * 2
    for program in _programs(case):
        names = [one.name for one in program.formula.inputs]
        domains = (*case.domains, *((one, one) for one in case.constants))
        numbers = [
            mpf(low) + (mpf(high) - mpf(low)) * place
            for (low, high), place in zip(domains, places, strict=False)
        ]
        at = {**dict(zip(names, numbers, strict=True)), "grad_output": mpf("1.7")}
        assert _all_values(factor(program), at) == [
            pytest.approx(one, rel=1e-24, abs=1e-26) for one in _all_values(program, at)
        ]


def _all_values(program: Program, at: dict[str, object]) -> list[object]:
    return list(evaluate(program.graph.nodes, program.roots, at, 30))


# ---- sums and products at random


def _terms(builder: Builder) -> st.SearchStrategy[Term]:
    names = st.sampled_from(["x", "y", "z"]).map(lambda name: symbol(builder, name))
    numbers = st.sampled_from([Fraction(n, d) for n in (-2, -1, 1, 3) for d in (1, 2)])
    leaves = st.one_of(names, names, numbers.map(lambda value: number(builder, value)))

    def larger(parts: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
        pairs = st.tuples(parts, parts)
        return st.one_of(
            pairs.map(lambda pair: pair[0] + pair[1]),
            pairs.map(lambda pair: pair[0] - pair[1]),
            pairs.map(lambda pair: pair[0] * pair[1]),
            parts.map(lambda part: part**2),
            parts.map(lambda part: -part),
        )

    return st.recursive(leaves, larger, max_leaves=14)


def _exact(graph: Graph, root: int) -> Fraction:
    """The value at one point, in rational arithmetic."""
    at = {"x": Fraction(3, 7), "y": Fraction(-5, 3), "z": Fraction(11, 2)}
    values: dict[int, Fraction] = {}
    for index in reachable(graph.nodes, [root]):
        op, args, payload = graph[index]
        parts = [values[arg] for arg in args]
        match op, payload:
            case "number", Fraction():
                values[index] = payload
            case "input", str():
                values[index] = at[payload]
            case "pow", int():
                values[index] = parts[0] ** payload
            case _:
                values[index] = _ARITHMETIC[op](*parts)
    return values[root]


_ARITHMETIC: dict[str, Callable[..., Fraction]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "neg": lambda a: -a,
}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_any_polynomial_keeps_its_value_and_costs_no_more(data: st.DataObject) -> None:
    builder = Builder()
    term = data.draw(_terms(builder))
    graph, (root,) = factor_nodes(builder.freeze(), [term.id])
    assert _exact(graph, root) == _exact(builder.freeze(), term.id)
    assert _count(graph, root) <= _count(builder.freeze(), term.id)
    assert all(node.op != "div" for node in graph.nodes)


def test_a_long_sum_is_left_alone_and_takes_no_time() -> None:
    expr = "+".join(f"a{number}*x" for number in range(1000))
    formula = read(request("Case", expr, {}))
    graph, (root,) = factor_nodes(formula.graph, [formula.roots[0]])
    assert _count(graph, root) <= _count(formula.graph, formula.roots[0])

"""Reverse accumulation: gradients against differences of the value, branches, and size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mpmath
import pytest
from mpmath import mpf

from gen.errors import GenError
from gen.frontend.options import request
from gen.frontend.sympy import partial
from gen.frontend.text import read
from gen.graph.evaluate import evaluate
from gen.graph.language import express
from gen.passes.vjp import differentiate
from gen.pipeline import kernel
from tests.formulas import CASES, Case
from tests.graphs import joint_operations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gen.model import Formula, Program

DIGITS = 40
FINE = 150  # mpmath.diff works with steps far below the digits that it gives
COTANGENT = mpf("1.75")
# Where in the domain of each input: irregular, so that no point is a kink.
PLACES = ("0.3819", "0.7236", "0.1481", "0.5897", "0.8541", "0.2639", "0.6563")

# An input called grad_output could not be told from the cotangent when evaluated by name.
SCALARS = [case for case in CASES if "shape" not in case.options and "grad_output" not in case.expr]


def _formula(expr: str, **options: object) -> Formula:
    return read(request("Case", expr, options))


def _values(expr: str, **at: float) -> list[list[object]]:
    """The gradients that each program of an expression gives at one point."""
    formula = _formula(expr, args=list(at))
    numbers = {name: mpf(value) for name, value in at.items()}
    return [_gradients(program, numbers) for program in differentiate(formula, partial)]


def _gradients(program: Program, at: Mapping[str, object]) -> list[object]:
    roots = [node for node in program.gradients if node is not None]
    given = {**at, "grad_output": COTANGENT}
    return list(evaluate(program.graph.nodes, roots, given, DIGITS))


def _point(case: Case, formula: Formula) -> dict[str, mpf]:
    """A number for each input of a case, within its domain."""
    names = [one.name for one in formula.inputs]
    pairs = zip(case.domains, PLACES * 2, strict=False)
    numbers = [mpf(low) + (mpf(high) - mpf(low)) * mpf(place) for (low, high), place in pairs]
    return dict(zip(names, [*numbers, *map(mpf, case.constants)], strict=True))


def _difference(formula: Formula, at: Mapping[str, mpf], name: str) -> mpf:
    """The derivative of the value in one input, by differences."""

    def along(moved: mpf) -> object:
        (found,) = evaluate(formula.graph.nodes, [formula.roots[0]], {**at, name: moved}, FINE)
        return found

    return mpmath.diff(along, at[name])


def assert_close(found: object, expected: mpf) -> None:
    """Check that two numbers agree in 25 digits, or behind the point where they are small."""
    assert isinstance(found, mpf)
    assert abs(found - expected) <= mpf("1e-25") * (1 + abs(expected))


@pytest.mark.parametrize("case", SCALARS, ids=[case.id for case in SCALARS])
def test_gradients_are_differences_of_the_value_times_the_cotangent(case: Case) -> None:
    formula = _formula(case.expr, **case.options)
    at = _point(case, formula)
    wanted = [one.name for one in formula.inputs if one.differentiable]
    for program in differentiate(formula, partial):
        with mpmath.workdps(DIGITS):
            for name, found in zip(wanted, _gradients(program, at), strict=True):
                assert_close(found, COTANGENT * _difference(formula, at, name))


def test_an_elementwise_formula_has_two_programs_and_one_with_matrices_has_one() -> None:
    shape = {"x": "N,I", "w": "I,O"}
    assert len(differentiate(_formula("x*y"), partial)) == 2
    assert len(differentiate(_formula("x @ w", shape=shape), partial)) == 1


def test_each_input_has_a_gradient_but_constants_have_none() -> None:
    formula = _formula("x*c + 0*y", args="y,c,x", const="c")
    for program in differentiate(formula, partial):
        shown = [node and express(program.graph, node, 100) for node in program.gradients]
        assert shown[1] is None
        assert shown[2] in ("grad_output * c", "c * grad_output")
        assert _gradients(program, {"c": mpf(2), "x": mpf(3), "y": mpf(5)}) == [0, 2 * COTANGENT]


@pytest.mark.parametrize(
    ("expr", "derivative"),
    [
        ("x**2", "2 * x"),
        ("sin(x)", "cos(x)"),
        ("exp(3*x)", "3 * exp(3 * x)"),
        ("tanh(x)", "1 - tanh(x) ** 2"),
        ("where(x > 0, x, 0)", "where(x > 0, 1, 0)"),
        ("floor(x) + x", "1"),
    ],
)
def test_derivatives_as_a_textbook_writes_them(expr: str, derivative: str) -> None:
    program = differentiate(_formula(expr), partial)[0]
    (found,) = program.derivatives
    assert found is not None
    assert express(found.graph, found.node, 100) == derivative


@pytest.mark.parametrize(
    ("expr", "gradients"),
    [
        ("x @ w", ("grad_output @ w.T", "x.T @ grad_output")),
        ("x @ w.T", ("grad_output @ w", "grad_output.T @ x")),
        ("w @ x", ("w.T @ grad_output", "grad_output @ x.T")),
        ("sum(x * w)", ("grad_output * w", "grad_output * x")),
    ],
)
def test_gradients_of_matrices(expr: str, gradients: tuple[str, ...]) -> None:
    planned = kernel(request("Case", expr, {"shape": {"x": "N,N", "w": "N,N"}, "args": "x,w"}))
    assert planned.derivatives == gradients


# ---- branches


@pytest.mark.parametrize(
    ("expr", "at", "gradients"),
    [
        ("where(x > 0, x, y)", {"x": 2, "y": 3}, [1, 0]),
        ("where(x > 0, x, y)", {"x": -2, "y": 3}, [0, 1]),
        ("where(x > 0, x*y, y)", {"x": 2, "y": 3}, [3, 2]),
        ("where(x > 0, x*y, y)", {"x": -2, "y": 3}, [0, 1]),
        ("where(x > 0, sqrt(x)*y, y)", {"x": -4, "y": 3}, [0, 1]),
        ("where(x > 0, sqrt(x)*y, y)", {"x": 4, "y": 3}, [0.75, 2]),
        ("where(x > 0, where(y > 0, x*y, x), y)", {"x": 2, "y": 3}, [3, 2]),
        ("where(x > 0, where(y > 0, x*y, x), y)", {"x": 2, "y": -3}, [1, 0]),
        ("where(x > 0, where(y > 0, x*y, x), y)", {"x": -2, "y": 3}, [0, 1]),
        ("where(x > 0, where(x > 0, x*y, 5*x), y)", {"x": 2, "y": 3}, [3, 2]),
        ("where(x > 0, (x*y)**2, 3*(x*y))", {"x": 2, "y": 3}, [36, 24]),
        ("where(x > 0, (x*y)**2, 3*(x*y))", {"x": -2, "y": 3}, [9, -6]),
        ("where(x > 0, x*y, 0) + x*y", {"x": 2, "y": 3}, [6, 4]),
        ("where(x > 0, x*y, 0) + x*y", {"x": -2, "y": 3}, [3, -2]),
        ("where(x > 0, sqrt(x), 0) + where(y > 0, sqrt(x), y)", {"x": 4, "y": -1}, [0.25, 1]),
        ("where(x > 0, sqrt(x), 0) + where(y > 0, sqrt(x), y)", {"x": 4, "y": 1}, [0.5, 0]),
        ("where(x > y, x, y) + where(x > y, y, x)", {"x": 1, "y": 2}, [1, 1]),
    ],
)
def test_a_branch_gives_gradients_only_where_it_is_taken(
    expr: str, at: dict[str, float], gradients: list[float]
) -> None:
    expected = [COTANGENT * mpf(value) for value in gradients]
    assert _values(expr, **at) == [expected, expected]


def test_a_condition_carries_no_gradient() -> None:
    assert _values("where(x > 0, y, 0)", x=1, y=1) == [[0, COTANGENT]] * 2


# ---- size


def _nested(depth: int) -> str:
    expr = "x"
    for level in range(depth):
        expr = f"where(x > {level}, {expr}, sin({level + 2}*x))"
    return expr


def _composed(depth: int) -> str:
    expr = "x"
    for level in range(depth):
        expr = f"where(y > {level}, sin({expr}), x)"
    return expr


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(_nested, id="alternatives"),
        pytest.param(_composed, id="compositions"),
    ],
)
@pytest.mark.parametrize("form", [0, 1])
def test_nested_branches_cost_as_much_for_each_level(
    build: Callable[[int], str], form: int
) -> None:
    counts = [
        joint_operations(differentiate(_formula(build(depth)), partial)[form])
        for depth in (5, 10, 20)
    ]
    assert counts[2] - counts[1] == 2 * (counts[1] - counts[0])
    assert counts[2] <= 10 * 20


@pytest.mark.parametrize("form", [0, 1])
def test_a_shared_value_is_differentiated_once(form: int) -> None:
    def joint(depth: int) -> int:
        expr = "x"
        for _ in range(depth):
            expr = f"sin({expr})*2"
        formula = _formula(f"({expr})**2 + ({expr})**3")
        return joint_operations(differentiate(formula, partial)[form])

    assert joint(16) - joint(8) == joint(24) - joint(16)


def test_a_deep_chain_needs_no_recursion() -> None:
    formula = _formula("+".join(f"x*{number}*y**{number}" for number in range(1, 900)))
    program = differentiate(formula, partial)[1]
    found = _gradients(program, {"x": mpf(2), "y": mpf(1)})
    total = 899 * 900 // 2
    squares = 899 * 900 * 1799 // 6
    assert found == [total * COTANGENT, 2 * squares * COTANGENT]


def test_an_order_that_has_no_derivative_is_named() -> None:
    with pytest.raises(GenError) as fault:
        differentiate(_formula("polygamma(n, x)"), partial)
    message = "the derivative of polygamma in its argument 1 is not known"
    assert str(fault.value) == message

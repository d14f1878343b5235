"""The language: what is written reads back as the same graph."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gen.frontend.options import request
from gen.frontend.text import read
from gen.graph.algebra import call, symbol
from gen.graph.conditions import both, either, select
from gen.graph.graph import Builder, reachable
from gen.graph.language import express, express_shortest, express_statements
from gen.pipeline import kernel
from tests.formulas import CASES, Case

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen.model import Formula

LONG = 10_000


# What is written of tensors is written of axes, once they are laid out.
_SCALARS = [case for case in CASES if "shape" not in case.options]
elementwise = pytest.mark.parametrize("case", _SCALARS, ids=[case.id for case in _SCALARS])


def _read(expr: str, **options: object) -> Formula:
    return read(request("Case", expr, options))


def _written(formula: Formula) -> str:
    text = express(formula.graph, formula.roots[0], LONG)
    assert text is not None
    return text


def _again(formula: Formula, options: Mapping[str, object]) -> Formula:
    """What the text of a formula is understood as, with the same inputs."""
    names = [one.name for one in formula.inputs]
    return _read(_written(formula), **{**options, "args": names})


def _copied(formula: Formula, builder: Builder) -> int:
    """The node of the formula in a graph where equal expressions have equal ids."""
    image: dict[int, int] = {}
    for node in reachable(formula.graph.nodes, [formula.roots[0]]):
        op, args, payload = formula.graph[node]
        image[node] = builder.node(op, tuple(image[arg] for arg in args), payload)
    return image[formula.roots[0]]


@elementwise
def test_a_formula_reads_back_as_the_same_graph(case: Case) -> None:
    formula = _read(case.expr, **case.options)
    again = _again(formula, case.options)
    builder = Builder()
    assert _copied(again, builder) == _copied(formula, builder)
    # What is simplified away is no longer read.
    read = [replace(one, read=True) for one in formula.inputs]
    assert [replace(one, read=True) for one in again.inputs] == read


@elementwise
def test_what_was_read_back_is_written_the_same(case: Case) -> None:
    formula = _read(case.expr, **case.options)
    assert _written(_again(formula, case.options)) == _written(formula)


# Two that Python tells apart by parentheses alone; no rule of the algebra applies.
TRAPS = [
    ("-(x**2)", "-(x**2)"),
    ("-x**2", "-(x**2)"),
    ("(-x)**y", "(-x) ** y"),
    ("-x**y", "-(x**y)"),
    ("(x**y)**z", "(x**y) ** z"),
    ("x**y**z", "x ** y**z"),
    ("x**-y", "x**-y"),
    ("x**(y + z)", "x ** (y + z)"),
    ("x**(y*z)", "x ** (y * z)"),
    ("(x + y)**z", "(x + y) ** z"),
    ("(x*y)**2", "(x * y) ** 2"),
    ("2**-x", "2**-x"),
    ("(1/3)**x", "(1/3) ** x"),
    ("x/(y/z)", "x / (y / z)"),
    ("x/y/z", "x / y / z"),
    ("x/(y*z)", "x / (y * z)"),
    ("x*(y/z)", "x * (y / z)"),
    ("x*y/z", "x * y / z"),
    ("x*y*z", "x * y * z"),
    ("(x + y)*z", "(x + y) * z"),
    ("x/(y + z)", "x / (y + z)"),
    ("x - (y - z)", "x - (y - z)"),
    ("x - y - z", "x - y - z"),
    ("x - (y + z)", "x - (y + z)"),
    ("x + (y - z)", "x + (y - z)"),
    ("x + (y + z)", "x + (y + z)"),
    ("-(x + y)", "-(x + y)"),
    ("x*y + z", "x * y + z"),
    ("x**2/y", "x**2 / y"),
    ("(x/y)**2", "(x / y) ** 2"),
    ("sin(x)**2", "sin(x) ** 2"),
    ("x/3 - y/7", "x / 3 - y / 7"),
    ("(x + y)/3", "(x + y) / 3"),
    ("x**2/3", "x**2 / 3"),
    ("-(x**2)*y", "-(x**2 * y)"),
]


@pytest.mark.parametrize(("expr", "text"), TRAPS, ids=[expr for expr, _ in TRAPS])
def test_parentheses_stand_where_they_are_needed(expr: str, text: str) -> None:
    assert _written(_read(expr, args="x,y,z")) == text


@pytest.mark.parametrize("expr", [expr for expr, _ in TRAPS])
def test_python_understands_what_is_written_as_it_did_what_was_read(expr: str) -> None:
    from math import sin

    at = {"x": 1.5, "y": 2.0, "z": 3.0, "sin": sin}
    text = _written(_read(expr, args="x,y,z"))
    assert eval(text, at) == pytest.approx(eval(expr, at), rel=1e-14, nan_ok=True)


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        ("x > 0 and y > 0", "x > 0 and y > 0"),
        ("not (x > 0 and y > 0)", "not (x > 0 and y > 0)"),
        ("not x > 0 and y > 0", "(not x > 0) and y > 0"),
        ("(x > 0 or y > 0) and z > 0", "(x > 0 or y > 0) and z > 0"),
        ("x > 0 or y > 0 and z > 0", "x > 0 or (y > 0 and z > 0)"),
        ("x > 0 and (y > 0 and z > 0)", "x > 0 and (y > 0 and z > 0)"),
        ("0 < x < 1", "x > 0 and x < 1"),
        ("x + y > z*2", "x + y > 2 * z"),
        ("(x > 0) == 1", "where(x > 0, 1, 0) == 1"),
        ("x == y or x != z", "x == y or x != z"),
        ("x <= y and y >= z", "x <= y and y >= z"),
    ],
)
def test_conditions(expr: str, text: str) -> None:
    assert _written(_read(f"where({expr}, x, y)", args="x,y,z")) == f"where({text}, x, y)"


@pytest.mark.parametrize("x", [-1, 1])
@pytest.mark.parametrize("y", [-1, 1])
@pytest.mark.parametrize("z", [-1, 1])
@pytest.mark.parametrize(
    "expr",
    [
        "not (x > 0 and y > 0)",
        "not x > 0 and y > 0",
        "(x > 0 or y > 0) and z > 0",
        "x > 0 or y > 0 and z > 0",
        "not (x > 0 or not y > 0) or z > 0",
    ],
)
def test_python_understands_conditions_the_same(expr: str, x: int, y: int, z: int) -> None:
    at = {"x": x, "y": y, "z": z, "where": lambda condition, yes, no: yes if condition else no}
    assert eval(_written(_read(f"where({expr}, 1, 0)", args="x,y,z")), at) == eval(expr, at)


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        ("maximum(x, 0)", "Max(x, 0)"),
        ("fmin(x, y)", "Min(x, y)"),
        ("heaviside(x)", "Heaviside(x, 0.5)"),
        ("ln(x)", "log(x)"),
        ("arctan2(y, x)", "atan2(y, x)"),
        ("x if x > 0 else y", "where(x > 0, x, y)"),
        ("True*x", "x"),
        ("pi*x + E", "pi * x + E"),
        ("0.1*x", "0.1 * x"),
        ("1e-3*x", "0.001 * x"),
        ("x*2/3", "2/3 * x"),
        ("1e30*x", "1000000000000000000000000000000/1 * x"),
    ],
)
def test_spellings_and_numbers(expr: str, text: str) -> None:
    assert _written(_read(expr, args="x,y")) == text


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        ("(x @ a) @ b", "x @ a @ b"),
        ("x @ (a @ b)", "x @ (a @ b)"),
        ("x @ (a @ b).T.T", "x @ (a @ b)"),
        ("(a @ b).T @ x.T", "b.T @ a.T @ x.T"),
        ("x @ (2*a + a*a) @ b", "x @ (a * (2 + a)) @ b"),
        ("softmax(x @ a @ b, axis=-1)", "softmax(x @ a @ b, axis=-1)"),
        ("sum(x, axis=0) + norm(a) - mean(b)", "sum(x, axis=-2) + norm(a) - mean(b)"),
        ("x @ inv(a @ b)", "x @ inv(a @ b)"),
    ],
)
def test_products_of_matrices(expr: str, text: str) -> None:
    shape = {"x": "M,N", "a": "N,N", "b": "N,N"}
    block = kernel(request("Case", expr, {"shape": shape})).forward
    (root,) = block.results
    assert root is not None
    assert express(block.graph, root, 100) == text


@pytest.mark.parametrize("expr", ["sin(x) + cos(y)", "x**2", "where(x > 0, x, y)"])
def test_nothing_is_written_beyond_the_length_asked_for(expr: str) -> None:
    formula = _read(expr)
    length = len(_written(formula))
    assert express(formula.graph, formula.roots[0], length) == _written(formula)
    assert express(formula.graph, formula.roots[0], length - 1) is None


def test_a_graph_that_would_fill_the_memory_is_given_up_early() -> None:
    builder = Builder()
    node = builder.node("sin", (builder.node("input", (), "x"),))
    for _ in range(200):
        node = builder.node("atan2", (node, node))
    assert express(builder.freeze(), node, LONG) is None


# ---- statements


def _value(text: str, at: Mapping[str, float]) -> float:
    """What Python makes of statements, the last one an expression."""
    *definitions, last = text.split("; ")
    known: dict[str, object] = {**at, "sin": math.sin, "cos": math.cos, "where": _where}
    for definition in definitions:
        name, _, expression = definition.partition(" = ")
        assert name not in known
        known[name] = eval(expression, known)
    value = eval(last, known)
    assert isinstance(value, int | float)
    return value


def _where(condition: bool, yes: float, no: float) -> float:
    return yes if condition else no


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        ("x**2 + 1", "x**2 + 1"),
        ("sin(x)*sin(x) + cos(sin(x))", "sin(x) ** 2 + cos(sin(x))"),
        (
            "(x**2+y+1)*cos(x**2+y+1) + sin(x**2+y+1)",
            "t1 = x**2 + y + 1; t1 * cos(t1) + sin(t1)",
        ),
        (
            "(x**2+t1+1)*cos(x**2+t1+1) + sin(x**2+t1+1)",
            "t2 = x**2 + t1 + 1; t2 * cos(t2) + sin(t2)",
        ),
        ("where(x + y > z + 1, x, y)*where(x + y > z + 1, y, z)", None),
    ],
)
def test_the_shorter_of_an_expression_and_statements(expr: str, text: str | None) -> None:
    formula = _read(expr)
    assert express_shortest(formula.graph, formula.roots[0]) == (text or _written(formula))


def test_names_that_are_taken() -> None:
    formula = _read("(x**2+y+1)*cos(x**2+y+1) + sin(x**2+y+1)")
    text = express_statements(formula.graph, formula.roots[0], taken=["t1", "t3"])
    assert text == "t2 = x**2 + y + 1; t2 * cos(t2) + sin(t2)"


@elementwise
def test_statements_are_the_formula(case: Case) -> None:
    formula = _read(case.expr, **case.options)
    text = express_statements(formula.graph, formula.roots[0])
    *definitions, last = text.split("; ")
    for definition in reversed(definitions):
        name, _, expression = definition.partition(" = ")
        last = re.sub(rf"\b{name}\b", f"({expression})", last)
    inputs = [one.name for one in formula.inputs]
    again = _read(last, **{**case.options, "args": inputs})
    builder = Builder()
    assert _copied(again, builder) == _copied(formula, builder)


def test_statements_stay_linear_where_an_expression_doubles() -> None:
    builder = Builder()
    term = symbol(builder, "x")
    for _ in range(100):
        term = call("sin", term) + term / 2
    text = express_shortest(builder.freeze(), term.id)
    assert len(text) < 30 * 100
    value = 0.7
    for _ in range(100):
        value = math.sin(value) + value / 2
    assert _value(text, {"x": 0.7}) == pytest.approx(value, rel=1e-13)


@pytest.mark.parametrize("count", [1_000, 100_000])
def test_deep_and_long_graphs_become_short_statements(count: int) -> None:
    builder = Builder()
    x, y = symbol(builder, "x"), symbol(builder, "y")
    deep, long = x, x
    for k in range(count // 2):
        deep = call("cos", deep)
        long = long + (k + 2) * y
        long = call("sin", long) if k % 9 == 0 else long
    both_of_them = deep + long
    text = express_shortest(builder.freeze(), both_of_them.id)
    assert max(map(len, text.split("; "))) < 400
    assert len(text) < 12 * count


def test_a_long_condition_is_named_too() -> None:
    builder = Builder()
    x = symbol(builder, "x")
    condition = x > 0
    for k in range(40):
        condition = either(both(condition, x < k + 2), both(condition, x > -k))
    chosen = select(condition, x, -x)
    text = express_shortest(builder.freeze(), chosen.id)
    assert len(text) < 4000
    assert _value(text, {"x": 0.5}) == 0.5
    assert _value(text, {"x": -0.5}) == 0.5

"""The algebra: each local rule, and that all of them together keep every value."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gen.errors import GenError
from gen.frontend.options import request
from gen.frontend.text import read
from gen.graph.algebra import Term, cotangent, number, symbol, truth
from gen.graph.conditions import both, compare, either, masked, negated, select
from gen.graph.graph import Builder, Node, reachable
from gen.graph.language import express

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _simplified(expr: str, **options: object) -> str | None:
    formula = read(request("Case", expr, {"args": "x,y,z", **options}))
    return express(formula.graph, formula.roots[0], 1000)


def _shown(term: Term) -> str | None:
    return express(term.builder.freeze(), term.id, 1000)


# ---- rules


@pytest.mark.parametrize(
    ("expr", "simplified"),
    [
        ("x + 0", "x"),
        ("0 + x", "x"),
        ("x + (1 + 2)", "x + 3"),
        ("x + -y", "x - y"),
        ("-x + y", "y - x"),
        ("x + -3", "x - 3"),
        ("(x + 1) + 2", "x + 3"),
        ("2 + (x + 1)", "x + 3"),
        ("(x - 5) + 2", "x - 3"),
        ("(1 - x) + 2", "3 - x"),
        ("x + x", "2 * x"),
        ("2*x + 3*x", "5 * x"),
        ("-x + 3*x", "2 * x"),
        ("x*y + x*y", "2 * x * y"),
        ("where(x > 0, y, 0) + where(x > 0, 0, z)", "where(x > 0, y, z)"),
        ("where(x > 0, y, 0) + where(x > 0, z, 0)", "where(x > 0, y + z, 0)"),
        (
            "where(x > 0, y, 0) + where(y > 0, 0, z)",
            "where(x > 0, y, 0) + where(y > 0, 0, z)",
        ),
    ],
)
def test_sums(expr: str, simplified: str) -> None:
    assert _simplified(expr) == simplified


@pytest.mark.parametrize(
    ("expr", "simplified"),
    [
        ("x - 0", "x"),
        ("0 - x", "-x"),
        ("x - (3 - 1)", "x - 2"),
        ("x - -y", "x + y"),
        ("-x - y", "-(x + y)"),
        ("x - -3", "x + 3"),
        ("(x + 5) - 2", "x + 3"),
        ("(1 - x) - 2", "-1 - x"),
        ("x - x", "0"),
        ("3*x - x", "2 * x"),
        ("x - 3*x", "-2 * x"),
        ("where(x > 0, y, 0) - where(x > 0, 0, z)", "where(x > 0, y, -z)"),
        ("-(-x)", "x"),
        ("-(x - y)", "y - x"),
        ("-(2*x)", "-2 * x"),
        ("-(2/x)", "-2 / x"),
    ],
)
def test_differences_and_signs(expr: str, simplified: str) -> None:
    assert _simplified(expr) == simplified


@pytest.mark.parametrize(
    ("expr", "simplified"),
    [
        ("1*x", "x"),
        ("0*x", "0"),
        ("-1*x", "-x"),
        ("x*2", "2 * x"),
        ("2*(3*x)", "6 * x"),
        ("(2*x)*(3*y)", "6 * x * y"),
        ("x*pi*2", "2 * pi * x"),
        ("pi*(2*x)", "2 * pi * x"),
        ("-x*-y", "x * y"),
        ("x*(-y)", "-x * y"),
        ("x*x", "x**2"),
        ("x**2*x**3", "x**5"),
        ("x**-2*x**-3", "x**-5"),
        ("x**-2*x**3", "x**-2 * x**3"),
        ("1/x*x", "1"),
        ("y/x*x", "y"),
        ("x*(1/y)", "x / y"),
        ("x*(2/y)", "2 * x / y"),
    ],
)
def test_products(expr: str, simplified: str) -> None:
    assert _simplified(expr) == simplified


@pytest.mark.parametrize(
    ("expr", "simplified"),
    [
        ("x/1", "x"),
        ("0/x", "0"),
        ("x/4", "0.25 * x"),
        ("x/3", "x / 3"),
        ("(1/2)*x", "0.5 * x"),
        ("x/x", "1"),
        ("x*y/x", "y"),
        ("x*y/y", "x"),
        ("x**5/x**2", "x**3"),
        ("x**2/x**5", "x**-3"),
        ("x**2/x", "x"),
        ("1/x**2", "x**-2"),
        ("2/x**-3", "2 * x**3"),
        ("-x/-y", "x / y"),
        ("6*x/(3*y)", "2 * x / y"),
        ("1/(2*x)", "0.5 / x"),
        ("x/pi", "1 / pi * x"),
    ],
)
def test_quotients(expr: str, simplified: str) -> None:
    assert _simplified(expr) == simplified


@pytest.mark.parametrize(
    ("expr", "simplified"),
    [
        ("x**0", "1"),
        ("x**1", "x"),
        ("x**-1", "1 / x"),
        ("2**10*x", "1024 * x"),
        ("(x**2)**3", "x**6"),
        ("(x**-2)**3", "x**-6"),
        ("(-x)**2", "x**2"),
        ("(-x)**3", "-(x**3)"),
        ("(1/x)**2", "x**-2"),
        ("x**0.5", "sqrt(x)"),
        ("x**(1/2)", "sqrt(x)"),
        ("E**x", "exp(x)"),
        ("x**1.5", "x**1.5"),
        ("(x**2)**0.5", "sqrt(x**2)"),
        ("sqrt(x)**2", "sqrt(x) ** 2"),
    ],
)
def test_powers(expr: str, simplified: str) -> None:
    assert _simplified(expr) == simplified


@pytest.mark.parametrize(
    ("expr", "simplified"),
    [
        ("where(1 < 2, x, y)", "x"),
        ("where(2 <= 1, x, y)", "y"),
        ("where(0 < x, x, y)", "where(x > 0, x, y)"),
        ("where(0 >= x, x, y)", "where(x <= 0, x, y)"),
        ("where(x > 0, y, y)", "y"),
        ("where(True, x, y)", "x"),
        ("where(x > 0, where(x > 0, x, y), where(x > 0, y, z))", "where(x > 0, x, z)"),
        ("where(x > 0 and True, x, y)", "where(x > 0, x, y)"),
        ("where(x > 0 and False, x, y)", "y"),
        ("where(x > 0 or True, x, y)", "x"),
        ("where(False or x > 0, x, y)", "where(x > 0, x, y)"),
        ("where(x > 0 and x > 0, x, y)", "where(x > 0, x, y)"),
        ("where(x > 0 or x > 0, x, y)", "where(x > 0, x, y)"),
        ("where(not x == y, x, y)", "where(x != y, x, y)"),
        ("where(not x != y, x, y)", "where(x == y, x, y)"),
        ("where(not not x < y, x, y)", "where(x < y, x, y)"),
        ("where(not x < y, x, y)", "where(not x < y, x, y)"),
        ("(x > y) + 0", "where(x > y, 1, 0)"),
    ],
)
def test_conditions(expr: str, simplified: str) -> None:
    assert _simplified(expr) == simplified


def test_a_cotangent_is_moved_into_a_mask() -> None:
    builder = Builder()
    x, g = symbol(builder, "x"), cotangent(builder)
    mask = select(x > 0, number(builder, 1), select(x < -1, number(builder, 3), number(builder, 0)))
    expected = "where(x > 0, grad_output, where(x < -1, 3 * grad_output, 0))"
    assert _shown(masked(g, mask)) == expected


def test_a_cotangent_is_multiplied_by_what_is_no_mask() -> None:
    builder = Builder()
    x, g = symbol(builder, "x"), cotangent(builder)
    partial = select(x > 0, x, number(builder, 0))
    assert _shown(masked(g, partial)) == "grad_output * where(x > 0, x, 0)"


def test_sharing_is_kept_where_a_square_meets_its_base() -> None:
    builder = Builder()
    x, y = symbol(builder, "x"), symbol(builder, "y")
    total = x + y
    squared = total * total
    assert (squared.op, squared.args, squared.exponent) == ("pow", (total,), 2)


def test_python_numbers_stand_on_either_side() -> None:
    builder = Builder()
    x = symbol(builder, "x")
    left = (1 + x, 1 - x, 2 * x, 1 / x)
    right = (x + 1, x - 1, x * 2, x / 2, x**2)
    assert [_shown(term) for term in left] == ["1 + x", "1 - x", "2 * x", "1 / x"]
    assert [_shown(term) for term in right] == ["1 + x", "x - 1", "2 * x", "0.5 * x", "x**2"]


# ---- what is refused


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda x: x / 0,
            "division by zero: the expression divides by a constant that is 0",
        ),
        (lambda x: x.like(0) ** -2, "division by zero: 0**-2"),
        (lambda x: x**5000, "an exponent of 5000; integer exponents go up to 4096"),
        (lambda x: (x**4000) ** -2, "an exponent of -8000; integer exponents go up to 4096"),
        (lambda x: x**2**8192, "a number needs more than 8192 bits; float64 ends near 1.8e308"),
        (
            lambda x: x.like(3) ** 9000,
            "a constant power needs more than 8192 bits; float64 ends near 1.8e308",
        ),
    ],
    ids=["division", "zero", "exponent", "power", "number", "constant"],
)
def test_what_has_no_value_or_no_end_is_refused(
    build: Callable[[Term], Term], message: str
) -> None:
    with pytest.raises(GenError) as fault:
        build(symbol(Builder(), "x"))
    assert str(fault.value) == message


# ---- all rules together


@dataclass(frozen=True)
class Tree:
    """An expression before any rule has seen it."""

    op: str
    parts: tuple[Tree | Fraction | str | int, ...]


Leaf: TypeAlias = Fraction | str
Value: TypeAlias = Fraction | bool


def _leaves() -> st.SearchStrategy[Leaf]:
    names = st.sampled_from(["x", "y"])
    numbers = st.sampled_from([Fraction(n, d) for n in range(-3, 4) for d in (1, 2, 3)])
    return st.one_of(names, names, numbers)


def _larger(parts: st.SearchStrategy[Tree | Leaf]) -> st.SearchStrategy[Tree]:
    return st.one_of(
        st.builds(Tree, st.sampled_from(["add", "sub", "mul", "div"]), st.tuples(parts, parts)),
        st.builds(Tree, st.just("neg"), st.tuples(parts)),
        st.builds(Tree, st.just("pow"), st.tuples(parts, st.integers(-3, 4))),
        st.builds(Tree, st.just("where"), st.tuples(parts, parts, parts, parts)),
    )


def _without_division(parts: st.SearchStrategy[Tree | Leaf]) -> st.SearchStrategy[Tree]:
    return st.one_of(
        st.builds(Tree, st.sampled_from(["add", "sub", "mul"]), st.tuples(parts, parts)),
        st.builds(Tree, st.just("neg"), st.tuples(parts)),
        st.builds(Tree, st.just("pow"), st.tuples(parts, st.integers(0, 4))),
        st.builds(Tree, st.just("where"), st.tuples(parts, parts, parts, parts)),
    )


TREES = st.recursive(_leaves(), _larger, max_leaves=12)
POLYNOMIALS = st.recursive(_leaves(), _without_division, max_leaves=12)
POINTS = st.sampled_from([Fraction(n, d) for n in range(-5, 6) for d in (1, 2, 7)])

_RULES: dict[str, Callable[..., Term]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "pow": lambda a, n: a**n,
    "where": lambda a, b, c, d: select(a < b, c, d),
}

_TRUTH: dict[str, Callable[..., Value]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "pow": lambda a, n: a**n,
    "where": lambda a, b, c, d: c if a < b else d,
    "lt": lambda a, b: a < b,
    "gt": lambda a, b: a > b,
    "true": lambda: True,
    "false": lambda: False,
    "select": lambda holds, c, d: c if holds else d,
}


def _built(tree: Tree | Leaf | int, builder: Builder) -> Term | int:
    match tree:
        case Tree(op, parts):
            return _RULES[op](*(_built(part, builder) for part in parts))
        case Fraction():
            return number(builder, tree)
        case str():
            return symbol(builder, tree)
    return tree


def _exact(tree: Tree | Leaf | int, at: dict[str, Fraction]) -> Value | int:
    """The value of a tree in rational arithmetic, all of it computed as written."""
    match tree:
        case Tree(op, parts):
            return _TRUTH[op](*(_exact(part, at) for part in parts))
        case str():
            return at[tree]
    return tree


def _finite(tree: Tree | Leaf, at: dict[str, Fraction]) -> Value | int | None:
    """The same, None where something is divided by zero."""
    try:
        return _exact(tree, at)
    except ZeroDivisionError:
        return None


def _exact_graph(nodes: Sequence[Node], root: int, at: dict[str, Fraction]) -> Value:
    """The value of a graph in rational arithmetic, all of it computed as written."""
    values: dict[int, Value] = {}
    for index in reachable(nodes, [root]):
        op, args, payload = nodes[index]
        match payload:
            case Fraction():
                values[index] = payload
            case str():
                values[index] = at[payload]
            case int():
                values[index] = _TRUTH[op](values[args[0]], payload)
            case None:
                values[index] = _TRUTH[op](*(values[arg] for arg in args))
    return values[root]


@settings(max_examples=600, deadline=None, derandomize=True)
@given(TREES, POINTS, POINTS)
def test_every_value_stays_the_same_where_the_form_as_written_is_finite(
    tree: Tree | Leaf, x: Fraction, y: Fraction
) -> None:
    at = {"x": x, "y": y}
    expected = _finite(tree, at)
    assume(expected is not None)
    term = _built(tree, Builder())
    assert isinstance(term, Term)
    assert _exact_graph(term.builder.nodes, term.id, at) == expected


@settings(max_examples=300, deadline=None, derandomize=True)
@given(POLYNOMIALS)
def test_no_rule_introduces_a_division(tree: Tree | Leaf) -> None:
    term = _built(tree, Builder())
    assert isinstance(term, Term)
    for node in term.builder.nodes:
        assert node.op != "div"
        assert node.op != "pow" or int(str(node.payload)) > 0


@settings(max_examples=300, deadline=None, derandomize=True)
@given(POLYNOMIALS)
def test_building_stays_linear_in_the_size_of_the_tree(tree: Tree | Leaf) -> None:
    builder = Builder()
    _built(tree, builder)
    assert len(builder.nodes) <= 8 * _size(tree)


def _size(tree: Tree | Leaf | int) -> int:
    return 1 + sum(map(_size, tree.parts)) if isinstance(tree, Tree) else 1


# ---- conditions


@pytest.mark.parametrize("op", ["lt", "le", "gt", "ge", "eq", "ne"])
def test_numbers_are_compared(op: str) -> None:
    builder = Builder()
    pairs = [(1, 2), (2, 1), (1, 1)]
    found = [compare(op, number(builder, a), number(builder, b)).op for a, b in pairs]
    expected = {
        "lt": ["true", "false", "false"],
        "le": ["true", "false", "true"],
        "gt": ["false", "true", "false"],
        "ge": ["false", "true", "true"],
        "eq": ["false", "false", "true"],
        "ne": ["true", "true", "false"],
    }
    assert found == expected[op]


def test_what_is_known_of_a_condition_decides() -> None:
    builder = Builder()
    x = symbol(builder, "x")
    yes, no, perhaps = truth(builder, True), truth(builder, False), x > 0
    assert both(perhaps, no) == no
    assert both(yes, perhaps) == both(perhaps, yes) == perhaps
    assert either(perhaps, yes) == yes
    assert either(no, perhaps) == either(perhaps, no) == perhaps
    assert (negated(yes), negated(no)) == (no, yes)


def test_a_negated_order_stays_for_nan() -> None:
    builder = Builder()
    x = symbol(builder, "x")
    assert negated(x < 0).op == "not"
    assert negated(negated(x < 0)) == (x < 0)

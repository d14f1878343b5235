"""The graph: one id for one node, operands before their users, walks without recursion."""

from __future__ import annotations

from fractions import Fraction

import pytest

from gen.frontend.options import request
from gen.frontend.text import read
from gen.graph.graph import (
    COTANGENT,
    INPUT,
    NUMBER,
    OUTPUT,
    Builder,
    Graph,
    Node,
    constants,
    operations,
    reachable,
    use_counts,
)
from tests.formulas import Case, parametrize

DEEP = 100_000


@pytest.fixture(scope="module")
def deep() -> Graph:
    """A chain of sines: node 0 is the input, node n the n-th sine of it."""
    builder = Builder()
    node = builder.node(INPUT, (), "x")
    for _ in range(DEEP):
        node = builder.node("sin", (node,))
    return builder.freeze()


def _pair() -> tuple[Builder, int, int]:
    builder = Builder()
    return builder, builder.node(INPUT, (), "x"), builder.node(INPUT, (), "y")


def test_the_same_request_gives_the_same_id() -> None:
    builder, x, y = _pair()
    assert builder.node(INPUT, (), "x") == x
    assert builder.node("sub", (x, y)) == builder.node("sub", (x, y)) == 2
    assert len(builder.nodes) == 3


@pytest.mark.parametrize("op", ["add", "mul", "eq", "ne", "and", "or"])
def test_operands_that_may_be_swapped_give_the_same_id_and_stay_as_written(op: str) -> None:
    builder, x, y = _pair()
    first = builder.node(op, (y, x))
    assert builder.node(op, (x, y)) == first
    assert builder.nodes[first] == Node(op, (y, x), None)


@pytest.mark.parametrize("op", ["sub", "div", "power", "lt", "atan2", "maximum", "optional_add"])
def test_operands_that_may_not_be_swapped_give_two_ids(op: str) -> None:
    builder, x, y = _pair()
    assert builder.node(op, (x, y)) != builder.node(op, (y, x))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((NUMBER, (), Fraction(2)), (NUMBER, (), Fraction(-2))),
        ((INPUT, (), "x"), (OUTPUT, (), "x")),
        (("pow", (0,), 2), ("pow", (0,), 3)),
        (("sin", (0,), None), ("cos", (0,), None)),
    ],
    ids=["number", "leaf", "exponent", "operation"],
)
def test_what_differs_gets_an_id_of_its_own(
    one: tuple[str, tuple[int, ...], Fraction | int | str | None],
    other: tuple[str, tuple[int, ...], Fraction | int | str | None],
) -> None:
    builder, *_ = _pair()
    assert builder.node(*one) != builder.node(*other)


def test_a_frozen_graph_stays_while_its_builder_goes_on() -> None:
    builder, x, y = _pair()
    graph = builder.freeze()
    builder.node("add", (x, y))
    assert len(graph) == 2


def test_a_builder_from_a_graph_keeps_its_ids() -> None:
    builder, x, y = _pair()
    total = builder.node("add", (x, y))
    again = Builder.of(builder.freeze())
    assert again.node("add", (y, x)) == total
    assert again.node("sub", (x, y)) == 3


@parametrize()
def test_operands_have_smaller_ids(case: Case) -> None:
    graph = read(request("Case", case.expr, case.options)).graph
    assert all(arg < index for index, node in enumerate(graph.nodes) for arg in node.args)


@parametrize()
def test_no_node_is_there_twice(case: Case) -> None:
    graph = read(request("Case", case.expr, case.options)).graph
    assert len(set(graph.nodes)) == len(graph)


def test_reachable_leaves_out_what_nobody_needs() -> None:
    builder, x, y = _pair()
    builder.node("add", (x, y))
    sine = builder.node("sin", (y,))
    assert reachable(builder.nodes, [sine]) == [y, sine]
    assert reachable(builder.nodes, []) == []


def test_reachable_does_not_look_below_where_it_stops() -> None:
    builder, x, y = _pair()
    total = builder.node("add", (x, y))
    product = builder.node("mul", (total, y))
    assert reachable(builder.nodes, [product], stop=[total]) == [y, total, product]


def test_a_constant_depends_on_no_variable() -> None:
    builder, x, _ = _pair()
    two = builder.node(NUMBER, (), Fraction(2))
    root = builder.node("sqrt", (two,))
    scaled = builder.node("mul", (root, x))
    g = builder.node(COTANGENT, (), "grad_output")
    assert constants(builder.freeze(), range(len(builder.nodes))) == {two, root}
    assert [builder.is_constant(node) for node in (two, root, scaled, g)] == [
        True,
        True,
        False,
        False,
    ]


def test_a_square_uses_its_operand_twice_and_a_root_is_used() -> None:
    builder, x, y = _pair()
    product = builder.node("mul", (x, x))
    total = builder.node("add", (product, y))
    order = reachable(builder.nodes, [total, y])
    assert use_counts(builder.nodes, order, [total, y]) == {x: 2, y: 2, product: 1, total: 1}


def test_leaves_constants_and_views_cost_no_operation() -> None:
    builder, x, _ = _pair()
    root = builder.node("sqrt", (builder.node(NUMBER, (), Fraction(2)),))
    turned = builder.node("view", (x,), ".T")
    scaled = builder.node("mul", (root, turned))
    assert list(operations(builder.freeze(), [scaled])) == [scaled]


def test_reachable_in_a_deep_chain(deep: Graph) -> None:
    assert reachable(deep.nodes, [DEEP]) == list(range(DEEP + 1))


def test_use_counts_of_a_deep_chain(deep: Graph) -> None:
    counts = use_counts(deep.nodes, range(DEEP + 1), [DEEP])
    assert set(counts.values()) == {1}


def test_operations_and_constants_of_a_deep_chain(deep: Graph) -> None:
    assert sum(1 for _ in operations(deep, [DEEP])) == DEEP
    assert constants(deep, range(DEEP + 1)) == set()


def test_a_deep_chain_is_copied(deep: Graph) -> None:
    assert Builder.of(deep).freeze() == deep

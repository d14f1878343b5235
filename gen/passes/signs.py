"""Signs move to where they cost nothing: into sums, out of products.

In: a graph and its roots. Out: the same values, with fewer negations.

Every node is computed up to its sign. A product passes the signs of its factors on, a sum
takes them up by adding or subtracting; a negation is left only where a root or another
operation needs the value itself. (-x)*y + z becomes z - x*y, and a - b and b - a become
one. No bit of any value changes: rounding is symmetric.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from gen.graph.algebra import Term, neg, number
from gen.graph.graph import NUMBER, Builder, Graph, Node, constants

if TYPE_CHECKING:
    from collections.abc import Sequence

# A node, and whether the value is its negative.
_Signed: TypeAlias = tuple[int, bool]


def move_signs(graph: Graph, roots: Sequence[int]) -> tuple[Graph, tuple[int, ...]]:
    """The same values with signs absorbed by sums."""
    builder = Builder.beside(graph)
    image: dict[int, _Signed] = {}
    order = graph.order(roots)
    fixed = constants(graph, order)
    for node in order:
        operands = [image[arg] for arg in graph[node].args]
        if node in fixed:
            image[node] = _whole(builder, graph[node], operands), False
        else:
            image[node] = _moved(builder, graph[node], operands)
    found = tuple(_value(builder, image[root]) for root in roots)
    return builder.freeze(), found


def _moved(builder: Builder, node: Node, operands: list[_Signed]) -> _Signed:
    op, _, payload = node
    if op == "neg":
        return operands[0][0], not operands[0][1]
    if op == "add":
        return _sum(builder, operands[0], operands[1])
    if op == "sub":
        return _sum(builder, operands[0], (operands[1][0], not operands[1][1]))
    if op in ("mul", "div"):
        (a, minus), (b, other) = (_positive(builder, one) for one in operands)
        return builder.node(op, (a, b)), minus != other
    if op == "pow" and isinstance(payload, int):
        base, minus = operands[0]
        return builder.node(op, (base,), payload), minus and payload % 2 == 1
    return _whole(builder, node, operands), False


def _sum(builder: Builder, one: _Signed, other: _Signed) -> _Signed:
    (a, minus), (b, negative) = one, other
    if minus == negative:
        return builder.node("add", (a, b)), minus
    first, second = (b, a) if minus else (a, b)
    # The same difference the other way round may be there already.
    found = builder.find("sub", (second, first))
    if found is not None:
        return found, True
    return builder.node("sub", (first, second)), False


def _positive(builder: Builder, factor: _Signed) -> _Signed:
    """A number's own sign counts too: -2*x is 2*x up to its sign."""
    node, minus = factor
    op, _, value = builder.nodes[node]
    if op == NUMBER and isinstance(value, Fraction) and value < 0:
        return number(builder, -value).id, not minus
    return factor


def _whole(builder: Builder, node: Node, operands: list[_Signed]) -> int:
    return builder.node(node.op, tuple([_value(builder, one) for one in operands]), node.payload)


def _value(builder: Builder, signed: _Signed) -> int:
    node, minus = signed
    return neg(Term(builder, node)).id if minus else node

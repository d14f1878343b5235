"""Signs move to where they cost nothing: into sums, out of products.

In: a graph and its roots. Out: the same values, with fewer negations.

Every node is computed up to its sign. A product passes the signs of its factors on, a sum
takes them up by adding or subtracting; a negation is left only where a root or another
operation needs the value itself. (-x)*y + z becomes z - x*y, and a - b and b - a become
one. No bit of any value changes: rounding is symmetric.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from gen.graph.algebra import Term, neg, number
from gen.graph.graph import Builder, Graph, Node, constants, reachable

if TYPE_CHECKING:
    from collections.abc import Sequence

# A term, and whether the value is its negative.
_Signed: TypeAlias = tuple[Term, bool]


def move_signs(graph: Graph, roots: Sequence[int]) -> tuple[Graph, tuple[int, ...]]:
    """The same values with signs absorbed by sums."""
    builder = Builder()
    image: dict[int, _Signed] = {}
    order = reachable(graph.nodes, roots)
    fixed = constants(graph.nodes, order)
    for node in order:
        operands = [image[arg] for arg in graph[node].args]
        if node in fixed:
            image[node] = _whole(builder, graph[node], operands), False
        else:
            image[node] = _moved(builder, graph[node], operands)
    found = tuple(_value(image[root]).id for root in roots)
    return builder.freeze(), found


def _moved(builder: Builder, node: Node, operands: list[_Signed]) -> _Signed:
    match node.op:
        case "neg":
            return operands[0][0], not operands[0][1]
        case "add":
            return _sum(*operands)
        case "sub":
            return _sum(operands[0], (operands[1][0], not operands[1][1]))
        case "mul" | "div":
            (a, minus), (b, other) = _positive(operands[0]), _positive(operands[1])
            return _node(builder, node, [a, b]), minus != other
        case "pow" if isinstance(node.payload, int):
            base, minus = operands[0]
            return _node(builder, node, [base]), minus and node.payload % 2 == 1
    return _whole(builder, node, operands), False


def _sum(one: _Signed, other: _Signed) -> _Signed:
    (a, minus), (b, negative) = one, other
    if minus == negative:
        return _node(a.builder, Node("add", (), None), [a, b]), minus
    first, second = (b, a) if minus else (a, b)
    # The same difference the other way round may be there already.
    found = a.builder.find("sub", (second.id, first.id))
    if found is not None:
        return Term(a.builder, found), True
    return _node(a.builder, Node("sub", (), None), [first, second]), False


def _positive(factor: _Signed) -> _Signed:
    """A number's own sign counts too: -2*x is 2*x up to its sign."""
    term, minus = factor
    if term.number is not None and term.number < 0:
        return number(term.builder, -term.number), not minus
    return term, minus


def _whole(builder: Builder, node: Node, operands: list[_Signed]) -> Term:
    return _node(builder, node, [_value(one) for one in operands])


def _value(signed: _Signed) -> Term:
    term, minus = signed
    return neg(term) if minus else term


def _node(builder: Builder, node: Node, operands: list[Term]) -> Term:
    ids = tuple(operand.id for operand in operands)
    return Term(builder, builder.node(node.op, ids, node.payload))

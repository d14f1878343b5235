"""Integer powers → squares and products, along one addition chain for each base.

In: a graph and its roots. Out: the same values; the only integer powers left are squares.
numpy and torch both square fast and raise to other powers slowly (x**4 costs torch 2.7
ms on 1e6 numbers where two squarings cost 0.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.graph.algebra import Term, integer_power
from gen.graph.chains import chain
from gen.graph.graph import Builder, Graph

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gen.graph.graph import Node


def lower_powers(graph: Graph, roots: Sequence[int]) -> tuple[Graph, tuple[int, ...]]:
    order = graph.order(roots)
    if is_lowered(graph, order):
        return graph, tuple(roots)
    wanted = _exponents(graph, order)
    chains = {base: chain(exponents) for base, exponents in wanted.items()}
    builder = Builder.beside(graph)
    image: dict[int, int] = {}
    for node in order:
        op, args, payload = graph[node]
        operands = tuple([image[arg] for arg in args])
        if op == "pow" and isinstance(payload, int):
            image[node] = _lowered(Term(builder, operands[0]), payload, chains[args[0]])
        elif op == "mul":
            image[node] = _product(builder, operands)
        else:
            image[node] = builder.node(op, operands, payload)
    return builder.freeze(), tuple(image[root] for root in roots)


def is_lowered(graph: Graph, order: Iterable[int]) -> bool:
    """Whether there is nothing to do for these nodes."""
    for node in order:
        op, args, payload = graph.nodes[node]
        if op == "pow" and payload != 2:
            return False
        if op == "mul" and any(_is_reciprocal(graph.nodes, arg) for arg in args):
            return False
    return True


def _exponents(graph: Graph, order: Sequence[int]) -> dict[int, set[int]]:
    """For each base, the sizes of the exponents wanted of it."""
    wanted: dict[int, set[int]] = {}
    for node in order:
        op, args, exponent = graph[node]
        if op == "pow" and isinstance(exponent, int):
            wanted.setdefault(args[0], set()).add(abs(exponent))
    return wanted


def _lowered(base: Term, exponent: int, steps: tuple[tuple[int, int, int], ...]) -> int:
    builder = base.builder
    powers = {1: base.id}
    for e, a, b in steps:
        if e > abs(exponent):
            break
        # Not the algebra's product, which would gather the factors into a power again.
        known = (powers[a], powers[b])
        powers[e] = integer_power(base, 2).id if e == 2 else builder.node("mul", known)
    value = powers[abs(exponent)]
    return value if exponent > 0 else builder.node("div", (base.like(1).id, value))


def _product(builder: Builder, factors: tuple[int, ...]) -> int:
    """A product; one with the reciprocal of a power is a quotient."""
    for one, other in (factors, factors[::-1]):
        if _is_reciprocal(builder.nodes, one) and not builder.is_constant(one):
            return builder.node("div", (other, builder.nodes[one].args[1]))
    return builder.node("mul", factors)


def _is_reciprocal(nodes: Sequence[Node], node: int) -> bool:
    return nodes[node].op == "div" and nodes[nodes[node].args[0]].payload == 1

"""Integer powers → squares and products, along one addition chain for each base.

In: a graph and its roots. Out: the same values; the only powers left are squares.
numpy and torch both square fast and raise to other powers slowly (x**4 costs torch 2.7
ms on 1e6 numbers where two squarings cost 0.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.graph.algebra import Term, integer_power
from gen.graph.chains import chain
from gen.graph.graph import Builder, Graph, Node, reachable

if TYPE_CHECKING:
    from collections.abc import Sequence


def lower_powers(graph: Graph, roots: Sequence[int]) -> tuple[Graph, tuple[int, ...]]:
    order = reachable(graph.nodes, roots)
    wanted: dict[int, set[int]] = {}
    for node in order:
        op, args, exponent = graph[node]
        if op == "pow" and isinstance(exponent, int):
            wanted.setdefault(args[0], set()).add(abs(exponent))
    chains = {base: chain(exponents) for base, exponents in wanted.items()}
    builder = Builder()
    image: dict[int, int] = {}
    for node in order:
        image[node] = _lowered(builder, graph[node], image, chains)
    return builder.freeze(), tuple(image[root] for root in roots)


def _lowered(
    builder: Builder,
    node: Node,
    image: dict[int, int],
    chains: dict[int, tuple[tuple[int, int, int], ...]],
) -> int:
    args = tuple(image[arg] for arg in node.args)
    if node.op != "pow":
        return builder.node(node.op, args, node.payload)
    exponent = node.payload
    assert isinstance(exponent, int)
    powers = {1: args[0]}
    for e, a, b in chains[node.args[0]]:
        if e > abs(exponent):
            break
        if e == 2:
            powers[e] = integer_power(Term(builder, args[0]), 2).id
        else:
            # Not the algebra's product: it would gather the factors into a power again.
            powers[e] = builder.node("mul", (powers[a], powers[b]))
    if exponent > 0:
        return powers[exponent]
    one = Term(builder, args[0]).like(1)
    return builder.node("div", (one.id, powers[-exponent]))

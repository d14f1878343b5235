"""Reductions that keep their axis: x.sum(-1)[..., None] is x.sum(-1, keepdim=True).

In: a laid-out graph and its roots. Out: the same values, with a new last axis made by the
reduction itself where nobody uses it without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.graph.graph import Builder, Graph, use_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

# How a last axis is added, to any number of others or to one.
_LAST = frozenset({"[..., None]", "[:, None]"})


def keep_axes(graph: Graph, roots: Sequence[int]) -> tuple[Graph, tuple[int, ...]]:
    """The graph with such reductions, and its roots."""
    order = graph.order(roots)
    if not any(_kept(graph, node) for node in order):
        return graph, tuple(roots)
    uses = use_counts(graph.nodes, order, roots)
    builder = Builder.beside(graph)
    image: dict[int, int] = {}
    for node in order:
        op, args, payload = graph[node]
        operands = tuple(image[arg] for arg in args)
        kept = _kept(graph, node) if args and uses[args[0]] == 1 else None
        if kept is None:
            image[node] = builder.node(op, operands, payload)
        else:
            inner = graph[args[0]]
            image[node] = builder.node("reduce", (image[inner.args[0]],), kept)
    return builder.freeze(), tuple(image[root] for root in roots)


def _kept(graph: Graph, node: int) -> tuple[object, ...] | None:
    """The payload of the reduction that a view makes of the one below it."""
    op, args, payload = graph.nodes[node]
    if op != "view" or payload not in _LAST or graph[args[0]].op != "reduce":
        return None
    inner = graph[args[0]].payload
    assert isinstance(inner, tuple)
    _, axes, behind = inner[:3]
    # Of two axes or more, [:, None] puts the new one between them.
    is_last = payload == "[..., None]" or behind == 1
    return (*inner, True) if axes == (-1,) and is_last else None

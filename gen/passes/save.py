"""What forward leaves for backward: an exact minimum cut.

In: a graph, its outputs, its gradients, and what keeping or repeating each node costs.
Out: the nodes to keep, such that all that backward needs of forward is kept, or computed
again from what is kept, at the least total cost.

The network has two vertices for each node of forward, `in` and `out`. Cutting in → out
keeps a node, cutting source → in computes it again; out(operand) → in(node) and, for what
backward needs, out → sink cannot be cut. It is networkx that finds the minimum cut
(Boykov & Kolmogorov, An Experimental Comparison of Min-Cut/Max-Flow Algorithms, 2004).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.graph.graph import GIVEN, Graph, constants, reachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import networkx

    Network = networkx.DiGraph[object]


@dataclass(frozen=True, slots=True)
class Costs:
    """What it costs to keep a node, and to compute it again; None: it cannot be done.

    Whole numbers, so that the cut does not depend on how sums are rounded.
    """

    keep: Callable[[int], int | None]
    repeat: Callable[[int], int | None]


@dataclass(frozen=True, slots=True)
class Choice:
    """What is kept, and what is computed again."""

    kept: frozenset[int]
    repeated: frozenset[int]
    cost: int


def needed(graph: Graph, outputs: Sequence[int], gradients: Sequence[int]) -> frozenset[int]:
    """The nodes of forward that backward uses directly."""
    forward = set(reachable(graph.nodes, outputs))
    fixed = constants(graph.nodes, sorted(forward))
    asked = set(gradients)
    for node in reachable(graph.nodes, gradients, stop=forward):
        if node not in forward:
            asked.update(graph[node].args)
    return frozenset(node for node in asked & forward if node not in fixed)


def choose(graph: Graph, wanted: Iterable[int], costs: Costs) -> Choice:
    """The cheapest choice that makes all `wanted` nodes available."""
    goals = sorted(wanted)
    if not goals:
        return Choice(frozenset(), frozenset(), 0)
    order = reachable(graph.nodes, goals)
    fixed = constants(graph.nodes, order)
    free = [node for node in order if node not in fixed]
    network = _network(graph, free, goals, costs)
    return _cut(network, free)


def _network(graph: Graph, nodes: Sequence[int], goals: Sequence[int], costs: Costs) -> Network:
    import networkx

    network: Network = networkx.DiGraph()
    known = set(nodes)
    for node in nodes:
        _edge(network, "source", ("in", node), _repeat(graph, node, costs))
        _edge(network, ("in", node), ("out", node), costs.keep(node))
        for arg in graph[node].args:
            if arg in known:
                network.add_edge(("out", arg), ("in", node))  # no capacity: infinite
    for node in goals:
        network.add_edge(("out", node), "sink")
    return network


def _repeat(graph: Graph, node: int, costs: Costs) -> int | None:
    """What is given cannot be computed at all."""
    return None if graph[node].op in GIVEN else costs.repeat(node)


def _edge(network: Network, start: object, end: object, capacity: int | None) -> None:
    if capacity is None:
        network.add_edge(start, end)
    else:
        network.add_edge(start, end, capacity=capacity)


def _cut(network: Network, nodes: Sequence[int]) -> Choice:
    from networkx.algorithms.flow import boykov_kolmogorov, minimum_cut

    cost, (near, far) = minimum_cut(network, "source", "sink", flow_func=boykov_kolmogorov)
    kept = (node for node in nodes if ("in", node) in near and ("out", node) in far)
    repeated = (node for node in nodes if ("in", node) in far)
    return Choice(frozenset(kept), frozenset(repeated), int(cost))

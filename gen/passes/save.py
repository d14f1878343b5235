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

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.errors import GenError
from gen.graph.graph import GIVEN, Graph, constants, operations, reachable
from gen.graph.indices import ELLIPSIS, Index
from gen.graph.leading import Leading
from gen.graph.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import networkx

    from gen.graph.indices import Indices
    from gen.model import Output, Program

    Network = networkx.DiGraph[object]


# Half an addition for each element: keeping an input costs two of these, an output three,
# since it may be that nobody else keeps it; so an output is kept where it saves more than
# one addition, or where it takes the place of an input.
_KEEP_INPUT, _KEEP_OUTPUT, _REPEAT = 2, 3, 2

# Sizes of dimensions that are letters, and of leading ones.
_SIZE, _LEADING = 64, 4096

# In larger graphs an output is kept wherever backward uses it: finding the cut takes time
# that grows with the square of the graph.
_LARGEST_CUT = 1_000


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
    forward = set(graph.order(outputs))
    fixed = constants(graph, sorted(forward))
    asked = set(gradients)
    for node in reachable(graph.nodes, gradients, stop=forward):
        if node not in forward:
            asked.update(graph[node].args)
    return frozenset(node for node in asked & forward if node not in fixed)


def choose(graph: Graph, wanted: Iterable[int], costs: Costs) -> Choice:
    """The cheapest choice that makes all `wanted` nodes available."""
    goals = sorted(wanted)
    order = graph.order(goals)
    fixed = constants(graph, order)
    free = [node for node in order if node not in fixed]
    if not free:
        return Choice(frozenset(), frozenset(), 0)
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


# ---- programs


def saved_outputs(program: Program) -> frozenset[int]:
    """The places of the outputs that backward is given.

    Only what exists anyway is kept, inputs and outputs: a second derivative through an
    intermediate that was kept would silently lack a term (pytorch issues 58509, 76185).

    Raises:
        GenError: where an output is asked for of which backward has no use.
    """
    wanted = needed(program.graph, program.outputs, program.roots[len(program.outputs) :])
    below = set(program.graph.order(wanted))
    leading = Leading(program.graph, program.formula.leading)
    compared = _compared(program)
    pairs = enumerate(zip(program.outputs, program.formula.outputs, strict=True))
    useful = {
        place
        for place, (node, one) in pairs
        if node in below - compared
        and program.graph[node].args
        and _is_whole(program.graph, node, one, leading)
    }
    save = program.formula.request.save
    if save == "output" and not useful:
        raise GenError("--save output: backward has no use for the output; use auto or inputs")
    if save == "inputs" or not useful:
        return frozenset()
    if len(below) > _LARGEST_CUT:
        return frozenset(place for place in useful if program.outputs[place] in wanted)
    chosen = choose(program.graph, wanted, _costs(program, useful, free=save == "output")).kept
    return frozenset(place for place in useful if program.outputs[place] in chosen)


def _compared(program: Program) -> set[int]:
    """Values that backward looks for among others that it computes, as max does its own.

    Computed again those may be rounded otherwise, and then none equals what was kept.
    """
    graph = program.graph
    equations = [graph[node].args for node in graph.order(program.roots) if graph[node].op == "eq"]
    pairs = [pair for a, b in equations for pair in ((a, b), (b, a))]
    made = (one for one, other in pairs if graph.varies[other] and graph[other].op not in GIVEN)
    return set(made)


def _is_whole(graph: Graph, node: int, output: Output, leading: Leading) -> bool:
    """Whether the value of an output has all its axes, none of them repeated."""
    if not output.axes <= graph.indices[node]:
        return False
    return len(output.leading) < 2 or leading.are(node, output.leading)


def _costs(program: Program, useful: Iterable[int], free: bool) -> Costs:
    """Costs by the number of elements; keeping outputs costs nothing if they are `free`."""
    indices = program.graph.indices
    outputs = {program.outputs[place] for place in useful}

    def keep(node: int) -> int | None:
        if program.graph[node].op in GIVEN:
            return _KEEP_INPUT * _volume(indices[node])
        if node not in outputs:
            return None
        return 0 if free else _KEEP_OUTPUT * _volume(indices[node])

    def repeat(node: int) -> int:
        op, args, _ = program.graph[node]
        if not args:
            return 0
        whole = frozenset[Index]().union(indices[node], *(indices[arg] for arg in args))
        return _REPEAT * OPERATIONS[op].cost * _volume(whole)

    return Costs(keep, repeat)


def _volume(indices: Indices) -> int:
    """How many elements a value of these indices has, letters taken for a usual size."""
    sizes = (
        _LEADING if one == ELLIPSIS else int(one.size) if one.size.isdigit() else _SIZE
        for one in indices
    )
    return math.prod(sizes)


def repeated(program: Program, given: Sequence[bool]) -> int:
    """How many operations of forward backward computes again."""
    kept = [node for node, is_given in zip(program.outputs, given, strict=True) if is_given]
    gradients = program.roots[len(program.outputs) :]
    forward = set(operations(program.graph, program.outputs)) - set(kept)
    return len(forward.intersection(reachable(program.graph.nodes, gradients, stop=kept)))

"""Products that exist only inside sums, and sums that are means.

In: a graph over indices. Out: the nodes that are contracted rather than computed; the sum
that a quotient by sizes is the mean of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.graph.graph import SIZE, Graph, Node
from gen.graph.indices import ELLIPSIS
from gen.graph.tensors import indices_about, size_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gen.graph.indices import Index, Indices
    from gen.graph.leading import Leading


def only_summed(
    graph: Graph,
    order: Sequence[int],
    indices: Sequence[Indices],
    atoms: set[int],
    roots: set[int],
) -> set[int]:
    """Products all of whose users are sums, or products of that kind.

    Args:
        graph: the graph.
        order: its nodes, topological.
        indices: those of each node.
        atoms: what is no factor of a contraction: plain numbers, and inputs some of whose
            axes may be missing.
        roots: what must be computed in any case.
    """
    if not any(graph.nodes[node].op == "sum" for node in order):
        return set()
    users: dict[int, list[int]] = {node: [] for node in order}
    for node in order:
        for arg in graph[node].args:
            users[arg].append(node)
    products = _products(graph, order, atoms)
    inside: set[int] = set()
    for node in reversed(order):
        around = users[node]
        if node in roots or node not in products or not around:
            continue
        summed = all(graph[one].op == "sum" or one in inside for one in around)
        if summed and (len(around) == 1 or _expands(graph, node, indices)):
            inside.add(node)
    return inside


def _products(graph: Graph, order: Sequence[int], atoms: set[int]) -> set[int]:
    """Products, also under other names."""
    found: set[int] = set()
    for node in order:
        op, args, _ = graph[node]
        if op == "rename" and args[0] in found:
            found.add(node)
        if op == "mul" and atoms.isdisjoint(args):
            found.add(node)
    return found


def _expands(graph: Graph, node: int, indices: Sequence[Indices]) -> bool:
    """Whether a product is larger than each of its factors."""
    return all(indices[arg] < indices[node] for arg in graph[node].args)


def mean_of(
    graph: Graph, node: int, uses: Mapping[int, int], inside: set[int], leading: Leading
) -> Node | None:
    """The sum that a node divides by the sizes it runs over; None where it is no mean.

    Args:
        graph: the graph.
        node: the node.
        uses: how often each node is used.
        inside: products that exist only inside sums.
        leading: where nodes have their leading dimensions from.
    """
    op, args, _ = graph[node]
    if op != "div" or graph[args[0]].op != "sum" or uses[args[0]] > 1:
        return None
    total = graph[args[0]]
    sizes = _sizes(graph, args[1])
    if total.args[0] in inside or sizes is None:
        return None
    if sorted(one.size for one, _ in sizes) != sorted(one.size for one in indices_about(total)):
        return None
    counted = [names for one, names in sizes if one == ELLIPSIS]
    return total if all(leading.are(total.args[0], names) for names in counted) else None


def _sizes(graph: Graph, node: int) -> list[tuple[Index, tuple[str, ...]]] | None:
    """The sizes whose product a node is; None where it is something else."""
    found: list[tuple[Index, tuple[str, ...]]] = []
    pending = [node]
    while pending:
        one = graph[pending.pop()]
        if one.op == SIZE:
            found.append(size_of(one))
        elif one.op == "mul":
            pending.extend(one.args)
        elif one.op == "pow" and isinstance(one.payload, int):
            pending.extend(one.args * max(one.payload, 0))
        else:
            return None
    return found

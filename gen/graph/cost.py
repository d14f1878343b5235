"""What the code of a graph costs.

In: a graph and its roots. Out: its operations, powers counted as what they become.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.graph.graph import Graph, operations
from gen.graph.operations import OPERATIONS
from gen.graph.powers import is_lowered, lower_powers

if TYPE_CHECKING:
    from collections.abc import Sequence


def cost(graph: Graph, roots: Sequence[int]) -> tuple[int, int]:
    """The operations weighted by the table, and their number."""
    if not is_lowered(graph, graph.order(roots)):
        graph, roots = lower_powers(graph, roots)
    weights = [OPERATIONS[graph.nodes[node].op].cost for node in operations(graph, roots)]
    return sum(weights), len(weights)

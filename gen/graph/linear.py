"""Is a declared gradient linear in its cotangents, as every derivative is?

In: a graph and a node of it. Out: the answer. Forward mode is the transpose of backward,
and only what is linear has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.graph.graph import COTANGENT, NUMBER
from gen.graph.indices import TENSOR_OPERATIONS

if TYPE_CHECKING:
    from gen.graph.graph import Graph

# What is known of a node: it is 0, has no cotangent in it, is linear in them, or neither.
_ZERO, _FREE, _LINEAR, _OTHER = range(4)
_EITHER = {_ZERO, _LINEAR}

_SUMS = frozenset({"add", "sub", "neg", "optional_add", "optional_sub"})
_PRODUCTS = frozenset({"mul", "optional_mul"})
# Operations of whole arrays that are linear in their one operand.
_LINEAR_TENSORS = frozenset({"sum", "rename", "spread", "gather"})


def is_linear(graph: Graph, node: int) -> bool:
    """Whether a node is linear in the cotangents, or 0.

    >>> from gen.graph.algebra import cotangent
    >>> from gen.graph.graph import Builder
    >>> g = cotangent(Builder(), "grad_output")
    >>> doubled, squared = g + g, g * g
    >>> graph = g.builder.freeze()
    >>> is_linear(graph, doubled.id), is_linear(graph, squared.id)
    (True, False)
    """
    known: dict[int, int] = {}
    for one in graph.order([node]):
        op, args, payload = graph[one]
        if op == COTANGENT:
            known[one] = _LINEAR
        elif op == NUMBER and payload == 0:
            known[one] = _ZERO
        else:
            known[one] = _kind(op, [known[arg] for arg in args])
    return known[node] in _EITHER


def _kind(op: str, operands: list[int]) -> int:
    """What an operation makes of operands of which this is known."""
    worst = max([*operands, _FREE])
    if worst != _LINEAR:
        return worst
    first, *rest = operands
    if op in _PRODUCTS:
        return _LINEAR if operands.count(_LINEAR) == 1 else _OTHER
    if op == "div":
        return _LINEAR if rest == [_FREE] else _OTHER
    if op in _SUMS or (op in TENSOR_OPERATIONS and op in _LINEAR_TENSORS):
        return _LINEAR if _EITHER.issuperset(operands) else _OTHER
    if op == "select":
        return _LINEAR if first == _FREE and _EITHER.issuperset(rest) else _OTHER
    return _OTHER

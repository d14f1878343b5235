"""What PyTorch's own autograd would keep of a formula.

In: a graph, laid out where it is about tensors, and its roots. Out: how many tensors, each
counted once however many operations keep it. The table follows `derivatives.yaml` of
PyTorch, which saves what the backward formula of an operation refers to; a test holds it
against torch.autograd.graph.saved_tensors_hooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.graph.graph import BOOLEANS, COMPARISONS, GIVEN, Graph, constants

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What is kept, by operation: operands by position, "y" for the result. What is not here
# keeps its operands.
_KEEPS: dict[str, str] = {
    **dict.fromkeys(("add", "sub", "neg", "optional_add", "optional_sub"), ""),
    **dict.fromkeys(("view", "expand", "spread", "gather", "sum", "mean"), ""),
    **dict.fromkeys(("floor", "ceil", "round", "trunc", "sign", "heaviside"), ""),
    **dict.fromkeys(COMPARISONS | BOOLEANS, ""),
    **dict.fromkeys(("exp", "exp2", "expm1", "sqrt", "tanh", "tan", "sigmoid", "erfinv"), "y"),
    **dict.fromkeys(("softmax", "log_softmax", "inv"), "y"),
    **dict.fromkeys(("amax", "amin", "prod", "logsumexp", "norm", "logsigmoid"), "0y"),
    **dict.fromkeys(("hypot", "power"), "01y"),
    "select": "0",
}

# A product or quotient by a plain number keeps nothing, an extremum the tensor alone.
_LINEAR = frozenset({"mul", "optional_mul", "matmul", "einsum"})


def kept(graph: Graph, roots: Iterable[int], numbers: Iterable[str] = ()) -> int:
    """How many tensors eager autograd keeps, plain numbers aside.

    Args:
        graph: the graph.
        roots: the outputs.
        numbers: the inputs that are plain numbers.
    """
    order = graph.order(roots)
    fixed = constants(graph, order)
    plain = {node for node in order if graph[node].payload in set(numbers)} | fixed
    for node in order:
        if graph[node].args and plain.issuperset(graph[node].args):
            plain.add(node)
    found = {one for node in order if node not in plain for one in _kept(graph, node, plain)}
    return len({_viewed(graph, node) for node in found})


def _kept(graph: Graph, node: int, plain: set[int]) -> Iterator[int]:
    op, args, payload = graph[node]
    if op in GIVEN:
        return
    if op in ("reduce", "normalise", "linalg") and isinstance(payload, tuple):
        op = str(payload[0])
    known = _rule(op, [arg in plain for arg in args])
    yield from (arg for place, arg in enumerate(args) if str(place) in known and arg not in plain)
    if "y" in known:
        yield node


def _rule(op: str, plain: list[bool]) -> str:
    """What an operation keeps, some of whose operands are plain numbers."""
    if op in _LINEAR and any(plain):
        return ""
    if op == "div" and any(plain):
        return "" if plain[1] else "y"
    if op == "power" and any(plain):
        return "0" if plain[1] else "1y"
    return _KEEPS.get(op, "0123")


def _viewed(graph: Graph, node: int) -> int:
    """What a view is a view of: they share their memory."""
    while graph[node].op in ("view", "expand", "spread"):
        node = graph[node].args[0]
    return node

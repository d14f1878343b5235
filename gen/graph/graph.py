"""Hash-consed expression graphs in SSA order.

In: requests for nodes, an operation with operands that exist already.
Out: integer ids. The same request always gives the same id, and operands always have
smaller ids than the nodes that use them: walking ids upwards is a topological order,
downwards a reverse one, and nothing here or in the passes needs recursion.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Payload = Fraction | int | str | None

# Leaves: a rational number, a symbolic constant such as pi, an input of the formula, the
# cotangent of the output, and the output itself where backward is given it.
NUMBER, CONSTANT = "number", "constant"
INPUT, COTANGENT, OUTPUT = "input", "cotangent", "output"
VARIABLES = frozenset({INPUT, COTANGENT, OUTPUT})
LEAVES = VARIABLES | {NUMBER, CONSTANT}

COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
BOOLEANS = COMPARISONS | {"and", "or", "not", "true", "false"}

# Operations whose operands may be swapped without changing a bit of the result.
COMMUTATIVE = frozenset({"add", "mul", "eq", "ne", "and", "or"})


class Node(NamedTuple):
    """One operation of a graph."""

    op: str  # name of a row of the table in operations.py, or one of LEAVES
    args: tuple[int, ...]  # ids of the operands, each smaller than this node's own
    payload: Payload  # a leaf's number or name; the exponent of an integer power


@dataclass(frozen=True, slots=True)
class Graph:
    """An immutable graph: what one stage hands to the next."""

    nodes: tuple[Node, ...]

    def __getitem__(self, node: int) -> Node:
        return self.nodes[node]

    def __len__(self) -> int:
        return len(self.nodes)


@dataclass(slots=True)
class Builder:
    """A graph under construction; it hands out one id for one node."""

    nodes: list[Node] = field(default_factory=list)
    _ids: dict[tuple[object, ...], int] = field(default_factory=dict)
    _depends: list[bool] = field(default_factory=list)

    @classmethod
    def of(cls, graph: Graph) -> Builder:
        """A builder that starts from `graph`, whose ids stay valid."""
        builder = cls()
        for node in graph.nodes:
            builder.node(*node)
        return builder

    def node(self, op: str, args: tuple[int, ...] = (), payload: Payload = None) -> int:
        """The id of this node, made now if it is new."""
        key = _key(op, args, payload)
        found = self._ids.get(key)
        if found is not None:
            return found
        self._ids[key] = len(self.nodes)
        self.nodes.append(Node(op, args, payload))
        self._depends.append(op in VARIABLES or any(map(self._depends.__getitem__, args)))
        return len(self.nodes) - 1

    def find(self, op: str, args: tuple[int, ...] = (), payload: Payload = None) -> int | None:
        """The id of this node, None if there is none yet."""
        return self._ids.get(_key(op, args, payload))

    def is_constant(self, node: int) -> bool:
        """Whether the value of `node` is the same for all inputs."""
        return not self._depends[node]

    def freeze(self) -> Graph:
        return Graph(tuple(self.nodes))


def _key(op: str, args: tuple[int, ...], payload: Payload) -> tuple[object, ...]:
    """What tells nodes apart; numbers by integers, since hashing a Fraction is slow."""
    # And so is isinstance, since Fraction registers with abstract classes.
    if type(payload) is Fraction:
        return (op, payload.numerator, payload.denominator)
    if op in COMMUTATIVE and args[0] > args[1]:
        return (op, args[::-1], payload)
    return (op, args, payload)


def reachable(nodes: Sequence[Node], roots: Iterable[int], stop: Iterable[int] = ()) -> list[int]:
    """Ids that `roots` need, in topological order, not looking below those in `stop`."""
    border = frozenset(stop)
    seen: set[int] = set()
    pending = list(roots)
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            if node not in border:
                pending.extend(nodes[node].args)
    return sorted(seen)


def constants(nodes: Sequence[Node], order: Iterable[int]) -> set[int]:
    """Those nodes of `order` (topological) that depend on no input."""
    found: set[int] = set()
    for node in order:
        op, args, _ = nodes[node]
        if op not in VARIABLES and found.issuperset(args):
            found.add(node)
    return found


def use_counts(nodes: Sequence[Node], order: Iterable[int], roots: Iterable[int]) -> dict[int, int]:
    """How often each node of `order` is an operand or a root."""
    counts: dict[int, int] = {}
    for node in order:
        counts.setdefault(node, 0)
        for arg in nodes[node].args:
            counts[arg] = counts.get(arg, 0) + 1
    for root in roots:
        counts[root] = counts.get(root, 0) + 1
    return counts


def operations(graph: Graph, roots: Iterable[int]) -> Iterator[int]:
    """The nodes that cost something at run time: no leaves, constants nor mere views."""
    order = reachable(graph.nodes, roots)
    fixed = constants(graph.nodes, order)
    free = LEAVES | {"transpose"}
    return (node for node in order if node not in fixed and graph[node].op not in free)

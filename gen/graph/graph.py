"""Hash-consed expression graphs in SSA order.

In: requests for nodes, an operation with operands that exist already.
Out: integer ids. The same request always gives the same id, and operands always have
smaller ids than the nodes that use them: walking ids upwards is a topological order,
downwards a reverse one, and nothing here or in the passes needs recursion.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gen.graph.indices import LEADING, TENSOR_OPERATIONS, Indices, indices_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Payload: TypeAlias = Fraction | int | str | tuple[object, ...] | None

# Leaves: a rational number, a symbolic constant such as pi, an input of the formula, the
# cotangent of an output, and an output itself where backward is given it; the size of an
# index, and the identity matrix.
NUMBER, CONSTANT = "number", "constant"
INPUT, COTANGENT, OUTPUT = "input", "cotangent", "output"
SIZE, DELTA = "size", "delta"
GIVEN = frozenset({INPUT, COTANGENT, OUTPUT})
# The same once axes are laid out: the size of an axis of what is given, and a matrix.
EXTENT, EYE = "extent", "eye"
# A function of the user's own, which its payload names.
CUSTOM = "custom"
VARIABLES = GIVEN | {SIZE, DELTA, EXTENT, EYE}
LEAVES = VARIABLES | {NUMBER, CONSTANT}

COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
BOOLEANS = COMPARISONS | {"and", "or", "not", "true", "false"}

# Operations whose operands may be swapped without changing a bit of the result.
COMMUTATIVE = frozenset({"add", "mul", "eq", "ne", "and", "or"})


# What is given, by the kind of leaf and its name.
Leaf: TypeAlias = tuple[str, "Payload"]

# What is no plain number though its operands are.
_SHAPED = VARIABLES | {"expand", "spread", CUSTOM}

# What costs nothing at run time: leaves, and other views of what there is.
_FREE = LEAVES | {"rename", "view", "transpose"}


class Node(NamedTuple):
    """One operation of a graph."""

    op: str  # name of a row of the table in operations.py, or one of LEAVES
    args: tuple[int, ...]  # ids of the operands, each smaller than this node's own
    # A leaf's number or name; the exponent of an integer power; the indices that a tensor
    # operation is about; what a user's own function is.
    payload: Payload


@dataclass(frozen=True, slots=True)
class Graph:
    """An immutable graph: what one stage hands to the next."""

    nodes: tuple[Node, ...]
    given: Mapping[Leaf, Indices] = field(default_factory=dict)  # those of inputs and the like

    def __getitem__(self, node: int) -> Node:
        return self.nodes[node]

    def __len__(self) -> int:
        return len(self.nodes)


@dataclass(slots=True)
class Builder:
    """A graph under construction; it hands out one id for one node.

    What is given has leading dimensions alone unless `given` says otherwise.
    """

    nodes: list[Node] = field(default_factory=list)
    given: dict[Leaf, Indices] = field(default_factory=dict)
    indices: list[Indices] = field(default_factory=list)  # of the value of each node
    _ids: dict[tuple[object, ...], int] = field(default_factory=dict)
    _depends: list[bool] = field(default_factory=list)

    @classmethod
    def of(cls, graph: Graph) -> Builder:
        """A builder that starts from `graph`, whose ids stay valid."""
        builder = cls.beside(graph)
        for node in graph.nodes:
            builder.node(*node)
        return builder

    @classmethod
    def beside(cls, graph: Graph) -> Builder:
        """A builder of another graph over the same inputs, which starts empty."""
        return cls(given=dict(graph.given))

    def node(self, op: str, args: tuple[int, ...] = (), payload: Payload = None) -> int:
        """The id of this node, made now if it is new."""
        key = _key(op, args, payload)
        found = self._ids.get(key)
        if found is not None:
            return found
        self._ids[key] = len(self.nodes)
        self.nodes.append(Node(op, args, payload))
        self.indices.append(self._indices(op, args, payload))
        # What a user's own function makes of constants, only running it shows.
        varies = op in VARIABLES or op == CUSTOM
        self._depends.append(varies or any(map(self._depends.__getitem__, args)))
        return len(self.nodes) - 1

    def _indices(self, op: str, args: tuple[int, ...], payload: Payload) -> Indices:
        if op in GIVEN:
            return self.given.get((op, payload), LEADING)
        if len(args) == 1 and op not in TENSOR_OPERATIONS:
            return self.indices[args[0]]
        return indices_of(op, payload, [self.indices[arg] for arg in args])

    def find(self, op: str, args: tuple[int, ...] = (), payload: Payload = None) -> int | None:
        """The id of this node, None if there is none yet."""
        return self._ids.get(_key(op, args, payload))

    def is_constant(self, node: int) -> bool:
        """Whether the value of `node` is the same for all inputs."""
        return not self._depends[node]

    def freeze(self) -> Graph:
        return Graph(tuple(self.nodes), dict(self.given))


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
    seen = set(roots)
    pending = list(seen)
    while pending:
        node = pending.pop()
        if node in border:
            continue
        for arg in nodes[node].args:
            if arg not in seen:
                seen.add(arg)
                pending.append(arg)
    return sorted(seen)


def constants(nodes: Sequence[Node], order: Iterable[int]) -> set[int]:
    """Those nodes of `order` (topological) that depend on no input."""
    found: set[int] = set()
    for node in order:
        op, args, _ = nodes[node]
        if op not in _SHAPED and found.issuperset(args):
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
    return (node for node in order if node not in fixed and graph[node].op not in _FREE)

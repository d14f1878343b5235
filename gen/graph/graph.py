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

from gen.graph.indices import LEADING, NONE, TENSOR_OPERATIONS, Indices, indices_of

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
# A constant that says which branch is taken: whether it is true, or the text in the payload.
FLAG = "flag"
BOOLEANS = COMPARISONS | {"and", "or", "not", "true", "false", FLAG}

# Operations whose operands may be swapped without changing a bit of the result.
COMMUTATIVE = frozenset({"add", "mul", "eq", "ne", "and", "or"})


# What is given, by the kind of leaf and its name.
Leaf: TypeAlias = tuple[str, "Payload"]

# What is no plain number though its operands are: what a user's own function makes of
# constants, only running it shows.
_VARYING = VARIABLES | {"expand", "spread", CUSTOM}

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
    given: Mapping[Leaf, Indices]  # those of inputs and the like
    indices: tuple[Indices, ...]  # of the value of each node
    varies: tuple[bool, ...]  # whether each node is more than a plain number, whatever is given
    _orders: dict[tuple[int, ...], tuple[int, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def __getitem__(self, node: int) -> Node:
        return self.nodes[node]

    def __len__(self) -> int:
        return len(self.nodes)

    def order(self, roots: Iterable[int]) -> tuple[int, ...]:
        """Ids that `roots` need, in topological order."""
        key = tuple(roots)
        if key not in self._orders:  # every pass asks for it, of the same few roots
            self._orders[key] = tuple(reachable(self.nodes, key))
        return self._orders[key]


@dataclass(slots=True)
class Builder:
    """A graph under construction; it hands out one id for one node.

    What is given has leading dimensions alone unless `given` says otherwise.
    """

    nodes: list[Node] = field(default_factory=list)
    given: dict[Leaf, Indices] = field(default_factory=dict)
    indices: list[Indices] = field(default_factory=list)  # of the value of each node
    _varies: list[bool] = field(default_factory=list)
    _ids: dict[tuple[object, ...], int] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: Graph) -> Builder:
        """A builder that starts from `graph`, whose ids stay valid."""
        ids = {_key(*node): place for place, node in enumerate(graph.nodes)}
        known = (list(graph.nodes), dict(graph.given), list(graph.indices), list(graph.varies))
        return cls(*known, ids)

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
        self._ids[key] = found = len(self.nodes)
        self.nodes.append(Node(op, args, payload))
        self.indices.append(self._indices(op, args, payload))
        self._varies.append(op in _VARYING or True in [self._varies[arg] for arg in args])
        return found

    def _indices(self, op: str, args: tuple[int, ...], payload: Payload) -> Indices:
        if op in TENSOR_OPERATIONS:
            return indices_of(op, payload, [self.indices[arg] for arg in args])
        if op in GIVEN:
            return self.given.get((op, payload), LEADING)
        united = NONE
        for arg in args:
            one = self.indices[arg]
            if one is not united:
                united = one if one >= united else united | one
        return united

    def find(self, op: str, args: tuple[int, ...] = (), payload: Payload = None) -> int | None:
        """The id of this node, None if there is none yet."""
        return self._ids.get(_key(op, args, payload))

    def is_constant(self, node: int) -> bool:
        """Whether the value of `node` is the same for all inputs."""
        return not self._varies[node]

    def freeze(self) -> Graph:
        indices, varies = tuple(self.indices), tuple(self._varies)
        return Graph(tuple(self.nodes), dict(self.given), indices, varies)


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
    found = list(seen)
    for node in found:  # which grows meanwhile
        if node not in border:
            for arg in nodes[node][1]:
                if arg not in seen:
                    seen.add(arg)
                    found.append(arg)
    found.sort()
    return found


def constants(graph: Graph, order: Iterable[int]) -> set[int]:
    """Those nodes of `order` that are plain numbers, whatever is given."""
    varies = graph.varies
    return {node for node in order if not varies[node]}


def use_counts(nodes: Sequence[Node], order: Iterable[int], roots: Iterable[int]) -> dict[int, int]:
    """How often each node of `order`, which has all that `roots` need, is an operand or a root."""
    counts = dict.fromkeys(order, 0)
    for node in order:
        for arg in nodes[node][1]:
            counts[arg] += 1
    for root in roots:
        counts[root] += 1
    return counts


def operations(graph: Graph, roots: Iterable[int]) -> Iterator[int]:
    """The nodes that cost something at run time: no leaves, constants nor mere views."""
    nodes, varies = graph.nodes, graph.varies
    return (node for node in graph.order(roots) if varies[node] and nodes[node].op not in _FREE)

"""Indices by name → axes by position: how tensor expressions are laid out.

In: a graph over indices, the order of the axes of what is given and of what is wanted.
Out: a graph whose operations are those of numpy and PyTorch: elementwise ones over
operands that broadcast, reductions over axes counted from the right, matrix products,
einsum. Products inside a sum are never multiplied out: they are contracted in pairs.

Axes stand in one order everywhere, chosen so that inputs and outputs need no transposing
as far as they agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from gen.graph.graph import (
    COTANGENT,
    DELTA,
    EXTENT,
    EYE,
    GIVEN,
    INPUT,
    SIZE,
    Builder,
    Graph,
    constants,
    reachable,
    use_counts,
)
from gen.graph.indices import (
    ELLIPSIS,
    MATRICES,
    NORMALISATIONS,
    REDUCTIONS,
    TENSOR_OPERATIONS,
    Index,
    Indices,
)
from gen.passes.arrangement import arranged, matrix_product, moved, pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gen.graph.graph import Leaf, Node, Payload
    from gen.model import Axis

Order: TypeAlias = "tuple[Axis, ...]"

# Operations of the new graph whose payload names inputs, of which they need the shape.
SHAPED = frozenset({EXTENT, EYE, "expand", "spread", "gather"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A result: a node, and the order of its axes."""

    node: int
    order: Order
    like: str = ""  # the input whose shape it has; empty: an output


@dataclass(frozen=True, slots=True)
class Laid:
    """A node of the new graph, and the order of its axes."""

    node: int
    order: Order
    loose: bool = False  # axes may be missing or 1

    @property
    def indices(self) -> Indices:
        return frozenset(axis for axis in self.order if axis is not None)


@dataclass(frozen=True, slots=True)
class Given:
    """The axes of what is given, by leaf."""

    orders: Mapping[Leaf, Order]
    loose: frozenset[str] = frozenset()  # inputs whose axes may be missing or 1


def lay_out(graph: Graph, wanted: Sequence[Wanted], given: Given) -> tuple[Graph, tuple[int, ...]]:
    """The graph over axes, and its node for each result."""
    return _Layout(graph, wanted, given).run()


@dataclass(slots=True)
class _Layout:
    """One graph on its way."""

    graph: Graph
    wanted: Sequence[Wanted]
    given: Given
    builder: Builder = field(default_factory=Builder)
    image: dict[int, Laid] = field(default_factory=dict)
    source: Builder = field(init=False)  # the same graph, for the indices of its nodes
    order: list[int] = field(init=False)
    uses: dict[int, int] = field(init=False)
    fixed: set[int] = field(init=False)
    places: dict[Index, int] = field(init=False)  # the common order of all axes

    def __post_init__(self) -> None:
        roots = [one.node for one in self.wanted]
        self.source = Builder.of(self.graph)
        self.order = reachable(self.graph.nodes, roots)
        self.fixed = constants(self.graph.nodes, self.order)
        self.uses = use_counts(self.graph.nodes, self.order, roots)
        self.places = arranged(self._constraints())

    def run(self) -> tuple[Graph, tuple[int, ...]]:
        inside = self._inside()
        for node in self.order:
            if node not in inside:
                self.image[node] = self._laid(node)
        roots = tuple(self._finished(one) for one in self.wanted)
        return self.builder.freeze(), roots

    def _constraints(self) -> list[Order]:
        """Orders that axes have already, the most important first."""
        loose = [self.given.orders[INPUT, name] for name in sorted(self.given.loose)]
        outputs = [one.order for one in self.wanted if not one.like]
        read = [self.graph[node] for node in self.order if self.graph[node].op in GIVEN]
        leaves = [self.given.orders[one.op, one.payload] for one in read]
        results = [one.order for one in self.wanted if one.like]
        moved_ = [self._renamed_order(node) for node in self.order]
        distinct = dict.fromkeys(self.source.indices[node] for node in self.order)
        indices = [tuple(sorted(one)) for one in distinct]
        return [*loose, *outputs, *leaves, *results, *moved_, *indices]

    def _renamed_order(self, node: int) -> Order:
        op, args, payload = self.graph[node]
        if op != "rename" or self.graph[args[0]].op not in GIVEN:
            return ()
        assert isinstance(payload, tuple)
        names = dict(payload)
        leaf = self.graph[args[0]]
        order = self.given.orders[leaf.op, leaf.payload]
        return tuple(axis and names.get(axis, axis) for axis in order)

    def _inside(self) -> set[int]:
        """Products that exist only inside sums: they are contracted, never multiplied out."""
        users: dict[int, list[int]] = {}
        for node in self.order:
            for arg in self.graph[node].args:
                users.setdefault(arg, []).append(node)
        roots = {one.node for one in self.wanted}
        inside: set[int] = set()
        for node in reversed(self.order):
            around = users.get(node, [])
            if node in roots or not around or not self._is_product(node):
                continue
            if all(self.graph[one].op == "sum" or one in inside for one in around) and (
                len(around) == 1 or self._expands(node)
            ):
                inside.add(node)
        return inside

    def _is_product(self, node: int) -> bool:
        op, args, _ = self.graph[node]
        if op == "rename":
            return self._is_product(args[0])
        loose = any(self._is_loose(arg) for arg in args)
        return op == "mul" and not loose and not self.fixed.intersection(args)

    def _is_loose(self, node: int) -> bool:
        op, _, payload = self.graph[node]
        return op == INPUT and payload in self.given.loose

    def _expands(self, node: int) -> bool:
        """Whether a product is larger than each of its factors."""
        indices = self.source.indices
        return all(indices[arg] < indices[node] for arg in self.graph[node].args)

    # ---- nodes

    def _laid(self, node: int) -> Laid:
        op, args, payload = self.graph[node]
        if op in GIVEN:
            order = self.given.orders[op, payload]
            return Laid(self.builder.node(op, (), payload), order, self._is_loose(node))
        if op == SIZE:
            return self._size(payload)
        if op == DELTA:
            return self._identity(payload)
        if op == "rename":
            assert isinstance(payload, tuple)
            names = dict(payload)
            inner = self._rigid(self.image[args[0]])
            return Laid(inner.node, tuple(a and names.get(a, a) for a in inner.order))
        if op == "sum":
            return self._sum(node)
        if op in REDUCTIONS or op in NORMALISATIONS:
            return self._reduction(op, self.image[args[0]], payload)
        if op in MATRICES:
            return self._matrix(self.graph[node])
        if op in TENSOR_OPERATIONS:
            return self._leading(self.graph[node])
        mean = self._mean(node)
        return mean or self._elementwise(self.graph[node])

    def _elementwise(self, node: Node) -> Laid:
        operands = [self.image[arg] for arg in node.args]
        order = self._sorted(frozenset().union(*(one.indices for one in operands)))
        ids = tuple(self._aligned(one, order).node for one in operands)
        return Laid(self.builder.node(node.op, ids, node.payload), order)

    def _sorted(self, indices: Iterable[Index]) -> tuple[Index, ...]:
        return tuple(sorted(indices, key=lambda one: (one != ELLIPSIS, self.places[one], one)))

    def _aligned(self, one: Laid, order: Order) -> Laid:
        """An operand that broadcasts to axes in this order."""
        if not one.order:
            return one
        if one.loose:
            same = order[len(order) - len(one.order) :] == one.order
            fits = len(order) >= len(one.order) and all(
                mine is None or mine == axis
                for mine, axis in zip(
                    one.order, order[len(order) - len(one.order) :], strict=True
                )
            ) if len(order) >= len(one.order) else False
            if same or fits:
                return one
            one = self._rigid(one)
        return self._moved(one, pattern(one.order, order))

    def _moved(self, one: Laid, order: Order) -> Laid:
        """The same value with its axes in another order, and with other axes of size 1."""
        node = one.node
        for step in moved(one.order, order):
            node = self._step(node, step)
        return Laid(node, order)

    def _step(self, node: int, step: tuple[str, str]) -> int:
        op, payload = step
        return self.builder.node(op, (node,), payload)

    def _rigid(self, one: Laid) -> Laid:
        """An operand none of whose axes is missing."""
        if not one.loose:
            return one
        order = tuple(axis for axis in one.order if axis is not None)
        payload = self._shape(one.order)
        return self._moved(Laid(self.builder.node("expand", (one.node,), payload), one.order), order)

    # ---- sizes and shapes

    def _size(self, payload: Payload) -> Laid:
        assert isinstance(payload, tuple)
        index, *inputs = payload
        assert isinstance(index, Index)
        if index == ELLIPSIS:
            names = tuple(map(str, inputs)) or self._leaders()
            return Laid(self.builder.node(EXTENT, (), ("...", names, self._behind(names))), ())
        return Laid(self.builder.node(EXTENT, (), self._extent(index)), ())

    def _extent(self, index: Index) -> tuple[object, ...]:
        """An input or cotangent that has this size, and at which axis."""
        for leaf in self._candidates():
            order = self.given.orders[leaf]
            sizes = [axis.size if axis else "" for axis in order]
            if index.size in sizes:
                return (leaf, sizes.index(index.size) - len(order))
        raise AssertionError(f"no input has the size {index}")

    def _candidates(self) -> list[Leaf]:
        """What sizes are taken from: what is read anyway first."""
        read = [(node.op, node.payload) for node in (self.graph[n] for n in self.order)]
        known = [leaf for leaf in read if leaf in self.given.orders]
        rest = [leaf for leaf in self.given.orders if leaf[0] == INPUT and leaf not in known]
        exact = [leaf for leaf in (*known, *rest) if leaf[1] not in self.given.loose]
        return sorted(exact, key=lambda leaf: leaf[0] != COTANGENT)

    def _leaders(self) -> tuple[str, ...]:
        """The inputs that have leading dimensions."""
        return tuple(
            sorted(
                str(name)
                for (op, name), order in self.given.orders.items()
                if op == INPUT and order[:1] == (ELLIPSIS,)
            )
        )

    def _behind(self, names: Iterable[str]) -> tuple[int, ...]:
        """For each input, how many axes it has behind its leading dimensions."""
        return tuple(len(self.given.orders[INPUT, name]) - 1 for name in names)

    def _shape(self, order: Order) -> tuple[object, ...]:
        """The pieces of a shape: leading dimensions of inputs, sizes, numbers."""
        pieces: list[object] = []
        for axis in order:
            if axis is None:
                pieces.append(1)
            elif axis == ELLIPSIS:
                names = self._leaders()
                pieces.append(("...", names, self._behind(names)))
            elif axis.size.isdigit():
                pieces.append(int(axis.size))
            else:
                pieces.append(self._extent(axis))
        return tuple(pieces)

    def _identity(self, payload: Payload) -> Laid:
        assert isinstance(payload, tuple)
        i, j = payload
        assert isinstance(i, Index)
        assert isinstance(j, Index)
        order = self._sorted((i, j))
        size = self._shape((i,))[0]
        return Laid(self.builder.node(EYE, (), (size,)), order)

    # ---- reductions

    def _sum(self, node: int) -> Laid:
        _, (arg,), over = self.graph[node]
        assert isinstance(over, tuple)
        if arg in self.image:
            return self._reduction("sum", self.image[arg], over)
        factors = self._factors(arg)
        return self._contracted(factors, frozenset(over) & self.source.indices[arg])  # type: ignore[arg-type]

    def _reduction(self, kind: str, one: Laid, over: Payload) -> Laid:
        assert isinstance(over, tuple)
        one = self._rigid(one)
        lost = frozenset(over)
        keeps = kind in NORMALISATIONS
        axes = tuple(
            "..." if axis == ELLIPSIS else place - len(one.order)
            for place, axis in enumerate(one.order)
            if axis in lost
        )
        everything = len(axes) == len(one.order) and not (keeps and "..." not in axes)
        payload = (kind, () if everything else axes, len(one.order) - 1)
        order = one.order if keeps else tuple(axis for axis in one.order if axis not in lost)
        op = "normalise" if keeps else "reduce"
        return Laid(self.builder.node(op, (one.node,), payload), order)

    def _mean(self, node: int) -> Laid | None:
        """A sum divided by the sizes that it runs over is a mean."""
        op, args, _ = self.graph[node]
        if op != "div" or self.graph[args[0]].op != "sum" or self.uses[args[0]] > 1:
            return None
        total = self.graph[args[0]]
        if total.args[0] not in self.image or not isinstance(total.payload, tuple):
            return None
        sizes = self._sizes(args[1])
        over = [axis.size for axis in total.payload if isinstance(axis, Index)]
        if sizes is None or sorted(sizes) != sorted(over):
            return None
        return self._reduction("mean", self.image[total.args[0]], total.payload)

    def _sizes(self, node: int) -> list[str] | None:
        """The sizes whose product a node is; None where it is something else."""
        op, args, payload = self.graph[node]
        if op == SIZE:
            assert isinstance(payload, tuple)
            return [payload[0].size]  # type: ignore[attr-defined]
        if op != "mul":
            return None
        parts = [self._sizes(arg) for arg in args]
        return None if None in parts else [size for part in parts for size in part or []]

    # ---- contractions

    def _factors(self, node: int) -> list[Laid]:
        """The factors of a product that exists only inside a sum."""
        found: list[Laid] = []
        pending: list[tuple[int, dict[Index, Index]]] = [(node, {})]
        while pending:
            one, names = pending.pop()
            op, args, payload = self.graph[one]
            if one in self.image:
                laid = self.image[one]
                laid = self._rigid(laid) if names else laid
                order = tuple(axis and names.get(axis, axis) for axis in laid.order)
                found.append(Laid(laid.node, order, laid.loose))
            elif op == "rename":
                assert isinstance(payload, tuple)
                inner = {old: names.get(new, new) for old, new in payload}
                kept = {old: new for old, new in names.items() if old not in dict(payload).values()}
                pending.append((args[0], {**kept, **inner}))
            else:
                pending.extend((arg, names) for arg in reversed(args))
        return found

    def _contracted(self, factors: list[Laid], over: Indices) -> Laid:
        """The sum over indices of a product, two factors at a time, the cheapest first."""
        while len(factors) > 1:
            a, b = min(self._pairs(len(factors)), key=lambda pair: self._size_of(factors, pair, over))
            rest = [one for place, one in enumerate(factors) if place not in (a, b)]
            needed = frozenset().union(*(one.indices for one in rest))
            done = over - needed
            factors = [*rest[:a], self._pair(factors[a], factors[b], done), *rest[a:]]
            over = over & needed
        (one,) = factors
        return self._reduction("sum", one, tuple(over & one.indices)) if over & one.indices else one

    def _pairs(self, count: int) -> list[tuple[int, int]]:
        return [(a, b) for a in range(count) for b in range(a + 1, count)]

    def _size_of(self, factors: list[Laid], pair: tuple[int, int], over: Indices) -> tuple[int, int]:
        """How many indices a pair runs over, and how many are left."""
        a, b = (factors[place] for place in pair)
        rest = [one for place, one in enumerate(factors) if place not in pair]
        needed = frozenset().union(*(one.indices for one in rest))
        whole = a.indices | b.indices
        return (len(whole), len(whole - (over - needed)))

    def _pair(self, a: Laid, b: Laid, over: Indices) -> Laid:
        whole = a.indices | b.indices
        over = over & whole
        order = self._sorted(whole - over)
        if not over or a.loose or b.loose or self._is_plain(a, b, over):
            ids = tuple(self._aligned(one, self._sorted(whole)).node for one in (a, b))
            product = Laid(self.builder.node("mul", ids), self._sorted(whole))
            return self._reduction("sum", product, tuple(over)) if over else product
        a, b = self._without_ones(a), self._without_ones(b)
        found = matrix_product(a.order, b.order, over, order)
        if found is not None:
            left, right = (self._transposed(one, flip) for one, flip in zip((a, b), found.flips, strict=True))
            pair = (right, left) if found.swapped else (left, right)
            return Laid(self.builder.node("matmul", pair), order)
        equation = _equation([a.order, b.order], order)
        return Laid(self.builder.node("einsum", (a.node, b.node), equation), order)

    def _without_ones(self, one: Laid) -> Laid:
        return self._moved(one, tuple(axis for axis in one.order if axis is not None))

    def _transposed(self, one: Laid, flip: bool) -> int:
        if not flip:
            return one.node
        return self.builder.node("view", (one.node,), ".T" if ELLIPSIS not in one.order and len(one.order) == 2 else ".mT")

    def _is_plain(self, a: Laid, b: Laid, over: Indices) -> bool:
        """Whether multiplying out costs no memory, as in sum(x*y, axis=-1)."""
        return a.indices == b.indices and not (len(a.indices) == 1 and ELLIPSIS not in a.indices)

    # ---- matrices and leading dimensions

    def _matrix(self, node: Node) -> Laid:
        assert isinstance(node.payload, tuple)
        i, j = node.payload
        a = self._rigid(self.image[node.args[0]])
        before = self._sorted(a.indices - {i, j})
        left = self._moved(a, (*before, i, j))
        if node.op != "solve":
            order = (*before, j, i) if node.op == "inv" else before
            return Laid(self.builder.node("linalg", (left.node,), (node.op,)), order)
        return self._solved(left, before, i, j, self.image[node.args[1]])

    def _solved(self, left: Laid, before: Order, i: Axis, j: Axis, b: Laid) -> Laid:
        b = self._rigid(b)
        others = [axis for axis in b.indices - {i} if axis not in before]
        columns = self._sorted(others)
        stacked = (*before, i, *columns[-1:]) if not columns[:-1] else (*columns[:-1], i, columns[-1])
        if i not in b.indices:
            b = self._expanded(b, stacked)
        b = self._moved(b, pattern(b.order, stacked)) if columns else self._moved(b, (*(x for x in before if x in b.indices), i))
        if columns:
            node = self.builder.node("linalg", (left.node, b.node), ("solve",))
            return Laid(node, tuple(j if axis == i else axis for axis in stacked))
        column = self.builder.node("view", (b.node,), "[..., None]")
        found = self.builder.node("linalg", (left.node, column), ("solve",))
        return Laid(self.builder.node("view", (found,), "[..., 0]"), (*before, j))

    def _expanded(self, one: Laid, order: Order) -> Laid:
        """A value with all these axes, those that it lacks repeated."""
        node = self._moved(one, pattern(one.order, order)).node
        return Laid(self.builder.node("expand", (node,), self._shape(order)), order)

    def _leading(self, node: Node) -> Laid:
        """Leading dimensions made, or summed, to those of some inputs."""
        assert isinstance(node.payload, tuple)
        one = self.image[node.args[0]]
        names = tuple(map(str, node.payload))
        tail = tuple(axis for axis in one.order if axis != ELLIPSIS)
        payload = (("...", names, self._behind(names)), len(tail))
        return Laid(self.builder.node(node.op, (one.node,), payload), (ELLIPSIS, *tail))

    # ---- results

    def _finished(self, wanted: Wanted) -> int:
        """A result with exactly the axes that it is to have."""
        one = self.image[wanted.node]
        order = tuple(axis for axis in wanted.order)
        missing = {axis for axis in order if axis is not None} - one.indices
        if not missing and not one.loose:
            return self._moved(one, order).node if one.order != order else one.node
        if wanted.like:
            node = self._moved(self._rigid(one), pattern(one.order, order)).node
            return self.builder.node("expand", (node,), ((INPUT, wanted.like),))
        return self._expanded(one, order).node


def _equation(operands: Sequence[Order], result: Order) -> str:
    """The einsum that multiplies operands and sums what the result lacks."""
    letters: dict[Index, str] = {}

    def text(order: Order) -> str:
        return "".join(_letter(axis, letters) for axis in order if axis is not None)

    left = ",".join(text(order) for order in operands)
    return f"{left}->{text(result)}"


def _letter(axis: Index, letters: dict[Index, str]) -> str:
    """A letter for an index: its own small one where that is free."""
    if axis == ELLIPSIS:
        return "..."
    if axis not in letters:
        own = axis.size[0].lower() if axis.size[0].isalpha() else "i"
        alphabet = [own, *"ijklmnopqrstuvwxyzabcdefgh"]
        letters[axis] = next(one for one in alphabet if one not in letters.values())
    return letters[axis]

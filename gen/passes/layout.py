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
from typing import TYPE_CHECKING

from gen.graph.graph import (
    DELTA,
    EXTENT,
    EYE,
    GIVEN,
    INPUT,
    SIZE,
    Builder,
    Graph,
    constants,
    use_counts,
)
from gen.graph.indices import (
    ELLIPSIS,
    LEADING,
    MATRICES,
    NONE,
    NORMALISATIONS,
    REDUCTIONS,
    TENSOR_OPERATIONS,
    Index,
    Indices,
)
from gen.graph.leading import Leading
from gen.graph.tensors import indices_about, names_of, renaming_of, size_of
from gen.passes.arrangement import (
    arranged,
    broadcasts,
    matrix_product,
    moved,
    outer_rows,
    pattern,
)
from gen.passes.axes import Given, Laid, Wanted
from gen.passes.contraction import cheapest_pair, equation, is_plain, summed
from gen.passes.keepdims import keep_axes
from gen.passes.products import mean_of, only_summed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gen.graph.graph import Leaf, Node
    from gen.passes.axes import Order

# Operations of the new graph whose payload names inputs, of which they need the shape.
SHAPED = frozenset({EXTENT, EYE, "expand", "spread", "gather"})


def lay_out(graph: Graph, wanted: Sequence[Wanted], given: Given) -> tuple[Graph, tuple[int, ...]]:
    """The graph over axes, and its node for each result."""
    return keep_axes(*_Layout(graph, wanted, given).run())


@dataclass(slots=True)
class _Layout:
    """One graph on its way."""

    graph: Graph
    wanted: Sequence[Wanted]
    given: Given
    builder: Builder = field(default_factory=Builder)
    image: dict[int, Laid] = field(default_factory=dict)
    indices: Sequence[Indices] = field(init=False)  # of the nodes of the old graph
    leading: Leading = field(init=False)
    order: tuple[int, ...] = field(init=False)
    uses: dict[int, int] = field(init=False)
    read: list[Leaf] = field(init=False)  # what is read anyway
    fixed: set[int] = field(init=False)  # constants
    inside: set[int] = field(init=False)  # products that exist only inside sums
    places: dict[Index, int] = field(init=False)  # the common order of all axes

    def __post_init__(self) -> None:
        roots = [one.node for one in self.wanted]
        self.indices = self.graph.indices
        self.leading = Leading(self.graph, self.given.outputs)
        self.order = self.graph.order(roots)
        self.uses = use_counts(self.graph.nodes, self.order, roots)
        nodes = [self.graph[node] for node in self.order]
        self.read = [(node.op, node.payload) for node in nodes if node.op in GIVEN]
        self.fixed = constants(self.graph, self.order)
        atoms = self.fixed | {node for node in self.order if self._is_loose(node)}
        self.inside = only_summed(self.graph, self.order, self.indices, atoms, set(roots))
        self.places = arranged(self._constraints())

    def run(self) -> tuple[Graph, tuple[int, ...]]:
        for node in self.order:
            if node not in self.inside:
                self.image[node] = self._laid(node)
        roots = tuple(self._finished(one) for one in self.wanted)
        return self.builder.freeze(), roots

    def _constraints(self) -> list[Order]:
        """Orders that axes have already, the most important first."""
        loose = [self.given.orders[INPUT, name] for name in sorted(self.given.loose)]
        outputs = [one.order for one in self.wanted if not one.like]
        leaves = [self.given.orders[leaf] for leaf in self.read]
        results = [one.order for one in self.wanted if one.like]
        others = [self._renamed_order(node) for node in self.order]
        distinct = dict.fromkeys(self.indices[node] for node in self.order)
        rest = [tuple(sorted(one)) for one in distinct]
        return [*loose, *outputs, *leaves, *results, *others, *rest]

    def _renamed_order(self, node: int) -> Order:
        """The order that a renamed input has."""
        if self.graph[node].op != "rename":
            return ()
        leaf = self.graph[self.graph[node].args[0]]
        return _renamed(self.given.orders.get((leaf.op, leaf.payload), ()), self.graph[node])

    def _is_loose(self, node: int) -> bool:
        op, _, payload = self.graph[node]
        return op == INPUT and payload in self.given.loose

    # ---- nodes

    def _laid(self, node: int) -> Laid:
        op, args, payload = self.graph[node]
        if args and op not in TENSOR_OPERATIONS:
            total = self._mean(node) if op == "div" else None
            if total is None:
                return self._elementwise(self.graph[node])
            return self._reduction("mean", self.image[total.args[0]], indices_about(total))
        if op in GIVEN:
            order = self.given.orders[op, payload]
            return Laid(self.builder.node(op, (), payload), order, self._is_loose(node))
        if op == SIZE:
            return self._size(self.graph[node])
        if op == DELTA:
            return self._identity(*indices_about(self.graph[node]))
        if op == "rename":
            inner = self._rigid(self.image[args[0]])
            return Laid(inner.node, _renamed(inner.order, self.graph[node]))
        if op == "sum" and args[0] in self.inside:
            over = frozenset(indices_about(self.graph[node]))
            return self._contracted(self._factors(args[0]), over)
        if op in REDUCTIONS or op in NORMALISATIONS:
            return self._reduction(op, self.image[args[0]], indices_about(self.graph[node]))
        if op in MATRICES:
            return self._matrix(self.graph[node])
        if op in TENSOR_OPERATIONS:
            return self._leading(self.graph[node])
        return self._elementwise(self.graph[node])

    def _mean(self, node: int) -> Node | None:
        return mean_of(self.graph, node, self.uses, self.inside, self.leading)

    def _elementwise(self, node: Node) -> Laid:
        operands = [self.image[arg] for arg in node.args]
        if (same := _alike(operands)) is not None:
            ids = tuple([one.node for one in operands])
            return Laid(self.builder.node(node.op, ids, node.payload), same)
        order = self._sorted(frozenset().union(*(one.indices for one in operands)))
        ids = tuple(self._aligned(one, order).node for one in operands)
        return Laid(self.builder.node(node.op, ids, node.payload), order, _lacks(operands, order))

    def _sorted(self, indices: Iterable[Index]) -> tuple[Index, ...]:
        return tuple(sorted(indices, key=lambda one: (one != ELLIPSIS, self.places[one], one)))

    def _aligned(self, one: Laid, order: Order) -> Laid:
        """An operand that broadcasts to axes in this order."""
        if one.loose and broadcasts(one.order, order):
            return one
        one = self._rigid(one)
        return self._moved(one, pattern(one.order, order))

    def _moved(self, one: Laid, order: Order) -> Laid:
        """The same value with its axes in another order, and with other axes of size 1."""
        node = one.node
        for op, payload in moved(one.order, order):
            node = self.builder.node(op, (node,), payload)
        return Laid(node, order)

    def _rigid(self, one: Laid) -> Laid:
        """An operand none of whose axes is missing."""
        return self._moved(self._expanded(one, one.order), one.plain) if one.loose else one

    def _plain(self, one: Laid) -> Laid:
        """An operand without axes of size 1."""
        return self._moved(one, one.plain)

    def _expanded(self, one: Laid, order: Order, leading: Iterable[str] = ()) -> Laid:
        """A value with all these axes, those that it lacks repeated."""
        node = one.node if one.loose else self._moved(one, pattern(one.order, order)).node
        shape = self.given.shape(order, self.read, leading)
        return Laid(self.builder.node("expand", (node,), shape), order)

    # ---- sizes

    def _size(self, node: Node) -> Laid:
        index, inputs = size_of(node)
        if index == ELLIPSIS:
            payload = self.given.leading(inputs)
        else:
            payload = self.given.extent(index, self.read)
        return Laid(self.builder.node(EXTENT, (), payload), ())

    def _identity(self, i: Index, j: Index) -> Laid:
        size = self.given.shape((i,), self.read)
        return Laid(self.builder.node(EYE, (), size), self._sorted((i, j)))

    # ---- reductions and contractions

    def _reduction(self, kind: str, one: Laid, over: Iterable[Index]) -> Laid:
        one = self._rigid(one)
        lost = frozenset(over)
        keeps = kind in NORMALISATIONS
        axes: tuple[object, ...] = tuple(
            "..." if axis == ELLIPSIS else place - len(one.order)
            for place, axis in enumerate(one.order)
            if axis in lost
        )
        if len(axes) == len(one.order) and ("..." in axes or not keeps):
            axes = ()  # all that there are
        order = one.order if keeps else tuple(axis for axis in one.order if axis not in lost)
        op = "normalise" if keeps else "reduce"
        payload = (kind, axes, len(one.order) - 1)
        return Laid(self.builder.node(op, (one.node,), payload), order)

    def _factors(self, node: int) -> list[Laid]:
        """The factors of a product that exists only inside a sum."""
        found: list[Laid] = []
        pending: list[tuple[int, dict[Index, Index]]] = [(node, {})]
        while pending:
            one, names = pending.pop()
            if one not in self.inside:
                laid = self._rigid(self.image[one]) if names else self.image[one]
                order = tuple(axis and names.get(axis, axis) for axis in laid.order)
                found.append(Laid(laid.node, order, laid.loose))
            elif self.graph[one].op == "rename":
                inner = dict(renaming_of(self.graph[one]))
                new = {old: names.get(name, name) for old, name in inner.items()}
                kept = {old: name for old, name in names.items() if old not in inner.values()}
                pending.append((self.graph[one].args[0], {**kept, **new}))
            else:
                pending.extend((arg, names) for arg in reversed(self.graph[one].args))
        return found

    def _contracted(self, factors: list[Laid], over: Indices) -> Laid:
        """The sum over indices of a product, two factors at a time, the cheapest first."""
        while len(factors) > 1:
            indices = [one.indices for one in factors]
            pair = cheapest_pair(indices, over)
            done = summed(indices, pair, over)
            a, b = (factors[place] for place in pair)
            factors = [one for place, one in enumerate(factors) if place not in pair]
            factors.insert(pair[0], self._pair(a, b, done & (a.indices | b.indices)))
            over -= done
        return factors[0]

    def _pair(self, a: Laid, b: Laid, over: Indices) -> Laid:
        whole = a.indices | b.indices
        if not over or a.loose or b.loose or is_plain(a.indices, b.indices):
            order = self._sorted(whole)
            ids = tuple(self._aligned(one, order).node for one in (a, b))
            product = Laid(self.builder.node("mul", ids), order, _lacks((a, b), order))
            return self._reduction("sum", product, over) if over else product
        a, b = self._plain(a), self._plain(b)
        order = self._sorted(whole - over)
        found = matrix_product(a.plain, b.plain, over, order)
        rows = outer_rows(a.plain, b.plain, over, order)
        if rows is not None:
            pair = (b.node, a.node) if rows.swapped else (a.node, b.node)
            return Laid(self.builder.node("contract", pair), order)
        if found is None:
            payload = equation([a.order, b.order], order)
            return Laid(self.builder.node("einsum", (a.node, b.node), payload), order)
        left, right = (
            self._turned(one) if flip else one.node
            for one, flip in zip((a, b), found.flips, strict=True)
        )
        pair = (right, left) if found.swapped else (left, right)
        return Laid(self.builder.node("matmul", pair), order)

    def _turned(self, one: Laid) -> int:
        *before, i, j = one.order
        return self._moved(one, (*before, j, i)).node

    # ---- matrices and leading dimensions

    def _matrix(self, node: Node) -> Laid:
        i, j = indices_about(node)
        a = self._rigid(self.image[node.args[0]])
        before = self._sorted(a.indices - {i, j})
        a = self._moved(a, (*before, i, j))
        if node.op == "solve":
            return self._solved(a, self.image[node.args[1]])
        order = {"inv": (*before, j, i), "cofactor": (*before, i, j)}.get(node.op, before)
        return Laid(self.builder.node("linalg", (a.node,), (node.op,)), order)

    def _solved(self, a: Laid, b: Laid) -> Laid:
        *before, i, j = a.plain
        b = self._rigid(b)
        others = self._sorted(b.indices - {i, *before})
        # What a lacks are columns of b; of several, all but the last are a batch.
        columns = tuple(axis for axis in others if axis != ELLIPSIS)[-1:]
        batch = self._sorted({*before, *others} - {*columns})
        a = self._moved(a, pattern(a.order, (*batch, i, j)))
        stacked = (*batch, i, *columns)
        if i in b.indices:
            b = self._moved(b, pattern(b.order, stacked))
        else:
            b = self._expanded(b, tuple(axis for axis in stacked if axis in b.indices | {i}))
        right = b.node if columns else self.builder.node("view", (b.node,), "[..., None]")
        found = self.builder.node("linalg", (a.node, right), ("solve",))
        if columns:
            return Laid(found, (*batch, j, *columns))
        return Laid(self.builder.node("view", (found,), "[..., 0]"), (*batch, j))

    def _leading(self, node: Node) -> Laid:
        """Leading dimensions made, or summed, to those of some inputs."""
        one = self._rigid(self.image[node.args[0]])
        tail = tuple(axis for axis in one.order if axis != ELLIPSIS)
        payload = (self.given.leading(names_of(node)), len(tail))
        return Laid(self.builder.node(node.op, (one.node,), payload), (ELLIPSIS, *tail))

    # ---- results

    def _is_short(self, wanted: Wanted) -> bool:
        """Whether an output lacks leading dimensions, as x + 0*y does where it is x."""
        return len(wanted.leading) > 1 and not self.leading.are(wanted.node, wanted.leading)

    def _finished(self, wanted: Wanted) -> int:
        """A result with exactly the axes that it is to have."""
        one = self.image[wanted.node]
        missing = {axis for axis in wanted.order if axis is not None} - one.indices
        missing |= LEADING if self._is_short(wanted) else NONE
        if not missing and not one.loose and wanted.node not in self.fixed:
            return self._moved(one, wanted.order).node
        if not wanted.like:
            return self._expanded(one, wanted.order, wanted.leading).node
        one, inputs = self._rigid(one), {wanted.like}
        if ELLIPSIS in one.indices:
            inputs = set(self.leading.names(self.leading.sources(wanted.node)))
        if wanted.like in self.given.loose or inputs != {wanted.like}:
            # What it is summed to may lack axes, and have fewer leading dimensions.
            return self._expanded(one, wanted.order, sorted(inputs)).node
        node = self._moved(one, pattern(one.order, wanted.order)).node
        return self.builder.node("expand", (node,), ((INPUT, wanted.like),))


def _alike(operands: Sequence[Laid]) -> Order | None:
    """The one axis that the operands have, numbers aside: most are such. None elsewhere."""
    found: Order = ()
    for one in operands:
        if one.loose or len(one.order) > 1:
            return None
        if one.order and one.order != found:
            if found:
                return None
            found = one.order
    return found


def _lacks(operands: Iterable[Laid], order: Order) -> bool:
    """Whether an axis comes from operands alone in which it may be missing."""
    return not {*order} <= {axis for one in operands if not one.loose for axis in one.plain}


def _renamed(order: Order, node: Node) -> Order:
    names = dict(renaming_of(node))
    return tuple(axis and names.get(axis, axis) for axis in order)

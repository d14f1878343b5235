"""Shared pairs: what sums or products have in common is computed once.

In: a graph and its roots. Out: the same values for no more operations.

x + y + z and x + w + z have no node in common, and still share x + z. Chains of additions
and subtractions that nobody else looks into are flattened to signed operands, chains of
multiplications to multisets; then the pair that occurs most often, up to its sign, becomes
a node of its own, again and again, while any pair occurs twice (after Breuer, Generation of
optimal code for expressions via factorization, CACM 12, 1969). A chain without such a pair
stays exactly as it was written.

Regrouping a sum of computed values costs no accuracy, since each carries the rounding of
its own size already. A difference of inputs or numbers does not: it is exact where it
nearly cancels, and is never taken apart. Regrouping a product changes only how large its
intermediate values are.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from gen.graph.graph import LEAVES, Builder, Graph, constants, use_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

# Pairs of a chain grow with the square of its width: wider ones stay as they are.
_WIDEST = 48
# Higher powers have addition chains of their own, which taking one factor out could spoil.
_LARGEST_OPENED = 3
# Products of so many factors are written out in all that use them, where that is asked for.
_LARGEST_WRITTEN_OUT = 8

_SUMS, _PRODUCTS = frozenset({"add", "sub", "neg"}), frozenset({"mul"})

# Two operands, the smaller id first, and whether they have the same sign.
_Pair: TypeAlias = tuple[int, int, bool]


@dataclass(slots=True)
class _Chain:
    """One flattened sum or product."""

    operands: dict[int, int]  # ±1 in a sum, the exponent in a product; in order
    inner: list[int]  # the nodes that it was flattened from, without the last
    changed: bool = False


def share_sums(graph: Graph, roots: Sequence[int]) -> tuple[Graph, tuple[int, ...]]:
    """The same with what sums have in common computed once."""
    return _Sharing(graph, roots, _SUMS).run()


def share_products(graph: Graph, roots: Sequence[int]) -> tuple[Graph, tuple[int, ...]]:
    """The same with what products have in common computed once."""
    return _Sharing(graph, roots, _PRODUCTS).run()


def share_products_opened(graph: Graph, roots: Sequence[int]) -> tuple[Graph, tuple[int, ...]]:
    """The same, products and squares that several use written out first where they are small.

    Which products are shared is then found anew: it pays where the order in which factors
    were written hides that they occur together, and costs where it does not.
    """
    return _Sharing(graph, roots, _PRODUCTS, _LARGEST_WRITTEN_OUT).run()


class _Sharing:
    """One graph, its sums or its products, on their way into a new graph."""

    def __init__(
        self, graph: Graph, roots: Sequence[int], kind: frozenset[str], written_out: int = 0
    ) -> None:
        self.graph = graph
        self.roots = roots
        self.kind = kind
        self.written_out = written_out  # how wide a product may be that several use
        self.order = graph.order(roots)
        self.uses = use_counts(graph.nodes, self.order, roots)
        self.fixed = constants(graph, self.order)
        self.chains = self._flattened()
        self.pairs: dict[int, _Pair] = {}  # by the number that stands for it in chains
        self.builder = Builder.beside(graph)
        self.image: dict[int, int] = {}

    def run(self) -> tuple[Graph, tuple[int, ...]]:
        _Counting(self.chains, self.pairs, len(self.graph)).run(self.kind == _SUMS)
        if not self.pairs:
            return self.graph, tuple(self.roots)
        inside = {node for one in self.chains.values() if one.changed for node in one.inner}
        for node in self.order:
            if node not in inside:
                self.image[node] = self._built(node)
        return self.builder.freeze(), tuple(self.image[root] for root in self.roots)

    # ---- flattening

    def _flattened(self) -> dict[int, _Chain]:
        """The chains, by their last node."""
        chains: dict[int, _Chain] = {}
        for node in self.order:
            if self.graph[node].op in self.kind and node not in self.fixed:
                chain = self._chain(node, chains)
                if chain is not None:
                    chains[node] = chain
        return {node: chain for node, chain in chains.items() if len(chain.operands) > 1}

    def _chain(self, node: int, chains: dict[int, _Chain]) -> _Chain | None:
        """The chain that ends in `node`; None where it is too wide or repeats an operand."""
        chain = _Chain({}, [])
        for position, arg in enumerate(self.graph[node].args):
            inner = chains.get(arg) if self._is_open(arg) else self._small(chains.get(arg))
            sign = -1 if self._is_negated(node, position) else 1
            parts = self._single(arg) if inner is None else inner.operands
            for operand, count in parts.items():
                if operand in chain.operands and self.kind == _SUMS:
                    return None
                chain.operands[operand] = chain.operands.get(operand, 0) + sign * count
            if inner is not None and self.uses[arg] == 1:
                chain.inner += [*inner.inner, arg]
        if len(chain.operands) > _WIDEST:
            return None
        for arg in chain.inner:
            chains.pop(arg, None)
        return chain

    def _is_open(self, node: int) -> bool:
        """Whether a sum or product may be regrouped with the one around it."""
        op, args, _ = self.graph[node]
        if self.uses[node] > 1:
            return False
        return op != "sub" or any(self.graph[arg].op not in LEAVES for arg in args)

    def _small(self, chain: _Chain | None) -> _Chain | None:
        """A product that several use, where it is to be written out in each."""
        fits = chain is not None and len(chain.operands) <= self.written_out
        return chain if fits else None

    def _is_negated(self, node: int, position: int) -> bool:
        op = self.graph[node].op
        return op == "neg" or (op == "sub" and position == 1)

    def _single(self, node: int) -> dict[int, int]:
        op, args, exponent = self.graph[node]
        opened = self.kind == _PRODUCTS and (self.uses[node] == 1 or self.written_out > 0)
        if opened and op == "pow" and isinstance(exponent, int) and 0 < exponent <= _LARGEST_OPENED:
            return {args[0]: exponent}
        return {node: 1}

    # ---- writing

    def _built(self, node: int) -> int:
        chain = self.chains.get(node)
        if chain is not None and chain.changed:
            return self._sum(chain) if self.kind == _SUMS else self._product(chain.operands)
        op, args, payload = self.graph[node]
        return self.builder.node(op, tuple([self.image[arg] for arg in args]), payload)

    def _sum(self, chain: _Chain) -> int:
        signs = list(chain.operands.items())
        head = next((one for one in signs if one[1] > 0), signs[0])
        total = self._operand(head[0])
        for operand, sign in signs:
            if operand != head[0]:
                op = "add" if sign == head[1] else "sub"
                total = self.builder.node(op, (total, self._operand(operand)))
        return total if head[1] > 0 else self.builder.node("neg", (total,))

    def _product(self, operands: dict[int, int]) -> int:
        """The product, its constant factor first."""
        factors = [self._power(operand, count) for operand, count in operands.items()]
        whole, *rest = sorted(factors, key=self.builder.is_constant)
        for one in rest:
            pair = (one, whole) if self.builder.is_constant(one) else (whole, one)
            whole = self.builder.node("mul", pair)
        return whole

    def _power(self, operand: int, count: int) -> int:
        base = self._operand(operand)
        return base if count == 1 else self.builder.node("pow", (base,), count)

    def _operand(self, operand: int) -> int:
        """The image of an operand, a pair built when it is first needed."""
        pending = [operand]
        while pending:
            missing = [one for one in self._members(pending[-1]) if one not in self.image]
            pending += missing
            if not missing:
                one = pending.pop()
                if one not in self.image:
                    self.image[one] = self._joined(self.pairs[one])
        return self.image[operand]

    def _members(self, operand: int) -> tuple[int, ...]:
        return self.pairs[operand][:2] if operand in self.pairs else ()

    def _joined(self, pair: _Pair) -> int:
        a, b, same = pair
        if self.kind == _PRODUCTS:
            return self._product({a: 1, b: 1})
        return self.builder.node("add" if same else "sub", (self.image[a], self.image[b]))


@dataclass(slots=True)
class _Counting:
    """Pairs counted over all chains, the most frequent replaced first."""

    chains: dict[int, _Chain]
    pairs: dict[int, _Pair]  # filled here
    next: int  # the number of the next pair
    found: dict[_Pair, dict[int, None]] = field(default_factory=dict)  # in which chains
    heap: list[tuple[int, int, _Pair]] = field(default_factory=list)

    def run(self, signed: bool) -> None:
        for place, chain in self.chains.items():
            for pair in _pairs_of(chain.operands):
                self.found.setdefault(pair, {})[place] = None
        self._push(self.found)
        while self.heap:
            negative, _, pair = heapq.heappop(self.heap)
            count = len(self.found[pair])
            if count != -negative:
                self._push([pair])
            elif count > 1:
                self._replace(pair, signed)

    def _push(self, pairs: Sequence[_Pair] | dict[_Pair, dict[int, None]]) -> None:
        for pair in pairs:
            if len(self.found[pair]) > 1:
                heapq.heappush(self.heap, (-len(self.found[pair]), len(self.heap), pair))

    def _replace(self, pair: _Pair, signed: bool) -> None:
        """Let a new operand stand for a pair, in all chains that have it."""
        number, self.next = self.next, self.next + 1
        places = list(self.found[pair])
        pair = _turned(pair, [self.chains[place].operands for place in places])
        self.pairs[number] = pair
        fresh: dict[_Pair, None] = {}
        for place in places:
            chain = self.chains[place]
            for old in _pairs_of(chain.operands):
                self.found[old].pop(place, None)
            chain.operands = _replaced(chain.operands, pair, number, signed)
            chain.changed = True
            for new in _pairs_of(chain.operands):
                self.found.setdefault(new, {})[place] = None
                if number in new:
                    fresh[new] = None
        self._push(list(fresh))


def _pairs_of(operands: dict[int, int]) -> list[_Pair]:
    signs = sorted(operands.items())
    return [
        (a, b, (m > 0) == (n > 0))
        for place, (a, m) in enumerate(signs)
        for b, n in signs[place + 1 :]
    ]


def _turned(pair: _Pair, chains: list[dict[int, int]]) -> _Pair:
    """A difference the way round that leaves fewer chains to be negated."""
    a, b, same = pair
    if same:
        return pair
    # A chain whose other operands are all subtracted needs a difference that is added.
    rests = [chain[a] for chain in chains if sum(1 for sign in chain.values() if sign > 0) == 1]
    return (b, a, same) if sum(rests) < 0 else pair


def _replaced(operands: dict[int, int], pair: _Pair, number: int, signed: bool) -> dict[int, int]:
    """The operands with `number` at the place of the pair's first one."""
    a, b, _ = pair
    count = operands[a] if signed else min(operands[a], operands[b])
    result: dict[int, int] = {}
    for operand, m in operands.items():
        if operand in (a, b):
            result.setdefault(number, count)
            if signed or m == count:
                continue
            m -= count
        result[operand] = m
    return result

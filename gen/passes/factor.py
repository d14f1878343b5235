"""Cheaper sums and products: common factors, accepted only where operations are saved.

In: a graph and its roots. Out: the same values, each cluster of sums and products in the
form that horner.py finds. A cluster is a tree of additions and multiplications whose inner
nodes nobody else uses, so that rewriting it undoes no sharing; one that nothing is found
for stays exactly as it was written.

With `opens`, small products that several use are written out in each, which lets x*(a*b)
and y*(a*b), and a*c*x + a*s*y, meet: what that shared is lost here and has to be found
again, by pairs.py, so it pays only as a part of a whole recipe.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from gen.graph.algebra import Term, number
from gen.graph.graph import (
    LEAVES,
    NUMBER,
    Builder,
    Graph,
    constants,
    use_counts,
)
from gen.graph.horner import Product, Sum, added, improved, multiplied, negative, powers_in

if TYPE_CHECKING:
    from collections.abc import Sequence

# Clusters end at these: each is searched quadratically.
_LARGEST = 64
_DEEPEST = 24
# Products of so many factors are written out where several use them.
_LARGEST_OPENED = 3

_INNER = frozenset({"add", "sub", "neg", "mul"})


@dataclass(slots=True)
class _Cluster:
    """What is read of a tree of sums and products."""

    product: Product
    size: int = 1  # leaves of the tree
    inner: list[int] = field(default_factory=list)  # its nodes, the last one included


def factor(
    graph: Graph, roots: Sequence[int], opens: bool = False
) -> tuple[Graph, tuple[int, ...]]:
    """The same values with sums and products rewritten where that saves operations."""
    return _Rewriter(graph, roots, opens).run()


def factor_opened(graph: Graph, roots: Sequence[int]) -> tuple[Graph, tuple[int, ...]]:
    """The same, with small products written out in all that use them."""
    return factor(graph, roots, opens=True)


class _Rewriter:
    """One graph on its way into a new one."""

    def __init__(self, graph: Graph, roots: Sequence[int], opens: bool) -> None:
        self.graph = graph
        self.roots = roots
        self.opens = opens
        self.order = graph.order(roots)
        self.fixed = constants(graph, self.order)
        self.uses = use_counts(graph.nodes, self.order, roots)
        self.users = self._users()
        self.better: dict[int, Product] = {}  # by the last node of a cluster
        self.gone: set[int] = set()  # the nodes of these
        self.builder = Builder.beside(graph)
        self.image: dict[int, int] = {}
        self.open: dict[int, _Cluster] = {}  # by inner nodes that nobody read yet
        self.small: dict[int, _Cluster] = {}  # by products that are written out
        self.exponents = self._exponents()

    def run(self) -> tuple[Graph, tuple[int, ...]]:
        for node in self.order:
            if node not in self.fixed and self.graph.nodes[node].op in _INNER:
                self._visit(node)
        if not self.better:
            return self.graph, tuple(self.roots)
        for node in self.order:
            if node in self.better:
                self.image[node] = self._term(self.better[node]).id
            elif node not in self.gone:
                self.image[node] = self._copied(node)
        return self.builder.freeze(), tuple(self.image[root] for root in self.roots)

    def _users(self) -> dict[int, str]:
        """The operation of the last user of each node."""
        return {arg: self.graph[node].op for node in self.order for arg in self.graph[node].args}

    def _exponents(self) -> dict[int, set[int]]:
        """For each base, the powers of it in the whole graph."""
        found: dict[int, set[int]] = {}
        for node in self.order:
            op, args, exponent = self.graph[node]
            if op == "pow" and isinstance(exponent, int) and exponent > 0:
                found.setdefault(args[0], set()).add(exponent)
        return found

    def _visit(self, node: int) -> None:
        """Read a node that a cluster is made of; a cluster that ends here is settled."""
        goes_on = self.uses[node] == 1 and self.users.get(node) in _INNER
        if not goes_on and not self.opens and self._is_simple(node):
            return
        cluster = self._read(node)
        small = cluster.size <= _LARGEST and cluster.product.depth < _DEEPEST
        if small and goes_on:
            self.open[node] = cluster
            return
        self._settle(cluster)
        if self.opens and not cluster.product.sums and cluster.size <= _LARGEST_OPENED:
            self.small[node] = cluster

    def _is_simple(self, node: int) -> bool:
        """Whether a node is a product of what nothing can be gathered with."""
        op, args, _ = self.graph.nodes[node]
        return op == "mul" and self.open.keys().isdisjoint(args)

    # ---- reading a cluster

    def _read(self, node: int) -> _Cluster:
        op, args, _ = self.graph[node]
        if op == "mul" and (found := self._longer(node, *args)):
            return found
        parts = [self._part(arg) for arg in args]
        size = sum([part.size for part in parts])
        inner = parts[0].inner
        for part in parts[1:]:
            inner += part.inner
        inner.append(node)
        products = [part.product for part in parts]
        if op == "mul":
            return _Cluster(multiplied(*products), size, inner)
        if op != "add":
            products[-1] = negative(products[-1])
        if op == "neg":
            return _Cluster(products[0], size, inner)
        # A difference of inputs or numbers is exact where it nearly cancels.
        closed = op == "sub" and all(self.graph[arg].op in LEAVES for arg in args)
        return _Cluster(added(*products, closed=closed), size, inner)

    def _longer(self, node: int, a: int, b: int) -> _Cluster | None:
        """A product with one more factor: the most frequent case, and a fast one."""
        if not self._is_plain(b):
            a, b = b, a
        if a == b or not self._is_plain(b):
            return None
        if a not in self.open:
            plain = self._is_plain(a)
            return _Cluster(Product(powers={a: 1, b: 1}), 2, [node]) if plain else None
        if b in self.open[a].product.powers:
            return None
        cluster = self.open.pop(a)
        cluster.product.powers[b] = 1
        cluster.size += 1
        cluster.inner.append(node)
        return cluster

    def _is_plain(self, node: int) -> bool:
        """Whether a factor is what it is: not to be looked into."""
        if node in self.open or node in self.small or node in self.fixed:
            return False
        return self.graph.nodes[node].op != "pow"

    def _part(self, node: int) -> _Cluster:
        if node in self.open:
            return self.open.pop(node)
        if node in self.small:
            return _Cluster(self.small[node].product, self.small[node].size)
        op, args, payload = self.graph[node]
        if op == NUMBER and isinstance(payload, Fraction):
            return _Cluster(Product(coefficient=payload))
        if node in self.fixed:
            return _Cluster(Product(constant=(node,)))
        if op == "pow" and isinstance(payload, int) and payload > 0 and self.uses[node] == 1:
            return _Cluster(Product(powers={args[0]: payload}))
        return _Cluster(Product(powers={node: 1}))

    def _settle(self, cluster: _Cluster) -> None:
        """Note a cheaper form of a cluster if there is one."""
        if not cluster.product.sums or cluster.size > 2 * _LARGEST:
            return
        own = powers_in(cluster.product)
        others = {base: self.exponents.get(base, set()) - own[base] for base in own}
        better = improved(cluster.product, others)
        if better is not None:
            self.better[cluster.inner[-1]] = better
            self.gone.update(cluster.inner)

    # ---- writing

    def _copied(self, node: int) -> int:
        """A node exactly as it was written."""
        op, args, payload = self.graph[node]
        return self.builder.node(op, tuple([self.image[arg] for arg in args]), payload)

    def _term(self, product: Product) -> Term:
        factors = [self._old(base) ** exponent for base, exponent in product.powers.items()]
        factors += [self._sum(one) for one in product.sums]
        scale = number(self.builder, product.coefficient)
        for node in product.constant:
            scale = scale * self._old(node)
        if not factors:
            return scale
        whole = factors[0]
        for one in factors[1:]:
            whole = whole * one
        return scale * whole

    def _old(self, node: int) -> Term:
        return Term(self.builder, self.image[node])

    def _sum(self, one: Sum) -> Term:
        positive = [term for term in one.terms if term.coefficient > 0]
        head = positive[0] if positive else one.terms[0]
        total = self._term(head)
        for term in one.terms:
            if term is head:
                continue
            if term.coefficient < 0:
                total = total - self._term(negative(term))
            else:
                total = total + self._term(term)
        return total
